package importer

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
)

// golden holds what testdata/make_checkpoint.py computed of one path.
type golden struct {
	Shape        []int
	Sum          float64
	FirstRow     []float64          `json:"first_row"`
	MaxFrobenius float64            `json:"max_frobenius"`
	RootSquares  float64            `json:"root_sum_squares"`
	MaxIncrement float64            `json:"max_increment"`
	Quadratic    float64            `json:"quadratic_variation"`
	PVariation   map[string]float64 `json:"p_variation"`

	Displacement          *float64
	DisplacementVariation *float64 `json:"displacement_variation"`
}

func readGolden(t *testing.T, name string, to any) {
	t.Helper()
	text, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(all[name], to); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// close reports whether got is want up to the rounding of sums of a few hundred terms
// in another order.
func near(got, want float64) bool { return math.Abs(got-want) <= 1e-12*math.Abs(want) }

// check holds a path and its analysis to what Python computed.
func (g *golden) check(t *testing.T, tensor runfolder.Tensor, got analyze.PathNumbers) {
	t.Helper()
	if !slices.Equal(tensor.Shape, g.Shape) {
		t.Fatalf("got shape %v, want %v", tensor.Shape, g.Shape)
	}
	if row := tensor.Data[:g.Shape[2]]; !slices.Equal(row, g.FirstRow) {
		t.Errorf("first row: got %v, want %v", row, g.FirstRow)
	}
	sum := 0.0
	for _, v := range tensor.Data {
		sum += v
	}
	if !(math.Abs(sum-g.Sum) <= 1e-12) { // of some 500 entries below 1
		t.Errorf("sum of the entries: got %v, want %v", sum, g.Sum)
	}
	for name, pair := range map[string][2]float64{
		"max_frobenius":       {got.MaxFrobenius, g.MaxFrobenius},
		"root_sum_squares":    {got.RootSumSquares, g.RootSquares},
		"max_increment":       {got.MaxIncrement, g.MaxIncrement},
		"quadratic_variation": {got.QuadraticVariation, g.Quadratic},
	} {
		if !near(pair[0], pair[1]) {
			t.Errorf("%s: got %v, want %v", name, pair[0], pair[1])
		}
	}
	for p, want := range g.PVariation {
		if v := got.PVariation[p]; !near(v, want) {
			t.Errorf("V_%s: got %v, want %v", p, v, want)
		}
	}
	if g.Displacement == nil {
		if !math.IsNaN(got.Displacement) || !math.IsNaN(got.DisplacementVariation) {
			t.Errorf("displacement: got %v and %v, want NaN, as the initial weights are not known", got.Displacement, got.DisplacementVariation)
		}
		return
	}
	if !near(got.Displacement, *g.Displacement) || !near(got.DisplacementVariation, *g.DisplacementVariation) {
		t.Errorf("displacement: got %v and %v, want %v and %v", got.Displacement, got.DisplacementVariation, *g.Displacement, *g.DisplacementVariation)
	}
}

// mustImport imports and analyses.
func mustImport(t *testing.T, o Options, paths ...string) *analyze.Result {
	t.Helper()
	if o.Out == "" {
		o.Out = filepath.Join(t.TempDir(), "out")
	}
	if _, err := Import(t.Context(), paths, o); err != nil {
		t.Fatal(err)
	}
	result, err := analyze.Study(t.Context(), o.Out, analyze.Options{Exponents: []float64{1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func mustWeights(t *testing.T, dir string) runfolder.Weights {
	t.Helper()
	run, err := runfolder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	weights, err := run.Weights()
	if err != nil {
		t.Fatal(err)
	}
	return weights
}

func mustPreset(t *testing.T, name string) Layout {
	t.Helper()
	layout, err := PresetLayout(name)
	if err != nil {
		t.Fatal(err)
	}
	return layout
}

// TestGolden imports what PyTorch saved in every format and element type, and holds
// weights and analysis to Python.
func TestGolden(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"residual-8.safetensors", "residual-8"},
		{"residual-8.npz", "residual-8"},
		{"residual-8-half.safetensors", "residual-8-half"},
		{"residual-8-half.npz", "residual-8-half"}, // compressed
		{"residual-8-bfloat16.safetensors", "residual-8-bfloat16"},
	} {
		t.Run(c.file, func(t *testing.T) {
			var want golden
			readGolden(t, c.want, &want)
			want.Displacement, want.DisplacementVariation = nil, nil
			o := Options{Out: filepath.Join(t.TempDir(), "run"), Layout: mustPreset(t, "layers"), Alpha: 0.5}
			result := mustImport(t, o, "testdata/"+c.file)
			if len(result.Runs) != 1 {
				t.Fatalf("got %d runs, want 1", len(result.Runs))
			}
			weights := mustWeights(t, o.Out)
			want.check(t, weights.Tensors["A"], result.Runs[0].PathNumbers)
			if b := weights.Tensors["b"]; !slices.Equal(b.Shape, []int{8, 4}) {
				t.Errorf("bias: got shape %v, want [8 4]", b.Shape)
			}
		})
	}
}

// TestGoldenTwoMaps imports V and W of GPT-2's perceptron, stored for x·A, out of a
// training checkpoint of torch.save.
func TestGoldenTwoMaps(t *testing.T) {
	var want struct{ V, W golden }
	readGolden(t, "gpt2", &want)
	o := Options{Out: filepath.Join(t.TempDir(), "run"), Layout: mustPreset(t, "gpt2-mlp"), Alpha: 0.75}
	// The optimiser's moments have other names, which the preset must not match.
	result := mustImport(t, o, "testdata/gpt2.pt")
	weights := mustWeights(t, o.Out)
	run := result.Runs[0]
	want.V.check(t, weights.Tensors["V"], run.Parts["V"])
	want.W.check(t, weights.Tensors["W"], run.Parts["W"])
	if run.MaxFrobenius != run.Parts["V"].MaxFrobenius {
		t.Errorf("the run stands for max ‖·‖ %v, want that of V, %v", run.MaxFrobenius, run.Parts["V"].MaxFrobenius)
	}
	for name, shape := range map[string][]int{"b": {6, 6}, "c": {6, 4}} {
		if got := weights.Tensors[name].Shape; !slices.Equal(got, shape) {
			t.Errorf("%s: got shape %v, want %v", name, got, shape)
		}
	}
}

// TestGoldenStudy imports three depths with their initial weights: displacement is there
// and the exponents over depth are those of the run numbers.
func TestGoldenStudy(t *testing.T) {
	o := Options{Out: filepath.Join(t.TempDir(), "study"), Layout: mustPreset(t, "layers"), Alpha: 0.5, Initial: "testdata/initial-{depth}.safetensors"}
	result := mustImport(t, o, "testdata/residual-16.safetensors", "testdata/residual-4.safetensors", "testdata/residual-8.safetensors")
	if len(result.Runs) != 3 || len(result.Groups) != 1 {
		t.Fatalf("got %d runs in %d groups, want 3 in 1", len(result.Runs), len(result.Groups))
	}
	for i, name := range []string{"residual-4", "residual-8", "residual-16"} {
		run := result.Runs[i]
		var want golden
		readGolden(t, name, &want)
		want.check(t, mustWeights(t, runfolder.RunDir(o.Out, run.ID)).Tensors["A"], run.PathNumbers)
	}
	for _, name := range []string{"max_frobenius", "displacement", "max_increment", "root_sum_squares", "displacement_variation"} {
		if _, ok := result.Groups[0].Exponents[name]; !ok {
			t.Errorf("no exponent of %s", name)
		}
	}
	if result.Groups[0].Diverged != 0 {
		t.Errorf("got %d diverged runs, want none", result.Groups[0].Diverged)
	}
}
