package tensorfile

import (
	"errors"
	"fmt"
	"io"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/tensorheader"
)

// safetensorsFile is a file in the format of huggingface/safetensors.
type safetensorsFile struct {
	r       io.ReaderAt
	order   []string
	tensors map[string]tensorheader.Tensor
}

func newSafetensors(r io.ReaderAt, size int64) (*safetensorsFile, error) {
	_, tensors, _, err := tensorheader.Read(io.NewSectionReader(r, 0, size), size)
	if err != nil {
		return nil, err
	}
	f := &safetensorsFile{r: r, tensors: make(map[string]tensorheader.Tensor, len(tensors))}
	for _, t := range tensors {
		f.order = append(f.order, t.Name)
		f.tensors[t.Name] = t
	}
	return f, nil
}

func (f *safetensorsFile) names() []string { return f.order }

func (f *safetensorsFile) info(name string) (Info, error) {
	t := f.tensors[name]
	return Info{t.DType, t.Shape}, nil
}

func (f *safetensorsFile) read(name string) ([]float64, error) {
	t := f.tensors[name]
	kind, ok := numberTypes[t.DType]
	if !ok {
		return nil, unreadable(t.DType)
	}
	return kind.read(io.NewSectionReader(f.r, t.Offset, t.Size), t.Count)
}

// errUnreadable is what is wrong with numbers that are no floats.
var errUnreadable = errors.New("want floats of 64, 32, 16 or 8 bits: the numbers behind a quantised tensor need its scale, so save it as float32")

// unreadable is the error of a dtype that does not convert to float64 by itself.
func unreadable(dtype string) error {
	return fmt.Errorf("dtype: got %s, %w", plain.Text(dtype[:min(len(dtype), 40)]), errUnreadable)
}
