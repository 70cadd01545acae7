package train

import (
	"fmt"
	"math"
	"testing"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// separated returns a descent on the separated set of theory section 5: float64,
// tanh, d = 10, 8 orthonormal inputs, ‖y − x‖ = 0.3, weights N(0,1)·L^−(β+1/2)/d,
// η = 8·L^(2α−1).
func separated(t testing.TB, depth int, alpha float64, edit func(*Spec)) *Descent[float64] {
	t.Helper()
	return separatedIn(t, "inner", depth, alpha, edit)
}

// separatedIn is separated for a network of the given block.
func separatedIn(t testing.TB, block string, depth int, alpha float64, edit func(*Spec)) *Descent[float64] {
	t.Helper()
	return separatedOf(t, resnet.Spec{Block: block, Alpha: &alpha}, depth, edit)
}

// separatedOf is separated for the given network.
func separatedOf(t testing.TB, network resnet.Spec, depth int, edit func(*Spec)) *Descent[float64] {
	t.Helper()
	data, err := dataset.Spec{Kind: "separated", Width: 10, Samples: 8, Distance: 0.3}.Resolve(2)
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Load(data, "")
	if err != nil {
		t.Fatal(err)
	}
	spec, err := network.Resolve(10, 10)
	if err != nil {
		t.Fatal(err)
	}
	initial, err := resnet.Initial{}.Resolve(spec, depth)
	if err != nil {
		t.Fatal(err)
	}
	net, err := resnet.New(spec, depth, 10, 10)
	if err != nil {
		t.Fatal(err)
	}
	theta, err := resnet.Parameters[float64](net, initial, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	options := Spec{Step: Step{Value: 8}, Stop: Stop{Loss: 1e-10, Iterations: new(500)}}
	if edit != nil {
		edit(&options)
	}
	if options, err = options.Resolve(set.Samples); err != nil {
		t.Fatal(err)
	}
	full, err := resnet.NewEvaluator[float64](net, resnet.Samples{X: set.X, Y: set.Y}, resnet.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(full.Close)
	d := &Descent[float64]{Network: net, Spec: options, Seed: 1, Theta: theta, Initial: append([]float64(nil), theta...), Full: full}
	if options.Batch > 0 {
		batch, err := resnet.NewEvaluator[float64](net, resnet.Samples{X: set.X, Y: set.Y}, resnet.Options{Workers: 1, Batch: options.Batch})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(batch.Close)
		d.Batch = batch
	}
	return d
}

// TestReferenceBehaviour reproduces the table of theory section 5. Its data are not
// ours, and the number of steps depends on them: 14 to 69 at α = 1/2, L = 512 over our
// data seeds 1 to 12, as the slowest direction differs. Seed 2 is as well conditioned
// as the table's data; norms depend less on it (0.83 to 0.93 for the last column but one).
func TestReferenceBehaviour(t *testing.T) {
	for _, want := range []struct {
		alpha              float64
		depth, steps       int
		norm, displacement float64
		quadratic          float64
	}{
		{0.5, 16, 26, 0.98, 0.90, 1.908},
		{0.5, 64, 32, 0.94, 0.90, 1.968},
		{0.5, 512, 35, 0.92, 0.90, 2.003},
		{0.75, 16, 25, 0.99, 0.90, 1.908},
		{0.75, 64, 32, 0.94, 0.90, 1.968},
		{0.75, 512, 35, 0.92, 0.90, 2.003},
		{1, 16, 22, 0.99, 0.91, 1.908},
		{1, 64, 27, 0.94, 0.91, 1.968},
		{1, 512, 29, 0.92, 0.91, 2.003},
	} {
		t.Run(fmt.Sprintf("alpha=%g/L=%d", want.alpha, want.depth), func(t *testing.T) {
			d := separated(t, want.depth, want.alpha, nil)
			out, err := d.Run(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if out.Stop != StopLoss || out.Iterations < want.steps-2 || out.Iterations > want.steps+2 {
				t.Errorf("stopped by %s after %d steps, want loss after %d ± 2", out.Stop, out.Iterations, want.steps)
			}
			last := out.Rows[len(out.Rows)-1]
			rescale := math.Pow(float64(want.depth), 1-want.alpha)
			trained, start := rescaledPath(t, d, d.Theta), rescaledPath(t, d, d.Initial)
			for _, c := range []struct {
				name           string
				got, want, tol float64
			}{
				{"L^β max‖A‖_F", rescale * last.MaxFrobenius, want.norm, 0.08},
				{"L^β max‖A(T)−A(0)‖_F", rescale * last.Displacement, want.displacement, 0.08},
				{"quadratic variation", trained.QuadraticVariation(), want.quadratic, 0.15},
				{"quadratic variation, end over start", trained.QuadraticVariation() / start.QuadraticVariation(), 1, 0.005},
			} {
				if !(math.Abs(c.got-c.want) <= c.tol) {
					t.Errorf("%s: got %.4f, want %.4f ± %g", c.name, c.got, c.want, c.tol)
				}
			}
		})
	}
}

// TestReferenceVariation reproduces the variations of theory section 5 at α = 1/2: V_1
// of the path grows as L^½, that of the displacement tends to a constant. The
// constant depends on the data: 0.045 to 0.055 over three of our seeds, 0.080 in the table.
func TestReferenceVariation(t *testing.T) {
	last := 0.0
	for _, want := range []struct {
		depth              int
		path, displacement float64
	}{{16, 5.3, 0.119}, {64, 11.0, 0.092}, {256, 22.2, 0.083}, {1024, 44.9, 0.080}} {
		d := separated(t, want.depth, 0.5, nil)
		if _, err := d.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		trained, start := rescaledPath(t, d, d.Theta), rescaledPath(t, d, d.Initial)
		moved, err := trained.Sub(start)
		if err != nil {
			t.Fatal(err)
		}
		if got := sum(trained.Increments()); !(math.Abs(got/want.path-1) <= 0.05) {
			t.Errorf("L = %d: V_1 of the path is %.2f, want %.2f ± 5 %%", want.depth, got, want.path)
		}
		got := sum(moved.Increments())
		if !(got <= 2*want.displacement) || !(got >= want.displacement/2) {
			t.Errorf("L = %d: V_1 of the displacement is %.4f, want %.3f within a factor 2", want.depth, got, want.displacement)
		}
		if want.depth == 1024 && !(got <= last && got >= 0.9*last) {
			t.Errorf("V_1 of the displacement goes from %.4f to %.4f at L = 1024, want it to level off", last, got)
		}
		last = got
	}
}

// rescaledPath returns L^β A of theta.
func rescaledPath(t testing.TB, d *Descent[float64], theta []float64) runfolder.Path {
	t.Helper()
	path, err := Weights(d.Network, theta, d.Initial).Path("A")
	if err != nil {
		t.Fatal(err)
	}
	return path.Rescaled(math.Pow(float64(d.Network.Depth), 1-*d.Network.Alpha))
}

func sum(v []float64) float64 {
	total := 0.0
	for _, x := range v {
		total += x
	}
	return total
}
