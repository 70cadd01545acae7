package tensorfile

import (
	"fmt"
	"io"

	"github.com/deeplimit/deeplimit/weightpath"
)

// safetensorsFile is a file in the format of huggingface/safetensors.
type safetensorsFile struct {
	r       io.ReaderAt
	order   []string
	tensors map[string]weightpath.TensorInfo
}

func newSafetensors(r io.ReaderAt, size int64) (*safetensorsFile, error) {
	infos, _, err := weightpath.ReadTensorInfos(io.NewSectionReader(r, 0, size), size)
	if err != nil {
		return nil, err
	}
	f := &safetensorsFile{r: r, tensors: make(map[string]weightpath.TensorInfo, len(infos))}
	for _, info := range infos {
		f.order = append(f.order, info.Name)
		f.tensors[info.Name] = info
	}
	return f, nil
}

func (f *safetensorsFile) names() []string { return f.order }

func (f *safetensorsFile) info(name string) (Info, error) {
	info := f.tensors[name]
	return Info{info.DType, info.Shape}, nil
}

func (f *safetensorsFile) read(name string) ([]float64, error) {
	info := f.tensors[name]
	kind, ok := numberTypes[info.DType]
	if !ok {
		return nil, fmt.Errorf("dtype: got %s, want F64, F32, F16 or BF16", info.DType)
	}
	return kind.read(io.NewSectionReader(f.r, info.Offset, int64(kind.size)*int64(info.Count)), info.Count)
}
