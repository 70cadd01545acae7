package tensorfile

import (
	"encoding/binary"
	"io"
	"math"
	"strings"

	"github.com/deeplimit/deeplimit/internal/half"
)

// A numberType is how the entries of a tensor are stored, little-endian.
type numberType struct {
	size   int // bytes of an entry
	decode func(entry []byte) float64
}

// numberTypes are the types that convert to float64 exactly, by the name that
// safetensors gives them.
var numberTypes = map[string]numberType{
	"F64":     {8, func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }},
	"F32":     {4, func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) }},
	"F16":     {2, func(b []byte) float64 { return half.Float64(binary.LittleEndian.Uint16(b)) }},
	"BF16":    {2, func(b []byte) float64 { return half.FromBfloat16(binary.LittleEndian.Uint16(b)) }},
	"F8_E4M3": {1, func(b []byte) float64 { return half.FromE4M3(b[0]) }},
	"F8_E5M2": {1, func(b []byte) float64 { return half.FromE5M2(b[0]) }},
}

// read returns the next count entries of r. The caller has compared count with the size of r.
func (t numberType) read(r io.Reader, count int) ([]float64, error) {
	data := make([]float64, 0, count)
	buffer := make([]byte, min(1<<16, t.size*count))
	for len(data) < count {
		chunk := buffer[:min(len(buffer), t.size*(count-len(data)))]
		if _, err := io.ReadFull(r, chunk); err != nil {
			return nil, err
		}
		for ; len(chunk) > 0; chunk = chunk[t.size:] {
			data = append(data, t.decode(chunk))
		}
	}
	return data, nil
}

// CheckFloat returns an error unless the tensor holds floats that convert to float64. Weights
// stored as integers are quantised and have no meaning without their scale.
func (i Info) CheckFloat() error {
	_, known := numberTypes[i.DType]
	_, stored := storageTypes[i.DType]
	code := strings.TrimLeft(i.DType, "<>|=")
	if known || stored || code == "f2" || code == "f4" || code == "f8" || code == "text" {
		return nil
	}
	return unreadable(strings.TrimSuffix(i.DType, "Storage"))
}
