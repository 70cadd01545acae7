package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/deeplimit/deeplimit/internal/random"
)

// teacher makes inputs uniform on the unit sphere, with the targets of the spec's teacher. Test
// samples have a random stream of their own, so their number does not change the training
// samples.
func teacher(spec Spec) *Set {
	set := taught(spec, spec.Samples, "data/inputs")
	if spec.Test > 0 {
		set.Test = taught(spec, spec.Test, "data/test")
	}
	if spec.Validation > 0 {
		set.Validation = taught(spec, spec.Validation, "data/validation")
	}
	return set
}

func taught(spec Spec, n int, purpose string) *Set {
	set := &Set{
		Name: spec.Name, Inputs: spec.Width, Outputs: spec.Width, Samples: n,
		X: sphere(n, spec.Width, random.New(*spec.Seed, purpose)),
	}
	set.Y = slices.Clone(set.X)
	switch spec.Kind {
	case "rotation":
		set.Source = fmt.Sprintf("generated: rotation teacher, angle %g", spec.Angle)
		rotate(set.Y, spec.Width, spec.Angle)
	case "ode":
		set.Source = fmt.Sprintf("generated: ODE teacher, %d Euler steps of %g", spec.Steps, spec.Step)
		flow(set.Y, spec, nil)
	case "sde":
		set.Source = fmt.Sprintf("generated: SDE teacher, noise %g, %d Euler steps of %g", spec.Noise, spec.Steps, spec.Step)
		flow(set.Y, spec, random.New(*spec.Seed, "data/noise"))
	}
	return set
}

// rotate turns every row of z (n,d) by angle in the coordinate planes (1,2),
// (3,4), …; the last coordinate of an odd d stays.
func rotate(z []float64, d int, angle float64) {
	sin, cos := math.Sincos(angle)
	for row := range slices.Chunk(z, d) {
		for j := 0; j+1 < d; j += 2 {
			a, b := row[j], row[j+1]
			row[j], row[j+1] = cos*a-sin*b, sin*a+cos*b
		}
	}
}

// flow applies the Euler steps of the teacher of [CCRX] to every row of z (n,d), for
// k = 0, …, Steps−1 and t = k/Steps:
//
//	z ← z + h·tanh(sin(5πt) z + cos(5πt)) + noise·√h·ξ_k
//
// with h = Step and tanh by coordinate. ξ_k is standard normal in R^d, drawn
// from rng and shared by all rows; a nil rng means no noise.
func flow(z []float64, spec Spec, rng *rand.Rand) {
	d, h := spec.Width, spec.Step
	kick := make([]float64, d)
	for k := range spec.Steps {
		f, g := math.Sincos(5 * math.Pi * float64(k) / float64(spec.Steps))
		if rng != nil {
			for j := range kick {
				kick[j] = spec.Noise * math.Sqrt(h) * rng.NormFloat64()
			}
		}
		for row := range slices.Chunk(z, d) {
			for j, v := range row {
				row[j] = v + h*math.Tanh(f*v+g) + kick[j]
			}
		}
	}
}
