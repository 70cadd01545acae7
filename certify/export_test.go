package certify

// Mutated returns b judged again with its value multiplied by f, as if a constant
// of its formula were wrong.
func (b Bound) Mutated(f float64) Bound {
	return b.judge(within(b.Value*f, b.Margin), within(b.Measured, b.Margin))
}

// Noise returns the a-priori rounding bounds of hidden states (k = 0..L), of the
// arguments of σ′, of √(2J) and of the gradients (per layer).
func (it *Iterate) Noise() (hidden, slope []float64, residual float64, gradient []float64) {
	return it.noise.hidden, it.noise.slope, it.noise.residual, it.noise.gradient
}

// Closure returns φ(w) = 2g√(2J)/μ̄ as the search sees it.
func (it *Iterate) Closure(w float64) float64 {
	b := it.ball(w)
	return exact(2).mul(b.g).mul(widened(it.loss, it.noise.residual)).over(b.μ).hi
}

// SmoothnessAt returns K rounded up for step size η.
func (it *Iterate) SmoothnessAt(η float64) float64 { return it.smoothness(η).hi }

// Interval arithmetic for its tests, as pairs of ends.
var Operations = map[string]func(x, y [2]float64) [2]float64{
	"add":   func(x, y [2]float64) [2]float64 { return ends(of(x).add(of(y))) },
	"minus": func(x, y [2]float64) [2]float64 { return ends(of(x).minus(of(y))) },
	"mul":   func(x, y [2]float64) [2]float64 { return ends(of(x).mul(of(y))) },
	"over":  func(x, y [2]float64) [2]float64 { return ends(of(x).over(of(y))) },
	"sqrt":  func(x, _ [2]float64) [2]float64 { return ends(of(x).sqrt()) },
	"exp":   func(x, _ [2]float64) [2]float64 { return ends(of(x).exp()) },
	"hypot": func(x, y [2]float64) [2]float64 { return ends(of(x).hypot(of(y))) },
}

func of(x [2]float64) interval   { return interval{x[0], x[1]} }
func ends(x interval) [2]float64 { return [2]float64{x.lo, x.hi} }

// Ball holds what is claimed of every network within w of the iterate.
type Ball struct {
	Hidden, Inputs, Features, Slopes []float64
	G, Rate                          float64
}

// Ball returns the claims for radius w.
func (it *Iterate) Ball(w float64) Ball {
	b := it.ball(w)
	c := Ball{Hidden: b.hidden, Inputs: b.inputs, G: b.g.hi, Rate: b.μ.lo}
	for k := range b.features {
		c.Features, c.Slopes = append(c.Features, b.features[k].lo), append(c.Slopes, b.slopes[k].lo)
	}
	return c
}
