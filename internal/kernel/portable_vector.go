package kernel

import "math"

// Long vectors in portable Go.

func addScaled[T Float](y []T, a T, x []T) {
	for i, v := range x {
		y[i] = fma(a, v, y[i])
	}
}

func scaleMul[T Float](z []T, a T, x, y []T) {
	for i, v := range x {
		z[i] = T(T(a*v) * y[i])
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
