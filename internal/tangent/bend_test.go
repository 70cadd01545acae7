package tangent

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/certify"
)

// sharper returns how many times larger a loss descent closes at by the growth of the curvature than by the curvature in balls alone; 0 for a
// singular kernel.
func sharper(t testing.TB, m *Model) float64 {
	t.Helper()
	layers := m.Layers()
	samples, err := m.Propagations(context.Background(), true, nil)
	if err != nil {
		t.Fatal(err)
	}
	tangent := &certify.Tangent{Samples: m.samples, Outputs: m.outputs, Residual: norm(m.Residual())}
	m.spectrum(m.Kernel(), tangent)
	tangent.Curvature = func(radius float64) float64 { return layers.Ball(samples, radius).Curvature }
	plain := tangent.LossNeeded()
	if plain == 0 {
		return 0
	}
	tangent.Centre = layers.Ball(samples, 0).Curvature
	tangent.Growth = func(radius float64) float64 { return layers.Growth(samples, radius) }
	return tangent.LossNeeded() / plain
}

// TestSharper wants the bound of the growth never to close at a smaller loss, and at twice the loss for half of the golden networks.
func TestSharper(t *testing.T) {
	var gains []float64
	for _, c := range readGolden(t) {
		gain := sharper(t, c.model(t, 1))
		if gain == 0 {
			continue
		}
		t.Logf("%s: closes at %.2f times the loss", c.Name, gain)
		if !(gain >= 1) {
			t.Errorf("%s: got %g, want 1 at least", c.Name, gain)
		}
		gains = append(gains, gain)
	}
	slices.Sort(gains)
	if middle := gains[len(gains)/2]; !(middle >= 2) {
		t.Errorf("median gain: got %g, want 2 at least", middle)
	}
}

// reached returns ∂(W_kh_{k−1})/∂θ (m,trained) with W_k held, by central differences.
func (m *Model) reached(theta []float64, i, k int) *mat.Dense {
	const step = 1e-6
	trained := m.net.Layout.Trained
	at, change := slices.Clone(theta), mat.NewDense(m.width, trained, nil)
	for j := range trained {
		at[j] = theta[j] + step
		m.Move(at)
		high := slices.Clone(m.hidden(i, k))
		at[j] = theta[j] - step
		m.Move(at)
		at[j] = theta[j]
		for r, low := range m.hidden(i, k) {
			change.Set(r, j, (high[r]-low)/(2*step))
		}
	}
	m.Move(theta)
	if m.w == nil {
		return change
	}
	var out mat.Dense
	out.Mul(mat.NewDense(m.middle, m.width, block(m.w, k, m.middle*m.width)), change)
	return &out
}

// TestBend holds Bend and Bent to their formulas with derivatives of the states by differences, and Bent and Cross to random directions.
func TestBend(t *testing.T) {
	for seed := range uint64(*nets) {
		m := draw(t, seed)
		theta, rng := slices.Clone(m.theta), rand.New(rand.NewPCG(seed, 80))
		samples, err := m.Propagations(context.Background(), true, nil)
		if err != nil {
			t.Fatal(err)
		}
		at := newPropagator(m, nil)
		at.begin(0)
		at.adjoints()
		for range 20 {
			u, sum := make([]float64, m.Trained()), make([]float64, m.outputs)
			for j := range u {
				u[j] = rng.NormFloat64()
			}
			axpy(u, 1/norm(u)-1, slices.Clone(u))
			at.adjoints()
			for k := m.depth - 1; k >= 0; k-- {
				at.load(k)
				at.contract(k)
				second := m.of(m.states.second, 0, k)
				var a mat.VecDense
				a.MulVec(m.reached(theta, 0, k), mat.NewVecDense(len(u), u))
				bent, b := make([]float64, m.middle), make([]float64, m.width)
				for j := range b {
					b[j] = rng.NormFloat64()
				}
				axpy(b, 1/norm(b)-1, slices.Clone(b))
				through := slices.Clone(b)
				if m.w != nil {
					through = make([]float64, m.middle)
					multiplyTo(through, block(m.w, k, m.middle*m.width), b, nil)
				}
				for j := range bent {
					bent[j] = second[j] * square(a.AtVec(j))
					for o := range sum {
						sum[o] += m.scale(k) * at.pv.at(o)[j] * second[j] * a.AtVec(j) * through[j]
					}
				}
				if bound := square(samples[0].Bent[k]); !(norm(bent) <= bound*(1+1e-6)+1e-12) {
					t.Errorf("seed %d, layer %d: ‖σ″∘(Wḣ)²‖ is %g at least, bound %g", seed, k+1, norm(bent), bound)
				}
				for o := range m.outputs {
					at.back(at.p.at(o)[:m.width], at.tgt.data[:m.middle], k)
				}
			}
			if !(norm(sum) <= samples[0].Cross*(1+1e-6)+1e-12) {
				t.Errorf("seed %d: crossed derivatives add up to %g, bound %g", seed, norm(sum), samples[0].Cross)
			}
		}
		for k := range m.depth {
			j := m.reached(theta, 0, k)
			most, scaled := 0.0, mat.DenseCopyOf(j)
			for r, second := range m.of(m.states.second, 0, k) {
				entry := math.Abs(second) * norm(j.RawRowView(r))
				most = max(most, entry)
				row := scaled.RawRowView(r)
				axpy(row, entry-1, slices.Clone(row))
			}
			for name, pair := range map[string][2]float64{"bend": {samples[0].Bend[k], most}, "bent": {square(samples[0].Bent[k]), spectralNorm(scaled)}} {
				if !(math.Abs(pair[0]-pair[1]) <= 1e-6*pair[1]+1e-9) {
					t.Errorf("seed %d, layer %d: %s: got %g, want %g", seed, k+1, name, pair[0], pair[1])
				}
			}
		}
	}
}

func spectralNorm(a *mat.Dense) float64 {
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDNone) {
		return math.NaN()
	}
	return slices.Max(svd.Values(nil))
}
