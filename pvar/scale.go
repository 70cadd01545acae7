package pvar

import (
	"fmt"
	"math"
	"sync"

	"github.com/deeplimit/deeplimit/internal/rescale"
)

// scales holds a path at two scales: as it is, up to a power of two that keeps squares in range,
// and with its longest step near 1. Scaling by powers of two is exact, so both have the same
// partitions.
type scales struct {
	metric   Metric
	path     Points // times 2^−exponent
	exponent int
	spread   float64 // largest difference of two points of path in one coordinate
	unit     func() unit
}

// unit is a path times 2^−exponent, its size in [2^−½, 2^½).
type unit struct {
	path     Points
	exponent int
}

func newScales(metric Metric, x Points) *scales {
	spread := rescale.Spread(x.Dim, x.Data)
	s := &scales{metric: metric, exponent: rescale.Exponent(spread)}
	s.path = Points{Dim: x.Dim, Data: rescale.By(x.Data, -s.exponent)}
	s.spread = math.Ldexp(spread, -s.exponent)
	s.unit = sync.OnceValue(func() unit {
		e := int(math.Round(math.Log2(size(metric, s.path))))
		return unit{Points{Dim: x.Dim, Data: rescale.By(s.path.Data, -e)}, s.exponent + e}
	})
	return s
}

// size returns the largest distance from the first point, which is at least half of the largest
// distance of two points; for scalars their range.
func size(metric Metric, x Points) float64 {
	largest := 0.0
	if x.Dim == 1 {
		return rescale.Spread(1, x.Data)
	}
	space := metric.space(x.Dim)
	for i := range x.Len() {
		if space.within == nil || !space.within(x.At(i), x.At(0), largest) {
			largest = max(largest, space.distance(x.At(i), x.At(0)))
		}
	}
	return largest
}

// plain reports whether sums of p-th powers of distances stay in range without scaling; terms
// that underflow are then negligible. The largest distance is between spread and Dim·spread.
func (s *scales) plain(p float64) bool {
	low := p * math.Log2(s.spread)
	high := p*math.Log2(s.spread*float64(s.path.Dim)) + math.Log2(float64(s.path.Len()))
	return s.spread == 0 || s.exponent == 0 && low > -900 && high < 1000
}

// compute returns V_p.
func (s *scales) compute(p float64) (Variation, error) {
	v := Variation{P: p}
	switch {
	case s.path.Len() == 0:
		return v, nil
	case s.path.Len() == 1:
		v.Partition = []int{0}
		return v, nil
	case s.plain(p):
		v.Partition = partition(s.metric, s.path, p)
		v.Value = total(s.metric, s.path, v.Partition, 0, p)
		v.Norm = math.Pow(v.Value, 1/p)
		return v, nil
	}
	u := s.unit()
	v.Partition = partition(s.metric, u.path, p)
	sum := total(s.metric, u.path, v.Partition, 0, p)
	if !normal(sum) {
		return v, fmt.Errorf("pvar: p = %v: got the sum %v of steps scaled to about 1, outside the range of float64; want a smaller p", p, sum)
	}
	v.Norm = math.Ldexp(math.Pow(sum, 1/p), u.exponent)
	if math.IsInf(v.Norm, 1) {
		return v, fmt.Errorf("pvar: p = %v: got a variation beyond the range of float64, want a rescaled path", p)
	}
	if v.Value = total(s.metric, s.path, v.Partition, s.exponent, p); !normal(v.Value) {
		v.Value = math.NaN()
	}
	return v, nil
}

// normal reports whether a positive number is a normal float64, with all its digits.
func normal(v float64) bool { return v >= 0x1p-1022 && v <= math.MaxFloat64 }

// partition returns a maximising partition of two points or more.
func partition(metric Metric, x Points, p float64) []int {
	switch {
	case p == 1:
		all := make([]int, x.Len())
		for i := range all {
			all[i] = i
		}
		return all
	case x.Dim == 1: // all metrics are |x − y|
		return scalarPartition(x.Data, p)
	}
	return newSearch(metric, x, p).partition()
}

// total returns the sum of (2^exponent·d)^p over the steps of partition, in
// Neumaier's compensated summation.
func total(metric Metric, x Points, partition []int, exponent int, p float64) float64 {
	s := metric.space(x.Dim)
	sum, lost := 0.0, 0.0
	for k := 1; k < len(partition); k++ {
		d := math.Ldexp(s.distance(x.At(partition[k-1]), x.At(partition[k])), exponent)
		term := math.Pow(d, p)
		next := sum + term
		if sum >= term {
			lost += (sum - next) + term
		} else {
			lost += (term - next) + sum
		}
		sum = next
	}
	if math.IsInf(sum, 1) {
		return sum
	}
	return sum + lost
}
