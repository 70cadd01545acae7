package scaling

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Variograms say how large third differences are, and not how neighbouring ones go together, which tells correlated noise
// from a rough part where entries are few. There the structures with a part are weighed by the whole likelihood of
// the third differences at lag 1, as those of normal numbers (sharpen).
const (
	deepestWhole = 256  // the work grows like the square of the depth
	wholeEntries = 6.0  // entries times seeds: the likelihood of more counts as that of so many
	leastWhole   = 1e-5 // probability of a structure that is weighed
	mostTrend    = 0.1  // share of the trend in the mean square of third differences at a depth that is used
	mostWaves    = 3.0  // size of a trend of many waves against the part at a depth that is used
	leastDepth   = 16   // below it polynomials leave too little
	trendDegrees = 6    // of polynomials taken out beyond the degree 2 that third differences do not see,
	steepTrend   = 1.6  // and four more for each tenfold trend from this logarithm to base 10 on
	flatPower    = 10   // how fast the likelihood counts for less where values are not normal
)

// sharpen weighs the structures that have a part against each other by their likelihood on the third differences of the
// paths; the probability of all of them together stays.
func (x *Inference) sharpen(paths []DepthPath) {
	deepest := x.data[len(x.data)-1]
	if x.heavy || x.tilt > 0 || deepest.depth > deepestWhole {
		return
	}
	series := x.series(paths)
	if len(series) < 2 {
		return
	}
	entries := 0.0
	for _, s := range series {
		entries = max(entries, float64(s.count))
	}
	misfit := x.misfit()
	weight := min(1, wholeEntries/entries) / max(1, entries*deepest.noisiness[0]) / math.Pow(flatness(series), flatPower)
	for i := range series {
		series[i].shrink()
	}
	known := map[structure]float64{}
	var chosen []int
	var logs []float64
	before := 0.0
	for i := range x.posterior {
		f := &x.posterior[i]
		if !f.present() || f.probability < leastWhole {
			continue
		}
		key := f.structure
		key.smooth, key.wobble = nil, 0
		if _, ok := known[key]; !ok {
			known[key] = key.whole(series, f.exponent, f.spread, deepest.depth)
		}
		tempered := f.evidence + f.misfit/2*(1-1/misfit)
		chosen = append(chosen, i)
		logs = append(logs, math.Log(f.probability)+weight*(known[key]/misfit-tempered))
		before += f.probability
	}
	if len(chosen) < 2 {
		return
	}
	top, sum := slices.Max(logs), 0.0
	if math.IsInf(top, -1) {
		return
	}
	for i := range logs {
		logs[i] = math.Exp(logs[i] - top)
		sum += logs[i]
	}
	for i, at := range chosen {
		x.posterior[at].probability = before * logs[i] / sum
	}
}

// A series has the third differences at lag 1 of all entries and seeds at one depth, and those of polynomials,
// which stand for the trend.
type series struct {
	depth  int
	values [][]float64 // as many as entries and seeds, or fewer with the same sum of y yᵀ (shrink)
	count  int         // of entries and seeds
	waves  [][]float64
}

// shrink replaces values that are more than numbers in each of them by as many vectors as there are numbers, with the same
// sum of y yᵀ, which is all that the likelihood takes from them: the rows of R in the QR decomposition of all.
func (s *series) shrink() {
	n := s.depth - 3
	if len(s.values) <= n {
		return
	}
	all := mat.NewDense(len(s.values), n, slices.Concat(s.values...))
	var qr mat.QR
	var r mat.Dense
	qr.Factorize(all)
	qr.RTo(&r)
	s.values = s.values[:n]
	for i := range s.values {
		s.values[i] = r.RawRowView(i)
	}
}

// series returns those of the depths at which the trend hardly counts.
func (x *Inference) series(paths []DepthPath) (list []series) {
	f := x.likeliestPart()
	if f == nil {
		return nil
	}
	for _, v := range x.data {
		if v.lags[0] != 1 || v.depth < leastDepth {
			continue
		}
		steepness := 1.0 // of the trend against the part
		if f.structure.smooth != nil {
			part := f.size + f.level(1, v.depth, f.exponent)
			if f.trend+f.structure.smooth.log(1/float64(v.depth)) > part+math.Log(mostTrend) {
				continue
			}
			steepness = max(1, math.Exp((math.Log(20)+f.trend-part)/2))
			if f.structure.smooth.cycles > 1 && steepness > mostWaves {
				continue // polynomials do not stand for it
			}
		}
		s := series{depth: v.depth, waves: waves(v.depth, math.Log10(steepness))}
		for _, p := range paths {
			if p.Depth != v.depth {
				continue
			}
			for e := range p.Path.Dim {
				s.values = append(s.values, differencesOf(p.Depth, func(k int) float64 { return p.Path.Data[k*p.Path.Dim+e] }))
			}
		}
		s.count = len(s.values)
		if 2*len(s.waves) < v.depth-3 {
			list = append(list, s)
		}
	}
	return list
}

// waves returns the third differences of polynomials beyond degree 2, the more of them the larger the trend is against
// the part, by the logarithm of their ratio to base 10: what few degrees leave of a large trend would count as roughness, and many
// take out what tells slow noise from a rough part.
func waves(depth int, steepness float64) (list [][]float64) {
	for j := range trendDegrees + int(math.Ceil(4*max(0, steepness-steepTrend))) {
		list = append(list, differencesOf(depth, func(k int) float64 {
			return legendre(3+j, (2*float64(k)+1)/float64(depth)-1)
		}))
	}
	return list
}

// likeliestPart returns the likeliest structure that has a part, nil for none.
func (x *Inference) likeliestPart() (best *weighted) {
	for i := range x.posterior {
		if f := &x.posterior[i]; f.present() && (best == nil || f.probability > best.probability) {
			best = f
		}
	}
	return best
}

// differencesOf returns third differences of n values.
func differencesOf(n int, of func(int) float64) []float64 {
	d := make([]float64, n-3)
	for k := range d {
		d[k] = of(k+3) - 3*of(k+2) + 3*of(k+1) - of(k)
	}
	return d
}

// flatness is how much larger fourth powers are than those of normal numbers, 1 at least, as they are where the size of
// a part changes along the layers; the mean over entries and depths.
func flatness(list []series) float64 {
	sum, count := 0.0, 0.0
	for _, s := range list {
		for _, d := range s.values {
			square, fourth := 0.0, 0.0
			for _, v := range d {
				square += v * v
				fourth += v * v * v * v
			}
			n := float64(len(d))
			if square > 0 {
				sum += n * fourth * n / (3 * square * square)
			}
			count += n
		}
	}
	return max(1, sum/count)
}

// legendre is the polynomial of Legendre.
func legendre(degree int, x float64) float64 {
	before, p := 0.0, 1.0
	for n := range degree {
		before, p = p, (float64(2*n+1)*x*p-float64(n)*before)/float64(n+1)
	}
	return p
}

// whole returns the log of the marginal likelihood of a structure on third differences, up to a constant that is the
// same for all structures: over any log size of its part, and its exponent as its prior and a first fit have it.
func (s structure) whole(list []series, exponent, spread float64, deepest int) float64 {
	const reach, steps = 3.0, 4 // standard deviations to either side, and points there
	low, high := s.bounds(deepest)
	var logs []float64
	var at []whitened
	for j := -steps; j <= steps; j++ {
		e := exponent + reach*spread*float64(j)/steps
		if e < low || e > high {
			continue
		}
		if at == nil || s.part == roughPart {
			if at = s.whiten(list, e); at == nil {
				continue
			}
		}
		z := (e - s.prior.mean) / s.prior.spread
		logs = append(logs, profile(at, s.part, e)-z*z/2-math.Log(s.prior.spread))
	}
	if logs == nil {
		return math.Inf(-1)
	}
	top, sum := slices.Max(logs), 0.0
	for _, v := range logs {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum*reach*spread/steps)
}

// whitened is what the likelihood needs of one depth: the sum of squares of the values, made independent and without the
// trend, how many there are, and the logarithm of the determinants.
type whitened struct {
	depth                    int
	squares, numbers, logDet float64
}

// profile is the log likelihood over any size of the part; that of noise has the size L^−exponent, and the size of a rough part is in its
// covariance.
func profile(at []whitened, part partKind, exponent float64) float64 {
	squares, numbers, sum := 0.0, 0.0, 0.0
	for _, w := range at {
		scale := 0.0
		if part == layerNoise {
			scale = 2 * exponent * math.Log(float64(w.depth))
		}
		squares += w.squares * math.Exp(scale)
		numbers += w.numbers
		sum += w.numbers*scale/2 - w.logDet/2
	}
	return sum - numbers/2*math.Log(squares)
}

// whiten makes the values of all depths independent; nil where the covariance of the structure is singular.
func (s structure) whiten(list []series, exponent float64) (out []whitened) {
	for _, v := range list {
		gamma := s.ofDifferences(v.depth, exponent)
		vectors := slices.Concat(v.waves, v.values)
		free, logDet := innovations(gamma, vectors)
		if free == nil {
			return nil
		}
		waves, values := free[:len(v.waves)], free[len(v.waves):]
		w := whitened{depth: v.depth}
		for i, wave := range waves { // Gram and Schmidt
			for _, other := range waves[:i] {
				remove(wave, other)
			}
			length := dot(wave, wave)
			logDet += math.Log(length)
			for k := range wave {
				wave[k] /= math.Sqrt(length)
			}
		}
		for _, value := range values {
			for _, wave := range waves {
				remove(value, wave)
			}
			w.squares += dot(value, value)
		}
		w.numbers = float64(v.count * (v.depth - 3 - len(waves)))
		w.logDet = float64(v.count) * logDet
		out = append(out, w)
	}
	return out
}

// remove takes from x what lies along a vector of length 1.
func remove(x, unit []float64) {
	along := dot(x, unit)
	for k := range x {
		x[k] -= along * unit[k]
	}
}

// ofDifferences is the covariance of third differences at lag 1.
func (s structure) ofDifferences(depth int, exponent float64) []float64 {
	weights := [7]float64{-1, 6, -15, 20, -15, 6, -1} // of third differences with themselves
	values := make([]float64, depth+3)
	for j := range values {
		values[j] = s.covarianceAt(j, depth, exponent)
	}
	gamma := make([]float64, depth-3)
	unit := 1.0
	if s.part == roughPart && s.theta == 0 { // in k/L, not in layers
		unit = math.Pow(float64(depth), -2*exponent)
	}
	for lag := range gamma {
		for i, w := range weights {
			gamma[lag] += unit * w * values[abs(lag+i-3)]
		}
	}
	return gamma
}

// innovations returns what of each value of a stationary sequence the values before do not tell, over its standard
// deviation, by the recursion of Levinson and Durbin; and the log of the determinant of the covariance. Nil where it is
// singular.
func innovations(gamma []float64, vectors [][]float64) (out [][]float64, logDet float64) {
	n := len(gamma)
	out = make([][]float64, len(vectors))
	for i := range out {
		out[i] = make([]float64, n)
	}
	ahead, old := make([]float64, n), make([]float64, n) // coefficients of the values before, the nearest first
	variance := gamma[0]
	for t := range n {
		if t > 0 {
			copy(old, ahead[:t-1])
			partial := gamma[t]
			for j, a := range old[:t-1] {
				partial -= a * gamma[t-1-j]
			}
			partial /= variance
			for j := range t - 1 {
				ahead[j] = old[j] - partial*old[t-2-j]
			}
			ahead[t-1] = partial
			variance *= 1 - partial*partial
		}
		if !(variance > 0) {
			return nil, 0
		}
		logDet += math.Log(variance)
		deviation := math.Sqrt(variance)
		for i, x := range vectors {
			v := x[t]
			for j, a := range ahead[:t] {
				v -= a * x[t-1-j]
			}
			out[i][t] = v / deviation
		}
	}
	return out, logDet
}
