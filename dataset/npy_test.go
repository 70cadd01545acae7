package dataset

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/sbinet/npyio/npy"
	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/mat"
)

// npyFile writes the format by hand, as its specification says: magic, version
// 1.0, header padded to 64 bytes, values.
func npyFile(descr, fortran, shape string, order binary.ByteOrder, values any) []byte {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr, fortran, shape)
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	file := append([]byte("\x93NUMPY\x01\x00"), 0, 0)
	binary.LittleEndian.PutUint16(file[8:], uint16(len(header)))
	file = append(file, header...)
	file, err := binary.Append(file, order, values)
	if err != nil {
		panic(err)
	}
	return file
}

func TestNPY(t *testing.T) {
	little, big := binary.LittleEndian, binary.BigEndian
	want := []float64{1, -2, 3, 4, 5, 6}
	columns := []float64{1, 4, -2, 5, 3, 6} // the same matrix in Fortran order
	for name, file := range map[string][]byte{
		"float64":             npyFile("<f8", "False", "(2, 3)", little, want),
		"float64 big-endian":  npyFile(">f8", "False", "(2, 3)", big, want),
		"float64 Fortran":     npyFile("<f8", "True", "(2, 3)", little, columns),
		"float32":             npyFile("<f4", "False", "(2, 3)", little, []float32{1, -2, 3, 4, 5, 6}),
		"float32 big Fortran": npyFile(">f4", "True", "(2, 3)", big, []float32{1, 4, -2, 5, 3, 6}),
		"int64":               npyFile("<i8", "False", "(2, 3)", little, []int64{1, -2, 3, 4, 5, 6}),
		"int32 big-endian":    npyFile(">i4", "False", "(2, 3)", big, []int32{1, -2, 3, 4, 5, 6}),
		"int16":               npyFile("<i2", "False", "(2, 3)", little, []int16{1, -2, 3, 4, 5, 6}),
		"int8":                npyFile("|i1", "False", "(2, 3)", little, []int8{1, -2, 3, 4, 5, 6}),
	} {
		a, err := decodeNPY(bufio.NewReader(bytes.NewReader(file)), int64(len(file)), 2)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, a.values); diff != "" || a.rows != 2 || a.columns != 3 {
			t.Errorf("%s: got (%d,%d), values (-want +got):\n%s", name, a.rows, a.columns, diff)
		}
	}
	for name, file := range map[string][]byte{
		"uint8":  npyFile("|u1", "False", "(2,)", little, []uint8{200, 7}),
		"uint16": npyFile("<u2", "True", "(2,)", little, []uint16{200, 7}),
		"uint32": npyFile("<u4", "False", "(2, 1)", little, []uint32{200, 7}),
		"uint64": npyFile("<u8", "True", "(2, 1)", little, []uint64{200, 7}),
	} {
		a, err := decodeNPY(bufio.NewReader(bytes.NewReader(file)), int64(len(file)), 1)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff([]float64{200, 7}, a.values); diff != "" || a.rows != 2 || a.columns != 1 {
			t.Errorf("%s: got (%d,%d), values (-want +got):\n%s", name, a.rows, a.columns, diff)
		}
	}
}

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

func TestNPYRefuses(t *testing.T) {
	little := binary.LittleEndian
	good := npyFile("<f8", "False", "(2, 3)", little, make([]float64, 6))
	for _, test := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, `magic: got "", want "\x93NUMPY": a .npy file`},
		{"csv", []byte("1,2,3\n4,5,6\n"), `magic: got "1,2,3\n", want "\x93NUMPY": a .npy file`},
		{"no header", good[:40], "header: got 40 bytes, want 128 (truncated)"},
		{"4 GiB header", []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), "header: got 12 bytes, want 4294967307 (truncated)"},
		{"truncated", good[:len(good)-1], "got 47 bytes of data, want 48 for shape [2 3] of '<f8' (truncated)"},
		{"too long", append(bytes.Clone(good), 0), "got 49 bytes of data, want 48 for shape [2 3] of '<f8' (more than the header says)"},
		{"NaN", npyFile("<f8", "False", "(2, 2)", little, []float64{0, 1, 2, math.NaN()}), "index [1,1]: got NaN, want a finite number"},
		{"infinity in Fortran order", npyFile("<f4", "True", "(2, 2)", little, []float32{0, float32(math.Inf(1)), 2, 3}), "index [1,0]: got +Inf, want a finite number"},
		{"big integer", npyFile("<i8", "False", "(1, 2)", little, []int64{1, 1<<53 + 2}), "index [0,1]: got 9007199254740994, want an integer within ±2^53, which float64 holds exactly"},
		{"scalar", npyFile("<f8", "False", "()", little, 1.0), "shape: got [], want 2 dimensions"},
		{"vector", npyFile("<f8", "False", "(2,)", little, make([]float64, 2)), "shape: got [2], want 2 dimensions"},
		{"tensor", npyFile("<f8", "False", "(1, 1, 2)", little, make([]float64, 2)), "shape: got [1 1 2], want 2 dimensions"},
		{"no rows", npyFile("<f8", "False", "(0, 3)", little, []float64{}), "shape: got [0 3], want sizes ≥ 1"},
		{"negative", npyFile("<f8", "False", "(-2, -3)", little, make([]float64, 6)), "shape: got [-2 -3], want sizes ≥ 1"},
		{"huge", npyFile("<f8", "False", "(4611686018427387904, 4)", little, []float64{}), "shape: got [4611686018427387904 4], want at most 2^31 numbers"},
		{"more than the file", npyFile("<f8", "False", "(40000, 40000)", little, []float64{}), "got 0 bytes of data, want 12800000000 for shape [40000 40000] of '<f8' (truncated)"},
		{"complex", npyFile("<c16", "False", "(1, 1)", little, complex(1, 2)), "dtype: got '<c16', want floats or integers of at most 8 bytes"},
		{"objects", npyFile("|O", "False", "(1, 1)", little, int64(0)), "dtype: got '|O', want floats or integers of at most 8 bytes"},
		{"no newline", []byte("\x93NUMPY\x01\x00\x04\x00{}  "), "header: got one that is malformed, want that of numpy.save"},
		{"gzip", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x01\x00\x00\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"), "got a gzip file, want a .npy file as numpy.save writes it"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "X.npy")
		write(t, path, string(test.file))
		write(t, filepath.Join(dir, "Y.npy"), string(good))
		_, err := tryLoad(Spec{Kind: "files", Inputs: "X.npy", Targets: "Y.npy"}, dir)
		if want := "dataset: " + path + ": " + test.want; err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", test.name, err, want)
		}
	}
}

func FuzzNPY(f *testing.F) {
	little := binary.LittleEndian
	f.Add(npyFile("<f8", "False", "(2, 3)", little, make([]float64, 6)))
	f.Add(npyFile(">f4", "True", "(2, 3)", binary.BigEndian, make([]float32, 6)))
	f.Add(npyFile("|u1", "False", "(2,)", little, []uint8{1, 2}))
	f.Add(npyFile("<i8", "False", "(4611686018427387904, 4)", little, []int64{1}))
	f.Add([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"))
	f.Add([]byte("\x93NUMPY\x01\x00\x04\x00{}  "))
	f.Fuzz(func(t *testing.T, file []byte) {
		a, err := decodeNPY(bufio.NewReader(bytes.NewReader(file)), int64(len(file)), 1)
		if err != nil {
			return
		}
		if a.rows < 1 || a.columns < 1 || len(a.values) != a.rows*a.columns {
			t.Fatalf("got (%d,%d) with %d values", a.rows, a.columns, len(a.values))
		}
		for i, v := range a.values {
			if !finite(v) {
				t.Fatalf("value %d: got %v", i, v)
			}
		}
	})
}
