package npy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/internal/npy/npytest"
)

// store writes a file and returns its path.
func store(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.npy")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// check holds Read and Shape to an array.
func check(t *testing.T, name string, file []byte, shape []int, data []float64) {
	t.Helper()
	path := store(t, file)
	gotShape, got, err := Read(path)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if diff := cmp.Diff(data, got); diff != "" || !slices.Equal(gotShape, shape) {
		t.Errorf("%s: got shape %v, want %v; values (-want +got):\n%s", name, gotShape, shape, diff)
	}
	if gotShape, err := Shape(path); err != nil || !slices.Equal(gotShape, shape) {
		t.Errorf("%s: Shape: got %v, %v, want %v", name, gotShape, err, shape)
	}
}

func TestReadTypes(t *testing.T) {
	big := binary.BigEndian
	matrix := []int{2, 3}
	want := []float64{1, -2, 3, 4, 5, 6}
	columns := []float64{1, 4, -2, 5, 3, 6} // the same matrix in Fortran order
	for name, a := range map[string]npytest.Array{
		"float64":             {Values: want},
		"float64 big-endian":  {Descr: ">f8", Order: big, Values: want},
		"float64 Fortran":     {Fortran: true, Values: columns},
		"float32":             {Descr: "<f4", Values: []float32{1, -2, 3, 4, 5, 6}},
		"float32 big Fortran": {Descr: ">f4", Order: big, Fortran: true, Values: []float32{1, 4, -2, 5, 3, 6}},
		"float16":             {Descr: "<f2", Values: []uint16{0x3c00, 0xc000, 0x4200, 0x4400, 0x4500, 0x4600}},
		"int64":               {Descr: "<i8", Values: []int64{1, -2, 3, 4, 5, 6}},
		"int32 big-endian":    {Descr: ">i4", Order: big, Values: []int32{1, -2, 3, 4, 5, 6}},
		"int16":               {Descr: "<i2", Values: []int16{1, -2, 3, 4, 5, 6}},
		"int8":                {Descr: "|i1", Values: []int8{1, -2, 3, 4, 5, 6}},
	} {
		a.Shape = matrix
		check(t, name, npytest.File(a), matrix, want)
	}
	for name, a := range map[string]npytest.Array{
		"uint8":  {Descr: "|u1", Shape: []int{2}, Values: []uint8{200, 7}},
		"uint16": {Descr: "<u2", Shape: []int{2}, Fortran: true, Values: []uint16{200, 7}},
		"uint32": {Descr: "<u4", Shape: []int{2, 1}, Values: []uint32{200, 7}},
		"uint64": {Descr: "<u8", Shape: []int{2, 1}, Fortran: true, Values: []uint64{200, 7}},
	} {
		check(t, name, npytest.File(a), a.Shape, []float64{200, 7})
	}
}

// TestReadFortranOrder reads arrays of rank 1 to 5 stored in Fortran order, where
// entry (i_1, …, i_r) stands at i_1 + n_1 (i_2 + n_2 (i_3 + …)).
func TestReadFortranOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := rapid.SliceOfN(rapid.IntRange(1, 4), 1, 5).Draw(t, "shape")
		n := 1
		for _, size := range shape {
			n *= size
		}
		want, stored := make([]float64, n), make([]float64, n)
		for k := range want {
			want[k] = float64(k)
			place, rest := 0, k
			for axis := len(shape) - 1; axis >= 0; axis-- {
				stride := 1
				for _, size := range shape[:axis] {
					stride *= size
				}
				place += rest % shape[axis] * stride
				rest /= shape[axis]
			}
			stored[place] = float64(k)
		}
		for _, a := range []npytest.Array{{Shape: shape, Values: want}, {Shape: shape, Fortran: true, Values: stored}} {
			file := npytest.File(a)
			gotShape, got, err := decode(bufio.NewReader(bytes.NewReader(file)), int64(len(file)))
			if err != nil || !slices.Equal(gotShape, shape) || !slices.Equal(got, want) {
				t.Fatalf("Fortran order %v: got %v of shape %v, %v, want %v of shape %v", a.Fortran, got, gotShape, err, want, shape)
			}
		}
	})
}

func TestReadRefuses(t *testing.T) {
	good := npytest.File(npytest.Array{Shape: []int{2, 3}, Values: make([]float64, 6)})
	array := npytest.File
	type a = npytest.Array
	for _, test := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, `magic: got "", want "\x93NUMPY": a .npy file`},
		{"csv", []byte("1,2,3\n4,5,6\n"), `magic: got "1,2,3\n", want "\x93NUMPY": a .npy file`},
		{"no header", good[:40], "header: got 40 bytes, want 128 (truncated)"},
		{"4 GiB header", []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), "header: got 12 bytes, want 4294967307 (truncated)"},
		{"version 4", []byte("\x93NUMPY\x04\x00\x02\x00\x00\x00{}"), "header: npy: invalid major version number (4)"},
		{"truncated", good[:len(good)-1], "got 47 bytes of data, want 48 for shape [2 3] of '<f8' (truncated)"},
		{"too long", append(bytes.Clone(good), 0), "got 49 bytes of data, want 48 for shape [2 3] of '<f8' (more than the header says)"},
		{"scalar", array(a{Values: 1.0}), "shape: got [], want at least 1 dimension"},
		{"no rows", array(a{Shape: []int{0, 3}, Values: []float64{}}), "shape: got [0 3], want sizes ≥ 1"},
		{"negative", array(a{Shape: []int{-2, -3}, Values: make([]float64, 6)}), "shape: got [-2 -3], want sizes ≥ 1"},
		{"product beyond 64 bits", array(a{Shape: []int{1 << 62, 4}, Values: []float64{}}), "shape: got [4611686018427387904 4], want at most 2^40 numbers"},
		{"zero after a product beyond 64 bits", array(a{Shape: []int{1 << 62, 4, 0}, Values: []float64{}}), "shape: got [4611686018427387904 4 0], want sizes ≥ 1"},
		{"more than the file", array(a{Shape: []int{40000, 40000}, Values: []float64{}}), "got 0 bytes of data, want 12800000000 for shape [40000 40000] of '<f8' (truncated)"},
		{"complex", array(a{Descr: "<c16", Shape: []int{1, 1}, Values: complex(1, 2)}), "dtype: got '<c16', want floats or integers of at most 8 bytes"},
		{"booleans", array(a{Descr: "|b1", Shape: []int{1}, Values: []bool{true}}), "dtype: got '|b1', want floats or integers of at most 8 bytes"},
		{"objects", array(a{Descr: "|O", Shape: []int{1, 1}, Values: int64(0)}), "dtype: got '|O', want floats or integers of at most 8 bytes"},
		{"no newline", []byte("\x93NUMPY\x01\x00\x04\x00{}  "), "header: got one that is malformed, want that of numpy.save"},
		{"gzip", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x01\x00\x00\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"), "got a gzip file, want a .npy file as numpy.save writes it"},
	} {
		path := store(t, test.file)
		if _, _, err := Read(path); err == nil || err.Error() != test.want {
			t.Errorf("%s: Read:\n got %v\nwant %s", test.name, err, test.want)
		}
		if _, err := Shape(path); err == nil || err.Error() != test.want {
			t.Errorf("%s: Shape:\n got %v\nwant %s", test.name, err, test.want)
		}
	}

	for _, test := range []struct {
		name string
		a    npytest.Array
		want string
	}{
		{"NaN", a{Shape: []int{2, 2}, Values: []float64{0, 1, 2, math.NaN()}}, "index [1,1]: got NaN, want a finite number"},
		{"infinity in Fortran order", a{Descr: "<f4", Fortran: true, Shape: []int{2, 2}, Values: []float32{0, float32(math.Inf(1)), 2, 3}}, "index [1,0]: got +Inf, want a finite number"},
		{"rank 1", a{Shape: []int{3}, Values: []float64{0, 0, math.Inf(-1)}}, "index [2]: got -Inf, want a finite number"},
		{"rank 3", a{Fortran: true, Shape: []int{2, 1, 3}, Values: []float64{0, 0, 0, math.NaN(), 0, 0}}, "index [1,0,1]: got NaN, want a finite number"},
		{"big integer", a{Descr: "<i8", Shape: []int{1, 2}, Values: []int64{1, 1<<53 + 2}}, "index [0,1]: got 9007199254740994, want an integer within ±2^53, which float64 holds exactly"},
		{"big unsigned integer", a{Descr: "<u8", Shape: []int{1}, Values: []uint64{1<<64 - 1}}, "index [0]: got 18446744073709551616, want an integer within ±2^53, which float64 holds exactly"},
	} {
		path := store(t, array(test.a))
		if _, _, err := Read(path); err == nil || err.Error() != test.want {
			t.Errorf("%s:\n got %v\nwant %s", test.name, err, test.want)
		}
		if shape, err := Shape(path); err != nil || !slices.Equal(shape, test.a.Shape) {
			t.Errorf("%s: Shape, which reads no entries: got %v, %v, want %v", test.name, shape, err, test.a.Shape)
		}
	}
}

func TestReadRefusesPaths(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "no.npy"): "no such file or directory",
		dir:                          "not a regular file",
	} {
		if _, _, err := Read(path); err == nil || err.Error() != want {
			t.Errorf("Read: got %v, want %s", err, want)
		}
		if _, err := Shape(path); err == nil || err.Error() != want {
			t.Errorf("Shape: got %v, want %s", err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(npytest.File(npytest.Array{Shape: []int{2, 3}, Values: make([]float64, 6)}))
	f.Add(npytest.File(npytest.Array{Descr: ">f4", Fortran: true, Shape: []int{2, 3}, Values: make([]float32, 6)}))
	f.Add(npytest.File(npytest.Array{Descr: "|u1", Shape: []int{2}, Values: []uint8{1, 2}}))
	f.Add(npytest.File(npytest.Array{Fortran: true, Shape: []int{2, 1, 3}, Values: make([]float64, 6)}))
	f.Add(npytest.File(npytest.Array{Descr: "<i8", Shape: []int{1 << 62, 4}, Values: []int64{1}}))
	f.Add([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"))
	f.Add([]byte("\x93NUMPY\x01\x00\x04\x00{}  "))
	f.Fuzz(func(t *testing.T, file []byte) {
		shape, data, err := decode(bufio.NewReader(bytes.NewReader(file)), int64(len(file)))
		if err != nil {
			return
		}
		entries := 1
		for _, n := range shape {
			if n < 1 {
				t.Fatalf("shape: got %v", shape)
			}
			entries *= n
		}
		if len(shape) < 1 || len(data) != entries {
			t.Fatalf("got %d entries of shape %v", len(data), shape)
		}
		for i, v := range data {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("entry %d: got %v", i, v)
			}
		}
	})
}
