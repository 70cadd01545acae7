package tangent

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// stray recomputes the states of sample i with an error of that size added to each, that of h_0 included, and returns (Σ‖ε_k‖²)^½.
func (m *Model) stray(i int, size float64, rng *rand.Rand) float64 {
	sum := 0.0
	add := func(h []float64) {
		for j := range h {
			e := size * rng.NormFloat64()
			h[j], sum = h[j]+e, sum+e*e
		}
	}
	z, f := make([]float64, m.middle), make([]float64, m.width)
	add(m.hidden(i, 0))
	for k := range m.depth {
		h, next, u := m.hidden(i, k), m.hidden(i, k+1), m.hidden(i, k)
		if m.w != nil {
			multiplyTo(z, block(m.w, k, m.middle*m.width), h, biasAt(m.wBias, k, m.middle))
			u = z
		}
		value, slope, second := m.of(m.states.value, i, k), m.of(m.states.slope, i, k), m.of(m.states.second, i, k)
		for j, at := range u {
			value[j], slope[j], second[j] = m.sigma.Derivatives(at)
		}
		m.branchTo(f, i, k)
		for j := range next {
			next[j] = h[j] + m.scale(k)*f[j]
		}
		add(next)
	}
	return math.Sqrt(sum)
}

// TestShadow wants states, derivative and curvature of the exact network within what is said from states that stray from it.
func TestShadow(t *testing.T) {
	tried := 0
	for seed := range uint64(3 * *nets) {
		m := draw(t, seed)
		rng := rand.New(rand.NewPCG(seed, 80))
		layers, count := m.Layers(), m.samples*m.outputs
		theta := append([]float64(nil), m.theta...)
		exact := m.derivative(theta)
		found, _ := topCurvature(m.hessians(theta), rng)
		var ends []float64
		for i := range m.samples {
			ends = append(ends, m.hidden(i, m.depth)...)
		}
		size, lengths := math.Pow(10, -4-4*rng.Float64()), make([]float64, m.samples)
		for i := range lengths {
			lengths[i] = m.stray(i, size, rng)
		}
		there := mat.NewDense(count, m.Trained(), nil)
		unit := make([]float64, count)
		for a := range count {
			unit[a] = 1
			m.Pull(there.RawRowView(a), unit)
			unit[a] = 0
		}
		samples, _, err := m.propagations(context.Background(), true, nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range samples {
			s := &samples[i]
			// The first layer's gain is at most the sum of the norms of its parts.
			first := 1 + math.Abs(m.scale(0))*m.norms[0].v*m.norms[0].w*m.sigma.SupFirst()
			s.Orbit, s.Reach, s.FirstReach = lengths[i], s.Chi*math.Sqrt(1+first*first), 1
			state, derivative := layers.Shadow(s)
			if math.IsInf(state, 1) {
				continue
			}
			tried++
			off := 0.0
			for j, v := range m.hidden(i, m.depth) {
				off += square(v - ends[i*m.width+j])
			}
			if !(math.Sqrt(off) <= state) {
				t.Errorf("seed %d, sample %d: the state is off by %g, bound %g", seed, i, math.Sqrt(off), state)
			}
			var change mat.Dense
			change.Sub(there.Slice(i*m.outputs, (i+1)*m.outputs, 0, m.Trained()), exact.Slice(i*m.outputs, (i+1)*m.outputs, 0, m.Trained()))
			var svd mat.SVD
			if !svd.Factorize(&change, mat.SVDNone) {
				t.Fatal("no singular values")
			}
			if got := svd.Values(nil)[0]; !(got <= derivative*(1+1e-9)+1e-13) {
				t.Errorf("seed %d, sample %d: the derivative is off by %g, bound %g", seed, i, got, derivative)
			}
		}
		if bound := layers.Ball(samples, 0).Curvature; !(found <= bound*(1+1e-5)) {
			t.Errorf("seed %d: ‖F″‖ is %g at least, bound %g", seed, found, bound)
		}
	}
	if tried < *nets {
		t.Errorf("got %d samples, want %d at least", tried, *nets)
	}
}
