package certify_test

import (
	"math"
	"testing"

	"github.com/deeplimit/deeplimit/certify"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// r32 rounds to float32. A float64 sum, product or quotient of float32 numbers
// rounded by r32 is the float32 operation, as 53 ≥ 2·24 + 2.
func r32(x float64) float64 { return float64(float32(x)) }

func times32(a *mat.Dense, x []float64) []float64 {
	r, _ := a.Dims()
	y := make([]float64, r)
	for i := range y {
		for j, v := range a.RawRowView(i) {
			y[i] = r32(y[i] + r32(v*x[j]))
		}
	}
	return y
}

func plus32(x, y []float64) []float64 { return apply(r32, plus(x, y)) }

func scale32(f float64, x []float64) []float64 {
	return apply(func(v float64) float64 { return r32(f * v) }, x)
}

func product32(x, y []float64) []float64 {
	z := make([]float64, len(x))
	for i := range z {
		z[i] = r32(x[i] * y[i])
	}
	return z
}

func addOuter32(g *mat.Dense, f float64, p, q []float64) {
	for i, v := range p {
		row := g.RawRowView(i)
		for j, u := range q {
			row[j] = r32(row[j] + r32(r32(f*v)*u))
		}
	}
}

// toFloat32 rounds weights, data and δ of n, so that both precisions see the same network.
func (n *network) toFloat32() {
	round := func(x []float64) { copy(x, apply(r32, x)) }
	for _, group := range [][]*mat.Dense{n.v, n.w} {
		for _, a := range group {
			round(a.RawMatrix().Data)
		}
	}
	for _, group := range [][][]float64{n.b, n.c, n.x, n.y} {
		for _, v := range group {
			round(v)
		}
	}
	n.δ = r32(n.δ)
}

// evaluate32 is evaluate with every operation rounded to float32; no readout.
func (n *network) evaluate32() *state {
	L, N := n.depth(), len(n.x)
	s := &state{gv: zeros(n.v), gw: zeros(n.w), gb: zeroRows(n.b), gc: zeroRows(n.c)}
	s.h, s.z = make([][][]float64, L+1), make([][][]float64, L)
	value := func(z float64) float64 { return r32(n.σ.Value(z)) }
	first := func(z float64) float64 { _, d, _ := n.σ.Derivatives(z); return r32(d) }
	for i, h := range n.x {
		s.h[0] = append(s.h[0], h)
		for k := range L {
			z := h
			switch n.block {
			case "inner":
				z = times32(n.v[k], h)
			case "mlp":
				z = times32(n.w[k], h)
			}
			if n.b != nil {
				z = plus32(z, n.b[k])
			}
			f := apply(value, z)
			if n.block != "inner" {
				f = times32(n.v[k], f)
			}
			if n.c != nil {
				f = plus32(f, n.c[k])
			}
			h = plus32(h, scale32(n.δ, f))
			s.z[k], s.h[k+1] = append(s.z[k], z), append(s.h[k+1], h)
		}
		p := plus32(h, scale32(-1, n.y[i]))
		s.loss += dot(p, p) / float64(2*N) // the sum itself is not what is tested
		scale := r32(n.δ / float64(N))
		for k := L - 1; k >= 0; k-- {
			z, h := s.z[k][i], s.h[k][i]
			q := p
			if n.block != "inner" {
				addOuter32(s.gv[k], scale, p, apply(value, z))
				q = times32(mat.DenseCopyOf(n.v[k].T()), p)
			}
			if n.c != nil {
				s.gc[k] = plus32(s.gc[k], scale32(scale, p))
			}
			slope := product32(apply(first, z), q)
			if n.b != nil {
				s.gb[k] = plus32(s.gb[k], scale32(scale, slope))
			}
			back := slope
			switch n.block {
			case "inner":
				addOuter32(s.gv[k], scale, slope, h)
				back = times32(mat.DenseCopyOf(n.v[k].T()), slope)
			case "mlp":
				addOuter32(s.gw[k], scale, slope, h)
				back = times32(mat.DenseCopyOf(n.w[k].T()), slope)
			}
			p = plus32(p, scale32(n.δ, back))
		}
	}
	for k := range L {
		g := s.layer(k)
		s.gradient += dot(g, g)
	}
	s.gradient = math.Sqrt(s.gradient)
	return s
}

// TestRoundingBounds evaluates random networks in float32 and in float64: the
// a-priori bounds for u = 2⁻²⁴ hold for hidden states, arguments of σ′, residuals
// and gradients. Float64 stands for exact arithmetic; it is 2⁻²⁹ of the errors off.
func TestRoundingBounds(t *testing.T) {
	for _, block := range []string{"inner", "outer", "mlp"} {
		t.Run(block, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				activation := rapid.SampledFrom([]string{"tanh", "sin", "gelu", "softplus", "elu"}).Draw(t, "activation")
				shape := drawShape(t, block, activation)
				shape.ortho = false
				n := draw(shape)
				n.toFloat32()
				rough, fine := n.evaluate32(), n.evaluate()
				p := n.problem()
				p.UnitRoundoff = 0x1p-24
				it, err := certify.New(p, n.measure(rough))
				if err != nil {
					t.Fatal(err)
				}
				hidden, slope, residual, gradient := it.Noise()
				check := func(what string, k int, got, bound float64) {
					if !(got <= bound) {
						t.Fatalf("%+v: error of %s %d is %g, bound %g", shape, what, k, got, bound)
					}
				}
				var off float64
				for i := range n.x {
					for k := range rough.h {
						check("hidden state", k, distance(rough.h[k][i], fine.h[k][i]), hidden[k])
					}
					for k := range rough.z {
						check("argument of σ′", k, distance(rough.z[k][i], fine.z[k][i]), slope[k])
					}
					r := distance(plus32(rough.h[len(n.v)][i], scale32(-1, n.y[i])), plus(fine.h[len(n.v)][i], apply(func(v float64) float64 { return -v }, n.y[i])))
					off += r * r / float64(len(n.x))
				}
				check("root mean square residual", 0, math.Sqrt(off), residual)
				for k := range gradient {
					check("gradient", k, distance(rough.layer(k), fine.layer(k)), gradient[k])
				}
			})
		})
	}
}

// TestFloat32RunsAreNotViolated takes steps in float32: what is measured there
// obeys every bound with the margin of float32, and a margin of float64 would not do.
func TestFloat32RunsAreNotViolated(t *testing.T) {
	caught := 0
	for seed := range uint64(200) {
		s := shape{
			block: []string{"inner", "outer", "mlp"}[seed%3], activation: "tanh", L: 1 + int(seed%7), d: 3, N: 2, m: 3, out: 3,
			alpha: 0.5, amplitude: 0.3, scale: 1, error: math.Pow(10, -float64(seed%6)), seed: seed,
		}
		n := draw(s)
		n.toFloat32()
		rough := n.evaluate32()
		m, p := n.measure(rough), n.problem()
		p.UnitRoundoff = 0x1p-24
		it, err := certify.New(p, m)
		if err != nil {
			t.Fatal(err)
		}
		η, err := it.CertifiedStepSize()
		if err != nil {
			t.Fatal(err)
		}
		η = r32(η * 1e-4) // a small step, whose decrease drowns in rounding
		n.step(rough, η)
		for k := range n.v {
			copy(n.v[k].RawMatrix().Data, apply(r32, n.v[k].RawMatrix().Data))
			if n.w != nil {
				copy(n.w[k].RawMatrix().Data, apply(r32, n.w[k].RawMatrix().Data))
			}
		}
		next := n.evaluate32().loss
		m.StepSize, m.NextLoss = &η, &next
		for _, u := range []float64{0x1p-24, 0x1p-53} {
			p.UnitRoundoff = u
			if it, err = certify.New(p, m); err != nil {
				t.Fatal(err)
			}
			for _, b := range it.Bounds() {
				if b.Verdict != certify.Violated {
					continue
				}
				if u == 0x1p-24 {
					t.Errorf("seed %d: %+v", seed, b)
				}
				caught++
			}
		}
	}
	if caught == 0 {
		t.Error("no bound is violated with the margin of float64: the margins are not tested")
	}
}
