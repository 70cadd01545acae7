package scaling

import (
	"fmt"
	"math"
)

// The prior of the model average (averageExponent).
const (
	theoryPrior  = 0.8  // that an exponent is the theory's
	limitPrior   = 0.98 // that a size has a limit: a verdict takes evidence against it, an interval only doubt
	theorySpread = 0.01 // how far from it, as no finite depth can tell it from a number beside it
	freeSpread   = 0.5  // of an exponent that is not the theory's
	plainPrior   = 0.25 // that there is no correction
	levelSpread  = 10.0 // of the level of a seed, in log y
)

// A law is a normal prior of s, with its share; that of theory has a value, and its spread is small.
type law struct {
	share, mean, spread float64
	theory              bool
}

// about returns the laws of an exponent that is theory's, closely, with a prior probability, or any; any where theory
// is NaN.
func about(theory, prior float64) []law {
	if math.IsNaN(theory) {
		return []law{{share: 1, spread: 3 * freeSpread}}
	}
	return []law{{prior, theory, theorySpread, true}, {1 - prior, theory, freeSpread, false}}
}

// allCorrections are the sets of ω in Σ c (L/L_min)^−ω that theory has, and correctionSizes the standard deviations of c.
var (
	allCorrections  = [][]float64{{0.5}, {1}, {2}, {0.5, 1}, {1, 2}}
	correctionSizes = []float64{0.03, 0.3, 3}
)

// An average is the distribution of an exponent, the probability that it is the theory's, and the correction of the
// likeliest model.
type average struct {
	mixture
	theory     float64
	correction string
}

// averageExponent returns the distribution of s in y ~ L^s as L → ∞, a Bayesian average over the models
//
//	log y = level of the seed + s log L + Σ (c + c_seed) (L/L_min)^−ω + ε,
//
// with normal priors, over no ω and the sets of ω in corrections: those of s are laws; that of c_seed is that of c, or
// c_seed is 0. The size of the errors ε has a prior that is flat in its logarithm from 0.001 to 2.
func averageExponent(samples []Sample, laws []law, corrections [][]float64) (average, error) {
	if err := checkSamples(samples); err != nil {
		return average{}, fmt.Errorf("scaling: limit exponent: %w", err)
	}
	depths := map[int]bool{}
	for _, s := range samples {
		depths[s.Depth] = true
	}
	if len(depths) < 2 {
		return average{}, fmt.Errorf("scaling: limit exponent: got %d depths, want two or more", len(depths))
	}
	blocks := seedBlocks(samples)
	var out average
	best, ofTheory := math.Inf(-1), []int(nil)
	add := func(prior float64, m averageModel) {
		for m.errors = 1e-3; m.errors < 2; m.errors *= 1.7 {
			e := m.equations(blocks)
			for _, law := range laws {
				evidence, s, spread := e.solve(law, m.size)
				weight := math.Log(law.share*prior) + evidence
				if law.theory {
					// Both theory's number and the fitted one lie within a standard deviation.
					s, spread = law.mean, math.Hypot(spread, s-law.mean)
					ofTheory = append(ofTheory, len(out.mixture))
				}
				out.mixture = append(out.mixture, outcome{weight, s, spread})
				if weight > best {
					best, out.correction = weight, correctionName(m.omegas)
				}
			}
		}
	}
	if len(corrections) == 0 {
		add(1, averageModel{})
	} else {
		add(plainPrior, averageModel{})
	}
	each := (1 - plainPrior) / float64(2*len(corrections)*len(correctionSizes))
	for _, omegas := range corrections {
		for _, size := range correctionSizes {
			add(each, averageModel{omegas: omegas, size: size})
			add(each, averageModel{omegas: omegas, size: size, own: size})
		}
	}
	for i := range out.mixture {
		out.mixture[i].weight = math.Exp(out.mixture[i].weight - best)
	}
	total := out.total()
	for _, i := range ofTheory {
		out.theory += out.mixture[i].weight / total
	}
	return out, nil
}

func correctionName(omegas []float64) string {
	text := ""
	for i, omega := range omegas {
		text += []string{"1 + ", " + "}[i] + fmt.Sprintf("c%d·L^−%g", i+1, omega)
	}
	if text == "" {
		return "none"
	}
	return text
}
