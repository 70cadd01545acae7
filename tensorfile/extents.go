package tensorfile

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// extents is a file whose tensors stand in it as they are, each in one piece.
type extents struct {
	r       io.ReaderAt
	order   []string
	tensors map[string]extent
}

// An extent says what a tensor is and where it stands.
type extent struct {
	about       Info
	start, size int64
	err         error // why it cannot be read; nil when it can
}

// maxTensors bounds the tensors of a file whose header does not stand apart.
const maxTensors = 1 << 20

// add adds a tensor; two of one name are an error.
func (f *extents) add(name string, e extent) error {
	if _, twice := f.tensors[name]; twice {
		return fmt.Errorf("tensor %.100q: got two of this name, want names that differ", name)
	}
	if len(f.order) == maxTensors {
		return fmt.Errorf("got more than %d tensors", maxTensors)
	}
	if kind, known := numberTypes[e.about.DType]; known && e.err == nil {
		if n, err := count(e.about.Shape, math.MaxInt/16); err != nil {
			e.err = err
		} else if int64(n)*int64(kind.size) != e.size {
			e.err = fmt.Errorf("got %d bytes of data, want %d for shape %v of %s", e.size, int64(n)*int64(kind.size), e.about.Shape, e.about.DType)
		}
	}
	f.order = append(f.order, name)
	f.tensors[name] = e
	return nil
}

// whole is an error for a file without a tensor.
func (f *extents) whole() error {
	if len(f.order) == 0 {
		return errors.New("got no tensors")
	}
	return nil
}

func (f *extents) names() []string { return f.order }

func (f *extents) info(name string) (Info, error) {
	e := f.tensors[name]
	return e.about, e.err
}

func (f *extents) read(name string) ([]float64, error) {
	e := f.tensors[name]
	if e.err != nil {
		return nil, e.err
	}
	kind, ok := numberTypes[e.about.DType]
	if !ok {
		return nil, unreadable(e.about.DType)
	}
	return kind.read(io.NewSectionReader(f.r, e.start, e.size), e.about.Entries())
}

func (f *extents) piece(name string) (io.ReaderAt, numberType, bool) {
	e := f.tensors[name]
	kind, ok := numberTypes[e.about.DType]
	return io.NewSectionReader(f.r, e.start, e.size), kind, ok && e.err == nil
}
