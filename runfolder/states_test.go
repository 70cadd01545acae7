package runfolder

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStates writes hidden states beside a run and reads them back; a run without any
// has none, and a damaged file is named.
func TestStates(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	meta := sampleMeta()
	if err := Create(dir, meta); err != nil {
		t.Fatal(err)
	}
	want := Tensor{DType: "F64", Shape: []int{1, meta.Depth + 1, 1}, Data: make([]float64, meta.Depth+1)}
	for k := range want.Data {
		want.Data[k] = float64(k)
	}
	sums, err := WriteStates(dir, Weights{Tensors: map[string]Tensor{"h": want}})
	if err != nil {
		t.Fatal(err)
	}
	if err := Finish(dir, meta, sampleRows(), sampleWeights(), Summary{Stop: "loss", SHA256: sums}); err != nil {
		t.Fatal(err)
	}
	run, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := run.States()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	mustWrite(t, []byte("no"), dir, statesFile)
	var damaged *DamagedError
	if _, err := run.States(); !errors.As(err, &damaged) || damaged.Path != filepath.Join(dir, statesFile) {
		t.Errorf("a damaged file: got %v", err)
	}
	if err := Verify(dir); err == nil {
		t.Error("Verify passes over damaged states")
	}
}

// TestNorms writes norms of layers beside a run and reads them back.
func TestNorms(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	meta := sampleMeta()
	if err := Create(dir, meta); err != nil {
		t.Fatal(err)
	}
	numbers := make([]float64, 2*meta.Depth)
	for i := range numbers {
		numbers[i] = float64(i) / 4
	}
	want := &Norms{Iterations: []int64{0, 1 << 40}, Parts: map[string]LayerNorms{"V": {numbers, numbers}, "W": {numbers, numbers}}}
	sums, err := WriteNorms(dir, want)
	if err != nil {
		t.Fatal(err)
	}
	if err := Finish(dir, meta, sampleRows(), sampleWeights(), Summary{Stop: "loss", SHA256: sums}); err != nil {
		t.Fatal(err)
	}
	run, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := run.Norms()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	mustWrite(t, []byte("no"), dir, normsFile)
	var damaged *DamagedError
	if _, err := run.Norms(); !errors.As(err, &damaged) || damaged.Path != filepath.Join(dir, normsFile) {
		t.Errorf("a damaged file: got %v", err)
	}
	if err := Verify(dir); err == nil {
		t.Error("Verify passes over damaged norms")
	}
}

func TestNormsFromRefuses(t *testing.T) {
	numbers := func(shape ...int) Tensor {
		n := 1
		for _, s := range shape {
			n *= s
		}
		t := Tensor{DType: "F64", Shape: shape, Data: make([]float64, n)}
		for i := range t.Data {
			t.Data[i] = float64(i)
		}
		return t
	}
	for want, tensors := range map[string]map[string]Tensor{
		"iterations: got shape [], want (M)":                                     {},
		"iterations: got shape [2 1], want (M)":                                  {"iterations": numbers(2, 1)},
		"iterations: got 0.5 at index 0, want whole numbers that increase":       {"iterations": {Shape: []int{1}, Data: []float64{0.5}}},
		"iterations: got 3 at index 1, want whole numbers that increase":         {"iterations": {Shape: []int{2}, Data: []float64{3, 3}}},
		"A: got shapes [2 4] and [], want (2, 4) for norms and displacements":    {"iterations": numbers(2), "A": numbers(2, 4)},
		"A: got shapes [2 5] and [2 4], want (2, 4) for norms and displacements": {"iterations": numbers(2), "A": numbers(2, 5), "A_displacement": numbers(2, 4)},
	} {
		if _, err := NormsFrom(tensors, 4); err == nil || err.Error() != want {
			t.Errorf("got error %v, want %s", err, want)
		}
	}
}
