package tensorfile

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/deeplimit/deeplimit/internal/half"
)

// TestDecodeEveryHalf compares the loops with package half on every number of 16 bits, whole and at every offset in a group.
func TestDecodeEveryHalf(t *testing.T) {
	data := make([]byte, 2<<16)
	for bits := range 1 << 16 {
		binary.LittleEndian.PutUint16(data[2*bits:], uint16(bits))
	}
	for name, want := range map[string]func(uint16) float64{"F16": half.Float64, "BF16": half.FromBfloat16} {
		for _, offset := range []int{0, 1, 2, 3, 65535} {
			got := make([]float64, 1<<16-offset)
			if numberTypes[name].decode(got, data[2*offset:]) {
				t.Fatalf("%s: got true for numbers some of which are not finite", name)
			}
			for i, v := range got {
				w := want(uint16(i + offset))
				if math.Float64bits(v) != math.Float64bits(w) && !(math.IsNaN(v) && math.IsNaN(w)) {
					t.Fatalf("%s: bits %04x: got %v, want %v", name, i+offset, v, w)
				}
			}
		}
	}
}

// TestDecodeSaysWhatIsFinite compares what decode says of four numbers, one of which takes every value, with the numbers.
func TestDecodeSaysWhatIsFinite(t *testing.T) {
	for name, kind := range numberTypes {
		if kind.size != 2 {
			continue
		}
		for bits := range 1 << 16 {
			for place := range 5 {
				data := make([]byte, 10)
				binary.LittleEndian.PutUint16(data[2*place:], uint16(bits))
				got := make([]float64, 5)
				all := kind.decode(got, data)
				if want := !math.IsNaN(got[place]) && !math.IsInf(got[place], 0); all != want {
					t.Fatalf("%s: bits %04x at %d: got %v for %v", name, bits, place, all, got[place])
				}
			}
		}
	}
}

func TestFinite(t *testing.T) {
	for n := range 12 {
		data := make([]float64, n)
		for i := range data {
			data[i] = math.MaxFloat64 * float64(1-2*(i%2))
		}
		if !finite(data) {
			t.Errorf("%d numbers: got false, want true", n)
		}
		for i := range data {
			for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				old := data[i]
				if data[i] = bad; finite(data) {
					t.Errorf("%v at %d of %d: got true, want false", bad, i, n)
				}
				data[i] = old
			}
		}
	}
}
