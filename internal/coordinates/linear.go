package coordinates

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// blockLinearisation returns how far each block is from its linearisation in the weights at the start: the root mean
// square over layers and samples of ‖f(θ) − f(θ₀) − Df(θ₀)Δθ‖ over that of ‖f(θ) − f(θ₀)‖, at the hidden states of θ. It
// is 0 for block outer, which is linear in its weights, and NaN where nothing moved or the block is not one of those
// whose formula is known here.
func (l *Look) blockLinearisation(theta, states []float64) float64 {
	if !l.knows(theta, states) {
		return math.NaN()
	}
	step := minus(theta, l.initial)
	rest, moved := 0.0, 0.0
	for _, k := range l.layers {
		for s := range l.samples {
			h := l.state(states, s, k)
			change := minus(l.block(theta, k, h), l.block(l.initial, k, h))
			moved += square(change)
			floats.Sub(change, l.derivative(step, k, h))
			rest += square(change)
		}
	}
	if moved == 0 {
		return math.NaN()
	}
	return math.Sqrt(rest / moved)
}

// knows reports whether block gives what the network adds to a hidden state.
func (l *Look) knows(theta, states []float64) bool {
	for _, k := range l.layers {
		h := l.state(states, 0, k)
		f := l.block(theta, k, h)
		floats.Scale(l.delta(theta, k), f)
		added := minus(l.state(states, 0, k+1), h)
		floats.Sub(f, added)
		if !(math.Sqrt(square(f)) <= 1e-8*math.Sqrt(square(added))+1e-12*math.Sqrt(square(h))) {
			return false
		}
	}
	return true
}

// delta returns δ of layer k.
func (l *Look) delta(theta []float64, k int) float64 {
	g, _ := l.net.Layout.Group("delta")
	return theta[g.Offset+min(k, g.Len()-1)]
}

// block returns f_k(h): σ(Ah + b), Aσ(h) + b or Vσ(Wh + b) + c, of the norm of h where there is one.
func (l *Look) block(theta []float64, k int, h []float64) []float64 {
	h = l.seen(h)
	switch l.net.Block {
	case "inner":
		return l.values(l.before(theta, "A", k, h))
	case "outer":
		return l.before(theta, "A", k, l.values(h))
	}
	return l.behind(theta, k, l.values(l.before(theta, "W", k, h)))
}

// behind returns Va + c.
func (l *Look) behind(theta []float64, k int, a []float64) []float64 {
	var z mat.VecDense
	z.MulVec(l.matrix(theta, "V", k), mat.NewVecDense(len(a), a))
	out := z.RawVector().Data
	if c := l.bias(theta, "c", k); c != nil {
		floats.Add(out, c)
	}
	return out
}

// derivative returns Df_k(h; θ₀) step; the maps are linear in their weights and biases.
func (l *Look) derivative(step []float64, k int, h []float64) []float64 {
	h = l.seen(h)
	switch l.net.Block {
	case "inner":
		return l.chain(l.before(l.initial, "A", k, h), l.before(step, "A", k, h))
	case "outer":
		return l.before(step, "A", k, l.values(h))
	}
	z := l.before(l.initial, "W", k, h)
	var out mat.VecDense
	inner := l.chain(z, l.before(step, "W", k, h))
	out.MulVec(l.matrix(l.initial, "V", k), mat.NewVecDense(len(inner), inner))
	sum := l.behind(step, k, l.values(z))
	floats.Add(sum, out.RawVector().Data)
	return sum
}

// chain returns σ′(z)·dz.
func (l *Look) chain(z, dz []float64) []float64 {
	out := make([]float64, len(z))
	for i := range z {
		_, first, _ := l.sigma.Derivatives(z[i])
		out[i] = first * dz[i]
	}
	return out
}

// tangent returns how far the network is from its tangent at the start, ‖ŷ(θ) − ŷ(θ₀) − Dŷ(θ₀)Δθ‖/‖ŷ(θ) − ŷ(θ₀)‖ over all
// samples; NaN where the outputs did not move.
func (l *Look) tangent(theta []float64) (float64, error) {
	now, err := l.predict(theta)
	if err != nil {
		return 0, err
	}
	step, moved := minus(theta, l.initial), make([]float64, len(theta))
	forth, err := l.predict(floats.AddScaledTo(moved, l.initial, difference, step))
	if err != nil {
		return 0, err
	}
	back, err := l.predict(floats.AddScaledTo(moved, l.initial, -difference, step))
	if err != nil {
		return 0, err
	}
	change, rest := 0.0, 0.0
	for i := range now {
		d := now[i] - l.outputs[i]
		change += d * d
		r := d - (forth[i]-back[i])/(2*difference)
		rest += r * r
	}
	if change == 0 {
		return math.NaN(), nil
	}
	return math.Sqrt(rest / change), nil
}
