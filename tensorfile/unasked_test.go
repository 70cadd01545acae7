package tensorfile

import (
	"archive/zip"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/npy/npytest"
)

// TestUnaskedTypes reads x out of files that hold beside it what is not read: types of
// numbers that are unknown here, objects, members that are no arrays. They are named, and
// are an error for whoever asks for them.
func TestUnaskedTypes(t *testing.T) {
	good := npytest.File(npytest.Array{Shape: []int{2}, Values: []float64{0, 0}})
	array := func(descr string, bytes int) []byte {
		return npytest.File(npytest.Array{Descr: descr, Shape: []int{2}, Values: make([]byte, bytes)})
	}
	safetensors := func(dtype, shape string, bytes int) []byte {
		return safetensorsOf(fmt.Sprintf(`{"__metadata__":{"a":"b"},"q":{"dtype":"%s","shape":%s,"data_offsets":[0,%d]},"x":{"dtype":"F64","shape":[2],"data_offsets":[%d,%d]}}`, dtype, shape, bytes, bytes, bytes+16), bytes+16)
	}
	// A tensor x of two float32 in storage 0, behind one q of the given description.
	torch := func(q string, more string) []byte {
		x := "X\x01\x00\x00\x00xctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQK\x00K\x02\x85K\x01\x85\x89}tRs"
		return zipOf(t, zip.Store, member{"m/data.pkl", []byte("\x80\x02}X\x01\x00\x00\x00q" + q + "s" + x + more + ".")}, member{"m/data/0", make([]byte, 8)})
	}
	storage := func(class string) string {
		return "((X\x07\x00\x00\x00storagectorch\n" + class + "\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQK\x00K\x02\x85K\x01\x85\x89}"
	}
	for _, c := range []struct {
		name, extension string
		content         []byte
		want            string // of the error for q; "" when it is no tensor
	}{
		{"F8_E8M0", ".safetensors", safetensors("F8_E8M0", "[2,2]", 4), "dtype: got F8_E8M0, " + errUnreadable.Error()},
		{"F4 of half a byte", ".safetensors", safetensors("F4", "[8]", 4), "dtype: got F4, " + errUnreadable.Error()},
		{"I4", ".safetensors", safetensors("I4", "[7]", 4), "dtype: got I4, " + errUnreadable.Error()},
		{"complex", ".safetensors", safetensors("C64", "[1]", 8), "dtype: got C64, " + errUnreadable.Error()},
		{"int8", ".safetensors", safetensors("I8", "[2]", 2), "dtype: got I8, " + errUnreadable.Error()},
		{"unheard of", ".safetensors", safetensors(`\u001b[2J\u202e`, "[3]", 5), `dtype: got \x1b[2J\u202e, ` + errUnreadable.Error()},

		{"objects", ".npz", zipOf(t, zip.Store, member{"q.npy", array("|O", 16)}, member{"x.npy", good}), "dtype: got '|O', want floats or integers of at most 8 bytes"},
		{"strings", ".npz", zipOf(t, zip.Store, member{"q.npy", array("<U3", 24)}, member{"x.npy", good}), "dtype: got '<U3', want floats or integers of at most 8 bytes"},
		{"complex npz", ".npz", zipOf(t, zip.Store, member{"q.npy", array("<c8", 16)}, member{"x.npy", good}), "dtype: got '<c8', want floats or integers of at most 8 bytes"},
		{"void", ".npz", zipOf(t, zip.Store, member{"q.npy", array("|V1", 2)}, member{"x.npy", good}), "dtype: got '|V1', want floats or integers of at most 8 bytes"},
		{"no array", ".npz", zipOf(t, zip.Store, member{"q.npy", []byte("text")}, member{"x.npy", good}), `magic: got "text", want "\x93NUMPY": a .npy file`},
		{"other members", ".npz", zipOf(t, zip.Store, member{"readme.txt", []byte("text")}, member{"folder/", nil}, member{"x.npy", good}), ""},

		{"qint8", ".pt", torch("ctorch._utils\n_rebuild_tensor_v2\n"+storage("QInt8Storage")+"tR", ""), "dtype: got QInt8, " + errUnreadable.Error()},
		{"complex pt", ".pt", torch("ctorch._utils\n_rebuild_tensor_v2\n"+storage("ComplexFloatStorage")+"tR", ""), "dtype: got ComplexFloat, " + errUnreadable.Error()},
		{"float8", ".pt", torch("ctorch._utils\n_rebuild_tensor_v3\n"+storage("UntypedStorage")+"ctorch\nfloat8_e4m3fnuz\ntR", ""), "dtype: got float8_e4m3fnuz, " + errUnreadable.Error()},
		{"quantised", ".pt", torch("ctorch._utils\n_rebuild_qtensor\n"+storage("QInt8Storage")+"tR", ""), "got a tensor of _rebuild_qtensor, want a plain one of floats; " + resave},
		{"sparse", ".pt", torch("ctorch._utils\n_rebuild_sparse_tensor\n(tR", ""), "got a tensor of _rebuild_sparse_tensor, want a plain one of floats; " + resave},
		{"malformed", ".pt", torch("ctorch._utils\n_rebuild_tensor_v2\n(K\x01tR", ""), "got a description that is malformed, want that of torch.save"},
		{"queue", ".pt", torch("ccollections\ndeque\n)R(K\x01K\x02e", ""), ""},
		{"set, long integers, bytes", ".pt", torch("\x8f(K\x01\x90", "X\x01\x00\x00\x00r\x8b\x01\x00\x00\x00\x07sX\x01\x00\x00\x00s\x8e\x01\x00\x00\x00\x00\x00\x00\x00zs"), ""},
		{"object with keywords", ".pt", torch("cargparse\nNamespace\n)}\x92}X\x01\x00\x00\x00aK\x01sb", ""), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := open(t, c.content, c.extension)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := f.Read("x"); err != nil || !slices.Equal(got, []float64{0, 0}) {
				t.Errorf("x: got %v, %v, want two zeros", got, err)
			}
			if c.want == "" {
				if slices.Contains(f.Names(), "q") {
					t.Error("q is there, want no such tensor")
				}
				return
			}
			_, err = f.Read("q")
			checkError(t, err, `tensor "q": `+c.want)
		})
	}
}

// TestBombs opens small files that claim, or unpack to, a lot.
func TestBombs(t *testing.T) {
	wide := npytest.File(npytest.Array{Shape: []int{4 << 20}, Values: make([]byte, 32<<20)})
	header := "\x93NUMPY\x02\x00\xff\xff\xff\x01" + strings.Repeat(" ", 1<<25-1)
	view := "\x80\x02}X\x01\x00\x00\x00xctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQK\x00K\x02\x85K\x01\x85\x89}tRs."
	for _, c := range []struct {
		name, extension, want string
		content               []byte
	}{
		{"long header", ".npz", `tensor "x": header: got a length of 33554431 bytes, want at most 1048576`, zipOf(t, zip.Deflate, member{"x.npy", []byte(header)})},
		{"several arrays", ".npz", `tensor "x": shape [4194304]: got more numbers than 16 times the size of the file, want one that is neither compressed nor made of repeated entries`, zipOf(t, zip.Deflate, member{"a.npy", wide}, member{"x.npy", wide})},
		{"storage", ".pt", `tensor "x": got a storage of 67108864 bytes packed into `, zipOf(t, zip.Deflate, member{"m/data.pkl", []byte(view)}, member{"m/data/0", make([]byte, 64<<20)})},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := open(t, c.content, c.extension)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range f.Names() {
				_, err = f.Read(name)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error:\n got %v\nwant %s", err, c.want)
			}
		})
	}
}
