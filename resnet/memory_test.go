package resnet

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"unsafe"
)

// allocated returns the bytes that f takes from the heap.
func allocated(f func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc - before.TotalAlloc)
}

// TestMemory holds the account of an evaluator to what it allocates, within a tenth.
func TestMemory(t *testing.T) {
	for name, c := range map[string]struct {
		spec              Spec
		depth, n, in, out int
		classes           bool
		options           Options
		gram, single      bool
	}{
		"inner":          {spec: Spec{}, depth: 1000, n: 40, in: 12, out: 12},
		"one tile":       {spec: Spec{}, depth: 2000, n: 12, in: 12, out: 12, gram: true},
		"float32":        {spec: Spec{}, depth: 1000, n: 300, in: 16, out: 16, single: true, options: Options{Workers: 3}},
		"relu":           {spec: Spec{Activation: "relu"}, depth: 500, n: 40, in: 12, out: 12, options: Options{Workers: 2}},
		"outer, bias":    {spec: Spec{Block: "outer", Bias: true}, depth: 400, n: 10, in: 16, out: 16, gram: true},
		"mlp, classes":   {spec: Spec{Block: "mlp", Hidden: 24, Width: 16, Embed: "trained", Readout: "trained", Loss: "cross-entropy"}, depth: 300, n: 2000, in: 30, out: 10, classes: true},
		"layered":        {spec: Spec{Block: "mlp", Residual: "layered"}, depth: 300, n: 60, in: 16, out: 16},
		"long":           {spec: Spec{}, depth: 60000, n: 8, in: 4, out: 4},
		"long, limit":    {spec: Spec{}, depth: 5000, n: 64, in: 16, out: 16, options: Options{Memory: 3 << 20}},
		"limit, workers": {spec: Spec{Block: "outer"}, depth: 5000, n: 64, in: 8, out: 8, options: Options{Memory: 3 << 20, Workers: 2}},
		"batch":          {spec: Spec{}, depth: 800, n: 4000, in: 16, out: 16, options: Options{Batch: 100}},
		"normalised":     {spec: Spec{Block: "mlp", Normalise: "pre", NormKind: "layer"}, depth: 800, n: 40, in: 12, out: 12, gram: true, options: Options{Workers: 2}},
		"wide":           {spec: Spec{Width: 200}, depth: 4, n: 150, in: 200, out: 200},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.Workers = max(1, c.options.Workers)
			net := netOf(t, c.spec, c.depth, c.in, c.out)
			if c.single {
				holdMemory[float32](t, net, c.n, c.classes, c.gram, c.options)
			} else {
				holdMemory[float64](t, net, c.n, c.classes, c.gram, c.options)
			}
		})
	}
}

func holdMemory[T Float](t *testing.T, net *Network, n int, classes, gram bool, options Options) {
	random := rand.New(rand.NewPCG(1, 2))
	samples := Samples{X: make([]float64, n*net.Inputs), Y: make([]float64, n*net.Outputs)}
	for i := range samples.X {
		samples.X[i] = random.NormFloat64()
	}
	if classes {
		samples.Labels = make([]int, n)
		for i := range n {
			samples.Y[i*net.Outputs] = 1
		}
	}
	theta := make([]T, net.Layout.Size)
	for i := range theta {
		theta[i] = T(random.NormFloat64() / math.Sqrt(float64(net.Depth*net.Width)))
	}
	grad := make([]T, net.Layout.Trained)
	const cores = 2
	var account Memory
	if taken := allocated(func() { account = MemoryOf[T](net, n, classes, cores, options) }); !(taken < 1<<20) {
		t.Errorf("the account itself takes %g bytes", taken)
	}
	hold := func(what string, got float64, want int64, small float64) {
		t.Helper()
		if !(math.Abs(got-float64(want)) <= 0.1*got+small) {
			t.Errorf("%s: allocated %.4g, the account says %.4g", what, got, float64(want))
		}
	}
	var e *Evaluator[T]
	var err error
	// The list of rows is forgotten at once.
	hold("evaluator", allocated(func() { e, err = NewEvaluator[T](net, samples, options) })-float64(8*e0(n, options)), account.Evaluator, 4<<10)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	hold("gradient", allocated(func() { e.Gradient(theta, grad) }), 0, 8<<10)
	loss := e.Loss(theta).Loss
	hold("Hessian", allocated(func() { e.HessianVector(theta, grad, make([]T, len(grad))) })-float64(len(grad))*float64(unsafe.Sizeof(T(0))), account.Hessian, 8<<10)
	hold("states", allocated(func() { e.HiddenStates(theta, 4) }), account.States, 8<<10)
	if gram {
		hold("Gram", allocated(func() {
			if _, err := e.Gram(theta); err != nil {
				t.Fatal(err)
			}
		}), account.Gram, 8<<10)
	}
	result, states, looks, spectra := e.measuring(cores)
	hold("Measure", allocated(func() {
		if _, err := e.Measure(theta, grad, loss, cores); err != nil {
			t.Fatal(err)
		}
	}), result+states+looks+spectra, 16<<10)
	kept := result + 8*int64(2*net.Depth+1)
	if want := result + states + max(looks, spectra); account.Measure != want || account.Measured != kept {
		t.Errorf("Measure: the account says %d, %d of them kept; want %d and %d", account.Measure, account.Measured, want, kept)
	}
}

// e0 returns the number of rows that the evaluator chooses first.
func e0(n int, options Options) int {
	if options.Batch > 0 {
		return min(n, options.Batch)
	}
	return n
}
