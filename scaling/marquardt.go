package scaling

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// marquardt minimises ‖r(θ)‖² of n residuals by the method of Levenberg and Marquardt, with central differences, and
// returns the last θ and ‖r(θ)‖², which is infinite where the start has residuals that are not finite.
func marquardt(start []float64, n int, residuals func(theta, out []float64)) ([]float64, float64) {
	const (
		most      = 200
		tolerance = 1e-14
	)
	theta, r := slices.Clone(start), make([]float64, n)
	cost := func(theta []float64) float64 {
		residuals(theta, r)
		sum := 0.0
		for _, v := range r {
			sum += v * v
		}
		if math.IsNaN(sum) {
			return math.Inf(1)
		}
		return sum
	}
	now := cost(theta)
	if math.IsInf(now, 1) {
		return theta, now
	}
	damping := 1e-4
	for range most {
		j := jacobian(theta, n, residuals)
		residuals(theta, r)
		var normal mat.Dense
		var slope mat.VecDense
		normal.Mul(j.T(), j)
		largest := 1e-300
		for i := range theta {
			largest = max(largest, normal.At(i, i))
		}
		slope.MulVec(j.T(), mat.NewVecDense(n, slices.Clone(r)))
		better := false
		for damping < 1e12 {
			damped := mat.DenseCopyOf(&normal)
			for i := range theta {
				damped.Set(i, i, normal.At(i, i)+damping*max(normal.At(i, i), 1e-10*largest))
			}
			var step mat.VecDense
			next := slices.Clone(theta)
			if err := step.SolveVec(damped, &slope); err == nil || errors.As(err, new(mat.Condition)) {
				for i := range next {
					next[i] -= step.AtVec(i)
				}
			}
			if c := cost(next); c < now {
				better = now-c > tolerance*now
				theta, now = next, c
				damping = max(damping/10, 1e-12)
				break
			}
			damping *= 10
		}
		if !better {
			break
		}
	}
	return theta, now
}

// jacobian returns ∂r/∂θ (n, len(θ)) by central differences.
func jacobian(theta []float64, n int, residuals func(theta, out []float64)) *mat.Dense {
	j := mat.NewDense(n, len(theta), nil)
	up, down := make([]float64, n), make([]float64, n)
	moved := slices.Clone(theta)
	for i, v := range theta {
		h := 1e-6 * math.Abs(v)
		if h == 0 {
			h = 1e-9
		}
		moved[i] = v + h
		residuals(moved, up)
		moved[i] = v - h
		residuals(moved, down)
		moved[i] = v
		for k := range n {
			j.Set(k, i, (up[k]-down[k])/(2*h))
		}
	}
	return j
}
