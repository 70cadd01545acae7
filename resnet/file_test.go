package resnet

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/npy/npytest"
	"github.com/deeplimit/deeplimit/runfolder"
)

// storeArray writes a .npy file.
func storeArray(t testing.TB, path string, a npytest.Array) {
	t.Helper()
	if err := os.WriteFile(path, npytest.File(a), 0o644); err != nil {
		t.Fatal(err)
	}
}

// storeTensors writes a .safetensors file.
func storeTensors(t testing.TB, path string, tensors map[string]runfolder.Tensor) {
	t.Helper()
	if err := runfolder.WriteWeights(path, runfolder.Weights{Tensors: tensors}); err != nil {
		t.Fatal(err)
	}
}

// counted returns n, n+1, … as the entries of an array of that many.
func counted(first, entries int) []float64 {
	values := make([]float64, entries)
	for i := range values {
		values[i] = float64(first + i)
	}
	return values
}

// fileNetwork returns a network of width 2 whose initial section is resolved for it.
func fileNetwork(t testing.TB, spec Spec, initial Initial, depth int) (*Network, Initial) {
	t.Helper()
	net := netOf(t, spec, depth, 2, 2)
	initial, err := initial.Resolve(net.Spec, depth)
	if err != nil {
		t.Fatal(err)
	}
	return net, initial
}

// TestInitialFromFiles reads each kind of file at depths 1 and 3, named by {depth}
// and relative to the folder of the study.
func TestInitialFromFiles(t *testing.T) {
	for _, depth := range []int{1, 3} {
		weights, biases := counted(1, 4*depth), counted(-7, 2*depth)
		single := make([]float32, len(weights))
		columns := make([]float64, len(weights)) // in Fortran order
		for k := range depth {
			for r := range 2 {
				for s := range 2 {
					v := weights[4*k+2*r+s]
					single[4*k+2*r+s] = float32(v)
					columns[k+depth*(r+2*s)] = v
				}
			}
		}
		shape, biasShape := []int{depth, 2, 2}, []int{depth, 2}
		dir := t.TempDir()
		digit := string(rune('0' + depth))
		storeArray(t, filepath.Join(dir, "A"+digit+".npy"), npytest.Array{Shape: shape, Values: weights})
		storeArray(t, filepath.Join(dir, "A-single.npy"), npytest.Array{Descr: ">f4", Order: binary.BigEndian, Shape: shape, Values: single})
		storeArray(t, filepath.Join(dir, "A-columns.npy"), npytest.Array{Fortran: true, Shape: shape, Values: columns})
		storeArray(t, filepath.Join(dir, "b"+digit+".npy"), npytest.Array{Shape: biasShape, Values: biases})
		storeTensors(t, filepath.Join(dir, "all"+digit+".safetensors"), map[string]runfolder.Tensor{
			"A": {DType: "F32", Shape: shape, Data: weights}, "b": {DType: "F64", Shape: biasShape, Data: biases},
			"other": {DType: "F64", Shape: []int{1}, Data: []float64{math.NaN()}},
		})
		for name, initial := range map[string]Initial{
			"npy":             {Kind: "file", Path: "A{depth}.npy", Bias: "b{depth}.npy"},
			"npy by parts":    {Parts: map[string]Initial{"A": {Kind: "file", Path: "A{depth}.npy"}, "b": {Kind: "file", Path: "b{depth}.npy"}}},
			"float32":         {Kind: "file", Path: "A-single.npy", Bias: "b{depth}.npy"},
			"Fortran":         {Kind: "file", Path: "A-columns.npy", Bias: "b{depth}.npy"},
			"safetensors":     {Kind: "file", Path: "all{depth}.safetensors", Bias: "all{depth}.safetensors"},
			"absolute path":   {Kind: "file", Path: filepath.Join(dir, "A{depth}.npy"), Bias: filepath.Join(dir, "b{depth}.npy")},
			"one of each":     {Kind: "file", Path: "A{depth}.npy", Bias: "all{depth}.safetensors"},
			"relative detour": {Kind: "file", Path: "./x/../A{depth}.npy", Bias: "b{depth}.npy"},
		} {
			net, resolved := fileNetwork(t, Spec{Bias: true}, initial, depth)
			if err := net.CheckInitial(resolved, dir); err != nil {
				t.Errorf("depth %d, %s: CheckInitial: %v", depth, name, err)
			}
			theta, err := Parameters[float64](net, resolved, 1, dir)
			if err != nil {
				t.Errorf("depth %d, %s: %v", depth, name, err)
				continue
			}
			if got := View(net.Layout, theta, "A"); !slices.Equal(got, weights) {
				t.Errorf("depth %d, %s: A: got %v, want %v", depth, name, got, weights)
			}
			if got := View(net.Layout, theta, "b"); !slices.Equal(got, biases) {
				t.Errorf("depth %d, %s: b: got %v, want %v", depth, name, got, biases)
			}
		}
	}
}

// TestInitialFromFilesOfABlock reads V and W of block mlp, which have two shapes.
func TestInitialFromFilesOfABlock(t *testing.T) {
	dir := t.TempDir()
	v, w := counted(0, 2*2*3), counted(20, 2*3*2)
	storeArray(t, filepath.Join(dir, "V.npy"), npytest.Array{Shape: []int{2, 2, 3}, Values: v})
	storeArray(t, filepath.Join(dir, "W.npy"), npytest.Array{Shape: []int{2, 3, 2}, Values: w})
	net, initial := fileNetwork(t, Spec{Block: "mlp", Hidden: 3}, Initial{Parts: map[string]Initial{
		"V": {Kind: "file", Path: "V.npy"}, "W": {Kind: "file", Path: "W.npy"},
	}}, 2)
	theta, err := Parameters[float32](net, initial, 1, dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]float64{"V": v, "W": w} {
		for i, got := range View(net.Layout, theta, name) {
			if float64(got) != want[i] {
				t.Errorf("%s: entry %d: got %v, want %v", name, i, got, want[i])
			}
		}
	}
}

func TestInitialFromFilesRefuses(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	good := npytest.Array{Shape: []int{3, 2, 2}, Values: counted(1, 12)}
	storeArray(t, path("A.npy"), good)
	storeArray(t, path("b.npy"), npytest.Array{Shape: []int{3, 1}, Values: counted(1, 3)})
	storeArray(t, path("A2.npy"), npytest.Array{Shape: []int{2, 2, 2}, Values: counted(1, 8)})
	storeArray(t, path("flat.npy"), npytest.Array{Shape: []int{12}, Values: counted(1, 12)})
	storeArray(t, path("NaN.npy"), npytest.Array{Shape: []int{1, 2, 2}, Values: []float64{0, 0, math.NaN(), 0}})
	if err := os.WriteFile(path("short.npy"), npytest.File(good)[:200], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path("short.safetensors"), []byte("12"), 0o644); err != nil {
		t.Fatal(err)
	}
	storeTensors(t, path("weights.safetensors"), map[string]runfolder.Tensor{
		"A": {DType: "F64", Shape: []int{2, 2, 3}, Data: counted(1, 12)}, "B": {DType: "F64", Shape: []int{1}, Data: counted(1, 1)},
	})
	storeTensors(t, path("none.safetensors"), nil)
	storeTensors(t, path("infinite.safetensors"), map[string]runfolder.Tensor{
		"A": {DType: "F64", Shape: []int{3, 2, 2}, Data: append(counted(1, 11), math.Inf(-1))},
	})
	for _, test := range []struct {
		initial Initial
		want    string // DIR stands for the folder
	}{
		{Initial{Path: "no-{depth}.npy"}, "A at depth 3: DIR/no-3.npy: no such file or directory"},
		{Initial{Path: "no.safetensors"}, "A at depth 3: runfolder: open DIR/no.safetensors: no such file or directory"},
		{Initial{Path: "A2.npy"}, "A at depth 3: DIR/A2.npy: got an array of shape [2 2 2], want [3 2 2]"},
		{Initial{Path: "flat.npy"}, "A at depth 3: DIR/flat.npy: got an array of shape [12], want [3 2 2]"},
		{Initial{Path: "A.npy", Bias: "b.npy"}, "b at depth 3: DIR/b.npy: got an array of shape [3 1], want [3 2]"},
		{Initial{Path: "A.npy", Bias: "weights.safetensors"}, "b at depth 3: DIR/weights.safetensors: got the tensors A, B, want one named b of shape [3 2]"},
		{Initial{Path: "none.safetensors"}, "A at depth 3: DIR/none.safetensors: got the tensors (none), want one named A of shape [3 2 2]"},
		{Initial{Path: "weights.safetensors"}, "A at depth 3: DIR/weights.safetensors: got an array of shape [2 2 3], want [3 2 2]"},
		{Initial{Path: "infinite.safetensors"}, "A at depth 3: DIR/infinite.safetensors: tensor A: entry 11: got -Inf, want a finite number"},
		{Initial{Path: "NaN.npy"}, "A at depth 3: DIR/NaN.npy: index [0,1,0]: got NaN, want a finite number"},
		{Initial{Path: "short.npy"}, "A at depth 3: DIR/short.npy: got 72 bytes of data, want 96 for shape [3 2 2] of '<f8' (truncated)"},
		{Initial{Path: "short.safetensors"}, "A at depth 3: runfolder: DIR/short.safetensors: header: the file is cut short"},
	} {
		test.initial.Kind = "file"
		net, initial := fileNetwork(t, Spec{Bias: true}, test.initial, 3)
		want := "resnet: initial " + strings.ReplaceAll(test.want, "DIR", dir)
		if err := net.CheckInitial(initial, dir); err == nil || err.Error() != want {
			t.Errorf("CheckInitial:\n got %v\nwant %s", err, want)
		}
		if _, err := Parameters[float64](net, initial, 1, dir); err == nil || err.Error() != want {
			t.Errorf("Parameters:\n got %v\nwant %s", err, want)
		}
	}

	// An extension is refused where the section is resolved, before any file is looked for.
	spec, err := Spec{}.Resolve(2, 2)
	if err != nil {
		t.Fatal(err)
	}
	want := `path: got "A.npz", want a name that ends in .npy or .safetensors`
	if _, err := (Initial{Kind: "file", Path: "A.npz"}).Resolve(spec, 3); err == nil || err.Error() != want {
		t.Errorf("Resolve: got %v, want %s", err, want)
	}
}
