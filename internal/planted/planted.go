// Package planted draws paths over layers whose limit is known, to measure how often what
// is inferred from a few depths is right.
//
// A path is L^β A of one network: L points in R^dim. The trend of a seed is one function of
// k/L at all depths; noise, rough parts and jumps are drawn anew at each depth, as
// independent initial weights are.
package planted

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/deeplimit/deeplimit/internal/random"
	"github.com/deeplimit/deeplimit/pvar"
)

// A Family is one kind of planted path.
type Family struct {
	Name    string
	Verdict string // the word of scaling.LimitKind that is right
	// Exponents are the true ones of the limit by the quantity's key; what has none is left out.
	Exponents map[string]float64
	Hurst     float64 // of the roughest part that stays, 0 where there is none
	Share     float64 // of layer noise, against a trend of root mean square 1; 0 where there is none
	draw      func(d *draw)
}

// draw is what the code of a family sees: x is zero, n points of dim numbers.
type draw struct {
	n, dim        int
	trend, random *rand.Rand // the same at all depths of a seed, and another one at each
	x             []float64
}

// Path draws the path of one seed at one depth; equal arguments give equal paths.
func (f Family) Path(seed uint64, depth, dim int) pvar.Points {
	d := &draw{
		n: depth, dim: dim, x: make([]float64, depth*dim),
		trend:  random.New(seed, "planted/trend/"+f.Name),
		random: random.New(seed, fmt.Sprintf("planted/%s/%d", f.Name, depth)),
	}
	f.draw(d)
	return pvar.Points{Dim: dim, Data: d.x}
}

// add adds size times a function of (k/L, entry), which make returns for each entry.
func (d *draw) add(size float64, of func(r *rand.Rand) func(s float64) float64) {
	for e := range d.dim {
		f := of(d.trend)
		for i := range d.n {
			d.x[i*d.dim+e] += size * f(float64(i+1)/float64(d.n))
		}
	}
}

// each adds size times an independent number to every entry of every layer.
func (d *draw) each(size float64, number func(r *rand.Rand) float64) {
	for i := range d.x {
		d.x[i] += size * number(d.random)
	}
}

// smooth is an offset and four half waves of random phase, about 1 in mean square.
func (d *draw) smooth() {
	d.add(0.65, func(r *rand.Rand) func(float64) float64 {
		offset := r.NormFloat64()
		var a, phase [4]float64
		for j := range a {
			a[j], phase[j] = r.NormFloat64()/float64((j+1)*(j+1)), 2*math.Pi*r.Float64()
		}
		return func(s float64) float64 {
			v := offset
			for j := range a {
				v += 1.4 * a[j] * math.Sin(float64(j+1)*math.Pi*s+phase[j])
			}
			return v
		}
	})
}

// noise adds size·L^−½ times independent normal numbers.
func (d *draw) noise(size float64) {
	d.each(size/math.Sqrt(float64(d.n)), (*rand.Rand).NormFloat64)
}

// autoregressive adds x_k = ratio x_{k−1} + noise, stationary, of standard deviation size.
func (d *draw) autoregressive(size, ratio float64) {
	for e := range d.dim {
		v := d.random.NormFloat64()
		for i := range d.n {
			d.x[i*d.dim+e] += size * v
			v = ratio*v + math.Sqrt(1-ratio*ratio)*d.random.NormFloat64()
		}
	}
}

// movingAverage adds size times e_k + ratio e_{k−1} for independent normal e.
func (d *draw) movingAverage(size, ratio float64) {
	for e := range d.dim {
		before := d.random.NormFloat64()
		for i := range d.n {
			now := d.random.NormFloat64()
			d.x[i*d.dim+e] += size * (now + ratio*before)
			before = now
		}
	}
}

// fractional adds size times fractional Brownian motion.
func (d *draw) fractional(size, hurst float64) {
	steps := newCirculant(d.n, hurst)
	scale := size * math.Pow(float64(d.n), -hurst)
	for e := range d.dim {
		at := 0.0
		for i, step := range steps.draw(d.random) {
			at += step
			d.x[i*d.dim+e] += scale * at
		}
	}
}

// jumps adds count jumps of random sizes of 0.5 or more at random places, all of them in one entry or
// each in all entries.
func (d *draw) jumps(count int, one bool) {
	for range count {
		at := int(float64(d.n) * (0.05 + 0.9*d.trend.Float64()))
		for e := range d.dim {
			size := d.trend.NormFloat64()
			size += math.Copysign(0.5, size)
			if one && e != 0 {
				continue
			}
			for i := at; i < d.n; i++ {
				d.x[i*d.dim+e] += size
			}
		}
	}
}

// student is a number of Student's law with 3 degrees of freedom.
func student(r *rand.Rand) float64 { return studentOf(r, 3) }

func studentOf(r *rand.Rand, freedom int) float64 {
	chi := 0.0
	for range freedom {
		v := r.NormFloat64()
		chi += v * v
	}
	return r.NormFloat64() / math.Sqrt(chi/float64(freedom))
}

// stable is a symmetric stable number of index 1.5 (Chambers, Mallows and Stuck).
func stable(r *rand.Rand) float64 {
	const a = 1.5
	u, w := math.Pi*(r.Float64()-0.5), r.ExpFloat64()
	return math.Sin(a*u) / math.Pow(math.Cos(u), 1/a) * math.Pow(math.Cos((1-a)*u)/w, (1-a)/a)
}
