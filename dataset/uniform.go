package dataset

import "github.com/deeplimit/deeplimit/internal/random"

// uniform makes inputs uniform on [0,1]^d and one independent target uniform on [0,1] for
// each, as [MFBV] uses them for untrained networks. Test samples have a random stream of their
// own.
func uniform(spec Spec) *Set {
	set := noise(spec, spec.Samples, "data/inputs")
	if spec.Test > 0 {
		set.Test = noise(spec, spec.Test, "data/test")
	}
	if spec.Validation > 0 {
		set.Validation = noise(spec, spec.Validation, "data/validation")
	}
	return set
}

// noise draws n samples, each input before its target.
func noise(spec Spec, n int, purpose string) *Set {
	set := &Set{
		Name: spec.Name, Inputs: spec.Width, Outputs: 1, Samples: n, Source: "generated: uniform inputs and targets",
		X: make([]float64, n*spec.Width), Y: make([]float64, n),
	}
	rng := random.New(*spec.Seed, purpose)
	for i := range n {
		for j := range spec.Width {
			set.X[i*spec.Width+j] = rng.Float64()
		}
		set.Y[i] = rng.Float64()
	}
	return set
}
