package resnet

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/random"
	"github.com/deeplimit/deeplimit/internal/rescale"
)

// plainMeasure computes a measurement for N samples from the definitions, with dense
// matrices and one sample at a time, and the gradient by backpropagation of its own.
func plainMeasure(t *testing.T, net *Network, samples Samples, theta, grad []float64) certify.Measurement {
	t.Helper()
	get := func(v []float64, name string, k int) *mat.Dense {
		g, ok := net.Layout.Group(name)
		if !ok {
			return nil
		}
		rows, cols := g.Shape[1], 1
		if len(g.Shape) == 3 {
			cols = g.Shape[2]
		}
		return mat.NewDense(rows, cols, block(slices.Clone(v[g.Offset:]), k, rows*cols))
	}
	values := func(m *mat.Dense) []float64 {
		var svd mat.SVD
		if !svd.Factorize(m, mat.SVDNone) {
			t.Fatal("no SVD")
		}
		return svd.Values(nil)
	}
	difference := func(v []float64, name string, k int) *mat.Dense {
		var d mat.Dense
		d.Sub(get(v, name, k+1), get(v, name, k))
		return &d
	}
	mlp := net.Block == "mlp"
	outer, bias := "A", "b"
	if mlp {
		outer, bias = "V", "c"
	}
	n := len(samples.X) / net.Inputs
	h := make([]*mat.VecDense, n)
	for i := range h {
		x := mat.NewVecDense(net.Inputs, slices.Clone(samples.X[i*net.Inputs:(i+1)*net.Inputs]))
		if h[i] = x; net.embed != nil {
			h[i] = mat.NewVecDense(net.Width, nil)
			h[i].MulVec(mat.NewDense(net.Width, net.Inputs, slices.Clone(View(net.Layout, theta, "E"))), x)
		}
	}
	longest := func() float64 {
		most := 0.0
		for _, v := range h {
			most = max(most, v.Norm(2))
		}
		return most
	}
	var m certify.Measurement
	m.Delta = slices.Clone(View(net.Layout, theta, "delta"))
	m.Hidden = []float64{longest()}
	for k := range net.Depth {
		rows := net.Width
		if mlp {
			rows = net.Hidden
		}
		if net.Bias {
			rows++
		}
		features := mat.NewDense(rows, n, nil)
		slope := math.Inf(1)
		for i := range h {
			u := mat.VecDenseCopyOf(h[i])
			if net.Norm() != nil {
				net.Norm().To(u.RawVector().Data, u.RawVector().Data)
			}
			inside := "A"
			if mlp {
				inside = "W"
			}
			z := mat.VecDenseCopyOf(u)
			if net.Block != "outer" {
				w := get(theta, inside, k)
				r, _ := w.Dims()
				z = mat.NewVecDense(r, nil)
				z.MulVec(w, u)
				if net.Bias {
					z.AddVec(z, get(theta, "b", k).ColView(0))
				}
			}
			s := mat.NewVecDense(z.Len(), nil)
			for r := range z.Len() {
				value, first, _ := net.activation.Derivatives(z.AtVec(r))
				s.SetVec(r, value)
				slope = min(slope, math.Abs(first))
			}
			input, f := u, s
			if net.Block != "inner" {
				input = s
				w := get(theta, outer, k)
				r, _ := w.Dims()
				f = mat.NewVecDense(r, nil)
				f.MulVec(w, s)
				if net.Bias {
					f.AddVec(f, get(theta, bias, k).ColView(0))
				}
			}
			for r := range input.Len() {
				features.Set(r, i, input.AtVec(r))
			}
			if net.Bias {
				features.Set(rows-1, i, 1)
			}
			h[i].AddScaledVec(h[i], m.Delta[min(k, len(m.Delta)-1)], f)
		}
		m.Hidden = append(m.Hidden, longest())
		if net.Block != "inner" {
			largest := 0.0
			for i := range n {
				largest = max(largest, mat.Norm(features.ColView(i), 2))
			}
			m.FeatureNorms = append(m.FeatureNorms, largest)
		}
		if n <= rows {
			sigma := values(features)
			m.Features = append(m.Features, sigma[len(sigma)-1])
			if net.Block == "inner" {
				m.Slopes = append(m.Slopes, slope)
			}
		}
		m.Weights = append(m.Weights, values(get(theta, outer, k))[0])
		names := []string{outer}
		if mlp {
			m.InnerWeights = append(m.InnerWeights, values(get(theta, "W", k))[0])
			names = append(names, "W")
		}
		if net.Bias {
			names = append(names, "b")
			m.Biases = append(m.Biases, get(theta, "b", k).Norm(2))
			if mlp {
				names = append(names, "c")
				m.OuterBiases = append(m.OuterBiases, get(theta, "c", k).Norm(2))
			}
		}
		square, change := 0.0, 0.0
		for _, name := range names {
			square += math.Pow(get(grad, name, k).Norm(2), 2) // Frobenius
			if !mlp && k+1 < net.Depth {
				change += math.Pow(difference(grad, name, k).Norm(2), 2)
			}
		}
		m.Gradients = append(m.Gradients, math.Sqrt(square))
		if !mlp && k+1 < net.Depth {
			m.WeightIncrements = append(m.WeightIncrements, values(difference(theta, outer, k))[0])
			m.GradientIncrements = append(m.GradientIncrements, math.Sqrt(change))
			if net.Bias {
				m.BiasIncrements = append(m.BiasIncrements, difference(theta, "b", k).Norm(2))
			}
		}
	}
	for _, v := range grad {
		m.GradientNorm += v * v
	}
	m.GradientNorm = math.Sqrt(m.GradientNorm)
	return m
}

// TestMeasure holds Measure to the definitions for all blocks, with and without
// biases, more and fewer samples than features, and trained scales and frames; for any
// number of workers and cores, and whatever part of the states is kept, the bits are
// the same. Errors are those of sums of some dozen terms, magnified by the layers.
func TestMeasure(t *testing.T) {
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= 1e-11*max(math.Abs(a), math.Abs(b), 1e-3) })
	for _, blockName := range []string{"inner", "outer", "mlp"} {
		for _, spec := range []Spec{{}, {Bias: true}, {Bias: true, Residual: "layered", Embed: "trained"}, {Residual: "shared", Activation: "relu"}, {Normalise: "pre", NormKind: "layer"}} {
			for _, n := range []int{1, 4, 6, 7, 70} {
				spec.Block = blockName
				net, _, theta := large(t, spec)
				samples := randomSamples(random.New(5, "measure"), net, n)
				e, err := NewEvaluator[float64](net, samples, Options{Workers: 1})
				if err != nil {
					t.Fatal(err)
				}
				defer e.Close()
				grad := make([]float64, net.Layout.Trained)
				loss := e.Gradient(theta, grad).Loss
				got, err := e.Measure(theta, grad, loss, 1)
				if err != nil {
					t.Fatal(err)
				}
				want := plainMeasure(t, net, samples, theta, grad)
				want.Loss = loss
				// Lower bounds of σ_min, by at most a thousandth or the error of an SVD.
				for k, sigma := range want.Features {
					size := math.Sqrt(float64(n)) * (want.Hidden[k] + 1)
					if !(got.Features[k] <= sigma+1e-13*size && got.Features[k] >= sigma*(1-1e-3)-1e-13*size) {
						t.Errorf("%+v, %d samples, layer %d: smallest singular value %v, want %v", spec, n, k+1, got.Features[k], sigma)
					}
				}
				want.Features = got.Features
				// Upper bounds of ‖·‖₂, by n^(1/256) for n ≤ 6 at most.
				for _, pair := range [][2][]float64{{want.Weights, got.Weights}, {want.InnerWeights, got.InnerWeights}, {want.WeightIncrements, got.WeightIncrements}} {
					for k, norm := range pair[0] {
						if !(pair[1][k] >= norm*(1-1e-14) && pair[1][k] <= norm*1.0071) {
							t.Errorf("%+v, layer %d: spectral norm %v, want %v", spec, k+1, pair[1][k], norm)
						}
						pair[0][k] = pair[1][k]
					}
				}
				if diff := cmp.Diff(want, got, near); diff != "" {
					t.Errorf("%+v, %d samples (-want +got):\n%s", spec, n, diff)
				}
				if _, err := certify.New(e.Problem("gd"), got); err != nil {
					t.Errorf("%+v, %d samples: %v", spec, n, err)
				}
				other, err := NewEvaluator[float64](net, samples, Options{Workers: 3, Memory: 1})
				if err != nil {
					t.Fatal(err)
				}
				defer other.Close()
				again, err := other.Measure(theta, grad, loss, 4)
				if diff := cmp.Diff(got, again); diff != "" || err != nil {
					t.Errorf("%+v, %d samples: other workers and memory change the result: %v\n%s", spec, n, err, diff)
				}
			}
		}
	}
}

// TestMeasureRefuses wants an error for parameters that are not finite or too few.
func TestMeasureRefuses(t *testing.T) {
	net, samples, theta := large(t, Spec{})
	e, err := NewEvaluator[float64](net, samples, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	grad := make([]float64, net.Layout.Trained)
	if _, err := e.Measure(theta[1:], grad, 1, 1); err == nil {
		t.Error("too few parameters: got no error")
	}
	theta[7] = math.NaN()
	if _, err := e.Measure(theta, grad, 1, 1); err == nil {
		t.Error("a NaN among the parameters: got no error")
	}
}

// TestLayerNorms holds them to the definition, through every group of a layer.
func TestLayerNorms(t *testing.T) {
	net, _, theta := large(t, Spec{Block: "mlp", Bias: true, Residual: "layered"})
	other := slices.Clone(theta)
	for _, name := range []string{"V", "W", "b", "c"} {
		View(net.Layout, other, name)[len(View(net.Layout, other, name))-1] += 2 // all in the last layer
	}
	View(net.Layout, other, "delta")[0] += 100 // no part of a layer
	if got := LayerDistance(net, theta, other); !(math.Abs(got-4) <= 1e-12) {
		t.Errorf("distance is %v, want 4", got)
	}
	norms := make([]float64, net.Depth)
	LayerNormsTo(norms, net, other)
	sum := 0.0
	for _, v := range norms {
		sum += v * v
	}
	want := 0.0
	for _, name := range []string{"V", "W", "b", "c"} {
		for _, v := range View(net.Layout, other, name) {
			want += v * v
		}
	}
	if !(math.Abs(sum-want) <= 1e-12*want) {
		t.Errorf("squares of the layers sum to %v, want %v", sum, want)
	}
}

func BenchmarkMeasure(b *testing.B) {
	alpha := 0.5
	spec, err := Spec{Alpha: &alpha}.Resolve(10, 10)
	if err != nil {
		b.Fatal(err)
	}
	net, err := New(spec, 1000, 10, 10)
	if err != nil {
		b.Fatal(err)
	}
	initial, err := Initial{}.Resolve(spec, 1000)
	if err != nil {
		b.Fatal(err)
	}
	theta, err := Parameters[float64](net, initial, 1, "")
	if err != nil {
		b.Fatal(err)
	}
	e, err := NewEvaluator[float64](net, randomSamples(random.New(1, "bench"), net, 8), Options{Workers: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	grad := make([]float64, net.Layout.Trained)
	b.Run("step", func(b *testing.B) {
		for b.Loop() {
			e.Gradient(theta, grad)
		}
	})
	loss := e.Gradient(theta, grad).Loss
	b.Run("capture", func(b *testing.B) {
		for b.Loop() {
			e.capture(theta, true)
		}
	})
	b.Run("measure/cores=1", func(b *testing.B) {
		for b.Loop() {
			e.Measure(theta, grad, loss, 1)
		}
	})
}

// TestNormsScale wants norms of weights whose squares leave float64 to scale with them.
func TestNormsScale(t *testing.T) {
	for _, spec := range []Spec{{}, {Block: "mlp", Bias: true}} {
		net, _, theta := large(t, spec)
		initial := make([]float64, len(theta))
		e, err := NewEvaluator[float64](net, randomSamples(random.New(5, "scale"), net, 3), Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		norms, moved := LayerNorms(net, net.Parts()[0], theta, initial)
		all, distance := e.Norms(theta, initial), LayerDistance(net, theta, initial)
		for _, exponent := range []int{-1000, -660, 660, 900} {
			far := rescale.By(theta, exponent)
			near := func(name string, got, want float64) {
				if want = math.Ldexp(want, exponent); !(math.Abs(got-want) <= 1e-13*want) {
					t.Errorf("%+v, 2^%d: %s: got %v, want %v", spec, exponent, name, got, want)
				}
			}
			farNorms, farMoved := LayerNorms(net, net.Parts()[0], far, initial)
			near("norm of layer 2", farNorms[1], norms[1])
			near("displacement of layer 2", farMoved[1], moved[1])
			got := e.Norms(far, initial)
			near("max_frobenius", got.MaxFrobenius, all.MaxFrobenius)
			near("root of squares", got.RootSquares, all.RootSquares)
			near("displacement", got.Displacement, all.Displacement)
			near("distance", LayerDistance(net, far, initial), distance)
			if exponent > 0 {
				continue
			}
			grad := make([]float64, net.Layout.Trained)
			m, err := e.Measure(far, grad, e.Gradient(far, grad).Loss, 1)
			if err != nil {
				t.Fatal(err)
			}
			// Upper bounds of the spectral norm, at most the Frobenius norm but for n^(1/256).
			if !(m.Weights[1] > 0.3*farNorms[1] && m.Weights[1] <= 1.01*farNorms[1]) {
				t.Errorf("%+v, 2^%d: spectral norm %v of a matrix of norm %v", spec, exponent, m.Weights[1], farNorms[1])
			}
			if m.Biases != nil && !(m.Biases[1] > 0) {
				t.Errorf("%+v, 2^%d: got norm %v of a bias", spec, exponent, m.Biases[1])
			}
		}
		if got := e.Norms(initial, initial); got != (Norms{}) {
			t.Errorf("zero weights: got %+v", got)
		}
	}
}
