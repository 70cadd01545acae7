package runfolder

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/bits"
	"slices"

	"github.com/nlpodyssey/safetensors"
)

// maxHeader is the largest header the safetensors format allows, in bytes.
const maxHeader = 100_000_000

// view is a Tensor as the safetensors library asks for it: bytes are made when a
// tensor is written and not before, so one tensor at a time is held twice.
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

// newView returns the view of t, or an error when shape, data and dtype disagree.
func newView(t Tensor) (view, error) {
	shape := make([]uint64, len(t.Shape))
	for i, n := range t.Shape {
		if n < 0 {
			return view{}, fmt.Errorf("shape %v has a negative dimension", t.Shape)
		}
		shape[i] = uint64(n)
	}
	count, err := product(shape)
	if err != nil {
		return view{}, err
	}
	if count != uint64(len(t.Data)) {
		return view{}, fmt.Errorf("got %d entries, want %d for shape %v", len(t.Data), count, t.Shape)
	}
	switch t.DType {
	case "F64":
		return view{safetensors.F64, shape, 8 * count, func() []byte {
			data := make([]byte, 0, 8*len(t.Data))
			for _, v := range t.Data {
				data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
			}
			return data
		}}, nil
	case "F32":
		for i, v := range t.Data {
			if float64(float32(v)) != v && !math.IsNaN(v) {
				return view{}, fmt.Errorf("entry %d: got %v, want a number that dtype F32 holds exactly", i, v)
			}
		}
		return view{safetensors.F32, shape, 4 * count, func() []byte {
			data := make([]byte, 0, 4*len(t.Data))
			for _, v := range t.Data {
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(v)))
			}
			return data
		}}, nil
	}
	return view{}, fmt.Errorf("dtype: got %q, want F64 or F32", t.DType)
}

// newViews returns the views of tensors, each name after prefix.
func newViews(prefix string, tensors map[string]Tensor) (map[string]view, error) {
	views := make(map[string]view, len(tensors))
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		v, err := newView(tensors[name])
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

// A tensorInfo is one entry of a checked header.
type tensorInfo struct {
	name  string
	dtype safetensors.DType
	shape []int
	count int // of entries
}

// readHeader reads the header of a safetensors file of the given size: its raw
// bytes (with the 8 bytes of the length), the tensors in the order of their data,
// and the metadata strings. Everything is checked against size, so what is
// allocated afterwards is bounded by the file.
func readHeader(r io.Reader, size int64) (raw []byte, tensors []tensorInfo, metadata map[string]string, err error) {
	var length [8]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, nil, nil, fmt.Errorf("header: %w", noEOF(err))
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader || int64(n) > size-8 {
		return nil, nil, nil, fmt.Errorf("header: got a length of %d bytes in a file of %d", n, size)
	}
	raw = append(length[:], make([]byte, n)...)
	if _, err := io.ReadFull(r, raw[8:]); err != nil {
		return nil, nil, nil, fmt.Errorf("header: %w", noEOF(err))
	}
	var header safetensors.Metadata
	if err := json.Unmarshal(raw[8:], &header); err != nil {
		return nil, nil, nil, fmt.Errorf("header: %w", err)
	}
	tensors, err = checkHeader(header, uint64(size)-8-n)
	return raw, tensors, header.Metadata(), err
}

// checkHeader returns the tensors of header in the order of their data, which
// must fill data bytes without gap or overlap.
func checkHeader(header safetensors.Metadata, data uint64) ([]tensorInfo, error) {
	infos := header.Tensors()
	names := slices.SortedFunc(maps.Keys(infos), func(a, b string) int {
		return cmp.Or(slices.Compare(infos[a].DataOffsets[:], infos[b].DataOffsets[:]), cmp.Compare(a, b))
	})
	tensors := make([]tensorInfo, 0, len(names))
	end := uint64(0)
	for _, name := range names {
		info := infos[name]
		count, err := product(info.Shape)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		start, stop := info.DataOffsets[0], info.DataOffsets[1]
		if start != end || stop < start || stop > data {
			return nil, fmt.Errorf("tensor %q: got data offsets %d to %d, want them to start at %d and end within the %d bytes of the file",
				name, start, stop, end, data)
		}
		if high, bytes := bits.Mul64(count, info.DType.Size()); high != 0 || bytes != stop-start {
			return nil, fmt.Errorf("tensor %q: got %d bytes of data, want %d × %d for shape %v of dtype %s",
				name, stop-start, count, info.DType.Size(), info.Shape, info.DType)
		}
		shape := make([]int, len(info.Shape))
		for i, n := range info.Shape {
			shape[i] = int(n)
		}
		tensors = append(tensors, tensorInfo{name, info.DType, shape, int(count)})
		end = stop
	}
	if end != data {
		return nil, fmt.Errorf("header: got tensors of %d bytes, want the %d bytes of the file", end, data)
	}
	return tensors, nil
}

// product returns the number of entries of a shape; 1 for a scalar. Each
// dimension and the product must be an int.
func product(shape []uint64) (uint64, error) {
	count := uint64(1)
	for _, n := range shape {
		high, low := bits.Mul64(count, n)
		if high != 0 || low > math.MaxInt || n > math.MaxInt {
			return 0, fmt.Errorf("shape %v is too large", shape)
		}
		count = low
	}
	return count, nil
}

// readTensor reads the entries of a tensor as float64; r stands at its data.
func readTensor(r io.Reader, info tensorInfo) (Tensor, error) {
	if info.dtype != safetensors.F64 && info.dtype != safetensors.F32 {
		return Tensor{}, fmt.Errorf("tensor %q: got dtype %s, want F64 or F32", info.name, info.dtype)
	}
	t := Tensor{DType: info.dtype.String(), Shape: info.shape, Data: make([]float64, info.count)}
	size := int(info.dtype.Size())
	buffer := make([]byte, min(1<<16, size*info.count))
	for done := 0; done < info.count; {
		chunk := buffer[:min(len(buffer), size*(info.count-done))]
		if _, err := io.ReadFull(r, chunk); err != nil {
			return Tensor{}, fmt.Errorf("tensor %q: %w", info.name, noEOF(err))
		}
		for ; len(chunk) > 0; chunk = chunk[size:] {
			if info.dtype == safetensors.F64 {
				t.Data[done] = math.Float64frombits(binary.LittleEndian.Uint64(chunk))
			} else {
				t.Data[done] = float64(math.Float32frombits(binary.LittleEndian.Uint32(chunk)))
			}
			done++
		}
	}
	return t, nil
}

// noEOF says in words that a file ends too early.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file is cut short")
	}
	return err
}
