package bench

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/npy"
	"github.com/deeplimit/deeplimit/internal/plan/plantest"
)

const jobs = `name: jobs
depths: [3, 5]
seeds: 2
dtype: float32
data: {kind: normal, width: 4, samples: 40}
network: {block: mlp, hidden: 6, activation: gelu, bias: true, normalise: pre, readout: trained, residual: layered}
train: {method: adam, batch: 16}
`

// TestMeasureStudy wants one result for each depth and element type, of one of the seeds, with the samples of a step.
func TestMeasureStudy(t *testing.T) {
	p := plantest.New(t, "jobs.yaml", jobs)
	results, err := MeasureStudy(t.Context(), p, []string{"float32", "float64"}, Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	const network = "{block: mlp, hidden: 6, activation: gelu, bias: true, residual: layered, normalise: pre, readout: trained}"
	var got []string
	for _, r := range results {
		got = append(got, r.Shape.String()+" "+r.DType)
		flops := float64(r.Shape.Depth()*12*4*6*16 + 6*4*4*16)
		if r.Method != "adam" || r.Network != network || r.Run == "" || !(r.PeakFraction > 0 && r.Ratio > 0) ||
			!(math.Abs(r.GFLOPS*r.Milliseconds*1e6/flops-1) <= 1e-12) {
			t.Errorf("got %+v, want %g operations of %s", r, flops, network)
		}
	}
	if want := []string{"4,16,3 float32", "4,16,3 float64", "4,16,5 float32", "4,16,5 float64"}; !slices.Equal(got, want) || results[0].Ratio != 1 {
		t.Errorf("got %q, want %q, the first with ratio 1", got, want)
	}
	plainest, err := MeasureStudy(t.Context(), plantest.New(t, "s.yaml", "name: s\ndepths: [3]\ndata: {kind: normal, width: 4, samples: 9}\n"), nil, Options{Workers: 1})
	if err != nil || len(plainest) != 1 || plainest[0].Network != "" || plainest[0].DType != "float64" || plainest[0].Shape != (Shape{4, 9, 3}) {
		t.Errorf("got %+v, %v, want one result of the plainest network", plainest, err)
	}
}

// TestMeasureStudyDiverges wants an error, as no time means anything where numbers are infinite.
func TestMeasureStudyDiverges(t *testing.T) {
	p := plantest.New(t, "s.yaml", "name: s\ndepths: [3]\ndata: {kind: normal, width: 4, samples: 9}\nnetwork: {activation: identity}\ntrain: {step: {rule: constant, value: 1e300}}\n")
	if _, err := MeasureStudy(t.Context(), p, nil, Options{Workers: 1}); err == nil || !strings.Contains(err.Error(), "the loss became") {
		t.Errorf("got %v, want an error about the loss", err)
	}
}

// TestDumpStudy wants all groups, a gradient of those that are trained, and three losses of a descent.
func TestDumpStudy(t *testing.T) {
	dir := t.TempDir()
	p := plantest.New(t, "jobs.yaml", jobs)
	if err := DumpStudy(dir, p, nil, Options{Workers: 1}); err == nil || !strings.Contains(err.Error(), "got 2 runs") {
		t.Errorf("two depths: got %v, want one run", err)
	}
	p = plantest.New(t, "jobs.yaml", strings.Replace(jobs, "[3, 5]", "[3]", 1))
	if err := DumpStudy(dir, p, []string{"float64"}, Options{Workers: 1}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "problem.json"))
	if err != nil {
		t.Fatal(err)
	}
	var about studyFacts
	if err := json.Unmarshal(text, &about); err != nil {
		t.Fatal(err)
	}
	if about.Samples != 40 || about.DType != "float64" || about.Train.Batch != 16 || len(about.Order) != 40 || len(about.Losses) != 3 || !(about.StepSize > 0 && about.Epsilon > 0) {
		t.Errorf("got %+v", about)
	}
	for name, shape := range about.Groups {
		size := 1
		for _, n := range shape {
			size *= n
		}
		files := []string{name}
		if slices.Contains(about.Trained, name) {
			files = append(files, "gradient-"+name)
		}
		for _, file := range files {
			if got, _, err := npy.Read(filepath.Join(dir, file+".npy")); err != nil || !slices.Equal(got, []int{size}) {
				t.Errorf("%s: got shape %v, %v, want %d entries", file, got, err, size)
			}
		}
	}
	for _, section := range []string{"{step: {rule: armijo}}", "{weight-decay: 0.1}", "{step: {schedule: cosine}}", "{penalty: {l2: 0.1}}", "{step: {parts: {A: 2}}}"} {
		p := plantest.New(t, "s.yaml", "name: s\ndepths: [3]\ndata: {kind: normal, width: 4, samples: 9}\ntrain: "+section+"\n")
		if err := DumpStudy(dir, p, nil, Options{Workers: 1}); err == nil || !strings.Contains(err.Error(), "step rule depth or constant") {
			t.Errorf("%s: got %v, want an error", section, err)
		}
	}
}
