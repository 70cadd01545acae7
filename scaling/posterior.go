package scaling

import (
	"cmp"
	"math"
	"slices"
)

// A weighted structure has the log of its prior probability, and its posterior one.
type weighted struct {
	fitted
	prior, probability float64
}

// posterior returns the probability of every structure, by its marginal likelihood on the variograms
// and a prior that gives smooth, noise and rough a third each; tilt is that of fit.
func posterior(data []variogram, tilt float64) []weighted {
	var out []weighted
	even := 1.0
	if last := data[len(data)-1]; last.crowded > mostCrowded || last.sparse > mostSparse {
		even = uneven
	}
	add := func(prior float64, structures []structure, starts ...float64) {
		for _, s := range structures {
			best := s.fit(data, tilt, starts[0])
			for _, start := range starts[1:] {
				if f := s.fit(data, tilt, start); f.evidence > best.evidence {
					best = f
				}
			}
			p := prior / float64(len(structures))
			if s.part != nothing {
				p *= even
			}
			if s.smooth != nil && s.part != nothing && !best.present() {
				continue // it is the smooth part alone, which is a structure of its own
			}
			out = append(out, weighted{fitted: best, prior: math.Log(p)})
		}
	}
	first := localExponent(data[len(data)-1])
	guess := min(0.95, max(0.05, first))
	// A wave that is shorter than five layers of the deepest path is not seen as one.
	deepest := float64(data[len(data)-1].depth)
	unseen := func(s *smoothShape) bool { return 5*s.cycles > deepest }
	seen := slices.DeleteFunc(slices.Clone(smoothShapes), unseen)
	first3 := slices.DeleteFunc(slices.Clone(smoothShapes[:3]), unseen)
	if first < leastSmooth {
		seen = seen[:0]
	}
	add(1./3, withSmooth(structure{}, seen), 0)
	for _, noise := range []struct {
		prior      float64
		structures []structure
		starts     []float64
	}{
		{5. / 24, layerNoises(ratios, steadyNoise), []float64{0.5}},
		{1. / 24, layerNoises(fewRatios, anyExponent), []float64{0.5}},
		{1. / 12, layerNoises(fewRatios, noiseStays), []float64{0}},
	} {
		add(noise.prior/2, noise.structures, noise.starts...)
		add(noise.prior/2, withSmoothAll(noise.structures, first3), noise.starts...)
	}
	add(0.16, roughs(decays), guess, 0.5)
	add(1./150, []structure{{part: roughPart, wobble: 0.35, prior: anyExponent}}, guess) // self-similar at some factors of scale alone
	add(1./6, withSmoothAll(roughs(decays[:1]), first3), guess, 0.3, 0.6)
	temper(out, data)
	return out
}

// Noise and rough parts are spread over all layers. Where more than mostCrowded of all third differences are in an eighth of
// the layers, as beside a singular end, or more than mostSparse of them are small beside their mean, as of Cantor's function, a factor of
// uneven counts against them.
const (
	mostCrowded = 0.5
	mostSparse  = 0.5
	uneven      = 0.02
)

// leastSmooth is the exponent of third differences over the smallest lags of the deepest path below which it is
// not smooth, whatever is said of larger lags.
const leastSmooth = 0.5

// again returns the probabilities of the likely ones of structures on other data.
func again(list []weighted, data []variogram, tilt float64) []weighted {
	const never = 1e-5
	var out []weighted
	for _, w := range list {
		if w.probability > never {
			out = append(out, weighted{fitted: w.structure.fit(data, tilt, w.exponent), prior: w.prior})
		}
	}
	temper(out, data)
	return out
}

var (
	smoothShapes = []*smoothShape{{1, 3}, {5, 3}, {20, 3}, {1, 2.5}, {1, 2}, {1, 1.5}, {1, 1.2}, {8, 3}, {40, 3}}
	ratios       = []float64{-0.9, -0.7, -0.5, -0.35, -0.2, 0, 0.2, 0.35, 0.45, 0.55, 0.6, 0.65, 0.7, 0.75}
	fewRatios    = []float64{-0.5, 0, 0.3, 0.7}
	neighbours   = []float64{-0.45, 0.25, 0.48}
	decays       = []float64{0, 0.5, 1.5, 5, 10, 14, 20, 30, 50, 70, 100, 140, 200}
)

func withSmooth(s structure, shapes []*smoothShape) (out []structure) {
	for _, shape := range shapes {
		s.smooth = shape
		out = append(out, s)
	}
	return out
}

func withSmoothAll(list []structure, shapes []*smoothShape) (out []structure) {
	for _, s := range list {
		out = append(out, withSmooth(s, shapes)...)
	}
	return out
}

func layerNoises(ratios []float64, prior normal) (out []structure) {
	for _, phi := range ratios {
		out = append(out, structure{part: layerNoise, phi: phi, prior: prior})
	}
	for _, next := range neighbours {
		out = append(out, structure{part: layerNoise, next: next, prior: prior})
	}
	return out
}

func roughs(decays []float64) (out []structure) {
	for _, theta := range decays {
		out = append(out, structure{part: roughPart, theta: theta, prior: anyExponent})
	}
	return out
}

// localExponent is that of third differences in the lag, over the smallest two.
func localExponent(v variogram) float64 {
	return (v.log[1] - v.log[0]) / 2 / math.Log(float64(v.lags[1])/float64(v.lags[0]))
}

// temper turns log priors into probabilities. Where even the best structure misfits by more than its variance,
// all evidence counts for less, and spreads are wider, by that factor.
func temper(list []weighted, data []variogram) {
	best := slices.MaxFunc(list, func(a, b weighted) int { return cmp.Compare(a.evidence+a.prior, b.evidence+b.prior) })
	factor := excess(best.fitted, data)
	top, sum := math.Inf(-1), 0.0
	for i := range list {
		f := &list[i]
		f.probability = f.prior + f.evidence + f.misfit/2*(1-1/factor)
		f.spread *= math.Sqrt(factor)
		f.sizeSD *= math.Sqrt(factor)
		top = max(top, f.probability)
	}
	for i := range list {
		list[i].probability = math.Exp(list[i].probability - top)
		sum += list[i].probability
	}
	for i := range list {
		list[i].probability /= sum
	}
}

// excess is the misfit of a structure for each degree of freedom, 1 at least.
func excess(f fitted, data []variogram) float64 {
	freedom := -f.numbers
	if f.smooth != nil {
		freedom += len(data)
	}
	for _, v := range data {
		freedom += len(v.lags)
	}
	return max(1, f.misfit/float64(max(1, freedom)))
}
