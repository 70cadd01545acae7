// Package dataset makes the samples of a supervised-learning problem: separated unit vectors,
// teachers (rotation, ODE, SDE), uniform and normal noise, embedded digits and diabetes, MNIST
// and Fashion-MNIST from IDX files, and the user's own tables (text, Parquet), .npy and .npz files.
//
// A Spec says what is wanted, as the data section of a study file does. Resolve checks it and
// fills in the defaults, Load returns the Set:
//
//	spec, err := dataset.Spec{Kind: "digits", Samples: 1000, Test: 500}.Resolve(1) // seed 1
//	set, err := dataset.Load(spec, ".")
//
// A Set of N samples holds inputs X (N,d) and targets Y (N,m), float64 and row-major: sample i
// is X[i·d : (i+1)·d]. Targets of a classification are one-hot, with the class numbers in
// Labels. Stored sets other than .npy and .npz are standardised by the statistics of the
// training part and scaled to ‖x_i‖ = 1, unless the Spec says otherwise.
//
// Equal specs and files give equal bits. Errors of Resolve name the field, those of Load the
// file and the place in it; files with NaN, infinities or missing values are refused, and a
// table that can be read in two ways is an error that names the field which decides. Sets are
// limited to 2^31 numbers and to the memory of the process. Generated and embedded sets need
// no file; Fetch puts MNIST and Fashion-MNIST into Folder.
//
// Loading takes one pass over the file, and standardising two over the chosen samples.
package dataset

// Spec is the `data` section of a study file. Zero values mean the default.
type Spec struct {
	// Kind is one of Kinds: separated, rotation, ode, sde, uniform, normal, digits, diabetes,
	// mnist, fashion-mnist, csv, parquet, files.
	Kind string `yaml:"kind" json:"kind"`
	// Name labels the set in tables and figures; default Kind.
	Name string `yaml:"name,omitempty" json:"name"`
	// Samples is the number N of training samples drawn; 0 takes all of a stored
	// set. Generators need it.
	Samples int `yaml:"samples,omitempty" json:"samples,omitempty" zero:"all of a stored set"`
	// Test is the number of further samples held out for testing; 0 for none.
	// MNIST and Fashion-MNIST draw them from their own test files, as do sets with TestPath or
	// TestInputs (0 is then all), the other stored sets from what Samples leaves. Not for kinds separated and
	// normal, whose targets follow no rule.
	Test int `yaml:"test,omitempty" json:"test,omitempty"`
	// Validation is the number of further samples held out to choose settings by, from what Samples
	// and Test leave (of the training files with MNIST and Fashion-MNIST); 0 for none. Not for kinds
	// separated and normal.
	Validation int `yaml:"validation,omitempty" json:"validation,omitempty"`
	// Seed draws samples and splits; default: the seed of the run.
	Seed *uint64 `yaml:"seed,omitempty" json:"seed,omitempty"`

	// Width is the dimension d of the inputs of a generator, and of its targets but for
	// kind uniform, which has one.
	Width int `yaml:"width,omitempty" json:"width,omitempty"`
	// Distance is ‖y_i − x_i‖ of kind separated.
	Distance float64 `yaml:"distance,omitempty" json:"distance,omitempty"`
	// Separation is the c in |⟨x_i,x_j⟩| ≤ e^{−4c}/(8N), i ≠ j, of kind separated;
	// absent for orthonormal inputs (N ≤ d).
	Separation *float64 `yaml:"separation,omitempty" json:"separation,omitempty"`
	// Angle is the rotation of kind rotation in radians, in each of the ⌊d/2⌋
	// coordinate planes (1,2), (3,4), …; the last coordinate of an odd d stays.
	Angle float64 `yaml:"angle,omitempty" json:"angle,omitempty"`
	// Steps is the number of Euler steps of an ode or sde teacher; default 100.
	Steps int `yaml:"steps,omitempty" json:"steps,omitempty"`
	// Step is the size h of one Euler step of an ode or sde teacher; default
	// 1/Steps, which ends at t = 1. Time always runs over k/Steps, so another size
	// makes the teacher a residual network of depth Steps and residual scale Step;
	// [CCRX] takes Steps^−1/2.
	Step float64 `yaml:"step,omitempty" json:"step,omitempty"`
	// Noise is the diffusion coefficient of kind sde, whose Brownian path is one
	// for all samples.
	Noise float64 `yaml:"noise,omitempty" json:"noise,omitempty"`

	// Inputs and Targets name the (N,d) and (N,m) .npy arrays of kind files, used as they are.
	// The name of an array of a .npz file follows a colon, as in data.npz:images; a single array
	// needs none.
	Inputs  string `yaml:"inputs,omitempty" json:"inputs,omitempty"`
	Targets string `yaml:"targets,omitempty" json:"targets,omitempty"`
	// TestInputs and TestTargets name the arrays of held-out samples in files of their own, of kind files.
	TestInputs  string `yaml:"test-inputs,omitempty" json:"test_inputs,omitempty"`
	TestTargets string `yaml:"test-targets,omitempty" json:"test_targets,omitempty"`
	// Flatten turns arrays of kind files with more than two axes, such as images (N,28,28), into
	// rows of numbers, the last axis fastest.
	Flatten bool `yaml:"flatten,omitempty" json:"flatten,omitempty"`
	// Path is the file of kind csv (gzipped or not; a Parquet file is known by its first bytes) or parquet, or the folder of the IDX files
	// of mnist and fashion-mnist (default: the places `deeplimit data list` shows).
	Path string `yaml:"path,omitempty" json:"path,omitempty"`
	// TestPath is a table of held-out samples with the columns of Path, of kinds csv and parquet. It is read with the words, classes
	// and means of the training table; what that does not have is an error.
	TestPath string `yaml:"test-path,omitempty" json:"test_path,omitempty"`
	// Columns names the target columns of kinds csv and parquet, by 1-based index when the file
	// has no header row; default: the last one.
	Columns []string `yaml:"columns,omitempty" json:"columns,omitempty"`
	// Header says whether the first row of kind csv holds names; default: detected.
	Header *bool `yaml:"header,omitempty" json:"header,omitempty"`
	// Index is the column of kinds csv and parquet that names rows and is no input; default: detected.
	Index Index `yaml:"index,omitempty" json:"index,omitempty"`
	// Delimiter of kind csv is one of , ; tab blank; default: detected.
	Delimiter string `yaml:"delimiter,omitempty" json:"delimiter,omitempty"`
	// Decimal is the decimal mark of kind csv, . or ,; default: detected.
	Decimal string `yaml:"decimal,omitempty" json:"decimal,omitempty"`
	// Categories names input columns of kinds csv and parquet that hold words: each becomes one input for every distinct word, 1 where the
	// row has it and 0 elsewhere, behind the inputs that are numbers.
	Categories []string `yaml:"categories,omitempty" json:"categories,omitempty"`
	// Missing says what becomes of missing values of kinds csv and parquet: drop leaves out their rows, mean puts the mean of the column in
	// their place; default: they are an error.
	Missing string `yaml:"missing,omitempty" json:"missing,omitempty"`
	// Classification says that the target of kinds csv, parquet and files is a class label (in kind
	// files an integer). Targets become one-hot over the sorted distinct values.
	Classification bool `yaml:"classification,omitempty" json:"classification,omitempty"`
	// Stratified chooses training and test samples so that each class keeps its share, up to
	// rounding (largest remainders first).
	Stratified bool `yaml:"stratified,omitempty" json:"stratified,omitempty"`

	// Standardize subtracts the mean and divides by the standard deviation of
	// each input column of the training part (columns without spread become 0);
	// targets of a regression likewise. Default: true for digits, diabetes, mnist,
	// fashion-mnist, csv, parquet; not for generators.
	Standardize *bool `yaml:"standardize,omitempty" json:"standardize,omitempty"`
	// UnitNorm scales every input vector to ‖x_i‖ = 1, after Standardize. Default: true as above.
	UnitNorm *bool `yaml:"unit-norm,omitempty" json:"unit_norm,omitempty"`
}

// A Set is a supervised-learning problem in memory.
type Set struct {
	Name    string    // label for tables
	Inputs  int       // d, the dimension of an input
	Outputs int       // m, the dimension of a target
	Samples int       // N
	X       []float64 // inputs (N,d), row i is sample i
	Y       []float64 // targets (N,m); one-hot for a classification
	Labels  []int     // class of each sample (N), nil for a regression
	Classes []string  // names of the m classes, nil for a regression
	Source  string    // where the data come from, with licence, for run.json
	Read    string    // how files of the user were read, in one line; empty where no choice was made
	Test    *Set      // held-out samples with the same dimensions, or nil

	Validation *Set // as Test, other samples
}

// Index is the name of a column, its 1-based number where columns have no names, "true" for
// the first column, or "false" for none.
type Index string
