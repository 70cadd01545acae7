package tensorfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/internal/npy/npytest"
)

const testdata = "../internal/read/importer/testdata/"

// open opens content under a name with this extension.
func open(t testing.TB, content []byte, extension string) (*File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f"+extension)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err == nil {
		t.Cleanup(func() { f.Close() })
	}
	return f, err
}

func mustOpen(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func mustReadFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(testdata + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// safetensorsOf returns a file with this header and so many bytes of zeros as data.
func safetensorsOf(header string, data int) []byte {
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(file, header...), make([]byte, data)...)
}

// member is a file of a zip archive.
type member struct {
	name    string
	content []byte
}

func zipOf(t testing.TB, method uint16, members ...member) []byte {
	t.Helper()
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	for _, m := range members {
		out, err := w.CreateHeader(&zip.FileHeader{Name: m.name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write(m.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestSameTensors reads the network that PyTorch saved three times, as safetensors and
// .npz, and finds the same bits.
func TestSameTensors(t *testing.T) {
	want := mustOpen(t, testdata+"residual-8.safetensors")
	got := mustOpen(t, testdata+"residual-8.npz")
	names := slices.Sorted(slices.Values(want.Names()))
	if diff := cmp.Diff(names, slices.Sorted(slices.Values(got.Names()))); diff != "" || len(names) != 16 {
		t.Fatalf("%d names (-safetensors +npz)\n%s", len(names), diff)
	}
	for _, name := range names {
		a, err := want.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := got.Read(name)
		if diff := cmp.Diff(a, b); diff != "" || err != nil {
			t.Errorf("%s: %v (-safetensors +npz)\n%s", name, err, diff)
		}
	}
}

// TestViews reads tensors that torch.save stored as views: a transposed one, and one
// with an offset whose rows are all the same stored row.
func TestViews(t *testing.T) {
	text := mustReadFile(t, "expected.json")
	var expected struct {
		Views map[string]struct {
			Shape []int
			Data  []float64
		}
	}
	if err := json.Unmarshal(text, &expected); err != nil {
		t.Fatal(err)
	}
	f := mustOpen(t, testdata+"views.pt")
	if diff := cmp.Diff([]string{"a.0", "a.1", "count"}, f.Names()); diff != "" {
		t.Fatalf("names (-want +got)\n%s", diff)
	}
	for name, want := range expected.Views {
		info, err := f.Info(name)
		if err != nil || !slices.Equal(info.Shape, want.Shape) {
			t.Errorf("%s: got %v, %v, want shape %v", name, info, err, want.Shape)
		}
		got, err := f.Read(name)
		if diff := cmp.Diff(want.Data, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
		}
	}
	_, err := f.Read("count")
	checkError(t, err, `tensor "count": dtype: got Long, `+errUnreadable.Error())
}

func TestArrays(t *testing.T) {
	matrix := Info{"<f8", []int{2, 3}}
	numbers := []float64{1, -2, 3e10, 0.25, 5, 6}
	array := npytest.File(npytest.Array{Shape: matrix.Shape, Values: numbers})
	for _, c := range []struct {
		name, extension string
		content         string
		info            Info
		want            []float64
	}{
		{"npy", ".npy", string(array), matrix, numbers},
		{"npy of any name", ".data", string(array), matrix, numbers},
	} {
		f, err := open(t, []byte(c.content), c.extension)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		info, err := f.Info("")
		if diff := cmp.Diff(c.info, info); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", c.name, err, diff)
		}
		got, err := f.Read("")
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", c.name, err, diff)
		}
	}
}

// checkError fails unless the error ends in want, after the path of the file.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.HasPrefix(err.Error(), "tensorfile: ") || !strings.HasSuffix(err.Error(), ": "+want) {
		t.Errorf("error:\n got %v\nwant tensorfile: PATH: %s", err, want)
	}
}

// TestRefuses opens files that are wrong, and reads tensor x of those that open.
func TestRefuses(t *testing.T) {
	tensor := func(dtype, shape string, start, end int) string {
		return fmt.Sprintf(`{"x":{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}}`, dtype, shape, start, end)
	}
	array := func(a npytest.Array) []byte { return npytest.File(a) }
	good := array(npytest.Array{Shape: []int{2}, Values: []float64{1, 2}})
	zeros := array(npytest.Array{Shape: []int{8 << 20}, Values: make([]byte, 64<<20)})
	gpt2 := mustReadFile(t, "gpt2.pt")
	npz := mustReadFile(t, "residual-8.npz")
	torch := func(pickle string, more ...member) []byte {
		return zipOf(t, zip.Store, append([]member{{"m/data.pkl", []byte(pickle)}}, more...)...)
	}
	// describe is a state dict with a float32 tensor x of these shape and strides.
	describe := func(shape, strides string) string {
		return "\x80\x02}X\x01\x00\x00\x00xctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQK\x00" +
			shape + strides + "\x89}tRs."
	}
	for _, c := range []struct {
		name, extension string
		content         []byte
		want            string
	}{
		{"empty", ".safetensors", nil, "header: the file is cut short"},
		{"text", ".md", []byte("# Title\n and more"), `got a file that begins with "# Title\n", want safetensors, .npy, .npz, .pt of PyTorch, GGUF, .onnx or .msgpack of Flax`},
		{"huge header", ".safetensors", []byte("\xff\xff\xff\xff\xff\xff\xff\x7f{}"), "header: got a length of 9223372036854775807 bytes in a file of 10"},
		{"truncated safetensors", ".safetensors", safetensorsOf(tensor("F32", "[4]", 0, 16), 15), `tensor "x": got data offsets 0 to 16, want them to start at 0 and end within the 15 bytes of the file`},
		{"huge shape", ".safetensors", safetensorsOf(tensor("F32", "[4294967296,4294967296]", 0, 16), 16), `tensor "x": shape [4294967296 4294967296] is too large`},
		{"integers", ".safetensors", safetensorsOf(tensor("I32", "[4]", 0, 16), 16), `tensor "x": dtype: got I32, ` + errUnreadable.Error()},
		{"NaN", ".safetensors", append(safetensorsOf(tensor("BF16", "[2,2]", 0, 8), 4), 0xc0, 0x7f, 0, 0), `tensor "x": entry [1 0]: got NaN, want a finite number`},
		{"no such tensor", ".safetensors", safetensorsOf(`{"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), `tensor "x": got no such tensor, want one of "y"`},

		{"truncated zip", ".npz", npz[:len(npz)/2], "zip archive: zip: not a valid zip file"},
		{"truncated member", ".npz", zipOf(t, zip.Store, member{"x.npy", good[:len(good)-3]}), `tensor "x": got 13 bytes of data, want 16 for shape [2] of '<f8' (truncated)`},
		{"text of objects", ".npz", zipOf(t, zip.Store, member{"x.npy", array(npytest.Array{Descr: "|O", Shape: []int{2}, Values: make([]byte, 16)})}), `tensor "x": dtype: got '|O', want floats or integers of at most 8 bytes`},
		{"huge array", ".npz", zipOf(t, zip.Store, member{"x.npy", array(npytest.Array{Shape: []int{1 << 39}, Values: []float64{1}})}), `tensor "x": got 8 bytes of data, want 4398046511104 for shape [549755813888] of '<f8' (truncated)`},
		{"zip bomb", ".npz", zipOf(t, zip.Deflate, member{"x.npy", zeros}), `tensor "x": shape [8388608]: got more numbers than 16 times the size of the file, want one that is neither compressed nor made of repeated entries`},
		{"zip of other files", ".npz", zipOf(t, zip.Store, member{"readme", good}), "zip archive: got no .npy file in it, want some, as numpy.savez writes them"},
		{"member twice", ".npz", zipOf(t, zip.Store, member{"x.npy", good}, member{"x.npy", good}), `zip archive: got two members "x.npy", want names that differ`},

		{"truncated pt", ".pt", gpt2[:len(gpt2)-100], "zip archive: zip: not a valid zip file"},
		{"before 1.6", ".pt", []byte("\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."), "part 2 of a file of torch.save before version 1.6: pickle: byte 15: the file is cut short"},
		{"before 1.6, storage cut", ".pt", legacyOf([]byte("\x80\x02}X\x01\x00\x00\x00x" + "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQK\x00K\x02\x85K\x01\x85\x89}tRs."))[:220], `storage "0": got 16 entries of 4 bytes, want them to end within the 220 bytes of the file`},
		{"no archive", ".pt", []byte("something else"), "got a file that is neither a zip archive nor what torch.save wrote before version 1.6; " + resave},
		{"pickle cut", ".pt", torch("\x80\x02}X\xff\xff\xff\xffab"), "member data.pkl: pickle: byte 3: the file is cut short"},
		{"pickle of code", ".pt", torch("\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R."), "got no tensors, want a state dict, as torch.save(model.state_dict(), …) writes it"},
		{"stack empty", ".pt", torch("\x80\x02s."), "member data.pkl: pickle: byte 2: got an opcode without the values it works on"},
		{"dictionary in itself", ".pt", torch("\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s."), `entry "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a": got more objects than a network has`},
		{"no storage", ".pt", torch(describe("K\x02K\x02\x86", "K\x02K\x01\x86")), `tensor "x": got no member data/0, want its storage`},
		{"storage too small", ".pt", torch(describe("K\x02K\x02\x86", "K\x02K\x01\x86"), member{"m/data/0", make([]byte, 15)}), `tensor "x": shape [2 2] with strides [2 1] from entry 0: got a storage of 3 entries, which is too small`},
		{"repeated entries", ".pt", torch(describe("J\xff\xff\xff\x7f\x85", "K\x00\x85"), member{"m/data/0", make([]byte, 16)}), `tensor "x": shape [2147483647]: got more numbers than 16 times the size of the file, want one that is neither compressed nor made of repeated entries`},
		{"shape and strides", ".pt", torch(describe("K\x02K\x02\x86", "K\x02\x85"), member{"m/data/0", make([]byte, 16)}), `tensor "x": got a description that is malformed, want that of torch.save`},
		{"big-endian", ".pt", zipOf(t, zip.Store, member{"m/data.pkl", []byte("N.")}, member{"m/byteorder", []byte("big")}), `byte order: got "big", want little`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := open(t, c.content, c.extension)
			if err == nil {
				_, err = f.Read("x")
			}
			checkError(t, err, c.want)
		})
	}
}

// TestChecksum flips a bit of the numbers inside archives.
func TestChecksum(t *testing.T) {
	for _, c := range []struct{ file, tensor string }{
		{"residual-8.npz", "layers.3.weight"},
		{"gpt2.pt", "model.transformer.h.3.mlp.c_fc.weight"},
	} {
		data := mustReadFile(t, c.file)
		good := mustOpen(t, testdata+c.file)
		numbers, err := good.Read(c.tensor)
		if err != nil {
			t.Fatal(err)
		}
		first := binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(numbers[0])))
		at := bytes.Index(data, binary.LittleEndian.AppendUint32(first, math.Float32bits(float32(numbers[1]))))
		if at < 0 {
			t.Fatalf("%s: the numbers of %s are not there", c.file, c.tensor)
		}
		data[at] ^= 1
		f, err := open(t, data, filepath.Ext(c.file))
		if err == nil {
			_, err = f.Read(c.tensor)
		}
		checkError(t, err, fmt.Sprintf("tensor %q: zip: checksum error", c.tensor))
	}
}
