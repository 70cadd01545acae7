package kernel

import (
	"math"
	"unsafe"
)

// Long vectors in portable Go.

// addScaled and chain write fma out: its call would cost more than the arithmetic.

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

// chain returns sum + Σ x[i] y[i], i in order.
func chain[T Float](sum T, x, y []T) T {
	y = y[:len(x)]
	if unsafe.Sizeof(sum) == 8 {
		for i, v := range x {
			sum = T(math.FMA(float64(v), float64(y[i]), float64(sum)))
		}
		return sum
	}
	for i, v := range x {
		p := float64(v) * float64(y[i])
		s := float64(p + float64(sum))
		if !roundsOnce(s) {
			s = float64(roundOdd(p, float64(sum), s))
		}
		sum = T(s)
	}
	return sum
}

func scaleMul[T Float](z []T, a T, x, y []T) {
	for i, v := range x {
		z[i] = T(T(a*v) * y[i])
	}
}

func scaleMulSlope[T Float](z []T, a T, x, y []T) {
	for i, v := range x {
		z[i] = T(T(a*v) * fma(-y[i], y[i], 1))
	}
}

func sumScaled[T Float](z []T, a T, x, y []T) {
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
		chains[i%16] = math.FMA(float64(v), float64(v), chains[i%16])
	}
}

func sumSquaredDifferences[T Float](x, y []T) float64 {
	var chains [16]float64
	addSquaredDifferences(&chains, x, y)
	return tree(&chains)
}

func addSquaredDifferences[T Float](chains *[16]float64, x, y []T) {
	for i, v := range x {
		d := float64(float64(v) - float64(y[i]))
		chains[i%16] = math.FMA(d, d, chains[i%16])
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

func activate[T Float](kind Activation, s, ds, u []T) {
	f := function[T](kind)
	for i, v := range u {
		s[i], ds[i] = f(v)
	}
}

func activateAdd[T Float](kind Activation, next, ds, u, h []T, a T) {
	f := function[T](kind)
	for i, v := range u {
		value, slope := f(v)
		next[i] = fma(a, value, h[i])
		if ds != nil {
			ds[i] = slope
		}
	}
}
