package tangent

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/certify"
)

// TestDescentKeepsPromises moves the targets until the residual is 0.97 of the largest that closes, in the slowest direction
// and a random one, and follows gradient descent: every step's factor, the majorant, its path and the distance of its end.
func TestDescentKeepsPromises(t *testing.T) {
	var all counts
	seeds := []uint64{374} // a descent whose loss grows by rounding at 1.7e-21
	for seed := range uint64(*nets) {
		seeds = append(seeds, seed)
	}
	for _, seed := range seeds {
		m := draw(t, seed)
		theta := append([]float64(nil), m.theta...)
		k := m.Kernel()
		var eigen mat.EigenSym
		if !eigen.Factorize(k, true) {
			t.Fatal("no eigenvalues")
		}
		var vectors mat.Dense
		eigen.VectorsTo(&vectors)
		first, err := m.Prove(context.Background(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if first.LossNeeded == nil {
			continue
		}
		rng := rand.New(rand.NewPCG(seed, 79))
		other := make([]float64, k.SymmetricDim())
		for i := range other {
			other[i] = rng.NormFloat64()
		}
		for _, direction := range [][]float64{mat.Col(nil, 0, &vectors), other} {
			m.Move(theta)
			size := 0.97 * math.Sqrt(2*float64(m.samples)**first.LossNeeded) / norm(direction)
			for i, r := range m.states.residual {
				m.y[i] += r - size*direction[i]
			}
			m.Move(theta)
			proved, err := m.Prove(context.Background(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !proved.Zero.Issued || !proved.Descent.Issued {
				t.Fatalf("seed %d: not issued at 0.97 of the loss needed: %s; %s", seed, proved.Zero.Why, proved.Descent.Why)
			}
			if proved.Proven == nil {
				t.Fatalf("seed %d: rounding is not bounded: %s", seed, proved.RoundingWhy)
			}
			all.issued++
			follow(t, seed, m, theta, proved.Proven, &all)
			reach(t, seed, m, theta, proved.Proven)
		}
	}
	t.Logf("followed %d certificates of %d networks in %d steps; %d steps that do not keep to their factor in computed numbers do so within their rounding",
		all.issued, *nets, all.steps, all.rounded)
	if all.issued < *nets {
		t.Errorf("got %d certificates, want %d at least", all.issued, *nets)
	}
}

// counts are of what was followed.
type counts struct{ issued, steps, rounded int }

// reach wants a zero-loss network, found by Newton steps from theta, within the distance that is proved: as far as it is known where a zero is, which is
// what is proved of the end of the steps.
func reach(t *testing.T, seed uint64, m *Model, theta []float64, proved *certify.Proven) {
	t.Helper()
	end := append([]float64(nil), theta...)
	m.Move(end)
	_, moved, err := m.Polish(context.Background(), end, 50, nil)
	if err != nil {
		t.Fatal(err)
	}
	there, err := m.Prove(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !there.Zero.Issued || there.Proven == nil {
		t.Errorf("seed %d: no zero is proved at the end of Newton steps: %s %s", seed, there.Zero.Why, there.RoundingWhy)
	} else if known := *there.Proven.Zero.Distance; !(moved*(1-1e-12) <= *proved.Zero.Distance+known) {
		t.Errorf("seed %d: the zero within %g of what is %g away is not within %g", seed, known, moved, *proved.Zero.Distance)
	}
}

// follow holds gradient descent from theta to what was proved. Computed steps are exact ones of the stored iterates, but for an error e of the parameters and one of
// each residual, all of which are bounded (docs/certificates.md, section 16); nothing else is allowed for.
func follow(t *testing.T, seed uint64, m *Model, theta []float64, proved *certify.Proven, all *counts) {
	t.Helper()
	d := &proved.Descent
	w := newWalker(t, m, theta, proved)
	psi := majorantOf(proved)
	for range 400 {
		before := norm(m.states.residual)
		if before*before < 1e-22*2*float64(m.samples) {
			break
		}
		all.steps++
		if w.step(t, seed, math.Sqrt(*d.LossFactor)) {
			all.rounded++
		}
		if after, most := norm(m.states.residual), psi.at(w.path)+w.added+w.here.shift; !(after <= most) {
			t.Fatalf("seed %d: the residual is %g after a path of %g, certified %g", seed, after, w.path, most)
		}
	}
	if most := psi.root(w.added); !(w.path <= most) {
		t.Errorf("seed %d: the path is %g, certified %g", seed, w.path, most)
	}
}

// A walker makes steps of gradient descent, and bounds what rounding does to them.
type walker struct {
	*Model
	at, grad    []float64
	nu, beta    float64 // β ≥ ‖DF‖ in the ball
	most        float64 // ≥ σ₀
	path, added float64 // added is what rounding adds to the majorant
	here        distance
}

// newWalker starts at theta.
func newWalker(t *testing.T, m *Model, theta []float64, proved *certify.Proven) *walker {
	t.Helper()
	d := &proved.Descent
	beta := math.Sqrt(float64(m.samples) / *d.StepMax)
	if *d.Step > *d.StepMax { // the ball of Theorem 3 is a larger one
		beta = math.Sqrt(proved.LambdaMax) + *d.CurvatureInBall*d.Radius
	}
	return &walker{
		Model: m, at: append([]float64(nil), theta...), grad: make([]float64, m.net.Layout.Trained),
		nu: *d.Step / float64(m.samples), beta: beta, most: math.Sqrt(proved.LambdaMax), here: m.rounding(t),
	}
}

// step makes one and wants ‖r⁺‖ ≤ factor·‖r‖ within rounding. It says whether computed numbers need that.
func (w *walker) step(t *testing.T, seed uint64, factor float64) (rounded bool) {
	t.Helper()
	r, m := roundoff{unit}, w.Model
	residual := m.states.residual
	before, count := norm(residual), len(residual)
	features := m.derivative(w.at)
	clear(w.grad)
	for a, v := range residual {
		axpy(w.grad, v, features.RawRowView(a))
	}
	steep := r.wide(norm(features.RawMatrix().Data) * (1 + 1e-12)) // ≥ ‖D̂‖
	axpy(w.at[:len(w.grad)], -w.nu, w.grad)
	length := r.up(w.nu * norm(w.grad))
	// e: of the gradient, by residual, features and their sum; of the step and the sum with θ.
	e := r.wide(w.nu*(steep*w.here.shift+(w.here.off+r.gamma(count+8)*steep)*(before+w.here.shift)) + 4*r.u*length + r.u*norm(w.at))
	m.Move(w.at)
	there := m.rounding(t)
	w.path += length*(1+1e-12) + e
	w.added += (w.beta + w.most) * e
	after := norm(m.states.residual)
	if !(after <= factor*(before*(1+r.gamma(count))+w.here.shift)+w.beta*e+there.shift) {
		t.Fatalf("seed %d: a step multiplies the residual %g by %.12g, certified %.12g, rounding %.3g", seed, before, after/before, factor, w.here.shift+there.shift+w.beta*e)
	}
	w.here = there
	return after > factor*before
}

// A distance is that of computed numbers from the exact ones at θ: ‖D̂ − DF‖ and ‖r̂ − r‖.
type distance struct{ off, shift float64 }

// rounding bounds it at the parameters at hand.
func (m *Model) rounding(t *testing.T) distance {
	t.Helper()
	ctx := context.Background()
	o, why, err := m.enclose(ctx, "")
	if err != nil || why != "" {
		t.Fatal(err, why)
	}
	layers := m.layers(roundoff{unit})
	samples, features, err := m.propagations(ctx, false, nil, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	off, shift := m.distances(layers, samples, features, o)
	return distance{off, shift}
}

// A majorant is ψ(t) = ρ − σ₀t + ½at² + bt³/6, below which the residual is at path length t.
type majorant struct{ residual, sigma, a, b float64 }

// majorantOf returns that of what is proved.
func majorantOf(p *certify.Proven) majorant {
	psi := majorant{p.Residual, math.Sqrt(p.LambdaMin), *p.Descent.CurvatureInBall, 0}
	if growth := p.Descent.CurvatureGrowth; growth != nil {
		psi.a, psi.b = *p.CurvatureAtCentre, *growth
	}
	return psi
}

// at returns ψ(t), rounded up.
func (m majorant) at(t float64) float64 {
	return m.residual - m.sigma*t + 0.5*m.a*t*t + m.b*t*t*t/6 + 8*unit*(m.residual+m.sigma*t)
}

// root returns the first root of ψ + added.
func (m majorant) root(added float64) float64 {
	low, high := 0.0, 2*m.sigma/(m.a+math.Sqrt(m.a*m.a+2*m.b*m.sigma)) // where ψ is least
	for range 100 {
		if middle := 0.5 * (low + high); m.at(middle)+added > 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}
