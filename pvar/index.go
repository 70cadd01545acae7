package pvar

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// Index is the variation index of one path, as VariationIndex estimates it.
type Index struct {
	Index float64 // the smallest p at which sums of ‖increments‖^p stay bounded as the path is refined; +Inf for independent noise
	// Low and High are the ends of a 95 % interval, cut at 1; both are NaN where there is none.
	Low, High float64
	Lags      []int // that it rests on: 1, 2, 4, … up to a 32nd of the path, three at least
}

const (
	indexBlocks = 16 // of the jackknife
	mostIndex   = 16 // what is larger counts as infinite: such powers see the largest increments alone
	// studentT is the 97.5 % quantile of Student's t with indexBlocks − 1 degrees of freedom.
	studentT = 2.131449546
)

// VariationIndex estimates the variation index of one path of 33 points or more, Euclidean metric: the p ≥ 1 at
// which
//
//	S_p(m) = n/(m·(n − m)) · Σ_k ‖x_{k+m} − x_k‖^p,  n steps,
//
// the sum of increments over every m-th point, averaged over where it begins, does not depend on m (least squares
// on log–log axes). It is 1 for a smooth path and for one that jumps, 1/H for a fractional
// Brownian path, and +Inf for independent noise. The interval is a jackknife over 16 blocks of the path. It
// describes one path over the lags that there are: a smooth path with small noise has the index of whichever is
// larger there. Package scaling infers the index of a limit from several depths and seeds.
//
// It returns an error for a shorter path, a number that is not finite, or a path with a lag at which it does not
// move. Cost and memory are n log n.
func VariationIndex(path Points) (Index, error) {
	if err := path.check(); err != nil {
		return Index{}, err
	}
	if n := path.Len(); n < 33 {
		return Index{}, fmt.Errorf("pvar: variation index: got %d points, want 33 at least", n)
	}
	d, err := newLagged(path)
	if err != nil {
		return Index{}, err
	}
	low, high := 1.0, float64(mostIndex)
	switch {
	case !(d.slope(low, noBlock) > 1e-9): // rounding
		high = low
	case d.slope(high, noBlock) > 0:
		return Index{math.Inf(1), math.NaN(), math.NaN(), d.lags}, nil
	}
	for high-low > 1e-10*high {
		if middle := low + (high-low)/2; d.slope(middle, noBlock) > 0 {
			low = middle
		} else {
			high = middle
		}
	}
	out := Index{Index: high, Lags: d.lags}
	out.Low, out.High = d.interval(high)
	return out, nil
}

// lagged holds the logarithms of the increments of a path, by lag.
type lagged struct {
	lags   []int
	logs   [][]float64 // log ‖x_{k+m} − x_k‖ less their maximum at lag 1, by k
	x      []float64   // −log m
	p      float64     // of sums
	sums   [][indexBlocks]float64
	counts [][indexBlocks]float64
}

// noBlock is no block to leave out.
const noBlock = -1

func newLagged(path Points) (*lagged, error) {
	path, _ = path.rescaled()
	s, n, d := Euclidean.space(path.Dim), path.Len(), &lagged{}
	shift := 0.0
	for m := 1; m <= max(4, (n-1)/32); m *= 2 {
		logs, largest := make([]float64, n-m), math.Inf(-1)
		for k := range logs {
			logs[k] = math.Log(s.raw(path.At(k), path.At(k+m))) / 2
			largest = max(largest, logs[k])
		}
		if math.IsInf(largest, 0) {
			return nil, fmt.Errorf("pvar: variation index: lag %d: got increments of size %v, want positive finite ones", m, math.Exp(largest))
		}
		if m == 1 {
			shift = largest
		}
		for k := range logs {
			logs[k] -= shift
		}
		d.lags, d.logs, d.x = append(d.lags, m), append(d.logs, logs), append(d.x, -math.Log(float64(m)))
	}
	return d, nil
}

// sum computes the sums of ‖increments‖^p by lag and block, unless it has them.
func (d *lagged) sum(p float64) {
	if d.p == p {
		return
	}
	d.p, d.sums, d.counts = p, make([][indexBlocks]float64, len(d.lags)), make([][indexBlocks]float64, len(d.lags))
	for i, logs := range d.logs {
		for k, log := range logs {
			block := k * indexBlocks / len(logs)
			d.sums[i][block] += math.Exp(p * log)
			d.counts[i][block]++
		}
	}
}

// slope returns that of log S_p(m) in −log m, without one of the blocks.
func (d *lagged) slope(p float64, without int) float64 {
	d.sum(p)
	y := make([]float64, len(d.lags))
	for i := range y {
		sum, count := 0.0, 0.0
		for block := range indexBlocks {
			if block != without {
				sum += d.sums[i][block]
				count += d.counts[i][block]
			}
		}
		y[i] = math.Log(sum/count) + d.x[i]
	}
	_, slope := stat.LinearRegression(d.x, y, nil, false)
	return slope
}

// interval returns that of the index p: the jackknife's for the slope, over how fast it falls with p.
func (d *lagged) interval(p float64) (low, high float64) {
	const h = 1e-4
	fall := (d.slope(p, noBlock) - d.slope(p+h, noBlock)) / h
	at, mean := d.slope(p, noBlock), 0.0
	var slopes [indexBlocks]float64
	for block := range slopes {
		slopes[block] = d.slope(p, block)
		mean += slopes[block] / indexBlocks
	}
	squares := 0.0
	for _, slope := range slopes {
		squares += (slope - mean) * (slope - mean)
	}
	half := studentT * math.Sqrt(squares*(indexBlocks-1)/indexBlocks)
	low, high = p+(at-half)/fall, p+(at+half)/fall
	if !(fall > 0) || math.IsInf(high, 0) || math.IsNaN(high) {
		return math.NaN(), math.NaN()
	}
	return max(low, 1), max(high, 1)
}
