package runfolder

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestWeightsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Weights{Tensors: map[string]Tensor{}, Metadata: map[string]string{"alpha": rapid.String().Draw(t, "alpha")}}
		for _, name := range rapid.SliceOfDistinct(rapid.StringMatching(`[A-Za-z_ é<]{1,9}`), func(s string) string { return s }).Draw(t, "names") {
			tensor := Tensor{DType: "F64", Shape: rapid.SliceOfN(rapid.IntRange(0, 4), 0, 3).Draw(t, "shape")}
			single := rapid.Bool().Draw(t, "single")
			count := 1
			for _, n := range tensor.Shape {
				count *= n
			}
			tensor.Data = make([]float64, count)
			for i := range tensor.Data {
				tensor.Data[i] = drawFloat(t, "entry")
				if single {
					tensor.DType = "F32"
					tensor.Data[i] = float64(math.Float32frombits(rapid.Uint32().Draw(t, "single entry")))
				}
			}
			want.Tensors[name] = tensor
		}
		var first, second bytes.Buffer
		if err := encodeWeights(&first, want); err != nil {
			t.Fatal(err)
		}
		if err := encodeWeights(&second, want); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatal("equal weights gave different bytes")
		}
		got, err := decodeWeights(&first, int64(second.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, sameBits); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	})
}

// TestWeightsFormat reads a file by the words of the format's description and
// none of the code under test: 8 bytes little-endian length, a JSON header,
// then the data, row-major and little-endian.
func TestWeightsFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), weightsFile)
	if err := WriteWeights(path, sampleWeights()); err != nil {
		t.Fatal(err)
	}
	file := mustRead(t, path)
	length := binary.LittleEndian.Uint64(file)
	if (8+length)%8 != 0 {
		t.Errorf("data start at byte %d, want a multiple of 8", 8+length)
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal(file[8:8+length], &header); err != nil {
		t.Fatal(err)
	}
	var metadata map[string]string
	if err := json.Unmarshal(header["__metadata__"], &metadata); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleWeights().Metadata, metadata); diff != "" {
		t.Errorf("metadata (-want +got)\n%s", diff)
	}
	delete(header, "__metadata__")
	data := file[8+length:]
	offset := 0
	for _, name := range []string{"A", "A_initial", "delta", "b"} {
		want := sampleWeights().Tensors[name]
		var info struct {
			DType   string `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}
		if err := json.Unmarshal(header[name], &info); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		delete(header, name)
		if info.DType != want.DType || !cmp.Equal(info.Shape, want.Shape) || info.Offsets[0] != offset {
			t.Errorf("%s: header %+v, want %s %v at %d", name, info, want.DType, want.Shape, offset)
		}
		got := make([]float64, len(want.Data))
		for i := range got {
			if want.DType == "F64" {
				got[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[offset:]))
				offset += 8
			} else {
				got[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[offset:])))
				offset += 4
			}
		}
		if info.Offsets[1] != offset {
			t.Errorf("%s: ends at %d, want %d", name, info.Offsets[1], offset)
		}
		if diff := cmp.Diff(want.Data, got, sameBits); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
	if len(header) != 0 || offset != len(data) {
		t.Errorf("%d more tensors and %d more bytes than written", len(header), len(data)-offset)
	}
}

func TestWriteWeightsRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		tensor Tensor
		want   string
	}{
		{Tensor{"F64", []int{2, 2}, make([]float64, 3)}, `tensor "A": got 3 entries, want 4 for shape [2 2]`},
		{Tensor{"F64", []int{-1}, nil}, `tensor "A": shape [-1] has a negative dimension`},
		{Tensor{"F64", []int{1 << 40, 1 << 40}, nil}, `tensor "A": shape [1099511627776 1099511627776] is too large`},
		{Tensor{"float64", []int{1}, []float64{1}}, `tensor "A": dtype: got "float64", want F64 or F32`},
		{Tensor{"F32", []int{2}, []float64{1, 0.1}}, `tensor "A": entry 1: got 0.1, want a number that dtype F32 holds exactly`},
	} {
		err := WriteWeights(filepath.Join(dir, weightsFile), Weights{Tensors: map[string]Tensor{"A": c.tensor}})
		checkError(t, err, dir, "runfolder: writing {dir}/weights.safetensors: "+c.want)
	}
}

func TestReadWeightsRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, weightsFile)
	sized := func(header string, data int) []byte {
		file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
		return append(append(file, header...), make([]byte, data)...)
	}
	tensor := func(dtype, shape string, start, end int) string {
		return fmt.Sprintf(`{"A":{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}}`, dtype, shape, start, end)
	}
	for _, c := range []struct {
		file []byte
		want string
	}{
		{nil, "header: the file is cut short"},
		{[]byte("\xff\xff\xff\xff\xff\xff\xff\x7f"), "header: got a length of 9223372036854775807 bytes in a file of 8"},
		{[]byte("\x09\x00\x00\x00\x00\x00\x00\x00{}"), "header: got a length of 9 bytes in a file of 10"},
		{sized(tensor("F64", "[2]", 0, 16), 8), `tensor "A": got data offsets 0 to 16, want them to start at 0 and end within the 8 bytes of the file`},
		{sized(tensor("F64", "[2]", 8, 24), 24), `tensor "A": got data offsets 8 to 24, want them to start at 0 and end within the 24 bytes of the file`},
		{sized(tensor("F64", "[3]", 0, 16), 16), `tensor "A": got 16 bytes of data, want 3 × 8 for shape [3] of dtype F64`},
		{sized(tensor("F64", "[2305843009213693954]", 0, 16), 16), `tensor "A": got 16 bytes of data, want 2305843009213693954 × 8 for shape [2305843009213693954] of dtype F64`},
		{sized(tensor("F64", "[0,18446744073709551615]", 0, 0), 0), `tensor "A": shape [0 18446744073709551615] is too large`},
		{sized(tensor("F64", "[2]", 0, 16), 17), `header: got tensors of 16 bytes, want the 17 bytes of the file`},
		{sized(tensor("BF16", "[2]", 0, 4), 4), `tensor "A": got dtype BF16, want F64 or F32`},
	} {
		mustWrite(t, c.file, path)
		_, err := ReadWeights(path)
		checkError(t, err, dir, "runfolder: {dir}/weights.safetensors: "+c.want)
	}
}
