package runfolder

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadTensorInfos finds every tensor of a file at the place the header gives.
func TestReadTensorInfos(t *testing.T) {
	var file bytes.Buffer
	if err := encodeWeights(&file, sampleWeights()); err != nil {
		t.Fatal(err)
	}
	infos, metadata, err := ReadTensorInfos(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleWeights().Metadata, metadata); diff != "" {
		t.Errorf("metadata (-want +got)\n%s", diff)
	}
	if len(infos) != len(sampleWeights().Tensors) {
		t.Errorf("got %d tensors, want %d", len(infos), len(sampleWeights().Tensors))
	}
	for _, info := range infos {
		want := sampleWeights().Tensors[info.Name]
		if info.DType != want.DType || info.Count != len(want.Data) || !cmp.Equal(info.Shape, want.Shape) {
			t.Errorf("%s: got %+v, want dtype %s and shape %v", info.Name, info, want.DType, want.Shape)
			continue
		}
		at := file.Bytes()[info.Offset:]
		first := float64(math.Float32frombits(binary.LittleEndian.Uint32(at)))
		if info.DType == "F64" {
			first = math.Float64frombits(binary.LittleEndian.Uint64(at))
		}
		if first != want.Data[0] {
			t.Errorf("%s: got %v at offset %d, want %v", info.Name, first, info.Offset, want.Data[0])
		}
	}
}

// A dtype that ReadWeights refuses is listed.
func TestReadTensorInfosDType(t *testing.T) {
	header := `{"x":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}`
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header+"abcd"...)
	infos, _, err := ReadTensorInfos(bytes.NewReader(file), int64(len(file)))
	want := []TensorInfo{{Name: "x", DType: "BF16", Shape: []int{2}, Count: 2, Offset: int64(len(file)) - 4, Size: 4}}
	if diff := cmp.Diff(want, infos); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}
