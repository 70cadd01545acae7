package layerorder

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// A point is the mean square of differences of one order and lag.
type point struct {
	q, m   int
	weight float64
	value  float64
}

// Differences of the first order are those of the trend, which says nothing of noise.
const (
	lowestOrder  = 2
	highestOrder = 6
)

// plan returns the orders and lags that a number of layers has windows for.
func plan(layers int) []point {
	var out []point
	for m := 1; m == 1 || 6*m <= layers; m *= 2 {
		for q := lowestOrder; q <= highestOrder; q++ {
			if windows := layers - q*m; windows >= 2 {
				out = append(out, point{q: q, m: m, weight: float64(windows) / float64(m)})
			}
		}
	}
	return out
}

// A decomposition is a path as the sum of a trend, of waves of length `shortest` or more, and of a part with mean
// square increments 2·noise·m^2H: independent noise for H = 0.
type decomposition struct {
	hurst  float64
	noise  float64 // σ², summed over entries
	misfit float64
}

// shortest is the shortest wave that counts as trend, in layers: shorter ones cannot be told from noise.
const shortest = 6.0

// waves returns the frequencies of the trend, in cycles per layer.
func waves(layers int) []float64 {
	var out []float64
	for f := 1 / shortest; f > 0.2/float64(layers); f /= 1.5 {
		out = append(out, f)
	}
	return out
}

// increments returns E‖Δ^q B‖² over m^2H of fractional Brownian motion with E‖B_{t+m} − B_t‖² = 2·m^2H; of
// independent noise of variance 1 for H = 0.
func increments(q int, hurst float64) float64 {
	if hurst == 0 {
		return central(q, 0)
	}
	sum := 0.0
	sign := 1.0
	for j := 1; j <= q; j++ {
		sign = -sign
		sum -= 2 * sign * central(q, j) * math.Pow(float64(j), 2*hurst)
	}
	return sum
}

// central returns (2q over q+j).
func central(q, j int) float64 {
	v := 1.0
	for i := 1; i <= q+j; i++ {
		v *= float64(q-j+i) / float64(i)
	}
	return math.Round(v)
}

// A design holds what every part gives differences of each order and lag.
type design struct {
	points []point
	hursts []float64
	rough  [][]float64 // by H, of increments of mean square 2·m^2H
	waves  [][]float64 // by point, of waves of variance 1
}

// newDesign returns the design for a number of layers. H is 0, 0.04, 0.09 … 0.99.
func newDesign(layers int) *design {
	d := &design{points: plan(layers), hursts: []float64{0}}
	for step := 1; step <= 20; step++ {
		d.hursts = append(d.hursts, 0.05*float64(step)-0.01)
	}
	for _, hurst := range d.hursts {
		column := make([]float64, len(d.points))
		for i, pt := range d.points {
			column[i] = increments(pt.q, hurst) * math.Pow(float64(pt.m), 2*hurst)
		}
		d.rough = append(d.rough, column)
	}
	for _, pt := range d.points {
		var row []float64
		for _, f := range waves(layers) {
			row = append(row, wave(f, pt.q, pt.m))
		}
		d.waves = append(d.waves, row)
	}
	return d
}

// measure fills in the differences of a path; ok is false for a straight line, to rounding.
func (d *design) measure(p products, variance float64) (ok bool) {
	for i := range d.points {
		pt := &d.points[i]
		pt.value = p.differences(pt.q, pt.m)
		if !(pt.value > 1e-20*variance) {
			return false
		}
	}
	return true
}

// fit fits the parts for one H, by least squares of relative errors with coefficients of at least 0.
func (d *design) fit(h int) decomposition {
	matrix, target := make([][]float64, len(d.points)), make([]float64, len(d.points))
	for i, pt := range d.points {
		target[i] = math.Sqrt(pt.weight)
		scale := target[i] / pt.value
		row := make([]float64, 1+len(d.waves[i]))
		row[0] = scale * d.rough[h][i]
		for j, v := range d.waves[i] {
			row[j+1] = scale * v
		}
		matrix[i] = row
	}
	x, misfit := nonnegative(matrix, target)
	return decomposition{hurst: d.hursts[h], noise: x[0], misfit: misfit}
}

// best returns the fit of the H with the least misfit.
func (d *design) best() decomposition {
	best := d.fit(0)
	for h := 1; h < len(d.hursts); h++ {
		if f := d.fit(h); f.misfit < best.misfit {
			best = f
		}
	}
	return best
}

// wave returns the mean square of differences of a wave of variance 1.
func wave(f float64, q, m int) float64 {
	s := 2 * math.Sin(min(math.Pi/2, math.Pi*f*float64(m)))
	return math.Pow(s, float64(2*q))
}

// nonnegative returns the x ≥ 0 that minimises ‖a·x − b‖², and the minimum: the method of Lawson and Hanson.
func nonnegative(a [][]float64, b []float64) (x []float64, misfit float64) {
	n := len(a[0])
	scale := make([]float64, n) // columns of length 1
	for j := range n {
		for i := range a {
			scale[j] += a[i][j] * a[i][j]
		}
		scale[j] = math.Sqrt(scale[j])
		if scale[j] == 0 {
			scale[j] = 1
		}
	}
	ata, atb := make([][]float64, n), make([]float64, n)
	for j := range n {
		ata[j] = make([]float64, n)
		for i := range a {
			atb[j] += a[i][j] / scale[j] * b[i]
			for l := range n {
				ata[j][l] += a[i][j] / scale[j] * a[i][l] / scale[l]
			}
		}
	}
	x = make([]float64, n)
	active := make([]bool, n)
	for range 3 * n {
		best, largest := -1, 1e-10
		for j := range n {
			if active[j] {
				continue
			}
			gradient := atb[j]
			for l := range n {
				gradient -= ata[j][l] * x[l]
			}
			if gradient > largest {
				best, largest = j, gradient
			}
		}
		if best < 0 {
			break
		}
		active[best] = true
		if !settle(ata, atb, x, active) {
			break
		}
	}
	for i := range a {
		r := -b[i]
		for j := range n {
			r += a[i][j] / scale[j] * x[j]
		}
		misfit += r * r
	}
	for j := range x {
		x[j] /= scale[j]
	}
	return x, misfit
}

// settle solves for the active coefficients and drops those that would be negative, until none is.
func settle(ata [][]float64, atb, x []float64, active []bool) bool {
	for {
		var set []int
		for j, on := range active {
			if on {
				set = append(set, j)
			}
		}
		z, ok := solve(ata, atb, set)
		if !ok {
			return false
		}
		step, drop := 1.0, -1
		for i, j := range set {
			if z[i] <= 0 {
				if s := x[j] / (x[j] - z[i]); s < step || drop < 0 {
					step, drop = min(step, s), j
				}
			}
		}
		for i, j := range set {
			x[j] += step * (z[i] - x[j])
		}
		if drop < 0 {
			return true
		}
		x[drop], active[drop] = 0, false
	}
}

// solve returns the solution of the equations of a set of coefficients, with a ridge against waves that are nearly
// the same.
func solve(ata [][]float64, atb []float64, set []int) ([]float64, bool) {
	n := len(set)
	matrix, right := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
	for i, a := range set {
		right.SetVec(i, atb[a])
		for j := range i + 1 {
			matrix.SetSym(i, j, ata[a][set[j]])
		}
		matrix.SetSym(i, i, matrix.At(i, i)+1e-10)
	}
	var factor mat.Cholesky
	if !factor.Factorize(matrix) {
		return nil, false
	}
	var z mat.VecDense
	if err := factor.SolveVecTo(&z, right); err != nil && z.Len() != n {
		return nil, false
	}
	return z.RawVector().Data, true
}
