package compare

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/execute/sweep"
	"github.com/deeplimit/deeplimit/internal/npy/npytest"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/plantest"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// trained runs a study and returns its folder.
func trained(t *testing.T, text string) string {
	t.Helper()
	p := plantest.New(t, filepath.Join(t.TempDir(), "study.yaml"), text)
	out := filepath.Join(t.TempDir(), "out")
	report, err := sweep.Run(t.Context(), p, sweep.Options{Out: out, Workers: 2})
	if err != nil || len(report.Failed) > 0 || report.Diverged > 0 {
		t.Fatal(err, report)
	}
	return out
}

const small = `
name: small
depths: [4, 6]
seeds: 2
data: {kind: rotation, width: 3, samples: 4, angle: 0.5, seed: 1}
network: {block: inner, activation: tanh, alpha: 0.5}
train: {stop: {iterations: 10}}
`

// byID returns the opened runs of a study.
func byID(t *testing.T, dir string) map[string]*runfolder.Run {
	t.Helper()
	listing, err := runfolder.OpenStudy(dir, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	runs := map[string]*runfolder.Run{}
	for _, m := range listing.Members {
		runs[m.ID] = m.Run
	}
	return runs
}

// naive returns h_0 … h_L of one input by the formula.
func naive(t *testing.T, run *runfolder.Run, x []float64) [][]float64 {
	t.Helper()
	w, err := run.Weights()
	if err != nil {
		t.Fatal(err)
	}
	path, err := w.Path("A")
	if err != nil {
		t.Fatal(err)
	}
	h := [][]float64{x}
	for k := range path.Depth {
		next := make([]float64, len(x))
		for i := range next {
			sum := 0.0
			for j, v := range h[k] {
				sum += path.Matrix(k + 1)[i*path.Cols+j] * v
			}
			next[i] = h[k][i] + math.Pow(float64(path.Depth), -0.5)*math.Tanh(sum)
		}
		h = append(h, next)
	}
	return h
}

// TestOutputs holds outputs, states and displacements of trained networks to the formulas, evaluated anew.
func TestOutputs(t *testing.T) {
	dir := trained(t, small)
	runs := byID(t, dir)
	for _, of := range []string{"outputs", "states", "displacement"} {
		for _, between := range []string{"depths", "seeds"} {
			result, err := Study(t.Context(), dir, Options{Of: of, Between: between})
			if err != nil {
				t.Fatal(err)
			}
			if len(result.Pairs) != 2 {
				t.Fatalf("%s between %s: got %d pairs, want 2", of, between, len(result.Pairs))
			}
			for _, p := range result.Pairs {
				if (p.DepthA == p.DepthB) != (between == "seeds") || (p.SeedA == *p.SeedB) != (between == "depths") {
					t.Errorf("between %s: got the pair %+v", between, p)
				}
				if want := expected(t, of, runs[p.A], runs[p.B]); !(math.Abs(p.Distance-want) <= 1e-12*(want+1)) || want == 0 {
					t.Errorf("%s of %s and %s: got %v, want %v", of, p.A, p.B, p.Distance, want)
				}
			}
		}
	}
}

// expected is the distance on a grid of 12 intervals, which depths 4 and 6 divide.
func expected(t *testing.T, of string, a, b *runfolder.Run) float64 {
	t.Helper()
	if of == "displacement" {
		return displacement(t, a, b)
	}
	problem, err := plan.Recorded(a, "")
	if err != nil {
		t.Fatal(err)
	}
	return expectedOn(t, of, problem.Samples.X, a, b)
}

// expectedOn is the distance of outputs or states on four inputs.
func expectedOn(t *testing.T, of string, inputs []float64, a, b *runfolder.Run) float64 {
	const n, d, grid = 4, 3, 12
	sum := 0.0
	for i := range n {
		x := inputs[i*d : (i+1)*d]
		first, second := naive(t, a, x), naive(t, b, x)
		if of == "outputs" {
			sum += squareOf(first[len(first)-1], second[len(second)-1]) / n
			continue
		}
		p := &profile{kind: lines, dim: d}
		q := &profile{kind: lines, dim: d}
		for _, h := range first {
			p.data = append(p.data, h...)
		}
		for _, h := range second {
			q.data = append(q.data, h...)
		}
		square := func(s float64) float64 { return squareOf(p.at(s), q.at(s)) }
		for j := range grid { // Simpson's rule is exact for squares of linear functions
			low, high := float64(j)/grid, float64(j+1)/grid
			sum += (square(low) + 4*square((low+high)/2) + square(high)) / 6 / grid / n
		}
	}
	return math.Sqrt(sum)
}

func displacement(t *testing.T, a, b *runfolder.Run) float64 {
	t.Helper()
	moved := func(run *runfolder.Run, s float64) []float64 {
		w, err := run.Weights()
		if err != nil {
			t.Fatal(err)
		}
		L := run.Meta.Depth
		k := int(s * float64(L))
		var out []float64
		for i := range 9 {
			out = append(out, math.Sqrt(float64(L))*(w.Tensors["A"].Data[k*9+i]-w.Tensors["A_initial"].Data[k*9+i]))
		}
		return out
	}
	sum := 0.0
	for j := range 12 {
		s := (float64(j) + 0.5) / 12
		sum += squareOf(moved(a, s), moved(b, s)) / 12
	}
	return math.Sqrt(sum)
}

// TestInputs holds outputs and states on the test set, and on given inputs, to the formulas.
func TestInputs(t *testing.T) {
	dir := trained(t, strings.Replace(small, "seed: 1}", "seed: 1, test: 4}", 1))
	runs := byID(t, dir)
	var first *runfolder.Run
	for _, first = range runs {
		break
	}
	problem, err := plan.Recorded(first, "")
	if err != nil {
		t.Fatal(err)
	}
	given := []float64{0.1, -0.2, 0.3, 1, 0, 0, 0, 0.5, 0.5, -1, 0.2, 0}
	file := filepath.Join(t.TempDir(), "x.npy")
	if err := os.WriteFile(file, npytest.File(npytest.Array{Shape: []int{4, 3}, Values: given}), 0o644); err != nil {
		t.Fatal(err)
	}
	for inputs, x := range map[string][]float64{"test": problem.Test.X, file: given} {
		for _, of := range []string{"outputs", "states"} {
			result, err := Study(t.Context(), dir, Options{Of: of, Between: "depths", Inputs: inputs})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range result.Pairs {
				if want := expectedOn(t, of, x, runs[p.A], runs[p.B]); !(math.Abs(p.Distance-want) <= 1e-12*(want+1)) || want == 0 {
					t.Errorf("%s on %s: got %v, want %v", of, inputs, p.Distance, want)
				}
			}
		}
	}
}

// TestReferences wants every reference to be what it says.
func TestReferences(t *testing.T) {
	dir := trained(t, small)
	runs := byID(t, dir)
	var deep []string
	for id, run := range runs {
		if run.Meta.Depth == 6 {
			deep = append(deep, runs[id].Dir)
		}
	}
	for to, want := range map[string]int{"deepest": 2, "mean": 4, "deepest-mean": 2, deep[0]: 3} {
		result, err := Study(t.Context(), dir, Options{Of: "outputs", To: to})
		if err != nil {
			t.Fatalf("%s: %v", to, err)
		}
		if len(result.Pairs) != want {
			t.Errorf("%s: got %d pairs, want %d", to, len(result.Pairs), want)
		}
	}
	all, err := Study(t.Context(), dir, Options{Between: "all"})
	if err != nil {
		t.Fatal(err)
	}
	if len(all.Pairs) != 6 || len(all.Exponents) > 0 {
		t.Errorf("all: got %d pairs and exponents %v, want 6 and none", len(all.Pairs), all.Exponents)
	}
	for _, p := range all.Pairs {
		if want := expected(t, "outputs", runs[p.A], runs[p.B]); !(math.Abs(p.Distance-want) <= 1e-12*(want+1)) {
			t.Errorf("all: %s and %s: got %v, want %v", p.A, p.B, p.Distance, want)
		}
	}
	// Two networks are as far from their mean as half their distance.
	pair, err := Study(t.Context(), dir, Options{Of: "weights", Between: "seeds"})
	if err != nil {
		t.Fatal(err)
	}
	mean, err := Study(t.Context(), dir, Options{Of: "weights", To: "mean"})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range mean.Pairs {
		if want := pair.Pairs[i/2].Distance / 2; !(math.Abs(p.Distance-want) <= 1e-13*want) || p.SeedB != nil {
			t.Errorf("%s to the mean: got %v, want %v", p.A, p.Distance, want)
		}
	}
}

// TestStored wants the network rebuilt from a run's folder to have the loss of the run, for every kind of parameter
// group.
func TestStored(t *testing.T) {
	for name, network := range map[string]string{
		"outer":   "{block: outer, alpha: 0.75, bias: true}",
		"mlp":     "{block: mlp, hidden: 6, alpha: 1, bias: true}",
		"layered": "{block: inner, alpha: 0.5, activation: relu, residual: layered}",
		"shared":  "{block: inner, alpha: 0.5, residual: shared}",
		"frames":  "{block: inner, alpha: 0.5, width: 5, embed: trained, readout: orthonormal}",
	} {
		dir := trained(t, strings.Replace(small, "{block: inner, activation: tanh, alpha: 0.5}", network, 1))
		for id, run := range byID(t, dir) {
			problem, err := plan.Recorded(run, "")
			if err != nil {
				t.Fatal(err)
			}
			weights, err := run.Weights()
			if err != nil {
				t.Fatal(err)
			}
			theta, err := problem.Stored(weights, "")
			if err != nil {
				t.Fatal(err)
			}
			loss, err := problem.Loss(theta, resnet.Options{Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			if loss != run.Summary.Loss {
				t.Errorf("%s: %s: got loss %v, want %v", name, id, loss, run.Summary.Loss)
			}
		}
	}
}

// TestRefuses wants what cannot be compared refused, with the flag that decides.
func TestRefuses(t *testing.T) {
	dir := trained(t, strings.Replace(small, ", seed: 1", "", 1))
	wide := trained(t, strings.Replace(small, "train:", "grid: {network.width: [3, 5]}\ntrain:", 1))
	units := trained(t, strings.Replace(small, "{block: inner, activation: tanh, alpha: 0.5}", "{block: mlp, hidden: 6, alpha: 1, bias: true}", 1))
	turned := trained(t, strings.Replace(small, "{block: inner, activation: tanh, alpha: 0.5}", "{block: mlp, alpha: 1}\nzip: {network.width: [4, 6], network.hidden: [6, 4]}", 1))
	for _, c := range []struct {
		dir     string
		options Options
		want    string
	}{
		{dir, Options{Between: "seeds"}, "got runs with inputs of their own"},
		{dir, Options{Of: "loss"}, "of: got"},
		{dir, Options{Of: "weights", Permute: true}, "--permute: got block inner, want mlp"},
		{dir, Options{Of: "outputs", Permute: true}, "permute: got true"},
		{units, Options{Of: "weights", Permute: true, Parts: []string{"c"}}, "--part: got c, which has no hidden units"},
		{units, Options{Of: "weights", Permute: true, Parts: []string{"V", "c"}}, "--part: got c, which has no hidden units"},
		{dir, Options{Of: "outputs", Norm: "integral"}, "norm: got"},
		{dir, Options{To: "widest", Between: "depths"}, `between: got "depths", want groups with --to widest`},
		{dir, Options{To: "deepest", Between: "groups"}, `between: got "groups", want depths with --to deepest`},
		{dir, Options{To: "deepest", Between: "seeds"}, `between: got "seeds", want depths with --to deepest`},
		{dir, Options{To: "deepest-mean", Between: "seeds"}, `between: got "seeds", want depths with --to deepest-mean`},
		{dir, Options{To: "deepest", Between: "all"}, `between: got "all", want it without --to`},
		{dir, Options{In: []string{"depth"}, Between: "all"}, `between: got "all", want depths, seeds or groups`},
		{dir, Options{To: "nowhere"}, "want deepest, widest, mean"},
		{dir, Options{Inputs: "test"}, "got data without a test set"},
		{dir, Options{Of: "weights", In: []string{"network.alpha"}}, "in: got"},
		{turned, Options{Of: "weights", Between: "groups"}, "got layers of shapes V 4×6 W 6×4 and V 6×4 W 4×6, want the same widths"},
		{wide, Options{Of: "weights", Between: "groups"}, "want the same widths, or --of outputs"},
		{wide, Options{Of: "states", Between: "groups"}, "or --of outputs"},
		{wide, Options{Only: []string{"depth > 100"}}, "which holds for none"},
	} {
		if _, err := Study(t.Context(), c.dir, c.options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want an error with %q", c.options, err, c.want)
		}
	}
	result, err := Study(t.Context(), wide, Options{To: "widest"})
	if err != nil || len(result.Pairs) != 4 {
		t.Errorf("outputs of two widths: got %v, %v", result, err)
	}
}
