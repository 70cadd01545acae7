package dataset

import "github.com/deeplimit/deeplimit/internal/random"

// normal makes inputs and targets with independent standard normal entries, as in [MWSB,
// Section 5]: no rule connects them.
func normal(spec Spec) *Set {
	draw := func(purpose string) []float64 {
		rng := random.New(*spec.Seed, purpose)
		values := make([]float64, spec.Samples*spec.Width)
		for i := range values {
			values[i] = rng.NormFloat64()
		}
		return values
	}
	return &Set{
		Name: spec.Name, Inputs: spec.Width, Outputs: spec.Width, Samples: spec.Samples,
		X: draw("data/inputs"), Y: draw("data/targets"), Source: "generated: independent normal inputs and targets",
	}
}
