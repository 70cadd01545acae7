package scaling

import "math"

// A structure says what the variograms of all depths are made of: a smooth part, layer noise
// or a rough part, or one of them with the first. Shapes that are not numbers to fit, such as the
// correlation of the noise, are fixed in it; many structures are compared.
type structure struct {
	smooth *smoothShape // nil: none
	part   partKind
	phi    float64 // layerNoise: correlation of neighbouring layers, that of farther ones a power of it
	next   float64 // layerNoise: correlation of neighbouring layers where farther ones have none
	theta  float64 // roughPart: rate of the decay of correlation in k/L, 0 for none
	wobble float64 // standard deviation, in log mean square, of what goes its own way from lag to lag
	prior  normal  // of the exponent: that of layer noise in depth, or the Hurst exponent
}

type normal struct{ mean, spread float64 }

// The priors of exponents: any, wide beside what the depths tell; near the ½ of noise whose quadratic
// variation is steady, as theory has it; and near the 0 of noise that stays. A point in place of a narrow one
// would give an interval of no width, which no finite depth can justify.
var (
	anyExponent = normal{0.5, 0.4}
	steadyNoise = normal{0.5, 0.05}
	noiseStays  = normal{0, 0.02}
)

type partKind int

const (
	nothing partKind = iota
	layerNoise
	roughPart
)

// smoothShape is |2 sin(π·cycles·u)|^power of third differences over u = m/L, and constant beyond the first
// peak: power 3 is that of a function with three derivatives, 2 of one with kinks, 1.5 of √s.
type smoothShape struct{ cycles, power float64 }

// log returns twice the logarithm of the shape.
func (s *smoothShape) log(u float64) float64 {
	return 2 * s.power * math.Log(2*math.Sin(min(math.Pi/2, math.Pi*s.cycles*u)))
}

// unresolved is the variance of twice the logarithm about the shape at a lag near or beyond the length of a
// wave, where every function goes its own way.
func (s *smoothShape) unresolved(u float64) float64 {
	switch {
	case s.cycles*u > 0.3:
		return 1.5 * 1.5
	case s.cycles*u > 0.15:
		return 0.5 * 0.5
	}
	return 0
}

// level returns the log mean square of third differences of the part at a lag and depth, over that of
// independent numbers of variance 1; exponent is that of noise in depth, or the Hurst exponent.
func (s structure) level(lag, depth int, exponent float64) float64 {
	base, rate, decays := s.line(lag, depth)
	if decays {
		return s.decayed(float64(lag)/float64(depth), exponent)
	}
	return rate*exponent + base
}

// line returns the level as a line in the exponent, which it is where correlation does not decay.
func (s structure) line(lag, depth int) (base, rate float64, decays bool) {
	switch {
	case s.part == layerNoise:
		return math.Log((20 - 30*s.correlation(lag) + 12*s.correlation(2*lag) - 2*s.correlation(3*lag)) / 20), -2 * math.Log(float64(depth)), false
	case s.theta == 0:
		return 0, 2 * math.Log(float64(lag)/float64(depth)), false
	}
	return 0, 0, true
}

// decayed is the level at u = m/L of a rough part whose correlation decays.
func (s structure) decayed(u, exponent float64) float64 {
	// As 20 − 30ρ₁ + 12ρ₂ − 2ρ₃, whose terms nearly cancel for small u.
	less := func(j float64) float64 { return math.Expm1(-s.theta * math.Pow(j*u, 2*exponent)) }
	return math.Log(max(math.SmallestNonzeroFloat64, (12*less(2)-30*less(1)-2*less(3))/20))
}

// correlation is that of layer noise so many layers apart.
func (s structure) correlation(layers int) float64 {
	switch {
	case s.next != 0 && layers == 1:
		return s.next
	case s.next != 0:
		return 0
	case s.phi < 0 && layers%2 == 1:
		return -math.Pow(-s.phi, float64(layers))
	}
	return math.Pow(math.Abs(s.phi), float64(layers))
}

// A fitted structure.
type fitted struct {
	structure
	misfit   float64 // residual sum of squares in units of their variance
	evidence float64 // log of the marginal likelihood, by Laplace's method
	exponent float64
	spread   float64 // its standard deviation
	trend    float64 // mean log size of the smooth part
	size     float64 // log of the part's mean square, at u = 1 or times L
	sizeSD   float64 // of the part's log mean square at the deepest depth
	numbers  int     // fitted
}

// logRange is the width of the flat prior of a log size, and drift the standard deviation of the
// normal prior of a smooth part's log mean square from one depth to another.
const (
	logRange = 30.0
	drift    = 1.0
)

// present reports whether the data show the part at all: otherwise its size can be as small as one likes.
func (f *fitted) present() bool { return f.part != nothing && f.sizeSD < 0.6 }

// fit fits a structure to variograms, from a first guess of its exponent. What chance does to them depends on it, so
// the fit is done again where the guess was far away. The paths may be L^γ times those of a limit, tilt being the
// standard deviation of γ.
func (s structure) fit(data []variogram, tilt, start float64) fitted {
	f := newProblem(s, data, tilt, start).solve(start)
	if s.part == roughPart && math.Abs(f.exponent-start) > 0.05 {
		f = newProblem(s, data, tilt, f.exponent).solve(f.exponent)
	}
	return f
}

// solve is Levenberg and Marquardt's method.
func (p *problem) solve(start float64) fitted {
	x := p.start(start)
	residual, misfit := p.residuals(x)
	damping := 1e-2
	for range 40 {
		equations := newNormalEquations(p.jacobian(x, residual), residual)
		improved := false
		for range 8 {
			step, ok := equations.solve(damping)
			if !ok {
				break
			}
			next := make([]float64, len(x))
			for i := range x {
				next[i] = x[i] - min(2, max(-2, step[i]))
			}
			p.clamp(next)
			r, m := p.residuals(next)
			if m < misfit {
				improved = misfit-m > 1e-6*(1+misfit)
				x, residual, misfit = next, r, m
				damping = max(damping/5, 1e-9)
				break
			}
			damping *= 6
		}
		if !improved {
			break
		}
	}
	return p.result(x, residual, misfit)
}
