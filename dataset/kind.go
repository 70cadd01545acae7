package dataset

import (
	"slices"

	"github.com/deeplimit/deeplimit/field"
)

// A kind holds the facts about a value of Spec.Kind that need no sample.
type kind struct {
	name  string
	about string
	// fields are the keys of the study file that apply to this kind. The keys kind, name,
	// samples and seed apply to all kinds.
	fields []string
	stored bool // the samples come from files, embedded or not, instead of a generator
	scaled bool // Standardize and UnitNorm default to true
	// train and test are the numbers of samples of the published set. test is 0 where test
	// samples come from the same rows; both are 0 where the numbers are not fixed.
	train, test     int
	inputs, outputs int // d and m, 0 where the study file or the user's file decides
	source, licence string
}

var kinds = []kind{
	{
		name: "separated", about: "orthonormal or near-orthonormal inputs, targets at a fixed distance",
		fields: []string{"width", "distance", "separation"},
	},
	{
		name: "rotation", about: "uniform inputs on the sphere, targets rotated by an angle",
		fields: []string{"test", "validation", "width", "angle"},
	},
	{
		name: "ode", about: "teacher z' = tanh(sin(5πt) z + cos(5πt)), inputs on the sphere",
		fields: []string{"test", "validation", "width", "steps", "step"},
	},
	{
		name: "sde", about: "the ode teacher with additive Brownian noise",
		fields: []string{"test", "validation", "width", "steps", "step", "noise"},
	},
	{
		name: "uniform", about: "inputs uniform on [0,1]^d, one target uniform on [0,1]: no rule to learn",
		fields: []string{"test", "validation", "width"}, outputs: 1,
	},
	{
		name: "normal", about: "inputs and targets of independent standard normal entries",
		fields: []string{"width"},
	},
	{
		name: "digits", about: "8×8 images of handwritten digits", stored: true, scaled: true,
		fields: []string{"test", "validation", "stratified", "standardize", "unit-norm"},
		train:  1797, inputs: 64, outputs: 10,
		source:  "Optical Recognition of Handwritten Digits, UCI (Alpaydin & Kaynak 1998), by way of scikit-learn",
		licence: "CC BY 4.0",
	},
	{
		name: "diabetes", about: "disease progression from ten measurements", stored: true, scaled: true,
		fields: []string{"test", "validation", "standardize", "unit-norm"},
		train:  442, inputs: 10, outputs: 1,
		source:  "Efron, Hastie, Johnstone & Tibshirani, Least Angle Regression (2004), by way of scikit-learn",
		licence: "published with the article, no licence stated",
	},
	{
		name: "mnist", about: "28×28 images of handwritten digits", stored: true, scaled: true,
		fields: []string{"test", "validation", "path", "stratified", "standardize", "unit-norm"},
		train:  60000, test: 10000, inputs: 784, outputs: 10,
		source:  "MNIST (LeCun, Cortes & Burges 1998)",
		licence: "CC BY-SA 3.0",
	},
	{
		name: "fashion-mnist", about: "28×28 images of clothes", stored: true, scaled: true,
		fields: []string{"test", "validation", "path", "stratified", "standardize", "unit-norm"},
		train:  60000, test: 10000, inputs: 784, outputs: 10,
		source:  "Fashion-MNIST (Xiao, Rasul & Vollgraf 2017), Zalando SE",
		licence: "MIT",
	},
	{
		name: "csv", about: "a table of the user", stored: true, scaled: true,
		fields: []string{"test", "test-path", "validation", "path", "columns", "categories", "missing", "header", "index", "delimiter", "decimal", "classification", "stratified", "standardize", "unit-norm"},
	},
	{
		name: "parquet", about: "a Parquet table of the user", stored: true, scaled: true,
		fields: []string{"test", "test-path", "validation", "path", "columns", "categories", "missing", "index", "classification", "stratified", "standardize", "unit-norm"},
	},
	{
		name: "files", about: "two arrays of the user (.npy, .npz), taken as they are", stored: true,
		fields: []string{"test", "test-inputs", "test-targets", "validation", "inputs", "targets", "flatten", "classification", "stratified", "standardize", "unit-norm"},
	},
}

// Kinds returns the values Spec.Kind may have.
func Kinds() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

func kindNamed(name string) (kind, error) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return kind{}, field.OneOf("kind", name, Kinds()...)
	}
	return kinds[i], nil
}

// citation returns source and licence in one line, for Set.Source.
func (k kind) citation() string { return k.source + "; licence: " + k.licence }

// kindsWith returns the names of the kinds that the field applies to.
func kindsWith(path string) []string {
	var names []string
	for _, k := range kinds {
		if slices.Contains(k.fields, path) {
			names = append(names, k.name)
		}
	}
	return names
}
