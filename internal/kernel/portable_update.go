package kernel

import "math"

// The updates of methods in portable Go. Conversions keep each product rounded on its own on every machine.

// The factors of an update, as the assembly numbers them.
type factors[T Float] [8]T

func (f AdamFactors[T]) factors() factors[T] {
	return factors[T]{f.Size, f.Epsilon, f.Correct1, f.Correct2, f.B1, T(1 - f.B1), f.B2, T(1 - f.B2)}
}

func lionFactors[T Float](size, b1, b2 T) factors[T] {
	return factors[T]{size, b1, T(1 - b1), b2, T(1 - b2)}
}

func scale[T Float](z []T, a T, x []T) {
	z = z[:len(x)] // no checks below, here and in the others
	for i, v := range x {
		z[i] = T(a * v)
	}
}

func momentum[T Float](y, v []T, a, mu T, g []T) {
	y, v = y[:len(g)], v[:len(g)]
	for i, slope := range g {
		v[i] = T(mu*v[i]) + slope
		y[i] = fma(a, v[i], y[i])
	}
}

func nesterov[T Float](y, v []T, a, mu T, g []T) {
	y, v = y[:len(g)], v[:len(g)]
	for i, slope := range g {
		v[i] = T(mu*v[i]) + slope
		y[i] -= T(a * (slope + T(mu*v[i])))
	}
}

func adam[T Float](y, m, s []T, f AdamFactors[T], g []T) {
	y, m, s = y[:len(g)], m[:len(g)], s[:len(g)]
	c := f.factors()
	for i, slope := range g {
		m[i] = T(c[4]*m[i]) + T(c[5]*slope)
		s[i] = T(c[6]*s[i]) + T(T(c[7]*slope)*slope)
		root := T(math.Sqrt(float64(T(c[3] * s[i]))))
		y[i] -= T(T(c[0]*T(c[2]*m[i])) / (root + c[1]))
	}
}

func signDescent[T Float](y []T, a T, g []T) {
	y = y[:len(g)]
	for i, slope := range g {
		y[i] -= signed(a, slope)
	}
}

func lion[T Float](y, m []T, a, b1, b2 T, g []T) {
	y, m = y[:len(g)], m[:len(g)]
	c := lionFactors(a, b1, b2)
	for i, slope := range g {
		y[i] -= signed(c[0], T(c[1]*m[i])+T(c[2]*slope))
		m[i] = T(c[3]*m[i]) + T(c[4]*slope)
	}
}

// signed returns size ≥ 0 with the sign of v, and v itself where that has none: 0 and NaN.
func signed[T Float](size, v T) T {
	if v == 0 || v != v {
		return v
	}
	return T(math.Copysign(float64(size), float64(v)))
}
