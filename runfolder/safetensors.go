package runfolder

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/nlpodyssey/safetensors"

	"github.com/deeplimit/deeplimit/internal/tensorheader"
)

// view is a Tensor as the safetensors library asks for it: bytes are made when a
// tensor is written and not before, so one tensor at a time is held twice, all in one buffer.
type view struct {
	dtype safetensors.DType
	shape []uint64
	size  uint64 // in bytes
	data  func() []byte
}

func (v view) DType() safetensors.DType { return v.dtype }
func (v view) Shape() []uint64          { return v.shape }
func (v view) Data() []byte             { return v.data() }
func (v view) DataLen() uint64          { return v.size }

// newView returns the view of t, whose bytes are in the buffer until those of another view
// are asked for, or an error when shape, data and dtype disagree.
func newView(t Tensor, buffer *[]byte) (view, error) {
	shape := make([]uint64, len(t.Shape))
	for i, n := range t.Shape {
		if n < 0 {
			return view{}, fmt.Errorf("shape %v has a negative dimension", t.Shape)
		}
		shape[i] = uint64(n)
	}
	count, err := tensorheader.Entries(shape)
	if err != nil {
		return view{}, err
	}
	if count != uint64(len(t.Data)) {
		return view{}, fmt.Errorf("got %d entries, want %d for shape %v", len(t.Data), count, t.Shape)
	}
	switch t.DType {
	case "F64":
		return view{safetensors.F64, shape, 8 * count, func() []byte {
			data := slices.Grow((*buffer)[:0], 8*len(t.Data))
			for _, v := range t.Data {
				data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
			}
			*buffer = data
			return data
		}}, nil
	case "F32":
		for i, v := range t.Data {
			if float64(float32(v)) != v && !math.IsNaN(v) {
				return view{}, fmt.Errorf("entry %d: got %v, want a number that dtype F32 holds exactly", i, v)
			}
		}
		return view{safetensors.F32, shape, 4 * count, func() []byte {
			data := slices.Grow((*buffer)[:0], 4*len(t.Data))
			for _, v := range t.Data {
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(v)))
			}
			*buffer = data
			return data
		}}, nil
	}
	return view{}, fmt.Errorf("dtype: got %q, want F64 or F32", t.DType)
}

// newViews returns the views of tensors, each name after prefix.
func newViews(prefix string, tensors map[string]Tensor, buffer *[]byte) (map[string]view, error) {
	views := make(map[string]view, len(tensors))
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		v, err := newView(tensors[name], buffer)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		if name == "" || name == "__metadata__" {
			return nil, fmt.Errorf("tensor %q: the format keeps this name for itself", name)
		}
		views[prefix+name] = v
	}
	return views, nil
}

// readTensor reads the entries of a tensor as float64; r stands at its data.
func readTensor(r io.Reader, info tensorheader.Tensor) (Tensor, error) {
	if info.DType != "F64" && info.DType != "F32" {
		return Tensor{}, fmt.Errorf("tensor %q: got dtype %s, want F64 or F32", info.Name, info.DType)
	}
	t := Tensor{DType: info.DType, Shape: info.Shape, Data: make([]float64, info.Count)}
	size := 8
	if info.DType == "F32" {
		size = 4
	}
	buffer := make([]byte, min(1<<16, size*info.Count))
	for done := 0; done < info.Count; {
		chunk := buffer[:min(len(buffer), size*(info.Count-done))]
		if _, err := io.ReadFull(r, chunk); err != nil {
			return Tensor{}, fmt.Errorf("tensor %q: %w", info.Name, tensorheader.NoEOF(err))
		}
		for ; len(chunk) > 0; chunk = chunk[size:] {
			if size == 8 {
				t.Data[done] = math.Float64frombits(binary.LittleEndian.Uint64(chunk))
			} else {
				t.Data[done] = float64(math.Float32frombits(binary.LittleEndian.Uint32(chunk)))
			}
			done++
		}
	}
	return t, nil
}
