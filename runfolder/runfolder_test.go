package runfolder

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// sameBits compares numbers by their bits: NaN equals NaN, −0 differs from 0.
var sameBits = cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) })

func number(v float64) *float64 { return &v }

func sampleMeta() Meta {
	return Meta{
		ID: "separated-L0002-s1-3f2a9c01", Hash: "3f2a9c01", Group: "77", Study: "sample",
		Data: "separated", Depth: 2, Width: 3, Samples: 4, Inputs: 3, Outputs: 3, Seed: 1<<63 + 1,
		DType: "float64", Block: "inner", Activation: "tanh", Residual: "fixed", Loss: "squared", Method: "gd",
		Alpha: 0.5, Settings: map[string]string{"network.alpha": "0.5"},
		Config: json.RawMessage(`{"name":"a < b & c"}`), Version: "1",
		Environment: map[string]string{"host": "h", "go": "1.26"},
		Start:       time.Date(2025, 1, 2, 3, 4, 5, 6, time.UTC),
	}
}

func sampleWeights() Weights {
	return Weights{
		Tensors: map[string]Tensor{
			"A":         {"F64", []int{2, 3, 3}, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -2, -3, -4, -5, -6, -7, -8, 1e-300}},
			"A_initial": {"F64", []int{2, 3, 3}, make([]float64, 18)},
			"b":         {"F32", []int{2, 3}, []float64{0.5, float64(float32(math.NaN())), math.Inf(-1), 0, 1, float64(float32(0.1))}},
			"delta":     {"F64", []int{2}, []float64{0.5, math.Copysign(0, -1)}},
		},
		Metadata: map[string]string{"alpha": "0.5", "beta": "0.5", "activation": "tanh", "block": "inner"},
	}
}

func sampleRows() []Row {
	return []Row{
		{Iteration: 0, Loss: number(0.5), GradientNorm: number(1), StepSize: number(8), PLRatio: number(1), MaxFrobenius: 1, RootSquares: 2, Displacement: 0, Seconds: 0},
		{Iteration: 1, BatchLoss: number(0.25), MaxFrobenius: 1.5, RootSquares: 2.5, Displacement: math.NaN(), Accuracy: number(0.75), Seconds: 0.25},
		{Iteration: 4, Loss: number(math.Inf(1)), TestLoss: number(1e-300), TestAccuracy: number(1), MaxFrobenius: 3, RootSquares: 4, Displacement: 5, Seconds: 1},
	}
}

func drawFloat(t *rapid.T, label string) float64 {
	return math.Float64frombits(rapid.Uint64().Draw(t, label))
}

func drawRows(t *rapid.T) []Row {
	optional := func(label string) *float64 {
		if rapid.Bool().Draw(t, label+" present") {
			return number(drawFloat(t, label))
		}
		return nil
	}
	rows := make([]Row, rapid.IntRange(0, 40).Draw(t, "rows"))
	for i := range rows {
		rows[i] = Row{
			Iteration: rapid.Int64().Draw(t, "iteration"), Loss: optional("loss"), BatchLoss: optional("batch"),
			GradientNorm: optional("gradient"), StepSize: optional("step"), PLRatio: optional("pl"),
			MaxFrobenius: drawFloat(t, "max"), RootSquares: drawFloat(t, "root"), Displacement: drawFloat(t, "moved"),
			Accuracy: optional("accuracy"), TestLoss: optional("test"), TestAccuracy: optional("test accuracy"),
			Variation1: optional("v_1"), Variation3: optional("v_3"), DisplacementVariation2: optional("displacement_v_2"),
			Seconds: drawFloat(t, "seconds"),
		}
	}
	return rows
}

func mustRead(t *testing.T, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustWrite(t *testing.T, data []byte, path ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(path...), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkError fails unless err has the message want, in which {dir} stands for dir.
func checkError(t *testing.T, err error, dir, want string) {
	t.Helper()
	got := "nil"
	if err != nil {
		got = err.Error()
	}
	if want = replaceDir(want, dir); got != want {
		t.Errorf("error:\n got %s\nwant %s", got, want)
	}
}
