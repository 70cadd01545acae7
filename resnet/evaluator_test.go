package resnet

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/random"
)

// netOf returns the network of a spec.
func netOf(t testing.TB, spec Spec, depth, inputs, outputs int) *Network {
	t.Helper()
	spec, err := spec.Resolve(inputs, outputs)
	if err != nil {
		t.Fatal(err)
	}
	net, err := New(spec, depth, inputs, outputs)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// large returns a network and enough samples for several tiles and shards.
func large(t testing.TB, spec Spec) (*Network, Samples, []float64) {
	t.Helper()
	alpha := 0.5
	spec.Alpha, spec.Width = &alpha, 6
	net := netOf(t, spec, 23, 5, 4)
	rng := random.New(31, "large")
	return net, randomSamples(rng, net, 5*bestWidth[float64](6)+3), randomParameters(rng, net)
}

func rounded(theta []float64) []float32 {
	single := make([]float32, len(theta))
	convert(single, theta)
	return single
}

// gradientOf returns J and ∇J from a fresh evaluator.
func gradientOf[T Float](t testing.TB, net *Network, samples Samples, theta []T, options Options) (float64, []T) {
	t.Helper()
	e, err := NewEvaluator[T](net, samples, options)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	grad := make([]T, net.Layout.Trained)
	loss := e.Gradient(theta, grad).Loss
	return loss, grad
}

// TestSameBits wants the same bits for any number of workers and any memory limit.
func TestSameBits(t *testing.T) {
	for _, block := range []string{"inner", "outer", "mlp"} {
		for _, residual := range []string{"fixed", "layered"} {
			norm := map[string]string{"outer": "pre", "mlp": "pre"}[block]
			net, samples, theta := large(t, Spec{Block: block, Residual: residual, Bias: true, Embed: "trained", Normalise: norm})
			loss, want := gradientOf(t, net, samples, theta, Options{Workers: 1})
			loss32, want32 := gradientOf(t, net, samples, rounded(theta), Options{Workers: 1})
			for _, options := range []Options{{Workers: 2}, {Workers: 5}, {Workers: 1, Memory: 1}, {Workers: 3, Memory: 200_000}} {
				if got, grad := gradientOf(t, net, samples, theta, options); got != loss || !slices.Equal(grad, want) {
					t.Errorf("%s, %s, %+v: float64 gradient differs from that of one worker", block, residual, options)
				}
				if got, grad := gradientOf(t, net, samples, rounded(theta), options); got != loss32 || !slices.Equal(grad, want32) {
					t.Errorf("%s, %s, %+v: float32 gradient differs from that of one worker", block, residual, options)
				}
			}
		}
	}
}

// TestSegmentLength wants one segment without a limit, and no more memory than the
// limit wherever that can be reached.
func TestSegmentLength(t *testing.T) {
	net, _, _ := large(t, Spec{})
	if got := segmentLength[float64](net, 64, 1<<40); got != net.Depth {
		t.Errorf("ample memory: got segments of %d layers, want %d", got, net.Depth)
	}
	// Cut in two, 23 layers need 2 starts and 12 layers: 8·64·(2·6 + 12·12) bytes.
	if got := segmentLength[float64](net, 64, 8*64*(2*6+12*12)); got > 12 || got < 6 {
		t.Errorf("half the memory: got segments of %d layers, want 6 to 12", got)
	}
	if got := segmentLength[float64](net, 64, 1); got < 3 || got > 8 {
		t.Errorf("no memory: got segments of %d layers, want about the root of 23", got)
	}
}

// TestEngines wants a chain to have the bits of the plain engine, whatever either keeps.
func TestEngines(t *testing.T) {
	for _, spec := range []Spec{{}, {Bias: true, Embed: "trained"}, {Activation: "gelu"}, {Activation: "gelu", Bias: true}} {
		net, samples, theta := large(t, spec)
		sameEngines(t, net, samples, theta)
		sameEngines(t, net, samples, rounded(theta))
	}
}

func sameEngines[T Float](t *testing.T, net *Network, samples Samples, theta []T) {
	t.Helper()
	ops := kernel.For[T]()
	kind, ok := chained(net)
	if !ok {
		t.Fatal("want a network for a chain")
	}
	var tile tile[T]
	tile.pack(samples.X, samples.Y, nil, []int{3, 1, 4, 1, 5, 9, 2, 6, 8}, net.Inputs, net.Outputs)
	result := func(engine engine[T]) (loss Evaluation, grad []T) {
		grad = make([]T, net.Layout.Trained)
		p, g := newPass(&alloc.Account{}, net, ops, tile.n, engine), newGradient(&alloc.Account{}, net, ops, tile.n)
		loss = p.evaluate(theta, &tile, 9, true)
		g.begin(grad, tile.n, true, gate{own: new(mark)})
		p.differentiate(theta, &tile, g)
		if again := p.evaluate(theta, &tile, 9, false); again != loss {
			t.Errorf("%T: loss is %v with the gradient and %v without", engine, loss, again)
		}
		return loss, grad
	}
	wantLoss, want := result(newPlain(&alloc.Account{}, net, ops, tile.n, net.Depth, net.keptByGradient()))
	check := func(name string, engine engine[T]) {
		if loss, grad := result(engine); loss != wantLoss || !slices.Equal(grad, want) {
			t.Errorf("%s, %s, %T: loss or gradient differ from those of the plain engine that keeps all states", net.Activation, name, theta)
		}
	}
	check("plain in segments", newPlain(&alloc.Account{}, net, ops, tile.n, 5, net.keptByGradient()))
	cuts := []cut{{segment: net.Depth}, {segment: 5}, {segment: 1}}
	if kind == kernel.TanhValue {
		cuts = append(cuts, cut{segment: net.Depth, kept: net.Depth}, cut{segment: 5, kept: net.Depth}, cut{segment: 1, kept: net.Depth},
			cut{segment: 5, kept: net.Depth - 10}, cut{segment: 1, kept: 1})
	}
	for _, c := range cuts {
		check(fmt.Sprintf("%+v", c), newChain(&alloc.Account{}, net, ops, kind, tile.n, c))
	}
}

// TestCutOf wants all states kept where they fit the nearest cache, σ alone up to
// where that pays, of the last layers alone beyond, and segments, for tanh and where memory allows.
func TestCutOf(t *testing.T) {
	for _, c := range []struct {
		activation  string
		depth       int
		workers     int
		memory      int64
		least, most int  // layers kept
		segments    bool // more than one
	}{
		{"tanh", 100, 2, 1 << 40, 0, 0, false},
		{"tanh", 1000, 2, 1 << 40, 1000, 1000, true},
		{"tanh", 1000, 2, 1 << 20, 100, 400, true},
		{"tanh", 1000, 2, 1 << 16, 0, 0, true},
		{"gelu", 1000, 2, 1 << 40, 0, 0, false},
		{"tanh", 10000, 2, 1 << 40, 4000, 5000, true},
		{"tanh", 10000, 16, 1 << 40, 400, 1000, true},
	} {
		alpha := 0.5
		net := netOf(t, Spec{Alpha: &alpha, Activation: c.activation}, c.depth, 10, 10)
		got := cutOf[float32](net, 64, c.workers, c.memory)
		if got.kept < c.least || got.kept > c.most || (got.segment < c.depth) != c.segments || (c.depth-got.kept)%got.segment != 0 && got.kept > 0 {
			t.Errorf("%+v: got %+v", c, got)
		}
		state, layer := columnBytes[float32](net, 64)
		segments := int64((c.depth + got.segment - 1) / got.segment)
		if need := state*(segments+int64(got.kept)) + layer*int64(got.segment); c.memory > 1<<16 && need > c.memory {
			t.Errorf("%+v: got %+v, which takes %d bytes", c, got, need)
		}
	}
}

// TestSinglePrecision bounds the difference of the float32 from the float64
// gradient. Each of L layers adds rounding of at most about (d+4) units to a state
// and to an adjoint, and a sum over N samples at most N: relative to the norm,
// (L(d+4)+N)·2⁻²³ as long as later layers amplify an error no more than what it is an
// error of. That is 4.7e-5 here. Rounding errors have random signs: 1.7e-7 to 2.6e-7
// were measured for the gradient, at most 2e-8 for the loss.
func TestSinglePrecision(t *testing.T) {
	for _, block := range []string{"inner", "outer", "mlp"} {
		net, samples, theta := large(t, Spec{Block: block, Bias: true})
		theta32 := rounded(theta)
		exact := make([]float64, len(theta))
		for i, v := range theta32 {
			exact[i] = float64(v)
		}
		loss, want := gradientOf(t, net, samples, exact, Options{Workers: 1})
		loss32, got := gradientOf(t, net, samples, theta32, Options{Workers: 1})
		bound := float64(net.Depth*(net.Width+4)+len(samples.X)/net.Inputs) * 0x1p-23
		if !(math.Abs(loss32-loss) <= bound*loss) {
			t.Errorf("%s: loss %g in float32, %g in float64, bound %.2g relative", block, loss32, loss, bound)
		}
		difference := 0.0
		for i := range got {
			difference += (float64(got[i]) - want[i]) * (float64(got[i]) - want[i])
		}
		if difference = math.Sqrt(difference); !(difference <= bound*norm(want)) || difference == 0 {
			t.Errorf("%s: gradients differ by %.3g of %.3g, bound %.2g relative and more than 0", block, difference, norm(want), bound)
		}
	}
}

// TestChoose wants the mean over a mini-batch, in the order given, to be that of an
// evaluator made for those samples.
func TestChoose(t *testing.T) {
	net, samples, theta := large(t, Spec{Bias: true})
	e, err := NewEvaluator[float64](net, samples, Options{Workers: 2, Batch: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	rows := random.New(5, "rows").Perm(e.Len())
	grad := make([]float64, net.Layout.Trained)
	for _, size := range []int{100, 1, 7, 64, 65} {
		chosen := Samples{}
		for _, row := range rows[:size] {
			chosen.X = append(chosen.X, samples.X[row*net.Inputs:(row+1)*net.Inputs]...)
			chosen.Y = append(chosen.Y, samples.Y[row*net.Outputs:(row+1)*net.Outputs]...)
		}
		loss, want := gradientOf(t, net, chosen, theta, Options{Workers: 1})
		e.Choose(rows[:size])
		if got := e.Gradient(theta, grad).Loss; got != loss || !slices.Equal(grad, want) {
			t.Errorf("batch of %d: gradient differs from that of the samples on their own", size)
		}
	}
}

// TestHessianOfGrowingBatches wants the Hessian-vector product of a batch not to
// depend on a smaller batch before it.
func TestHessianOfGrowingBatches(t *testing.T) {
	net, samples, theta := large(t, Spec{})
	e, err := NewEvaluator[float64](net, samples, Options{Workers: 1, Batch: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	rng := random.New(7, "direction")
	v, hv := make([]float64, net.Layout.Trained), make([]float64, net.Layout.Trained)
	for i := range v {
		v[i] = rng.NormFloat64()
	}
	e.HessianVector(theta, v, hv)
	want := slices.Clone(hv)
	fresh, err := NewEvaluator[float64](net, samples, Options{Workers: 1, Batch: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	first := make([]int, 100)
	for i := range first {
		first[i] = i
	}
	fresh.Choose(first[:1])
	fresh.HessianVector(theta, v, hv)
	fresh.Choose(first)
	fresh.HessianVector(theta, v, hv)
	if !slices.Equal(hv, want) {
		t.Error("the product differs from that of the batch alone")
	}
}

// TestNoAllocation wants a step in the steady state to allocate nothing.
func TestNoAllocation(t *testing.T) {
	for _, block := range []string{"inner", "outer", "mlp"} {
		norm := map[string]string{"inner": "pre", "mlp": "pre"}[block]
		net, samples, theta := large(t, Spec{Block: block, Bias: true, Residual: "layered", Normalise: norm})
		e, err := NewEvaluator[float64](net, samples, Options{Workers: 2, Memory: 1 << 16})
		if err != nil {
			t.Fatal(err)
		}
		grad := make([]float64, net.Layout.Trained)
		rows := random.New(5, "rows").Perm(e.Len())[:50]
		e.Choose(rows)
		step := func() {
			e.Choose(rows)
			e.Gradient(theta, grad)
			e.Loss(theta)
		}
		step()
		if n := testing.AllocsPerRun(20, step); n != 0 {
			t.Errorf("%s: a step allocates %v times, want 0", block, n)
		}
		e.Close()
	}
}

// TestNoAllocationInPlace wants the same of a step that moves the weights on its way back.
func TestNoAllocationInPlace(t *testing.T) {
	net, samples, theta := few(t, "tanh", 10, 8, 3000)
	e, err := NewEvaluator[float64](net, samples, Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	norms := make([]float64, net.Depth)
	if n := testing.AllocsPerRun(5, func() { e.Ahead(theta); e.Descend(theta, 1e-3, norms) }); n != 0 {
		t.Errorf("a step allocates %v times, want 0", n)
	}
}

// TestAccuracy counts a classification whose outputs are known: with zero weights
// and identity maps ŷ = x.
func TestAccuracy(t *testing.T) {
	alpha := 0.5
	net := netOf(t, Spec{Loss: "cross-entropy", Alpha: &alpha}, 4, 2, 2)
	samples := Samples{X: []float64{3, 1, 1, 3, 2, 0}, Y: []float64{1, 0, 1, 0, 1, 0}, Labels: []int{0, 0, 0}}
	e, err := NewEvaluator[float64](net, samples, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	got := e.Loss(make([]float64, net.Layout.Size))
	want := (2*math.Log1p(math.Exp(-2)) + math.Log1p(math.Exp(2))) / 3
	if got.Correct != 2 || !(math.Abs(got.Loss-want) <= 1e-15*want) {
		t.Errorf("got %d correct and loss %.17g, want 2 and %.17g", got.Correct, got.Loss, want)
	}
}

// TestRefusedSamples lists what NewEvaluator does not take.
func TestRefusedSamples(t *testing.T) {
	net, samples, _ := large(t, Spec{})
	cross, _, _ := large(t, Spec{Loss: "cross-entropy"})
	for _, c := range []struct {
		name    string
		net     *Network
		samples Samples
		workers int
		want    string
	}{
		{"no samples", net, Samples{}, 1, "want N×5 and N×4"},
		{"ragged", net, Samples{X: samples.X[1:], Y: samples.Y}, 1, "want N×5 and N×4"},
		{"no workers", net, samples, 0, "got 0 workers"},
		{"targets", cross, samples, 1, "want probabilities"},
	} {
		_, err := NewEvaluator[float64](c.net, c.samples, Options{Workers: c.workers})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", c.name, err, c.want)
		}
	}
}

// TestHiddenStates wants the states to begin with E x, to end where C h_L is the
// output, and to be the same for any cut into segments.
func TestHiddenStates(t *testing.T) {
	for _, block := range []string{"inner", "mlp"} {
		net, samples, theta := large(t, Spec{Block: block, Bias: true})
		var want []float64
		for _, memory := range []int64{0, 1} {
			e, err := NewEvaluator[float64](net, samples, Options{Workers: 1, Memory: memory})
			if err != nil {
				t.Fatal(err)
			}
			got, count := e.HiddenStates(theta, 3)
			if count != 3 || len(got) != 3*(net.Depth+1)*net.Width {
				t.Fatalf("%s: got %d entries of %d samples, want those of 3", block, len(got), count)
			}
			if want == nil {
				want = got
			} else if !slices.Equal(got, want) {
				t.Errorf("%s: states depend on the memory limit", block)
			}
			outputs := make([]float64, e.Len()*net.Outputs)
			if err := e.Outputs(theta, outputs); err != nil {
				t.Fatal(err)
			}
			embed, readout := View(net.Layout, theta, "E"), View(net.Layout, theta, "C")
			for i := range count {
				x := samples.X[i*net.Inputs : (i+1)*net.Inputs]
				first := got[i*(net.Depth+1)*net.Width:][:net.Width]
				last := got[((i+1)*(net.Depth+1)-1)*net.Width:][:net.Width]
				for r := range net.Width {
					if h := inner(embed[r*net.Inputs:(r+1)*net.Inputs], x); !(math.Abs(h-first[r]) <= 1e-13) {
						t.Errorf("%s: h_0 of sample %d is %g, want %g", block, i, first[r], h)
					}
				}
				for r := range net.Outputs {
					if y, want := inner(readout[r*net.Width:(r+1)*net.Width], last), outputs[i*net.Outputs+r]; !(math.Abs(y-want) <= 1e-12*(1+math.Abs(want))) {
						t.Errorf("%s: C h_L of sample %d is %g, output %g", block, i, y, want)
					}
				}
			}
			e.Close()
		}
	}
}
