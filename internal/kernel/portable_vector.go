package kernel

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// Long vectors in portable Go.

// addScaled writes fma out: its call would cost more than the arithmetic.

func addScaled[T Float](y []T, a T, x []T) {
	y = y[:len(x)]
	if unsafe.Sizeof(a) == 8 {
		for i, v := range x {
			y[i] = T(math.FMA(float64(a), float64(v), float64(y[i])))
		}
		return
	}
	for i, v := range x {
		p := float64(a) * float64(v)
		s := float64(p + float64(y[i]))
		if !roundsOnce(s) {
			s = float64(roundOdd(p, float64(y[i]), s))
		}
		y[i] = T(s)
	}
}

func scaleMul[T Float](z []T, a T, x, y []T) {
	y, z = y[:len(x)], z[:len(x)] // no checks below
	for i, v := range x {
		z[i] = T(T(a*v) * y[i])
	}
}

func scaleMulSlope[T Float](z []T, a T, x, y []T) {
	y, z = y[:len(x)], z[:len(x)] // no checks below
	for i, v := range x {
		z[i] = T(T(a*v) * fma(-y[i], y[i], 1))
	}
}

func sumScaled[T Float](z []T, a T, x, y []T) {
	y, z = y[:len(x)], z[:len(x)] // no checks below
	for i, v := range x {
		z[i] = fma(a, v, y[i])
	}
}

func sumSquares[T Float](x []T) float64 {
	var chains [16]float64
	addSquares(&chains, x)
	return tree(&chains)
}

func addSquares[T Float](chains *[16]float64, x []T) {
	for i, v := range x {
		chain := &chains[i&(len(chains)-1)]
		*chain = math.FMA(float64(v), float64(v), *chain)
	}
}

func sumSquaredDifferences[T Float](x, y []T) float64 {
	var chains [16]float64
	addSquaredDifferences(&chains, x, y)
	return tree(&chains)
}

func addSquaredDifferences[T Float](chains *[16]float64, x, y []T) {
	y = y[:len(x)]
	for i, v := range x {
		chain := &chains[i&(len(chains)-1)]
		d := float64(float64(v) - float64(y[i]))
		*chain = math.FMA(d, d, *chain)
	}
}

func squaredDistances[T Float](dst []float64, x, y []T) {
	for t := range len(dst) / Lanes {
		tile := x[t*len(y)*Lanes:][:len(y)*Lanes]
		for s := range Lanes {
			var c [4]float64
			for k, v := range y {
				d := float64(float64(v) - float64(tile[k*Lanes+s]))
				c[k%4] = math.FMA(d, d, c[k%4])
			}
			dst[t*Lanes+s] = float64(float64(c[0]+c[2]) + float64(c[1]+c[3]))
		}
	}
}

// infinity32 is the bits of infinity in float32; those of NaN are larger.
const infinity32 = 0x7f800000

// fromBfloat16 takes four numbers at a time. An exponent of ones, that of what is not finite, carries into the place of the sign when one is
// added to it.
func fromBfloat16(x []float64, data []byte) bool {
	const exponents, ones, signs = 0x7f807f807f807f80, 0x0080008000800080, 0x8000800080008000
	carries := uint64(0)
	for len(x) >= 4 && len(data) >= 8 {
		four := binary.LittleEndian.Uint64(data)
		carries |= four&exponents + ones
		x[0] = float64(math.Float32frombits(uint32(four) << 16))
		x[1] = float64(math.Float32frombits(uint32(four) & 0xffff0000))
		x[2] = float64(math.Float32frombits(uint32(four>>32) << 16))
		x[3] = float64(math.Float32frombits(uint32(four>>32) & 0xffff0000))
		x, data = x[4:], data[8:]
	}
	largest := uint32(0)
	for i := range x {
		bits := uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16
		x[i], largest = float64(math.Float32frombits(bits)), max(largest, bits&^(1<<31))
	}
	return carries&signs == 0 && largest < infinity32
}

func activate[T Float](kind Activation, s, ds, u []T) {
	f := function[T](kind)
	s, ds = s[:len(u)], ds[:len(u)]
	for i, v := range u {
		s[i], ds[i] = f(v)
	}
}

func activateAdd[T Float](kind Activation, next, ds, u, h []T, a T) {
	f := function[T](kind)
	next, h = next[:len(u)], h[:len(u)]
	for i, v := range u {
		value, slope := f(v)
		next[i] = fma(a, value, h[i])
		if i < len(ds) {
			ds[i] = slope
		}
	}
}
