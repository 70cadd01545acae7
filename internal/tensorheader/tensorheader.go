// Package tensorheader reads the header of a file in the format of huggingface/safetensors.
// The library is not used for it: it refuses a whole file for one dtype that it does not
// know, and new dtypes come every year; and it wants the file's data in memory.
package tensorheader

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
)

// maxHeader is the largest header that the format allows, in bytes.
const maxHeader = 100_000_000

// sizes are the bytes of an entry of the dtypes whose entries are whole bytes.
var sizes = map[string]uint64{
	"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2, "I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1,
}

// A Tensor says what a tensor of a file is and where its data stand.
type Tensor struct {
	Name   string
	DType  string // as the format names it: F64, F32, F16, BF16, I64 …
	Shape  []int
	Count  int   // of entries, the product of Shape
	Offset int64 // of the first byte of its data in the file
	Size   int64 // of its data, in bytes
}

// Read reads the header of the size bytes of r: its raw bytes (with the 8 bytes of the
// length), the tensors in the order of their data, and the metadata. The data must fill
// the file without gap or overlap and, where the dtype is known, fit the shape: what is
// allocated afterwards is bounded by the file.
func Read(r io.Reader, size int64) (raw []byte, tensors []Tensor, metadata map[string]string, err error) {
	raw = make([]byte, 8)
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, nil, nil, fmt.Errorf("header: %w", NoEOF(err))
	}
	n := binary.LittleEndian.Uint64(raw)
	if n > maxHeader || int64(n) > size-8 {
		return nil, nil, nil, fmt.Errorf("header: got a length of %d bytes in a file of %d", n, size)
	}
	raw = append(raw, make([]byte, n)...)
	if _, err := io.ReadFull(r, raw[8:]); err != nil {
		return nil, nil, nil, fmt.Errorf("header: %w", NoEOF(err))
	}
	entries := map[string]json.RawMessage{}
	if err := json.Unmarshal(raw[8:], &entries); err != nil {
		return nil, nil, nil, fmt.Errorf("header: %w", err)
	}
	for name, text := range entries {
		if name == "__metadata__" {
			if err := json.Unmarshal(text, &metadata); err != nil {
				return nil, nil, nil, fmt.Errorf("header: metadata: %w", err)
			}
			continue
		}
		t, err := decode(name, text)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("tensor %.100q: %w", name, err)
		}
		tensors = append(tensors, t)
	}
	slices.SortFunc(tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Size, b.Size), cmp.Compare(a.Name, b.Name))
	})
	if err := place(tensors, int64(len(raw)), size); err != nil {
		return nil, nil, nil, err
	}
	return raw, tensors, metadata, nil
}

// decode reads the entry of a tensor; its Offset counts from the end of the header.
func decode(name string, text []byte) (Tensor, error) {
	var e struct {
		DType   string   `json:"dtype"`
		Shape   []uint64 `json:"shape"`
		Offsets []int64  `json:"data_offsets"`
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return Tensor{}, err
	}
	if e.Shape == nil || len(e.Offsets) != 2 {
		return Tensor{}, fmt.Errorf("got shape %v and data offsets %v, want a list of sizes and 2 offsets", e.Shape, e.Offsets)
	}
	count, err := Entries(e.Shape)
	if err != nil {
		return Tensor{}, err
	}
	t := Tensor{Name: name, DType: e.DType, Shape: make([]int, len(e.Shape)), Count: int(count), Offset: e.Offsets[0], Size: e.Offsets[1] - e.Offsets[0]}
	for i, n := range e.Shape {
		t.Shape[i] = int(n)
	}
	return t, nil
}

// place checks that the tensors fill the file from start to size, and adds start to their
// Offset.
func place(tensors []Tensor, start, size int64) error {
	end := int64(0)
	for i := range tensors {
		t := &tensors[i]
		if t.Offset != end || t.Size < 0 || t.Size > size-start-end {
			return fmt.Errorf("tensor %q: got data offsets %d to %d, want them to start at %d and end within the %d bytes of the file",
				t.Name, t.Offset, t.Offset+t.Size, end, size-start)
		}
		if entry, known := sizes[t.DType]; known {
			if high, bytes := bits.Mul64(uint64(t.Count), entry); high != 0 || bytes != uint64(t.Size) {
				return fmt.Errorf("tensor %q: got %d bytes of data, want %d × %d for shape %v of dtype %s", t.Name, t.Size, t.Count, entry, t.Shape, t.DType)
			}
		}
		end += t.Size
		t.Offset += start
	}
	if end != size-start {
		return fmt.Errorf("header: got tensors of %d bytes, want the %d bytes of the file", end, size-start)
	}
	return nil
}

// Entries returns the number of entries of a shape; 1 for a scalar. Each dimension and
// the product must be an int.
func Entries(shape []uint64) (uint64, error) {
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

// NoEOF says in words that a file ends too early.
func NoEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file is cut short")
	}
	return err
}
