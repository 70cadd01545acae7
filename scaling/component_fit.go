package scaling

import (
	"math"
	"math/bits"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// A problem is a structure with the variograms it is fitted to. Its unknowns are, in this order and as far
// as there are any: the log sizes of the smooth part at each depth, their mean, the log size of the
// other part, its exponent.
type problem struct {
	structure
	data   []variogram
	values []value
	white  *mat.TriDense // makes the errors of the variograms' values independent, with variance 1
	logDet float64       // of their covariance
}

// A value is one of a variogram, with what fits need of it again and again.
type value struct {
	log        float64
	depth      int     // place in the data
	smooth     float64 // log of the smooth shape there
	base, rate float64 // the level of the other part is rate times the exponent plus base, where decays is false
	decays     bool
	lag        int
}

// modelError is the standard deviation, in log mean square, that is allowed for what no structure
// has, and lagCorrelation the correlation of the values at lags m and 2m of a smooth path.
const (
	modelError     = 0.06
	lagCorrelation = 0.5
)

func newProblem(s structure, data []variogram, tilt, exponent float64) *problem {
	n := 0
	for _, v := range data {
		n += len(v.lags)
	}
	p := &problem{structure: s, data: data, values: s.values(data, n), white: mat.NewTriDense(n, mat.Lower, nil)}
	all := mat.NewSymDense(n, nil)
	depths := make([]float64, 0, n) // twice the logarithm of the depth of each value
	for _, v := range data {
		at := len(depths)
		c := s.errors(v, exponent)
		for i := range v.lags {
			depths = append(depths, 2*math.Log(float64(v.depth)))
			for j := i; j < len(v.lags); j++ {
				all.SetSym(at+i, at+j, c.At(i, j))
			}
		}
	}
	if tilt > 0 {
		middle := floats.Sum(depths) / float64(n)
		for i := range n {
			for j := i; j < n; j++ {
				all.SetSym(i, j, all.At(i, j)+tilt*tilt*(depths[i]-middle)*(depths[j]-middle))
			}
		}
	}
	var root mat.Cholesky
	root.Factorize(all)
	lower := mat.NewTriDense(n, mat.Lower, nil)
	root.LTo(lower)
	p.logDet = root.LogDet()
	if err := p.white.InverseTri(lower); err != nil {
		panic(err) // of a positive definite matrix
	}
	return p
}

// values lists the n values of variograms.
func (s structure) values(data []variogram, n int) []value {
	list := make([]value, 0, n)
	for i, v := range data {
		for j, m := range v.lags {
			x := value{log: v.log[j], depth: i, lag: m}
			if s.smooth != nil {
				x.smooth = s.smooth.log(float64(m) / float64(v.depth))
			}
			if s.part != nothing {
				x.base, x.rate, x.decays = s.line(m, v.depth)
			}
			list = append(list, x)
		}
	}
	return list
}

// errors returns the covariance of a variogram's values about those of the structure.
func (s structure) errors(v variogram, exponent float64) *mat.SymDense {
	n := len(v.lags)
	c := mat.NewSymDense(n, nil)
	first := bits.Len(uint(v.lags[0])) - 1
	var byChance *mat.SymDense
	if s.part != nothing {
		byChance = s.covariance(exponent, v)
	}
	for i := range n {
		for j := i; j < n; j++ {
			var value float64
			if s.part != nothing {
				value = byChance.At(first+i, first+j) * math.Sqrt(v.noisiness[i]*v.noisiness[j])
			} else {
				value = math.Sqrt(v.variance[i]*v.variance[j]*float64(v.lags[i]*v.lags[j])) * math.Pow(lagCorrelation, float64(j-i))
			}
			if i == j {
				value += modelError*modelError + s.wobble*s.wobble
				if s.part == nothing {
					value += s.smooth.unresolved(float64(v.lags[i]) / float64(v.depth))
				}
			}
			c.SetSym(i, j, value)
		}
	}
	return c
}

func (p *problem) unknowns() (smooth, all int) {
	if p.smooth != nil {
		smooth = len(p.data) + 1
	}
	all = smooth
	if p.part != nothing {
		all += 2
	}
	return smooth, all
}

func (p *problem) start(exponent float64) []float64 {
	smooth, all := p.unknowns()
	x := make([]float64, all)
	for i, v := range p.data {
		if smooth == 0 {
			break
		}
		last := len(v.lags) - 1
		x[i] = v.log[last] - p.smooth.log(float64(v.lags[last])/float64(v.depth))
		x[smooth-1] += x[i] / float64(len(p.data))
	}
	if p.part != nothing {
		x[all-1] = exponent
		p.clamp(x)
		deep := p.data[len(p.data)-1]
		x[smooth] = deep.log[0] - p.level(deep.lags[0], deep.depth, p.exponent(x))
	}
	return x
}

// exponent is the last unknown, where there is a part.
func (p *problem) exponent(x []float64) float64 { return x[len(x)-1] }

func (p *problem) clamp(x []float64) {
	if p.part == nothing {
		return
	}
	low, high := p.bounds(p.data[len(p.data)-1].depth)
	x[len(x)-1] = min(high, max(low, x[len(x)-1]))
}

// bounds are those of the exponent of the part.
func (s structure) bounds(deepest int) (low, high float64) {
	if s.part != roughPart {
		return -0.5, 1.5
	}
	low, high = 0.1, 0.999
	if s.theta > 0 {
		// Beyond it all lags of the deepest path are uncorrelated, which is noise.
		low = max(0.3, math.Log(s.theta/1.2)/math.Log(float64(deepest))/2)
	}
	return low, high
}

// residuals are independent with variance 1 where the structure is right.
func (p *problem) residuals(x []float64) (residual []float64, misfit float64) {
	smooth, _ := p.unknowns()
	raw := make([]float64, len(p.values))
	residual = make([]float64, 0, len(raw)+len(x))
	for j, v := range p.values {
		sum := math.Inf(-1)
		if smooth > 0 {
			sum = x[v.depth] + v.smooth
		}
		if p.part != nothing {
			sum = logAdd(sum, x[smooth]+p.levelAt(v, p.exponent(x)))
		}
		raw[j] = v.log - sum
	}
	white := p.white.RawTriangular()
	for j := range raw {
		r := 0.0
		for k, w := range white.Data[j*white.Stride : j*white.Stride+j+1] {
			r += w * raw[k]
		}
		residual = append(residual, r)
	}
	for i := 0; i+1 < smooth; i++ {
		residual = append(residual, (x[i]-x[smooth-1])/drift)
	}
	if p.part != nothing {
		residual = append(residual, (p.exponent(x)-p.prior.mean)/p.prior.spread)
	}
	for _, r := range residual {
		misfit += r * r
	}
	return residual, misfit
}

// levelAt is level at a value.
func (p *problem) levelAt(v value, exponent float64) float64 {
	if v.decays {
		return p.decayed(float64(v.lag)/float64(p.data[v.depth].depth), exponent)
	}
	return v.rate*exponent + v.base
}

func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	return a + math.Log1p(math.Exp(b-a))
}

func (p *problem) jacobian(x, residual []float64) *mat.Dense {
	const h = 1e-5
	j := mat.NewDense(len(residual), len(x), nil)
	for k := range x {
		moved := append([]float64(nil), x...)
		moved[k] += h
		r, _ := p.residuals(moved)
		for i := range r {
			j.Set(i, k, (r[i]-residual[i])/h)
		}
	}
	return j
}

// normalEquations are JᵀJ and Jᵀr of a Jacobian J and residuals r.
type normalEquations struct {
	outer mat.SymDense
	right mat.VecDense
}

func newNormalEquations(j *mat.Dense, residual []float64) *normalEquations {
	var e normalEquations
	e.outer.SymOuterK(1, j.T())
	e.right.MulVec(j.T(), mat.NewVecDense(len(residual), residual))
	return &e
}

// solve returns the step of Levenberg and Marquardt.
func (e *normalEquations) solve(damping float64) ([]float64, bool) {
	damped := mat.NewSymDense(e.outer.SymmetricDim(), nil)
	damped.CopySym(&e.outer)
	for i := range damped.SymmetricDim() {
		damped.SetSym(i, i, damped.At(i, i)*(1+damping)+1e-9)
	}
	var root mat.Cholesky
	if !root.Factorize(damped) {
		return nil, false
	}
	var step mat.VecDense
	if err := root.SolveVecTo(&step, &e.right); err != nil {
		return nil, false
	}
	return step.RawVector().Data, true
}

// result adds the spread of the exponent and the evidence to a solution.
func (p *problem) result(x, residual []float64, misfit float64) fitted {
	smooth, all := p.unknowns()
	f := fitted{structure: p.structure, misfit: misfit, numbers: all}
	if notFinite(misfit) {
		f.misfit, f.evidence = 0, math.Inf(-1)
		return f
	}
	var normal mat.SymDense
	normal.SymOuterK(1, p.jacobian(x, residual).T())
	for i := range all {
		// The flat priors are wide normal ones, so that a part that is not there has a variance.
		normal.SetSym(i, i, normal.At(i, i)+1/(logRange*logRange))
	}
	f.evidence = -misfit/2 - p.logDet/2
	// 2π to the half of the numbers, over the ranges of their priors and √det.
	f.evidence += float64(all) / 2 * math.Log(2*math.Pi)
	if smooth > 0 {
		f.trend = x[smooth-1]
		f.evidence -= math.Log(logRange) + float64(smooth-1)/2*math.Log(2*math.Pi*drift*drift)
	}
	if p.part != nothing {
		f.exponent = p.exponent(x)
		f.evidence -= math.Log(logRange) + math.Log(2*math.Pi*p.prior.spread*p.prior.spread)/2
	}
	var root mat.Cholesky
	if !root.Factorize(&normal) {
		f.evidence = math.Inf(-1)
		return f
	}
	f.evidence -= root.LogDet() / 2
	var inverse mat.SymDense
	if err := root.InverseTo(&inverse); err != nil {
		f.evidence = math.Inf(-1)
		return f
	}
	if p.part != nothing {
		f.size = x[smooth]
		// Of the size at the deepest depth, not of that where the line meets L = 1.
		f.spread = math.Sqrt(inverse.At(all-1, all-1))
		const h = 1e-4
		deepest := p.data[len(p.data)-1].depth
		slope := (p.level(1, deepest, f.exponent+h) - p.level(1, deepest, f.exponent)) / h
		f.sizeSD = math.Sqrt(max(0, inverse.At(smooth, smooth)+2*slope*inverse.At(smooth, all-1)+slope*slope*f.spread*f.spread))
	}
	return f
}
