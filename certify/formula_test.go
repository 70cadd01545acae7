package certify_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deeplimit/deeplimit/certify"
	"pgregory.net/rapid"
)

// plainSmoothness evaluates K at η = 0 as docs/certificates.md writes it, in plain
// float64 arithmetic from the network itself.
func plainSmoothness(n *network) float64 {
	s := n.evaluate()
	m := n.measure(s)
	L, δ, m1, m2, ρ := float64(n.depth()), n.δ, n.σ.SupFirst(), n.σ.SupSecond(), math.Sqrt(2*s.loss)
	one := 0.0
	if n.bias {
		one = 1
	}
	at := func(x []float64, k int) float64 {
		if x == nil {
			return 0
		}
		return x[k]
	}
	S, reach := 0.0, m.Hidden[0]
	squares, sum, triple, v, w, q := 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
	for k, a := range m.Weights {
		wk, bk := at(m.InnerWeights, k), at(m.Biases, k)
		g, o := δ*m1*a, 0.0
		switch n.block {
		case "inner":
			o = δ * m1 * bk
		case "outer":
			o = δ * bk
		case "mlp":
			g *= wk
			o = δ * (m1*a*bk + at(m.OuterBiases, k))
		}
		S += g
		reach += o * math.Exp(-S)
		squares += g * g
		sum += δ * a
		triple += δ * δ * a * wk * wk
		v, w, q = max(v, a), max(w, math.Hypot(wk, bk)), max(q, math.Hypot(a, wk))
	}
	input, e := math.Sqrt(reach*reach+one), math.Exp(S)
	var T, K float64
	switch n.block {
	case "inner":
		T = m1 * input
		K = δ*δ*m1*L*e*T + 2*δ*m2*e*e*input*input*(1+L*squares)
	case "outer":
		T = math.Sqrt(m1*m1*reach*reach + one)
		K = δ*δ*m1*L*e*T + m2*L*δ*δ*e*e*T*T*sum
	case "mlp":
		T = math.Sqrt(m1*m1*w*w*input*input + one + m1*m1*v*v*input*input)
		K = δ*δ*m1*q*L*e*T + δ*m1*e*input + 2*δ*m2*e*e*(v*input*input+L*T*T*triple)
	}
	return L*δ*δ*e*e*T*T + ρ*K
}

// TestSmoothnessFormula compares K with the formula written out a second time, on
// networks where every term of it counts.
func TestSmoothnessFormula(t *testing.T) {
	for _, block := range []string{"inner", "outer", "mlp"} {
		rapid.Check(t, func(t *rapid.T) {
			s := drawShape(t, block, rapid.SampledFrom([]string{"tanh", "gelu", "silu", "centred-sigmoid"}).Draw(t, "activation"))
			s.amplitude, s.scale = min(s.amplitude, 1), min(s.scale, 3)
			n := draw(s)
			it, err := certify.New(n.problem(), n.measure(n.evaluate()))
			if err != nil {
				t.Fatal(err)
			}
			// K allows for the rounding error of √(2J), which grows like e^S.
			_, _, residual, _ := it.Noise()
			tolerance := 1e-10 + residual/math.Sqrt(2*n.evaluate().loss)
			if got, want := it.SmoothnessAt(0), plainSmoothness(n); !(math.Abs(got-want) <= tolerance*want) {
				t.Fatalf("%+v: K = %v, want %v", s, got, want)
			}
		})
	}
}

// TestClaimsHoldOnTheBall visits random networks at distance w in every layer, in
// random directions and along the gradient: hidden states, features, slopes, the
// gradient and the PL ratio stay within what is claimed.
func TestClaimsHoldOnTheBall(t *testing.T) {
	for _, block := range []string{"inner", "outer"} {
		t.Run(block, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := drawShape(t, block, rapid.SampledFrom([]string{"tanh", "sin", "gelu", "identity"}).Draw(t, "activation"))
				s.L, s.d = min(s.L, 6), min(s.d, 4)
				s.N, s.out = min(s.N, s.d), min(s.out, s.d)
				s.scale, s.amplitude = min(s.scale, 3), min(s.amplitude, 0.5)
				w := math.Pow(10, rapid.Float64Range(-5, 0).Draw(t, "log w"))
				n := draw(s)
				state := n.evaluate()
				it, err := certify.New(n.problem(), n.measure(state))
				if err != nil {
					t.Fatal(err)
				}
				claim := it.Ball(w)
				away := rapid.Bool().Draw(t, "along the gradient")
				n.displace(w, state, away, rand.New(rand.NewPCG(s.seed, 2)))
				far := n.evaluate()
				m := n.measure(far)
				const ulps = 1e-12
				for k := range m.Hidden {
					if !(m.Hidden[k] <= claim.Hidden[k]*(1+ulps)) {
						t.Fatalf("%+v, w = %v: ‖h_%d‖ = %v, claimed at most %v", s, w, k, m.Hidden[k], claim.Hidden[k])
					}
				}
				for k := range m.FeatureNorms {
					if !(m.FeatureNorms[k] <= claim.Inputs[k]*(1+ulps)) {
						t.Fatalf("%+v, w = %v: ‖u_%d‖ = %v, claimed at most %v", s, w, k+1, m.FeatureNorms[k], claim.Inputs[k])
					}
				}
				for k := range m.Weights {
					if !(m.Features[k] >= claim.Features[k]*(1-ulps)) {
						t.Fatalf("%+v, w = %v: σ_min of layer %d is %v, claimed at least %v", s, w, k, m.Features[k], claim.Features[k])
					}
					if block == "inner" && !(m.Slopes[k] >= claim.Slopes[k]*(1-ulps)) {
						t.Fatalf("%+v, w = %v: slope of layer %d is %v, claimed at least %v", s, w, k, m.Slopes[k], claim.Slopes[k])
					}
					if !(m.Gradients[k] <= claim.G*math.Sqrt(2*m.Loss)*(1+ulps)) {
						t.Fatalf("%+v, w = %v: gradient %v, claimed at most %v", s, w, m.Gradients[k], claim.G*math.Sqrt(2*m.Loss))
					}
				}
				if !(m.GradientNorm*m.GradientNorm >= 2*claim.Rate*m.Loss*(1-ulps)) {
					t.Fatalf("%+v, w = %v: PL ratio %v, claimed at least %v", s, w, m.GradientNorm*m.GradientNorm/(2*m.Loss), claim.Rate)
				}
			})
		})
	}
}

// displace moves every layer by w in Frobenius norm: along ± its gradient, or in a
// random direction.
func (n *network) displace(w float64, s *state, gradient bool, rng *rand.Rand) {
	move := &state{gv: zeros(n.v), gw: zeros(n.w), gb: zeroRows(n.b), gc: zeroRows(n.c)}
	for k := range n.v {
		direction := s.layer(k)
		size := norm(direction)
		if !gradient || size == 0 {
			for j := range direction {
				direction[j] = rng.NormFloat64()
			}
			size = norm(direction)
		}
		for j := range direction {
			direction[j] *= w / size
		}
		rest := direction[copy(move.gv[k].RawMatrix().Data, direction):]
		if n.w != nil {
			rest = rest[copy(move.gw[k].RawMatrix().Data, rest):]
		}
		if n.b != nil {
			rest = rest[copy(move.gb[k], rest):]
		}
		if n.c != nil {
			copy(move.gc[k], rest)
		}
	}
	n.step(move, 1)
}

// TestLongStretches sums the displacement over stretches of many steps that were
// measured at their first iterate alone.
func TestLongStretches(t *testing.T) {
	for _, block := range []string{"inner", "outer", "mlp"} {
		rapid.Check(t, func(t *rapid.T) {
			s := drawShape(t, block, rapid.SampledFrom([]string{"tanh", "gelu", "identity"}).Draw(t, "activation"))
			s.L, s.d = min(s.L, 6), min(s.d, 4)
			s.N, s.out = min(s.N, s.d), min(s.out, s.d)
			s.scale, s.amplitude = min(s.scale, 3), min(s.amplitude, 0.5)
			n := draw(s)
			p, start := n.problem(), parameters(n)
			var history certify.History
			η := 0.0
			for range 3 {
				it, err := certify.New(p, n.measure(n.evaluate()))
				if err != nil {
					t.Fatal(err)
				}
				if η == 0 {
					if η, err = it.CertifiedStepSize(); err != nil {
						return
					}
				}
				stretch := certify.Stretch{Lengths: make([]float64, s.L)}
				for range 10 {
					state := n.evaluate()
					stretch.Steps++
					stretch.RootLoss += η * math.Sqrt(2*state.loss)
					for k := range stretch.Lengths {
						stretch.Lengths[k] += η * norm(state.layer(k))
					}
					n.step(state, η)
				}
				if err := history.Add(it, stretch); err != nil {
					t.Fatal(err)
				}
			}
			bounds, err := history.Bounds(p, displaced(n, start))
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range bounds {
				if b.Verdict == certify.Violated {
					t.Fatalf("%+v: %+v", s, b)
				}
			}
		})
	}
}

// TestMeasuredFeatureNorms wants every claim about the ball at least as tight with the measured
// ‖u_k‖ as without, and a certificate wherever there was one, of a radius no larger and a rate no smaller.
func TestMeasuredFeatureNorms(t *testing.T) {
	var tighter float64
	rapid.Check(t, func(t *rapid.T) {
		s := drawShape(t, "outer", rapid.SampledFrom([]string{"tanh", "sin", "gelu", "identity"}).Draw(t, "activation"))
		s.N, s.out = min(s.N, s.d), min(s.out, s.d)
		s.scale, s.amplitude = min(s.scale, 3), min(s.amplitude, 0.5)
		if rapid.Bool().Draw(t, "close") {
			s.error = 1e-7
		}
		w := math.Pow(10, rapid.Float64Range(-5, 0).Draw(t, "log w"))
		n := draw(s)
		m := n.measure(n.evaluate())
		with, err := certify.New(n.problem(), m)
		if err != nil {
			t.Fatal(err)
		}
		m.FeatureNorms = nil
		without, err := certify.New(n.problem(), m)
		if err != nil {
			t.Fatal(err)
		}
		a, b := with.Ball(w), without.Ball(w)
		if !(a.G <= b.G && a.Rate >= b.Rate) {
			t.Fatalf("%+v, w = %v: g %v and μ %v, without measured norms %v and %v", s, w, a.G, a.Rate, b.G, b.Rate)
		}
		for k := range a.Inputs {
			if !(a.Inputs[k] <= b.Inputs[k] && a.Hidden[k+1] <= b.Hidden[k+1] && a.Features[k] >= b.Features[k]) {
				t.Fatalf("%+v, w = %v: layer %d is looser with measured norms", s, w, k+1)
			}
		}
		tighter = max(tighter, 1-a.G/b.G)
		before, err := without.Converge()
		if err != nil {
			return
		}
		after, err := with.Converge()
		if err != nil {
			t.Fatalf("%+v: %v, with a certificate without the measured norms", s, err)
		}
		if !(after.Radius <= before.Radius && after.Rate >= before.Rate) {
			t.Fatalf("%+v: radius %v and rate %v, without measured norms %v and %v", s, after.Radius, after.Rate, before.Radius, before.Rate)
		}
	})
	if !(tighter > 0.01) {
		t.Errorf("got bounds tighter by %v at most, want some by a hundredth", tighter)
	}
}
