package tensorfile

import (
	"errors"
	"fmt"
	"io"
	"math"
	"sync"

	"github.com/deeplimit/deeplimit/internal/tensorheader"
)

// pieces is a source that can read some entries of a tensor without the others.
type pieces interface {
	// piece returns where the entries of a tensor stand one behind the other, and their type; ok is false for a
	// tensor that has to be read whole.
	piece(name string) (data io.ReaderAt, kind numberType, ok bool)
}

// InPieces reports whether ReadPiece can read a tensor: its entries stand in the file as they are, one behind
// the other.
func (f *File) InPieces(name string) bool {
	s, ok := f.source.(pieces)
	if !ok || !f.known[name] {
		return false
	}
	_, _, ok = s.piece(name)
	return ok
}

// ReadPiece fills dst with the entries from, from+1, … of a tensor in row-major order, as Read would return them. It
// may be called again and again: what it returns does not count against what Read may return. The checksum of a member of
// a zip archive, which is that of the whole, is not verified.
func (f *File) ReadPiece(name string, from int, dst []float64) error {
	info, err := f.Info(name)
	if err != nil {
		return err
	}
	s, ok := f.source.(pieces)
	if !ok {
		return f.at(name, errors.New("got a format without pieces, want Read"))
	}
	data, kind, ok := s.piece(name)
	if !ok || from < 0 || from+len(dst) > info.Entries() {
		return f.at(name, fmt.Errorf("entries %d to %d: want entries of a tensor that stands in one piece", from, from+len(dst)))
	}
	whole, err := kind.readAt(data, from, dst)
	if err != nil {
		return f.at(name, tensorheader.NoEOF(err))
	}
	if whole {
		return nil
	}
	for k, v := range dst {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return f.at(name, fmt.Errorf("entry %v: got %v, want a finite number", indices(from+k, info.Shape), v))
		}
	}
	return nil
}

// chunks are buffers for readAt, which is called for every few thousand entries.
var chunks = sync.Pool{New: func() any { return new([chunkBytes]byte) }}

// readAt fills dst with entries from, from+1, … and reports whether all are finite.
func (t numberType) readAt(data io.ReaderAt, from int, dst []float64) (bool, error) {
	pooled := chunks.Get().(*[chunkBytes]byte)
	defer chunks.Put(pooled)
	buffer := pooled[:]
	at, all := int64(from)*int64(t.size), true
	for len(dst) > 0 {
		chunk := buffer[:min(len(buffer), t.size*len(dst))]
		if n, err := data.ReadAt(chunk, at); n < len(chunk) {
			return false, err
		}
		at += int64(len(chunk))
		n := len(chunk) / t.size
		all = t.decode(dst[:n], chunk) && all
		dst = dst[n:]
	}
	return all, nil
}

func (f *safetensorsFile) piece(name string) (io.ReaderAt, numberType, bool) {
	t := f.tensors[name]
	kind, ok := numberTypes[t.DType]
	return io.NewSectionReader(f.r, t.Offset, t.Size), kind, ok
}

func (f *torchFile) piece(name string) (io.ReaderAt, numberType, bool) {
	t := f.tensors[name]
	if t.err != nil || !t.inOrder() {
		return nil, numberType{}, false
	}
	if _, err := f.span(t); err != nil {
		return nil, numberType{}, false
	}
	s, kind, err := f.storage(t)
	if err != nil || s.start < 0 {
		return nil, kind, false
	}
	begin := int64(t.offset) * int64(kind.size)
	return io.NewSectionReader(f.file, s.start+begin, s.size-begin), kind, true
}

// inOrder reports whether the entries stand in row-major order, one behind the other.
func (t torchTensor) inOrder() bool {
	stride := 1
	for axis := len(t.strides) - 1; axis >= 0; axis-- {
		if t.about.Shape[axis] > 1 && t.strides[axis] != stride {
			return false
		}
		stride *= t.about.Shape[axis]
	}
	return true
}
