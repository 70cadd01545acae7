package runfolder

import (
	"io"

	"github.com/deeplimit/deeplimit/internal/tensorheader"
)

// A TensorInfo says what a tensor of a safetensors file is and where its data stand.
type TensorInfo struct {
	Name   string
	DType  string // as the format names it: F64, F32, F16, BF16, I64 …
	Shape  []int
	Count  int   // of entries, the product of Shape
	Offset int64 // of the first byte of its data in the file
	Size   int64 // of its data, in bytes
}

// ReadTensorInfos returns the tensors of a safetensors file that holds size bytes, in
// the order of their data, and its metadata. It reads no more than the header, which
// it checks: shapes fit the data, which fill the file without gap or overlap. An
// error names the tensor.
//
// It is for files from elsewhere, whose dtypes ReadWeights need not know.
func ReadTensorInfos(r io.Reader, size int64) ([]TensorInfo, map[string]string, error) {
	_, tensors, metadata, err := tensorheader.Read(r, size)
	if err != nil {
		return nil, nil, err
	}
	infos := make([]TensorInfo, len(tensors))
	for i, t := range tensors {
		infos[i] = TensorInfo(t)
	}
	return infos, metadata, nil
}
