package cli

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/deeplimit/deeplimit/internal/npy/npytest"
)

// A goldenCase is a network, samples and initial weights given by closed forms, with
// what an independent float64 program made of them.
type goldenCase struct {
	Case struct {
		Name           string
		D, N, L, Steps int
		Alpha, Eps     float64
		Amp, Bias      float64
		Twist, Eta     float64
		Act            string
	}
	Trace   []float64 `json:"loss_trace"` // before each of the steps
	Trained struct {
		Loss         float64
		MaxFrobenius float64            `json:"max_frobenius"`
		Quadratic    float64            `json:"quadratic_variation"`
		PVariation   map[string]float64 `json:"p_variation"`
	}
}

func readGolden(t *testing.T) []goldenCase {
	t.Helper()
	text, err := os.ReadFile("../../resnet/testdata/network.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []goldenCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// samples returns the inputs and targets (N,d): X[n,i] = cos((i+1)(n+1) + twist),
// rows normalised, Y = X + eps·sin(1 + 2i + 3n + twist).
func (g *goldenCase) samples() (x, y []float64) {
	c := g.Case
	for n := range c.N {
		square := 0.0
		for i := range c.D {
			v := math.Cos(float64((i+1)*(n+1)) + c.Twist)
			square += v * v
			x = append(x, v)
		}
		for i := range c.D {
			x[n*c.D+i] /= math.Sqrt(square)
			y = append(y, x[n*c.D+i]+c.Eps*math.Sin(float64(1+2*i+3*n)+c.Twist))
		}
	}
	return x, y
}

// weights returns A (L,d,d) and b (L,d), k = 1..L:
// A_k[r,s] = amp·L^−β·sin(r + 2s + 3k + twist)/d, b_k[r] = bias·L^−β·cos(r + k + twist).
func (g *goldenCase) weights() (a, b []float64) {
	c := g.Case
	scale := math.Pow(float64(c.L), c.Alpha-1)
	for k := 1; k <= c.L; k++ {
		for r := range c.D {
			b = append(b, c.Bias*scale*math.Cos(float64(r+k)+c.Twist))
			for s := range c.D {
				a = append(a, c.Amp*scale*math.Sin(float64(r+2*s+3*k)+c.Twist)/float64(c.D))
			}
		}
	}
	return a, b
}

// study returns the text of the case's study file. Paths in it are relative.
func (g *goldenCase) study(dtype string) string {
	c := g.Case
	bias := ""
	if c.Bias != 0 {
		bias = `, bias: "weights/b0-{depth}.npy"`
	}
	return fmt.Sprintf(`name: %s
depths: [%d]
dtype: %s
data: {kind: files, inputs: X.npy, targets: data/Y.npy}
network: {block: inner, activation: %s, alpha: %g, bias: %t}
initial: {kind: file, path: "weights/A0-{depth}.npy"%s}
train: {method: gd, step: {rule: constant, value: %g}, stop: {iterations: %d}}
`, c.Name, c.L, dtype, c.Act, c.Alpha, c.Bias != 0, bias, c.Eta, c.Steps)
}

// write stores an array of the case in the folder.
func write(t *testing.T, path string, a npytest.Array) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, npytest.File(a), 0o644); err != nil {
		t.Fatal(err)
	}
}

// analysis is the part of `analyze --json --trace` that the tests look at.
type analysis struct {
	Runs []struct {
		Depth        int
		Iterations   int
		Stop         string             `json:"stop_reason"`
		Loss         float64            `json:"loss"`
		MaxFrobenius float64            `json:"max_frobenius"`
		Quadratic    float64            `json:"quadratic_variation"`
		PVariation   map[string]float64 `json:"p_variation"`
		Trace        []float64          `json:"loss_trace"`
	}
}

// command runs the program in a folder and returns what it prints to stdout.
func command(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "deeplimit", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		text := ""
		if exit, ok := err.(*exec.ExitError); ok {
			text = string(exit.Stderr)
		}
		t.Fatalf("deeplimit %v: %v\n%s", args, err, text)
	}
	return out
}

// analyzed runs a study in the folder cwd and returns its analysis.
func analyzed(t *testing.T, cwd, file string) analysis {
	t.Helper()
	command(t, cwd, "run", file, "--out", "out", "--no-report")
	var a analysis
	if err := json.Unmarshal(command(t, cwd, "analyze", "out", "--json", "--trace"), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// near fails unless got and want agree to a relative tolerance.
func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol*math.Abs(want)) {
		t.Errorf("%s: got %.17g, want %.17g (relative difference %.2g)", what, got, want, math.Abs(got-want)/math.Abs(want))
	}
}

// TestGolden runs every golden case as an outside program would: samples and initial
// weights as .npy files, constant step, n iterations. All numbers agree to 1e-10;
// rounding over some hundred layers and steps is far below. The files are named
// relative to the study's folder, the program works in another one, and every
// element type and order that NumPy writes without loss gives the same.
func TestGolden(t *testing.T) {
	const tol = 1e-10
	for i, g := range readGolden(t) {
		t.Run(g.Case.Name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			base, cwd := filepath.Join(dir, "studies"), filepath.Join(dir, "elsewhere")
			c := g.Case
			x, y := g.samples()
			a, b := g.weights()
			shape := []int{c.L, c.D, c.D}
			weights := npytest.Array{Shape: shape, Values: a}
			switch i % 3 {
			case 1:
				weights = npytest.Array{Shape: shape, Fortran: true, Values: columnMajor(a, shape)}
			case 2:
				weights.Descr, weights.Order = ">f8", binary.BigEndian
			}
			write(t, filepath.Join(base, "X.npy"), npytest.Array{Shape: []int{c.N, c.D}, Fortran: true, Values: columnMajor(x, []int{c.N, c.D})})
			write(t, filepath.Join(base, "data/Y.npy"), npytest.Array{Shape: []int{c.N, c.D}, Values: y})
			write(t, filepath.Join(base, fmt.Sprintf("weights/A0-%d.npy", c.L)), weights)
			write(t, filepath.Join(base, fmt.Sprintf("weights/b0-%d.npy", c.L)), npytest.Array{Shape: []int{c.L, c.D}, Values: b})
			for _, dtype := range []string{"float64", "float32"} {
				if err := os.WriteFile(filepath.Join(base, dtype+".yaml"), []byte(g.study(dtype)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Mkdir(cwd, 0o755); err != nil {
				t.Fatal(err)
			}

			runs := analyzed(t, cwd, "../studies/float64.yaml").Runs
			if len(runs) != 1 || runs[0].Depth != c.L || runs[0].Iterations != c.Steps || runs[0].Stop != "iterations" || len(runs[0].Trace) != c.Steps+1 {
				t.Fatalf("got %+v, want one run of depth %d with %d iterations", runs, c.L, c.Steps)
			}
			run := runs[0]
			for step, want := range g.Trace {
				near(t, fmt.Sprintf("loss_trace[%d]", step), run.Trace[step], want, tol)
			}
			near(t, "last of loss_trace", run.Trace[c.Steps], g.Trained.Loss, tol)
			near(t, "loss", run.Loss, g.Trained.Loss, tol)
			near(t, "max_frobenius", run.MaxFrobenius, g.Trained.MaxFrobenius, tol)
			near(t, "quadratic_variation", run.Quadratic, g.Trained.Quadratic, tol)
			if len(run.PVariation) != len(g.Trained.PVariation) {
				t.Errorf("p_variation: got %v, want %v", run.PVariation, g.Trained.PVariation)
			}
			for p, want := range g.Trained.PVariation {
				near(t, "p_variation "+p, run.PVariation[p], want, tol)
			}

			// In float32 each entry of an output, of size about 1, is off by a few L·2^−24,
			// and so, times √d, is the root mean square residual √(2J); the descent, which
			// contracts, forgets what its earlier steps were off by.
			single := analyzed(t, t.TempDir(), filepath.Join(base, "float32.yaml")).Runs[0]
			size := math.Sqrt(float64(c.D)) * float64(c.L) * 0x1p-24
			for step, loss := range run.Trace {
				if got, want := math.Sqrt(2*single.Trace[step]), math.Sqrt(2*loss); !(math.Abs(got-want) <= 4*size) {
					t.Errorf("float32: √(2J) at step %d: got %g, want %g ± %g", step, got, want, 4*size)
				}
			}
			if single.Trace[0] == run.Trace[0] {
				t.Error("float32: got the loss of float64, bit by bit")
			}
		})
	}
}

// columnMajor returns the row-major entries of an array in Fortran order.
func columnMajor(data []float64, shape []int) []float64 {
	stored := make([]float64, len(data))
	for k, v := range data {
		place, rest, stride := 0, k, len(data)
		for axis := len(shape) - 1; axis >= 0; axis-- {
			stride /= shape[axis]
			place += rest % shape[axis] * stride
			rest /= shape[axis]
		}
		stored[place] = v
	}
	return stored
}

// TestScalarNetwork gives targets as a vector and float32 files to networks of width
// 1, whose descent a few lines compute: two depths in one study, weights by depth.
func TestScalarNetwork(t *testing.T) {
	dir := t.TempDir()
	x, y := []float32{0.5, -1, 2}, []float32{0.75, -1.25, 2.5}
	write(t, filepath.Join(dir, "X.npy"), npytest.Array{Descr: "<f4", Shape: []int{3, 1}, Values: x})
	write(t, filepath.Join(dir, "Y.npy"), npytest.Array{Descr: "<f4", Shape: []int{3}, Values: y})
	initial := map[int][]float64{2: {0.5, -0.25}, 5: {0.1, 0.2, 0.3, 0.4, -0.5}}
	for depth, a := range initial {
		write(t, filepath.Join(dir, fmt.Sprintf("A0-%d.npy", depth)), npytest.Array{Shape: []int{depth, 1, 1}, Values: a})
	}
	const eta, steps, alpha = 0.1, 30, 0.75
	text := fmt.Sprintf(`name: scalar
depths: [2, 5]
data: {kind: files, inputs: X.npy, targets: Y.npy}
network: {alpha: %g}
initial: {kind: file, path: "A0-{depth}.npy"}
train: {step: {rule: constant, value: %g}, stop: {iterations: %d}}
`, alpha, eta, steps)
	if err := os.WriteFile(filepath.Join(dir, "study.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	runs := analyzed(t, dir, "study.yaml").Runs
	if len(runs) != 2 || runs[0].Depth != 2 || runs[1].Depth != 5 {
		t.Fatalf("got %+v, want runs of depth 2 and 5", runs)
	}
	for _, run := range runs {
		a := initial[run.Depth]
		delta := math.Pow(float64(run.Depth), -alpha)
		for step, got := range run.Trace {
			loss := 0.0
			gradient := make([]float64, len(a))
			for i := range x {
				states := []float64{float64(x[i])}
				for _, weight := range a {
					h := states[len(states)-1]
					states = append(states, h+delta*math.Tanh(weight*h))
				}
				p := states[len(a)] - float64(y[i])
				loss += p * p / 6
				for k := len(a) - 1; k >= 0; k-- {
					slope := 1 - math.Pow(math.Tanh(a[k]*states[k]), 2)
					gradient[k] += delta * p * slope * states[k] / 3
					p += delta * p * slope * a[k]
				}
			}
			near(t, fmt.Sprintf("depth %d: loss_trace[%d]", run.Depth, step), got, loss, 1e-10)
			for k := range a {
				a[k] -= eta * gradient[k]
			}
		}
		if len(run.Trace) != steps+1 {
			t.Errorf("depth %d: got %d losses, want %d", run.Depth, len(run.Trace), steps+1)
		}
	}
}
