package tensorfile

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
	"google.golang.org/protobuf/encoding/protowire"
)

// floats returns numbers as bytes of float32.
func floats(values ...float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// onnxTensor is a TensorProto of float32, its sizes packed.
func onnxTensor(name string, raw []byte, sizes ...uint64) []byte {
	var packed, b []byte
	for _, n := range sizes {
		packed = protowire.AppendVarint(packed, n)
	}
	b = protowire.AppendBytes(protowire.AppendTag(b, tensorDims, protowire.BytesType), packed)
	b = protowire.AppendVarint(protowire.AppendTag(b, tensorType, protowire.VarintType), 1)
	b = protowire.AppendString(protowire.AppendTag(b, tensorName, protowire.BytesType), name)
	return protowire.AppendBytes(protowire.AppendTag(b, tensorRaw, protowire.BytesType), raw)
}

// within puts messages into a field of one message.
func within(field protowire.Number, messages ...[]byte) []byte {
	var b []byte
	for _, m := range messages {
		b = protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), m)
	}
	return b
}

// onnxModel holds w (2,3), a constant c (1) of a node, and x (2) in a branch of another one.
func onnxModel() []byte {
	constant := append(within(nodeOutput, []byte("c")), within(nodeAttribute, within(attributeTensor, onnxTensor("", floats(7), 1)))...)
	branch := within(nodeAttribute, within(attributeGraph, within(graphInitializer, onnxTensor("x", floats(8, 9), 2))))
	graph := append(within(graphInitializer, onnxTensor("w", floats(1, 2, 3, 4, 5, 6), 2, 3)), within(graphNode, constant, branch)...)
	return append(protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 8), within(modelGraph, graph)...)
}

// ggufFile holds metadata of every kind, w (2,3) of float32 and a tensor q in blocks.
func ggufFile() []byte {
	u32 := func(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }
	u64 := func(b []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(b, v) }
	text := func(b []byte, s string) []byte { return append(u64(b, uint64(len(s))), s...) }
	b := u64(u64(u32([]byte("GGUF"), 3), 2), 3)
	b = text(u32(text(b, "general.name"), 8), "a network")
	b = u32(u32(text(b, "general.alignment"), 4), 64)
	b = text(u64(u32(u32(text(b, "tokens"), 9), 8), 1), "token")
	b = u64(u32(u64(u64(u32(text(b, "blk.0.w"), 2), 3), 2), 0), 0)
	b = u64(u32(u64(u32(text(b, "blk.0.q"), 1), 32), 2), 64)
	for len(b)%64 != 0 {
		b = append(b, 0)
	}
	return append(append(b, floats(1, 2, 3, 4, 5, 6)...), make([]byte, 64)...)
}

// flaxBytes is what flax.serialization.to_bytes would write of params/w (2,3).
func flaxBytes(t testing.TB) []byte {
	t.Helper()
	inner, err := msgpack.Marshal([]any{[]int{2, 3}, "float32", floats(1, 2, 3, 4, 5, 6)})
	if err != nil {
		t.Fatal(err)
	}
	ext := append([]byte{0xc7, byte(len(inner)), flaxArray}, inner...)
	file, err := msgpack.Marshal(map[string]any{"params": map[string]any{"w": msgpack.RawMessage(ext)}})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestFormats reads the same numbers from all formats, whole and in pieces.
func TestFormats(t *testing.T) {
	for _, c := range []struct {
		extension string
		content   []byte
		names     []string
		tensor    string
	}{
		{".onnx", onnxModel(), []string{"w", "c", "node2.a.x"}, "w"},
		{".gguf", ggufFile(), []string{"blk.0.w", "blk.0.q"}, "blk.0.w"},
		{".msgpack", flaxBytes(t), []string{"params/w"}, "params/w"},
	} {
		f, err := open(t, c.content, c.extension)
		if err != nil {
			t.Fatalf("%s: %v", c.extension, err)
		}
		if got := f.Names(); !slices.Equal(got, c.names) {
			t.Errorf("%s: got names %q, want %q", c.extension, got, c.names)
		}
		info, err := f.Info(c.tensor)
		if err != nil || !slices.Equal(info.Shape, []int{2, 3}) || info.DType != "F32" {
			t.Errorf("%s: got %v, %v, want F32 of shape [2 3]", c.extension, info, err)
		}
		got, err := f.Read(c.tensor)
		if err != nil || !slices.Equal(got, []float64{1, 2, 3, 4, 5, 6}) {
			t.Errorf("%s: got %v, %v, want 1 to 6", c.extension, got, err)
		}
		piece := make([]float64, 3)
		if err := f.ReadPiece(c.tensor, 2, piece); err != nil || !slices.Equal(piece, []float64{3, 4, 5}) {
			t.Errorf("%s: got %v, %v, want 3, 4, 5", c.extension, piece, err)
		}
	}
}

// TestFormatsRefuse wants every error to say what is wrong: a file that ends anywhere, blocks, other files, HDF5.
func TestFormatsRefuse(t *testing.T) {
	for extension, content := range map[string][]byte{".onnx": onnxModel(), ".gguf": ggufFile(), ".msgpack": flaxBytes(t)} {
		for n := range len(content) - 64 {
			f, err := open(t, content[:n], extension)
			if err != nil {
				continue
			}
			whole := true
			for _, name := range f.Names() {
				if _, err := f.Read(name); err != nil {
					whole = false
				}
			}
			if whole && extension != ".onnx" { // a message may end between two fields
				t.Errorf("%s of %d of %d bytes: got no error", extension, n, len(content))
			}
		}
	}
	f, err := open(t, ggufFile(), ".gguf")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Read("blk.0.q")
	checkError(t, err, `tensor "blk.0.q": dtype: got Q4_0, `+errUnreadable.Error())
	_, err = open(t, []byte("\x89HDF\r\n\x1a\n more"), ".h5")
	if err == nil || !strings.Contains(err.Error(), "HDF5, as Keras writes it; save it in Python: ") {
		t.Errorf("HDF5: got %v, want how to convert it", err)
	}
	external := within(modelGraph, within(graphInitializer, append(onnxTensor("w", nil, 2), within(tensorExternal, []byte("x"))...)))
	f, err = open(t, external, ".onnx")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Read("w")
	checkError(t, err, `tensor "w": got its numbers in another file, want a model that holds them: onnx.save(onnx.load(FILE), OUT)`)
}

func FuzzONNX(f *testing.F) {
	f.Add(onnxModel())
	f.Fuzz(func(t *testing.T, data []byte) { fuzz(t, data, ".onnx") })
}

func FuzzGGUF(f *testing.F) {
	f.Add(ggufFile())
	f.Fuzz(func(t *testing.T, data []byte) { fuzz(t, data, ".gguf") })
}

func FuzzFlax(f *testing.F) {
	f.Add(flaxBytes(f))
	f.Fuzz(func(t *testing.T, data []byte) { fuzz(t, data, ".msgpack") })
}
