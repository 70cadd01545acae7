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
// base is the folder that relative paths of the spec start from: that of the
// study file. A spec that was not resolved, or holds a wrong value, gives what
// Resolve returns for it; whatever is wrong with a file is an error that names
// the file and the place in it.
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
	return prepare(spec, train, test)
}

// open reads the stored set; test is nil where test samples come from train.
func open(spec Spec, base string) (train, test *stored, err error) {
	switch spec.Kind {
	case "digits":
		train, err = digits()
	case "diabetes":
		train, err = diabetes()
	case "mnist", "fashion-mnist":
		return openImages(spec, base)
	case "csv":
		train, err = openCSV(under(base, spec.Path), spec)
	case "files":
		train, err = openArrays(spec, base)
	}
	return train, nil, err
}

// Files returns the paths of the files that Load reads, for hashing their
// content, in a fixed order; none for a generator or an embedded set. Beyond
// the errors of Resolve, an image file found in none of its places is an error;
// whether a file of the user exists is not looked at.
func Files(spec Spec, base string) ([]string, error) {
	spec, err := spec.Resolve(0)
	if err != nil {
		return nil, err
	}
	switch spec.Kind {
	case "mnist", "fashion-mnist":
		return imageFiles(spec, base)
	case "csv":
		return []string{under(base, spec.Path)}, nil
	case "files":
		inputs, _ := arrayFile(under(base, spec.Inputs))
		targets, _ := arrayFile(under(base, spec.Targets))
		return []string{inputs, targets}, nil
	}
	return nil, nil
}

// Dimensions returns d and m of the set that Load would return.
//
// It makes no samples and, for published sets, opens no file; .npy and IDX files
// are read up to their header, a CSV file up to its first row of numbers, or
// wholly when its classes must be counted.
func Dimensions(spec Spec, base string) (inputs, outputs int, err error) {
	spec, err = spec.Resolve(0)
	if err != nil {
		return 0, 0, err
	}
	switch spec.Kind {
	case "csv":
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

// resolved checks a spec that is meant to be resolved already.
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

// at puts the file in front of what is wrong with it.
func at(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("dataset: %s: %w", path, err)
}
