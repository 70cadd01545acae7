package dataset

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"codeberg.org/sbinet/npyio/npy"
	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/internal/npy/npytest"
)

func TestFilesAreTakenAsTheyAre(t *testing.T) {
	dir := t.TempDir()
	var x, y bytes.Buffer
	if err := npy.Write(&x, mat.NewDense(3, 2, []float64{10, 20, 0, 0, -5, 6})); err != nil {
		t.Fatal(err)
	}
	if err := npy.Write(&y, []float64{7, 8, 9}); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "X.npy"), x.String())
	write(t, filepath.Join(dir, "Y.npy"), y.String())
	spec := Spec{Kind: "files", Inputs: "X.npy", Targets: "Y.npy"}
	want := &Set{
		Name: "files", Inputs: 2, Outputs: 1, Samples: 3,
		X: []float64{10, 20, 0, 0, -5, 6}, Y: []float64{7, 8, 9}, Source: "files of the user",
		Read: "inputs X.npy; targets Y.npy, integers as numbers (classification: true takes them as classes)",
	}
	if diff := cmp.Diff(want, load(t, spec, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	files, err := Files(spec, dir)
	if diff := cmp.Diff([]string{filepath.Join(dir, "X.npy"), filepath.Join(dir, "Y.npy")}, files); err != nil || diff != "" {
		t.Errorf("Files: %v (-want +got):\n%s", err, diff)
	}

	// Rows that disagree are found by the header alone, too.
	y.Reset()
	if err := npy.Write(&y, []float64{7, 8}); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "Y.npy"), y.String())
	message := fmt.Sprintf("dataset: %s/Y.npy: got 2 rows, want 3, those of %s/X.npy", dir, dir)
	if _, err := tryLoad(spec, dir); err == nil || err.Error() != message {
		t.Errorf("Load: got %v, want %s", err, message)
	}
	if _, _, err := Dimensions(spec, dir); err == nil || err.Error() != message {
		t.Errorf("Dimensions: got %v, want %s", err, message)
	}
}

func TestFilesRefused(t *testing.T) {
	good := npytest.File(npytest.Array{Shape: []int{2, 3}, Values: make([]float64, 6)})
	for _, test := range []struct {
		name string
		x, y []byte
		want string // behind "dataset: DIR/"
	}{
		{"nothing", nil, good, `X.npy: no such file or directory (relative paths start from the folder of the study file)`},
		{"csv", []byte("1,2,3\n4,5,6\n"), good, `X.npy: magic: got "1,2,3\n", want "\x93NUMPY": a .npy file`},
		{"truncated", good, good[:len(good)-1], "Y.npy: got 47 bytes of data, want 48 for shape [2 3] of '<f8' (truncated)"},
		{"vector of inputs", npytest.File(npytest.Array{Shape: []int{2}, Values: make([]float64, 2)}), good, "X.npy: shape: got [2], want 2 dimensions"},
		{"tensor of inputs", npytest.File(npytest.Array{Shape: []int{1, 1, 2}, Values: make([]float64, 2)}), good, "X.npy: shape: got [1 1 2], want 2 dimensions (flatten: true takes it as [1 2])"},
		{"tensor of targets", good, npytest.File(npytest.Array{Shape: []int{2, 1, 1}, Values: make([]float64, 2)}), "Y.npy: shape: got [2 1 1], want 2 dimensions (flatten: true takes it as [2 1])"},
	} {
		dir := t.TempDir()
		if test.x != nil {
			write(t, filepath.Join(dir, "X.npy"), string(test.x))
		}
		write(t, filepath.Join(dir, "Y.npy"), string(test.y))
		spec := Spec{Kind: "files", Inputs: "X.npy", Targets: "Y.npy"}
		want := "dataset: " + dir + "/" + test.want
		if _, err := tryLoad(spec, dir); err == nil || err.Error() != want {
			t.Errorf("%s: Load:\n got %v\nwant %s", test.name, err, want)
		}
		if _, _, err := Dimensions(spec, dir); err == nil || err.Error() != want {
			t.Errorf("%s: Dimensions:\n got %v\nwant %s", test.name, err, want)
		}
	}
}

// TestFilesBeyondMemory has a file of more than 2^31 entries: nothing but a hole
// behind its header.
func TestFilesBeyondMemory(t *testing.T) {
	dir := t.TempDir()
	const side = 46341 // side² > 2^31
	header := npytest.File(npytest.Array{Descr: "|u1", Shape: []int{side, side}, Values: []uint8{}})
	path := filepath.Join(dir, "X.npy")
	write(t, path, string(header))
	if err := os.Truncate(path, int64(len(header))+side*side); err != nil {
		t.Skipf("no sparse file of 2 GiB here: %v", err)
	}
	write(t, filepath.Join(dir, "Y.npy"), string(header))
	want := "dataset: " + path + ": shape: got [46341 46341], want at most 2^31 numbers"
	if _, _, err := Dimensions(Spec{Kind: "files", Inputs: "X.npy", Targets: "Y.npy"}, dir); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
