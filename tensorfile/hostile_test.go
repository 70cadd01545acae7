package tensorfile

import (
	"archive/zip"
	"encoding/binary"
	"strings"
	"testing"
)

// doubled is the opcodes of a tuple that holds the one before twice, 60 times: 2^60 values to whoever prints it.
var doubled = ")" + strings.Repeat("2\x86", 60)

// viewOf is the opcodes of a tensor of two floats of storage 0; metadata are those of torch 2.
func viewOf(metadata string) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQK\x00K\x02\x85K\x01\x85\x89}" + metadata + "tR"
}

// TestHostilePickle wants an error, soon and short, for pickles that are small and stand for much.
func TestHostilePickle(t *testing.T) {
	storages := "\x80\x02]X\x01\x00\x00\x000a."
	start := legacyMagic + "\x80\x02M\xe9\x03." + "\x80\x02}."
	for _, c := range []struct{ name, content, want string }{
		{"version", legacyMagic + "\x80\x02" + doubled + "." + "\x80\x02}." + "\x80\x02}." + storages, "protocol: got no number, want 1001"},
		{"storages", start + "\x80\x02}." + "\x80\x02]" + doubled + "a.", "storage 0: got no name"},
		{"objects", start + "\x80\x02" + viewOf("") + strings.Repeat("2\x86", 28) + "." + storages, "got more objects than a network has"},
	} {
		_, err := open(t, append([]byte(c.content), make([]byte, 64)...), ".pt")
		if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 2000 {
			t.Errorf("%s: got %.2000v, want %q", c.name, err, c.want)
		}
	}
}

// TestNegativeView wants a tensor whose numbers PyTorch negates to be refused, and one without such metadata to be read.
func TestNegativeView(t *testing.T) {
	for _, c := range []struct {
		metadata string
		refused  bool
	}{{"", false}, {"}", false}, {"}X\x03\x00\x00\x00neg\x89s", false}, {"}X\x03\x00\x00\x00neg\x88s", true}} {
		pickle := "\x80\x02}X\x01\x00\x00\x00w" + viewOf(c.metadata) + "s."
		f, err := open(t, zipOf(t, zip.Store, member{"m/data.pkl", []byte(pickle)}, member{"m/data/0", make([]byte, 8)}), ".pt")
		if err != nil {
			t.Fatal(err)
		}
		if _, err = f.Read("w"); (err != nil) != c.refused {
			t.Errorf("metadata %q: got error %v, want one: %v", c.metadata, err, c.refused)
		}
	}
}

// TestConstants wants constants of ONNX under the names of their outputs, as those of tensors in nodes need not differ.
func TestConstants(t *testing.T) {
	node := func(output string, value float32) []byte {
		return append(within(nodeOutput, []byte(output)), within(nodeAttribute, within(attributeTensor, onnxTensor("value", floats(value), 1)))...)
	}
	f, err := open(t, within(modelGraph, within(graphNode, node("a", 1), node("b", 2))), ".onnx")
	if err != nil {
		t.Fatal(err)
	}
	for k, name := range []string{"a", "b"} {
		if got, err := f.Read(name); err != nil || got[0] != float64(k+1) {
			t.Errorf("%s: got %v, %v, want %d", name, got, err, k+1)
		}
	}
}

// TestAlignment wants an error for an alignment of GGUF of another type, with which its tensors would stand elsewhere.
func TestAlignment(t *testing.T) {
	file := ggufFile()
	at := strings.Index(string(file), "general.alignment") + len("general.alignment")
	binary.LittleEndian.PutUint32(file[at:], 5)
	_, err := open(t, file, ".gguf")
	if want := `metadata "general.alignment": got a value of type 5, want 4`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// TestReadAgain wants a tensor to count once, however often it is read.
func TestReadAgain(t *testing.T) {
	f, err := open(t, mustReadFile(t, "residual-8.npz"), ".npz")
	if err != nil {
		t.Fatal(err)
	}
	names := f.Names()
	info, err := f.Info(names[0])
	if err != nil {
		t.Fatal(err)
	}
	f.budget = 8 * int64(info.Entries())
	for range 3 {
		if _, err := f.Read(names[0]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Read(names[1]); err == nil {
		t.Error("another tensor: got no error, want none to be left")
	}
}
