package analyze

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
)

// planted describes a run whose numbers are known in closed form.
//
// Layer k is the 1×3 matrix A_k = L^−β (cos θ, ±sin θ, 0) + U_k with alternating
// sign and sin θ = zigzag·L^−½, and the displacement U_k = L^−β (0, 0, moved·k/L).
// The loss is J(t) = ½·ρ^t·e^{±wobble} after three steps that are twice as fast.
type planted struct {
	depth         int
	seed          uint64
	alpha         float64
	zigzag, moved float64
	rho, wobble   float64
	steps         int
	change        func(*runfolder.Meta, *runfolder.Weights, *runfolder.Summary)
}

func plant(depth int, seed uint64) planted {
	return planted{depth: depth, seed: seed, alpha: 0.75, zigzag: 0.5, moved: 0.5, rho: 0.6, steps: 30}
}

func (p planted) id() string { return fmt.Sprintf("planted-L%04d-s%d", p.depth, p.seed) }

func (p planted) meta() runfolder.Meta {
	return runfolder.Meta{
		ID: p.id(), Hash: p.id(), Group: fmt.Sprintf("group-%v", p.alpha), Study: "planted", Data: "none",
		Depth: p.depth, Width: 3, Samples: 1, Inputs: 3, Outputs: 3, Seed: p.seed, DType: "float64",
		Block: "inner", Activation: "tanh", Residual: "fixed", Loss: "squared", Method: "gd", Alpha: p.alpha,
		Settings: map[string]string{"network.alpha": fmt.Sprint(p.alpha)}, Config: []byte("{}"),
	}
}

func (p planted) weights() runfolder.Weights {
	scale := math.Pow(float64(p.depth), p.alpha-1)
	sin := p.zigzag / math.Sqrt(float64(p.depth))
	initial, trained := make([]float64, 0, 3*p.depth), make([]float64, 0, 3*p.depth)
	for k := 1; k <= p.depth; k++ {
		x, y := scale*math.Sqrt(1-sin*sin), scale*math.Copysign(sin, float64(k%2)-0.5)
		initial = append(initial, x, y, 0)
		trained = append(trained, x, y, scale*p.moved*float64(k)/float64(p.depth))
	}
	shape := []int{p.depth, 1, 3}
	return runfolder.Weights{Tensors: map[string]runfolder.Tensor{
		"A":         {DType: "F64", Shape: shape, Data: trained},
		"A_initial": {DType: "F64", Shape: shape, Data: initial},
	}}
}

func (p planted) losses() []float64 {
	losses := make([]float64, p.steps+1)
	for t := range losses {
		losses[t] = 0.5 * math.Pow(p.rho, float64(t+min(t, 3))) * math.Exp(math.Copysign(p.wobble, float64(t%2)-0.5))
	}
	return losses
}

// write makes the finished run folder dir.
func (p planted) write(t testing.TB, dir string) {
	t.Helper()
	losses := p.losses()
	rows := make([]runfolder.Row, len(losses))
	for i := range rows {
		rows[i] = runfolder.Row{Iteration: int64(i), Loss: &losses[i]}
	}
	meta, weights := p.meta(), p.weights()
	summary := runfolder.Summary{Iterations: p.steps, Stop: "loss", Loss: losses[p.steps]}
	if p.change != nil {
		p.change(&meta, &weights, &summary)
	}
	if err := runfolder.Create(dir, meta); err != nil {
		t.Fatal(err)
	}
	if err := runfolder.Finish(dir, meta, rows, weights, summary); err != nil {
		t.Fatal(err)
	}
}

// writeStudy makes a study folder with these runs.
func writeStudy(t testing.TB, runs ...planted) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	if err := runfolder.CreateStudy(dir, "planted", "name: planted\n", nil); err != nil {
		t.Fatal(err)
	}
	for _, p := range runs {
		p.write(t, runfolder.RunDir(dir, p.id()))
	}
	return dir
}

// near reports whether got is want up to a relative error of 1e-12: sums of a few
// thousand terms, each good to a few units of 1.1e-16.
func near(got, want float64) bool { return math.Abs(got-want) <= 1e-12*math.Abs(want) }
