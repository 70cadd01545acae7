package half

import (
	"math"
	"testing"
)

// TestFloat64 holds all 65536 numbers to what the format says: ordered by their
// bits, spaced by 2^−24 up to 2^−13 and then by 2^−10 of their power of two.
func TestFloat64(t *testing.T) {
	if got := Float64(0); got != 0 || math.Signbit(got) {
		t.Errorf("bits 0: got %v, want 0", got)
	}
	for bits := uint16(1); bits <= 0x7c00; bits++ {
		got, before := Float64(bits), Float64(bits-1)
		spacing := max(math.Exp2(math.Floor(math.Log2(before))-10), 0x1p-24)
		if bits == 0x7c00 {
			if before != 65504 || !math.IsInf(got, 1) {
				t.Errorf("the largest is %v and then comes %v, want 65504 and +Inf", before, got)
			}
		} else if got-before != spacing {
			t.Fatalf("bits %#x: got %v after %v, want a spacing of %v", bits, got, before, spacing)
		}
	}
	for bits := range 1 << 16 {
		got, positive := Float64(uint16(bits)), Float64(uint16(bits&0x7fff))
		switch {
		case bits&0x7fff > 0x7c00:
			if !math.IsNaN(got) {
				t.Fatalf("bits %#x: got %v, want NaN", bits, got)
			}
		case math.Abs(got) != positive || math.Signbit(got) != (bits >= 1<<15):
			t.Fatalf("bits %#x: got %v, want ±%v", bits, got, positive)
		}
	}
}

func TestFromBfloat16(t *testing.T) {
	for bits, want := range map[uint16]float64{
		0: 0, 0x3f80: 1, 0xc040: -3, 0x0001: 0x1p-133, 0x7f7f: 0x1.fep127, 0x7f80: math.Inf(1), 0xff80: math.Inf(-1),
	} {
		if got := FromBfloat16(bits); got != want {
			t.Errorf("bits %#x: got %v, want %v", bits, got, want)
		}
	}
	if got := FromBfloat16(0x7fc0); !math.IsNaN(got) {
		t.Errorf("bits 0x7fc0: got %v, want NaN", got)
	}
}

// TestEightBits holds all numbers of 8 bits to what the formats say: ordered by their bits, with the largest, the smallest and 1
// where the Open Compute Project has them.
func TestEightBits(t *testing.T) {
	for _, c := range []struct {
		name                   string
		of                     func(byte) float64
		one, largest           byte
		largestValue, smallest float64
	}{
		{"E4M3", FromE4M3, 0x38, 0x7e, 448, 1.0 / 512},
		{"E5M2", FromE5M2, 0x3c, 0x7b, 57344, 1.0 / 65536},
	} {
		if got := c.of(c.one); got != 1 {
			t.Errorf("%s: %#x: got %v, want 1", c.name, c.one, got)
		}
		if got := c.of(c.largest); got != c.largestValue {
			t.Errorf("%s: largest: got %v, want %v", c.name, got, c.largestValue)
		}
		if got := c.of(1); got != c.smallest {
			t.Errorf("%s: smallest: got %v, want %v", c.name, got, c.smallest)
		}
		for bits := byte(1); bits <= c.largest; bits++ {
			if !(c.of(bits) > c.of(bits-1)) || c.of(bits|0x80) != -c.of(bits) {
				t.Errorf("%s: %#x: got %v after %v, and %v with the sign", c.name, bits, c.of(bits), c.of(bits-1), c.of(bits|0x80))
			}
		}
		if got := c.of(0x7f); !math.IsNaN(got) {
			t.Errorf("%s: 0x7f: got %v, want NaN", c.name, got)
		}
	}
}
