package importer

import (
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A recorded returns the weights A of a step of a training that is made up.
func recorded(step, depth int) runfolder.Tensor {
	t := runfolder.Tensor{DType: "F64", Shape: []int{depth, 3, 3}, Data: make([]float64, depth*9)}
	for i := range t.Data {
		t.Data[i] = math.Sin(float64(i)) + float64(step)*math.Cos(float64(3*i))/10
	}
	return t
}

// writeSteps writes checkpoints of these steps, with what a recorder says of them.
func writeSteps(t *testing.T, dir string, depth int, metadata map[string]string, steps ...int) {
	t.Helper()
	for _, step := range steps {
		w := runfolder.Weights{Tensors: map[string]runfolder.Tensor{"stack": recorded(step, depth)}, Metadata: metadata}
		if err := runfolder.WriteWeights(filepath.Join(dir, "step"+strconv.Itoa(step)+".safetensors"), w); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRecording wants one run whose trace and norms are those of its steps, computed here from the weights.
func TestRecording(t *testing.T) {
	const depth = 6
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "run")
	steps := []int{0, 5, 100}
	writeSteps(t, dir, depth, map[string]string{"batch_loss": "0.25", "seconds": "3", "loss": "NaN"}, steps...)
	o := Options{Out: out, Steps: SeriesSteps, Layout: Layout{Weight: "stack", Convention: ColumnVectors}, Alpha: 0.25}
	runs, err := Import(t.Context(), []string{dir}, o)
	if err != nil || len(runs) != 1 {
		t.Fatalf("got %d runs, %v, want 1", len(runs), err)
	}
	run, err := runfolder.Open(runs[0].Dir)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := run.Trace()
	if err != nil || len(rows) != len(steps) || run.Summary.Iterations != 100 {
		t.Fatalf("got %d rows, %v, iterations %d", len(rows), err, run.Summary.Iterations)
	}
	norms, err := run.Norms()
	if err != nil || norms == nil {
		t.Fatalf("norms: got %v, %v", norms, err)
	}
	factor := math.Pow(depth, 0.75)
	for i, step := range steps {
		now, start := recorded(step, depth).Data, recorded(0, depth).Data
		most, moved := 0.0, 0.0
		scaled := make([]float64, len(now))
		for k := range depth {
			square, change := 0.0, 0.0
			for j := k * 9; j < (k+1)*9; j++ {
				square += now[j] * now[j]
				change += (now[j] - start[j]) * (now[j] - start[j])
				scaled[j] = factor * now[j]
			}
			most, moved = max(most, math.Sqrt(square)), max(moved, math.Sqrt(change))
			if got := norms.Parts["A"].Frobenius[i*depth+k]; !(math.Abs(got-math.Sqrt(square)) <= 1e-6*got) {
				t.Errorf("step %d, layer %d: got norm %v, want %v", step, k, got, math.Sqrt(square))
			}
		}
		want, err := pvar.Compute(pvar.Points{Dim: 9, Data: scaled}, 2)
		if err != nil {
			t.Fatal(err)
		}
		r := rows[i]
		if r.Iteration != int64(step) || !(math.Abs(r.MaxFrobenius-most) <= 1e-12*most) || !(math.Abs(r.Displacement-moved) <= 1e-12*(1+moved)) || *r.Variation2 != want[0].Value {
			t.Errorf("step %d: got %+v, want norm %v, displacement %v, V_2 %v", step, r, most, moved, want[0].Value)
		}
		if r.Loss != nil || r.BatchLoss == nil || *r.BatchLoss != 0.25 || r.Seconds != 3 {
			t.Errorf("step %d: got loss %v, batch loss %v, seconds %v", step, r.Loss, r.BatchLoss, r.Seconds)
		}
	}
	again, err := Import(t.Context(), []string{dir}, o)
	if err != nil || !again[0].Old {
		t.Errorf("again: got %+v, %v, want an old run", again, err)
	}
}

// TestRecordingRefuses wants an error for a series that says too little.
func TestRecordingRefuses(t *testing.T) {
	for want, write := range map[string]func(dir string){
		"got 5 as the first step, want step 0":            func(dir string) { writeSteps(t, dir, 4, nil, 5, 10) },
		`metadata: batch_loss: got "much", want a number`: func(dir string) { writeSteps(t, dir, 4, map[string]string{"batch_loss": "much"}, 0, 5) },
		"got a name without a step, want one, as --steps series": func(dir string) {
			w := runfolder.Weights{Tensors: map[string]runfolder.Tensor{"stack": recorded(0, 4)}}
			if err := runfolder.WriteWeights(filepath.Join(dir, "net.safetensors"), w); err != nil {
				t.Fatal(err)
			}
		},
	} {
		dir := t.TempDir()
		write(dir)
		out := filepath.Join(t.TempDir(), "out")
		_, err := Import(t.Context(), []string{dir}, Options{Out: out, Steps: SeriesSteps, Layout: Layout{Weight: "stack", Convention: ColumnVectors}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %q", err, want)
		}
	}
}

// TestRecordingOfAll wants an error for a series of all families.
func TestRecordingOfAll(t *testing.T) {
	dir := t.TempDir()
	writeSteps(t, dir, 4, nil, 0, 5)
	_, _, err := ImportAll(t.Context(), []string{dir}, Options{Out: filepath.Join(t.TempDir(), "out"), Steps: SeriesSteps})
	if err == nil || !strings.Contains(err.Error(), "beside --all") {
		t.Errorf("got error %v, want one that speaks of --all", err)
	}
}
