package tangent

import (
	"context"
	"flag"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/activation"
	"github.com/deeplimit/deeplimit/resnet"
)

var nets = flag.Int("nets", 4, "random networks that bounds and certificates are tried on")

// draw returns a random small network of any block, activation and set of trained groups.
func draw(t testing.TB, seed uint64) *Model {
	rng := rand.New(rand.NewPCG(seed, 77))
	pick := func(options ...string) string { return options[rng.IntN(len(options))] }
	alpha := []float64{0.5, 0.75, 1}[rng.IntN(3)]
	smooth := []string{}
	for _, name := range activation.Names() {
		if f, _ := activation.ByName(name); f.Smoothness() >= 2 && name != "identity" {
			smooth = append(smooth, name)
		}
	}
	inputs, outputs := 1+rng.IntN(3), 1+rng.IntN(2)
	spec := resnet.Spec{
		Block: pick("inner", "outer", "mlp"), Activation: pick(smooth...), Alpha: &alpha, Bias: rng.IntN(2) == 0,
		Residual: pick("fixed", "shared", "layered"), Width: 2 + rng.IntN(3),
		Embed: pick("orthonormal", "trained"), Readout: pick("orthonormal", "trained"),
	}
	if spec.Block == "mlp" {
		spec.Hidden = 2 + rng.IntN(3)
	}
	return random(t, spec, 2+rng.IntN(5), 1+rng.IntN(2), inputs, outputs, seed)
}

// derivative returns DF (No, trained) at theta.
func (m *Model) derivative(theta []float64) *mat.Dense {
	m.Move(theta)
	count := m.samples * m.outputs
	d := mat.NewDense(count, m.net.Layout.Trained, nil)
	unit := make([]float64, count)
	for i := range count {
		unit[i] = 1
		m.Pull(d.RawRowView(i), unit)
		unit[i] = 0
	}
	return d
}

// hessians returns F″ at theta by central differences of DF: for each output a matrix of the trained parameters.
func (m *Model) hessians(theta []float64) []*mat.SymDense {
	const step = 1e-5
	trained := m.net.Layout.Trained
	var all []*mat.SymDense
	for range m.samples * m.outputs {
		all = append(all, mat.NewSymDense(trained, nil))
	}
	at := append([]float64(nil), theta...)
	for j := range trained {
		at[j] = theta[j] + step
		high := m.derivative(at)
		at[j] = theta[j] - step
		low := m.derivative(at)
		at[j] = theta[j]
		for a, h := range all {
			for i := range j + 1 {
				h.SetSym(i, j, (high.At(a, i)-low.At(a, i))/(2*step))
			}
		}
	}
	m.Move(theta)
	return all
}

// topCurvature returns a lower bound of ‖F″‖ from h, and its direction, by ascent from several starts:
// u is the top eigenvector of Σ_a y_a F_a″ with y the direction of F″[u,u].
func topCurvature(h []*mat.SymDense, rng *rand.Rand) (best float64, direction []float64) {
	trained := h[0].SymmetricDim()
	for range 4 {
		u := mat.NewVecDense(trained, nil)
		for i := range trained {
			u.SetVec(i, rng.NormFloat64())
		}
		u.ScaleVec(1/mat.Norm(u, 2), u)
		for range 8 {
			y := make([]float64, len(h))
			for a := range h {
				y[a] = mat.Inner(u, h[a], u)
			}
			size := norm(y)
			if size > best {
				best, direction = size, append([]float64(nil), u.RawVector().Data...)
			}
			sum := mat.NewSymDense(trained, nil)
			for a := range h {
				var part mat.SymDense
				part.ScaleSym(y[a]/max(size, 1e-300), h[a])
				sum.AddSym(sum, &part)
			}
			var eigen mat.EigenSym
			if !eigen.Factorize(sum, true) {
				break
			}
			var vectors mat.Dense
			eigen.VectorsTo(&vectors)
			column := trained - 1
			if values := eigen.Values(nil); -values[0] > values[column] {
				column = 0
			}
			u.CopyVec(vectors.ColView(column))
		}
	}
	return best, direction
}

// TestAdversary looks for a violation of the bounds of the curvature in the directions in which it is largest, in singular
// directions of DF and in random ones. Differences of DF have an error of 1e-5 of the third derivative.
func TestAdversary(t *testing.T) {
	var ratios, growths []float64
	for seed := range uint64(*nets) {
		m := draw(t, seed)
		theta := append([]float64(nil), m.theta...)
		rng := rand.New(rand.NewPCG(seed, 78))
		layers := m.Layers()
		samples, err := m.Propagations(context.Background(), true, nil)
		if err != nil {
			t.Fatal(err)
		}
		centre := layers.Ball(samples, 0).Curvature
		here := m.derivative(theta)
		curved := m.hessians(theta)
		found, top := topCurvature(curved, rng)
		if !(found <= centre*(1+1e-5)) {
			t.Errorf("seed %d, %s %s: ‖F″‖ is %g at least, bound %g", seed, m.net.Block, m.net.Activation, found, centre)
		}
		ratios = append(ratios, centre/found)
		for _, direction := range directions(here, top, rng) {
			radius := 0.05 * math.Exp(-3*rng.Float64()) / max(1, centre)
			bound := layers.Ball(samples, radius).Curvature
			at := append([]float64(nil), theta...)
			axpy(at[:len(direction)], radius, direction)
			var moved mat.Dense
			moved.Sub(m.derivative(at), here)
			if change := mat.Norm(&moved, 2) / math.Sqrt(float64(moved.RawMatrix().Rows)); !(change <= bound*radius*(1+1e-9)) {
				t.Errorf("seed %d: DF changes by %g at least, bound %g", seed, change, bound*radius)
			}
			away := m.hessians(at)
			growth := layers.Growth(samples, radius)
			bound = min(bound, centre+radius*growth)
			if there, _ := topCurvature(away, rng); !(there <= bound*(1+1e-5)) {
				t.Errorf("seed %d: ‖F″‖ is %g at least in the ball of radius %g, bound %g", seed, there, radius, bound)
			}
			for a := range away {
				var opposite mat.SymDense
				opposite.ScaleSym(-1, curved[a])
				away[a].AddSym(away[a], &opposite)
			}
			change, _ := topCurvature(away, rng)
			if !(change <= radius*growth*(1+1e-5)+1e-7*(1+found)) {
				t.Errorf("seed %d: F″ changes by %g at least in the ball of radius %g, bound %g", seed, change, radius, radius*growth)
			}
			growths = append(growths, radius*growth/change)
		}
	}
	slices.Sort(ratios)
	t.Logf("bound of ‖F″‖ at the centre over what was found: median %.2f, worst %.2f of %d networks", ratios[len(ratios)/2], ratios[len(ratios)-1], len(ratios))
	slices.Sort(growths)
	t.Logf("bound of ‖F‴‖ in a ball over the change of F″ that was found: least %.2f, median %.2f", growths[0], growths[len(growths)/2])
}

// directions returns unit directions to leave the centre in.
func directions(derivative *mat.Dense, top []float64, rng *rand.Rand) [][]float64 {
	all := [][]float64{top}
	var svd mat.SVD
	if svd.Factorize(derivative, mat.SVDThin) {
		var v mat.Dense
		svd.VTo(&v)
		_, cols := v.Dims()
		all = append(all, mat.Col(nil, 0, &v), mat.Col(nil, cols-1, &v))
	}
	u := make([]float64, len(top))
	for i := range u {
		u[i] = rng.NormFloat64()
	}
	size := norm(u)
	for i := range u {
		u[i] /= size
	}
	return append(all, u)
}

// TestDerivative holds Pull and Kernel to central differences of the outputs.
func TestDerivative(t *testing.T) {
	const step = 1e-6
	for seed := range uint64(*nets) {
		m := draw(t, seed)
		theta := append([]float64(nil), m.theta...)
		d := m.derivative(theta)
		var square mat.SymDense
		square.SymOuterK(1, d)
		k := m.Kernel()
		at := append([]float64(nil), theta...)
		for j := range m.net.Layout.Trained {
			at[j] = theta[j] + step
			m.Move(at)
			high := append([]float64(nil), m.Residual()...)
			at[j] = theta[j] - step
			m.Move(at)
			at[j] = theta[j]
			for a, low := range m.Residual() {
				if want := (high[a] - low) / (2 * step); !(math.Abs(want-d.At(a, j)) <= 1e-6*(1+math.Abs(want))) {
					t.Fatalf("seed %d, parameter %d, output %d: got %g, want %g", seed, j, a, d.At(a, j), want)
				}
			}
		}
		count := square.SymmetricDim()
		for i := range count {
			for j := range count {
				if !(math.Abs(square.At(i, j)-k.At(i, j)) <= 1e-12*mat.Trace(k)) {
					t.Fatalf("seed %d: kernel (%d,%d): got %g, want %g", seed, i, j, k.At(i, j), square.At(i, j))
				}
			}
		}
	}
}
