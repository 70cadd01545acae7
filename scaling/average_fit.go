package scaling

import (
	"fmt"
	"math"
)

// averageModel is one of the models of averageExponent: its ω, and the standard deviations of c, c_seed and ε.
type averageModel struct {
	omegas            []float64
	size, own, errors float64
}

// A seedBlock holds the seeds of one set of depths, whose errors have one covariance.
type seedBlock struct {
	ratios []float64   // L/L_min
	values [][]float64 // of each seed: log y, about the mean of all
}

func seedBlocks(samples []Sample) []*seedBlock {
	least, level := samples[0].Depth, 0.0
	for _, x := range samples {
		least = min(least, x.Depth)
		level += math.Log(x.Value) / float64(len(samples))
	}
	known := map[string]*seedBlock{}
	var blocks []*seedBlock
	for _, group := range bySeed(samples) {
		var ratios, values []float64
		for _, i := range group {
			ratio := float64(samples[i].Depth) / float64(least)
			ratios = append(ratios, ratio)
			values = append(values, math.Log(samples[i].Value)-level)
		}
		key := fmt.Sprint(ratios)
		if known[key] == nil {
			known[key] = &seedBlock{ratios: ratios}
			blocks = append(blocks, known[key])
		}
		known[key].values = append(known[key].values, values)
	}
	return blocks
}

// mostCommon is how many numbers all seeds have in common: s and two c.
const mostCommon = 3

// equations are the normal equations of the numbers that seeds have in common, and the log of the likelihood where
// these are 0, up to a constant.
type equations struct {
	common    int
	precision [mostCommon][mostCommon]float64
	right     [mostCommon]float64
	evidence  float64
}

func (m averageModel) equations(blocks []*seedBlock) equations {
	e := equations{common: 1 + len(m.omegas)}
	for _, b := range blocks {
		m.addBlock(&e, b)
	}
	return e
}

func (m averageModel) addBlock(e *equations, b *seedBlock) {
	n := len(b.ratios)
	var columns [mostCommon][]float64
	for i := range e.common {
		columns[i] = make([]float64, n)
		for k, ratio := range b.ratios {
			if columns[i][k] = math.Log(ratio); i > 0 {
				columns[i][k] = math.Pow(ratio, -m.omegas[i-1])
			}
		}
	}
	root := make([]float64, n*n)
	for i := range n {
		for k := range i + 1 {
			v := levelSpread * levelSpread
			for _, h := range columns[1:e.common] {
				v += m.own * m.own * h[i] * h[k]
			}
			if i == k {
				v += m.errors * m.errors
			}
			root[i*n+k] = v
		}
	}
	determinant := choleskyInPlace(root, n)
	for i := range e.common {
		forward(root, n, columns[i])
	}
	y := make([]float64, n)
	for _, values := range b.values {
		copy(y, values)
		forward(root, n, y)
		e.evidence -= determinant/2 + dot(y, y)/2
		for i := range e.common {
			e.right[i] += dot(columns[i], y)
			for j := range i + 1 {
				e.precision[i][j] += dot(columns[i], columns[j])
			}
		}
	}
}

// solve returns the log of the marginal likelihood, and the mean and standard deviation of s.
func (e equations) solve(prior law, size float64) (evidence, s, spread float64) {
	n := e.common
	root, y := make([]float64, n*n), make([]float64, n)
	evidence = e.evidence
	// s comes last, so that its variance is the last pivot's inverse.
	order := [mostCommon]int{1, 2, 0}
	if n < mostCommon {
		order = [mostCommon]int{1, 0}
	}
	if n == 1 {
		order = [mostCommon]int{}
	}
	for i := range n {
		for j := range i + 1 {
			a, b := max(order[i], order[j]), min(order[i], order[j])
			root[i*n+j] = e.precision[a][b]
		}
		sd := size
		y[i] = e.right[order[i]]
		if order[i] == 0 {
			sd = prior.spread
			y[i] += prior.mean / (sd * sd)
			evidence -= prior.mean * prior.mean / (sd * sd) / 2
		}
		root[i*n+i] += 1 / (sd * sd)
		evidence -= math.Log(sd)
	}
	evidence -= choleskyInPlace(root, n) / 2
	forward(root, n, y)
	evidence += dot(y, y) / 2
	pivot := root[n*n-1]
	return evidence, y[n-1] / pivot, 1 / pivot
}

// choleskyInPlace replaces the lower triangle of a positive definite matrix by its root, and returns the log of
// its determinant.
func choleskyInPlace(a []float64, n int) (determinant float64) {
	for i := range n {
		for j := range i + 1 {
			sum := a[i*n+j]
			for k := range j {
				sum -= a[i*n+k] * a[j*n+k]
			}
			if i == j {
				a[i*n+i] = math.Sqrt(sum)
				determinant += math.Log(sum)
				continue
			}
			a[i*n+j] = sum / a[j*n+j]
		}
	}
	return determinant
}

// forward solves root x = v in place.
func forward(root []float64, n int, v []float64) {
	for i := range n {
		for k := range i {
			v[i] -= root[i*n+k] * v[k]
		}
		v[i] /= root[i*n+i]
	}
}
