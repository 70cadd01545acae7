package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
)

// Load returns the set that a resolved spec describes. Equal specs and equal
// files give equal bits, whatever the depth of the network.
//
// base is the folder that relative paths of the spec start from, such as that of the study
// file. Load returns the error of Resolve for a wrong value, an error for a spec without a
// seed (one that was not resolved), and errors that name the file and the place in it.
func Load(spec Spec, base string) (*Set, error) {
	spec, err := resolved(spec)
	if err != nil {
		return nil, err
	}
	switch spec.Kind {
	case "separated":
		return separated(spec)
	case "normal":
		return normal(spec), nil
	case "rotation", "ode", "sde":
		return teacher(spec), nil
	case "uniform":
		return uniform(spec), nil
	}
	train, test, err := open(spec, base)
	if err != nil {
		return nil, err
	}
	if spec.Test == 0 && (spec.TestPath != "" || spec.TestInputs != "") {
		spec.Test = test.n
	}
	return prepare(spec, train, test)
}

// open reads the stored set; test is nil where test samples come from train. Of MNIST it is nil without any, too.
func open(spec Spec, base string) (train, test *stored, err error) {
	switch spec.Kind {
	case "digits":
		train, err = digits()
	case "diabetes":
		train, err = diabetes()
	case "mnist", "fashion-mnist":
		return openImages(spec, base)
	case "csv", "parquet":
		return openTables(spec, base)
	case "files":
		return openArrays(spec, base)
	}
	return train, nil, err
}

// Files returns the paths of the files that Load reads, in a fixed order, to hash their
// content; none for a generator or an embedded set. Errors are those of Resolve, and an image
// file that is in none of its folders. Files does not check whether a file of the user exists.
func Files(spec Spec, base string) ([]string, error) {
	spec, err := spec.Resolve(0)
	if err != nil {
		return nil, err
	}
	switch spec.Kind {
	case "mnist", "fashion-mnist":
		return imageFiles(spec, base)
	}
	var paths []string
	for _, name := range []string{spec.Path, spec.TestPath, spec.Inputs, spec.Targets, spec.TestInputs, spec.TestTargets} {
		if name != "" {
			path, _ := arrayFile(under(base, name))
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// Dimensions returns d and m of the set that Load would return.
//
// It makes no samples and, for published sets, opens no file. It reads .npy and IDX files up
// to the end of their header, a CSV file up to its first row of numbers, and the whole file
// where classes must be counted.
func Dimensions(spec Spec, base string) (inputs, outputs int, err error) {
	spec, err = spec.Resolve(0)
	if err != nil {
		return 0, 0, err
	}
	switch spec.Kind {
	case "csv", "parquet":
		return csvDimensions(under(base, spec.Path), spec)
	case "files":
		return arrayDimensions(spec, base)
	case "mnist", "fashion-mnist":
		if spec.Path != "" {
			return imageDimensions(spec, base)
		}
	}
	k, err := kindNamed(spec.Kind)
	if k.inputs == 0 {
		return spec.Width, cmp.Or(k.outputs, spec.Width), err
	}
	return k.inputs, k.outputs, err
}

// resolved checks a spec that its caller should have resolved.
func resolved(spec Spec) (Spec, error) {
	if spec.Seed == nil {
		if _, err := spec.Resolve(0); err != nil {
			return Spec{}, err
		}
		return Spec{}, errors.New("dataset: Load: got a spec without seed, want the result of Resolve")
	}
	return spec.Resolve(*spec.Seed)
}

func under(base, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

// at prefixes an error with the file.
func at(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("dataset: %s: %w", path, err)
}
