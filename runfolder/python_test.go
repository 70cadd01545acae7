package runfolder

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// python returns an interpreter that has pandas, pyarrow and safetensors: the one
// that DEEPLIMIT_PYTHON names, which must have them, or .venv/bin/python of the
// repository if it has them, or "".
func python(t *testing.T) string {
	t.Helper()
	path, named := os.LookupEnv("DEEPLIMIT_PYTHON")
	if !named {
		path = filepath.Join("..", ".venv", "bin", "python")
	}
	const find = `import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, ["pandas", "pyarrow", "safetensors"])))`
	if out, err := exec.CommandContext(t.Context(), path, "-c", find).CombinedOutput(); err != nil {
		if named {
			t.Fatalf("DEEPLIMIT_PYTHON: %s has no pandas, pyarrow and safetensors: %v\n%s", path, err, out)
		}
		return ""
	}
	return path
}

// pythonReader prints what the Python packages see in a run folder. Numbers go
// out as hexadecimal strings, so none is rounded.
const pythonReader = `
import json, sys, pandas
from safetensors import safe_open
weights = {}
with safe_open(sys.argv[1] + "/weights.safetensors", framework="numpy") as f:
    metadata = f.metadata()
    for name in f.keys():
        a = f.get_tensor(name)
        weights[name] = {"dtype": str(a.dtype), "shape": list(a.shape), "data": [float(v).hex() for v in a.ravel()]}
trace = pandas.read_parquet(sys.argv[1] + "/trace.parquet", dtype_backend="pyarrow")
columns = {c: [None if v is pandas.NA else float(v).hex() for v in trace[c]] for c in trace.columns}
print(json.dumps({"metadata": metadata, "weights": weights, "trace": columns, "iteration": str(trace["iteration"].dtype)}))
`

// TestPython opens a run folder with pandas and safetensors. Without Python the
// same files are read by independent readers: the weights by the header parser
// of TestWeightsFormat, the trace by pages in TestTraceFormat.
func TestPython(t *testing.T) {
	interpreter := python(t)
	if interpreter == "" {
		t.Log("no Python with pandas and safetensors (set DEEPLIMIT_PYTHON): reading with the independent readers in Go")
		TestWeightsFormat(t)
		TestTraceFormat(t)
		return
	}
	dir := finishedRun(t)
	out, err := exec.CommandContext(t.Context(), interpreter, "-c", pythonReader, dir).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	type array struct {
		DType string   `json:"dtype"`
		Shape []int    `json:"shape"`
		Data  []string `json:"data"`
	}
	var got struct {
		Metadata  map[string]string    `json:"metadata"`
		Weights   map[string]array     `json:"weights"`
		Trace     map[string][]*string `json:"trace"`
		Iteration string               `json:"iteration"`
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleWeights().Metadata, got.Metadata); diff != "" {
		t.Errorf("metadata (-want +got)\n%s", diff)
	}
	want := map[string]array{}
	for name, tensor := range sampleWeights().Tensors {
		a := array{DType: map[string]string{"F64": "float64", "F32": "float32"}[tensor.DType], Shape: tensor.Shape}
		for _, v := range tensor.Data {
			a.Data = append(a.Data, exact(v))
		}
		want[name] = a
	}
	if diff := cmp.Diff(want, got.Weights, cmp.Comparer(sameNumber)); diff != "" {
		t.Errorf("weights (-want +got)\n%s", diff)
	}
	if got.Iteration != "int64[pyarrow]" {
		t.Errorf("column iteration has type %s", got.Iteration)
	}
	if diff := cmp.Diff(columnsOf(sampleRows()), got.Trace, cmp.Comparer(sameNumber)); diff != "" {
		t.Errorf("trace (-want +got)\n%s", diff)
	}
}

// columnsOf returns the rows column by column, nulls as nil.
func columnsOf(rows []Row) map[string][]*string {
	columns := map[string][]*string{}
	for _, r := range rows {
		iteration := float64(r.Iteration)
		for name, value := range map[string]*float64{
			"iteration": &iteration, "loss": r.Loss, "batch_loss": r.BatchLoss, "penalty": r.Penalty, "gradient_norm": r.GradientNorm,
			"step_size": r.StepSize, "pl_ratio": r.PLRatio, "max_frobenius": &r.MaxFrobenius,
			"root_sum_squares": &r.RootSquares, "displacement": &r.Displacement, "accuracy": r.Accuracy,
			"test_loss": r.TestLoss, "test_accuracy": r.TestAccuracy, "seconds": &r.Seconds,
			"v_1": r.Variation1, "v_1.5": r.Variation15, "v_2": r.Variation2, "v_2.5": r.Variation25, "v_3": r.Variation3,
			"validation_loss": r.ValidationLoss, "validation_accuracy": r.ValidationAccuracy,
			"max_increment": r.MaxIncrement, "quadratic_variation": r.QuadraticVariation,
			"displacement_root_sum_squares": r.DisplacementRootSquares, "displacement_max_increment": r.DisplacementIncrement,
			"displacement_quadratic_variation": r.DisplacementQuadratic, "displacement_v_1": r.DisplacementVariation1,
			"displacement_v_1.5": r.DisplacementVariation15, "displacement_v_2": r.DisplacementVariation2,
			"displacement_v_2.5": r.DisplacementVariation25, "displacement_v_3": r.DisplacementVariation3,
			"last_state": r.LastState, "block_change": r.BlockChange, "block_linearisation": r.BlockLinearisation, "tangent": r.Tangent, "level": r.Level,
			"delta": r.Delta, "delta_max_frobenius": r.DeltaMaxFrobenius,
			"update_norm": r.UpdateNorm, "update_rank": r.UpdateRank, "alignment": r.Alignment,
			"update_norm_w": r.UpdateNormW, "update_rank_w": r.UpdateRankW, "alignment_w": r.AlignmentW,
		} {
			var text *string
			if value != nil {
				hex := exact(*value)
				text = &hex
			}
			columns[name] = append(columns[name], text)
		}
	}
	return columns
}

// exact returns v in the form of Python's float.hex: hexadecimal, so that
// comparing texts compares bits. NaNs are all "nan".
func exact(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 0):
		return map[bool]string{true: "-inf", false: "inf"}[math.Signbit(v)]
	}
	return strconv.FormatFloat(v, 'x', -1, 64)
}

// sameNumber compares the texts of two numbers by value and sign.
func sameNumber(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX != nil || errY != nil {
		return a == b
	}
	return math.IsNaN(x) && math.IsNaN(y) || math.Float64bits(x) == math.Float64bits(y)
}
