package dataset

import (
	"slices"
	"strings"
	"testing"
)

// TestValidationIsApart wants validation samples to be others than those of training and test, and
// to leave both as they are without them.
func TestValidationIsApart(t *testing.T) {
	load := func(spec Spec) *Set {
		spec.Kind, spec.Standardize, spec.UnitNorm = "digits", new(false), new(false)
		resolved, err := spec.Resolve(3)
		if err != nil {
			t.Fatal(err)
		}
		set, err := Load(resolved, "")
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	all := load(Spec{})
	for _, spec := range []Spec{
		{Samples: 100, Test: 50, Validation: 40},
		{Samples: 100, Validation: 1697},
		{Test: 300, Validation: 200},
		{Samples: 1, Test: 1, Validation: 1},
		{Samples: 100, Test: 50, Validation: 40, Stratified: true},
		{Test: 300, Validation: 200, Stratified: true},
	} {
		with := load(spec)
		n := spec.Validation
		spec.Validation = 0
		without := load(spec)
		if without.Validation != nil || with.Validation == nil || with.Validation.Samples != n {
			t.Fatalf("%+v: got validation sets %v and %v, want none and one of %d", spec, without.Validation, with.Validation, n)
		}
		// With all samples taken, validation comes out of the training set.
		if spec.Samples > 0 && !slices.Equal(with.X, without.X) || spec.Samples == 0 && with.Samples+n != without.Samples {
			t.Errorf("%+v: validation samples change the training set", spec)
		}
		if spec.Test > 0 && !slices.Equal(with.Test.X, without.Test.X) {
			t.Errorf("%+v: validation samples change the test set", spec)
		}
		// Digits may be there more than once: as often as in the whole set at most.
		left := map[[64]float64]int{}
		for row := range slices.Chunk(all.X, 64) {
			left[[64]float64(row)]++
		}
		for _, set := range []*Set{with, with.Test, with.Validation} {
			if set == nil {
				continue
			}
			for row := range slices.Chunk(set.X, 64) {
				if left[[64]float64(row)]--; left[[64]float64(row)] < 0 {
					t.Fatalf("%+v: a sample is in two of training, test and validation set", spec)
				}
			}
		}
	}
}

// TestValidationOfGenerators wants samples of a stream of their own.
func TestValidationOfGenerators(t *testing.T) {
	for _, spec := range []Spec{
		{Kind: "rotation", Width: 4, Samples: 5, Test: 5, Validation: 5, Angle: 1},
		{Kind: "ode", Width: 4, Samples: 5, Test: 5, Validation: 5},
		{Kind: "sde", Width: 4, Samples: 5, Test: 5, Validation: 5, Noise: 0.1},
		{Kind: "uniform", Width: 4, Samples: 5, Test: 5, Validation: 5},
	} {
		resolved, err := spec.Resolve(1)
		if err != nil {
			t.Fatal(err)
		}
		set, err := Load(resolved, "")
		if err != nil {
			t.Fatal(err)
		}
		if v := set.Validation; v == nil || v.Samples != 5 || slices.Equal(v.X, set.X) || slices.Equal(v.X, set.Test.X) {
			t.Errorf("%s: got the validation set %+v", spec.Kind, v)
		}
	}
}

// TestValidationRefused wants a word about each number that cannot be.
func TestValidationRefused(t *testing.T) {
	for want, spec := range map[string]Spec{
		"validation: got -1, want a number ≥ 0 of held-out samples":                   {Kind: "rotation", Width: 4, Samples: 5, Angle: 1, Validation: -1},
		"validation: got -2, want a number ≥ 0 of held-out samples":                   {Kind: "digits", Validation: -2},
		"validation: got 3, want it left out: kind separated has no validation (for ": {Kind: "separated", Width: 4, Samples: 3, Distance: 0.3, Validation: 3},
		"validation: got 1700, want less than 1697, what digits holds for training":   {Kind: "digits", Test: 100, Validation: 1700},
		"samples: got 1000, want at most 997, what digits holds for training":         {Kind: "digits", Samples: 1000, Test: 100, Validation: 700},
	} {
		if _, err := spec.Resolve(1); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
