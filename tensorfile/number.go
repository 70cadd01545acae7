package tensorfile

import (
	"encoding/binary"
	"io"
	"math"
	"strings"

	"github.com/deeplimit/deeplimit/internal/half"
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// A numberType is how the entries of a tensor are stored, little-endian.
type numberType struct {
	size int // bytes of an entry
	// decode fills dst with the entries in data and reports whether all are finite. Weights are read by the billion: each type has a
	// loop of its own.
	decode func(dst []float64, data []byte) bool
}

// numberTypes are the types that convert to float64 exactly, by the name that
// safetensors gives them.
var numberTypes = map[string]numberType{
	"F64": {8, func(dst []float64, data []byte) bool {
		for i := range dst {
			dst[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
		}
		return finite(dst)
	}},
	"F32": {4, func(dst []float64, data []byte) bool {
		for i := range dst {
			dst[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
		}
		return finite(dst)
	}},
	"F16": {2, decodeHalf},
	"BF16": {2, func(dst []float64, data []byte) bool {
		return kernel.For[float64]().FromBfloat16(dst, data[:2*len(dst)])
	}},
	"F8_E4M3": {1, func(dst []float64, data []byte) bool {
		for i := range dst {
			dst[i] = half.FromE4M3(data[i])
		}
		return finite(dst)
	}},
	"F8_E5M2": {1, func(dst []float64, data []byte) bool {
		for i := range dst {
			dst[i] = half.FromE5M2(data[i])
		}
		return finite(dst)
	}},
}

// decodeHalf takes the bits of exponent and fraction as those of a float32, whose exponent is 2^112 times as large: this is exact
// for subnormal numbers, too. What is not finite is left to package half.
func decodeHalf(dst []float64, data []byte) bool {
	all := true
	for i := range dst {
		bits := binary.LittleEndian.Uint16(data[2*i:])
		if bits&0x7c00 == 0x7c00 {
			dst[i], all = half.Float64(bits), false
			continue
		}
		dst[i] = float64(math.Float32frombits(uint32(bits&0x8000)<<16|uint32(bits&0x7fff)<<13)) * 0x1p112
	}
	return all
}

// finite reports whether all numbers are: v − v is 0 for these alone. Four sums run side by side.
func finite(data []float64) bool {
	var a, b, c, d float64
	for len(data) >= 4 {
		a += data[0] - data[0]
		b += data[1] - data[1]
		c += data[2] - data[2]
		d += data[3] - data[3]
		data = data[4:]
	}
	for _, v := range data {
		a += v - v
	}
	return a+b+c+d == 0
}

// read returns the next count entries of r. The caller has compared count with the size of r.
func (t numberType) read(r io.Reader, count int) ([]float64, error) {
	data := make([]float64, count)
	buffer := make([]byte, min(chunkBytes, t.size*count))
	for rest := data; len(rest) > 0; {
		chunk := buffer[:min(len(buffer), t.size*len(rest))]
		if _, err := io.ReadFull(r, chunk); err != nil {
			return nil, err
		}
		n := len(chunk) / t.size
		t.decode(rest[:n], chunk)
		rest = rest[n:]
	}
	return data, nil
}

// chunkBytes are read at a time; the numbers they become stay in the cache.
const chunkBytes = 1 << 15

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
