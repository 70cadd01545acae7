package edge

import (
	"fmt"
	"math"
)

const (
	// calm is the share of its fall that the loss may regain on the stable side. With a tenth
	// none of 40,000 step sizes drawn between half the edge and the edge is unstable (500 for
	// each of 80 draws of data normal of width 4, 6 samples, block mlp with hidden 3, α = 1, depths
	// 8 and 16). Of 15,000 at depth 8, 15 are with a half, and 124 where the edge is that of the first value.
	calm = 0.1
	// The search covers 2^−mostDown to 2^mostUp times its first step size.
	mostUp, mostDown = 10, 40
)

// A scan tries step sizes η_j = (1 + step)^(first + j), j an integer. They are powers, so that the
// rounding of the first step size changes none of them.
type scan struct {
	step, precision float64
	first           int
	octave          int // number of steps in a factor of two
	workers         int
	// try returns for each step size the largest share of its fall that the loss regains,
	// above 1 where it exceeds its first value.
	try   func(etas []float64) ([]float64, error)
	tried map[int]float64
}

func newScan(start float64, options Options, try func([]float64) ([]float64, error)) *scan {
	return &scan{
		step: options.Scan, precision: options.Precision,
		first:   int(math.Round(math.Log(start) / math.Log1p(options.Scan))),
		octave:  int(math.Round(math.Ln2 / math.Log1p(options.Scan))),
		workers: max(1, options.Workers), try: try, tried: map[int]float64{},
	}
}

func (s *scan) eta(j int) float64 { return math.Pow(1+s.step, float64(s.first+j)) }

// above returns the first j of from, from + by, … below to at which the loss regains more than
// the share, or the first that is not below to. It does not repeat trials.
func (s *scan) above(share float64, from, to, by int) (int, error) {
	for j := from; j < to; j += by {
		if _, ok := s.tried[j]; !ok {
			var next []int
			var etas []float64
			for k := j; k < to && len(next) < s.workers; k += by {
				if _, ok := s.tried[k]; !ok {
					next, etas = append(next, k), append(etas, s.eta(k))
				}
			}
			shares, err := s.try(etas)
			if err != nil {
				return 0, err
			}
			for i, k := range next {
				s.tried[k] = shares[i]
			}
		}
		if !(s.tried[j] <= share) {
			return j, nil
		}
	}
	return from + max(0, (to-from+by-1)/by)*by, nil
}

// edges finds the largest step size up to which descent is calm at all that were tried,
// and the smallest at which it is unstable, nil where none is.
func (s *scan) edges() (stable float64, unstable *float64, err error) {
	wild, ok, err := s.firstWild()
	if err != nil {
		return 0, nil, err
	}
	if !ok {
		return s.eta(wild - 1), nil, nil
	}
	if stable, _, err = s.narrow(calm, s.eta(wild-1), s.eta(wild)); err != nil {
		return 0, nil, err
	}
	near := wild + 2*s.octave
	at, err := s.above(1, wild, near, 1)
	if err != nil {
		return 0, nil, err
	}
	if at < near {
		_, high, err := s.narrow(1, max(stable, s.eta(at-1)), s.eta(at))
		return stable, &high, err
	}
	top := max(near, mostUp*s.octave) + 1
	if at, err = s.above(1, near, top, s.octave); err != nil || at >= top {
		return stable, nil, err
	}
	high := s.eta(at)
	return stable, &high, nil
}

// firstWild returns the first j at which descent is not calm, such that it is calm one
// step apart over a factor of two below, and at the three halvings below that. Where
// descent is calm as far up as the search goes, ok is false and all below j is calm.
func (s *scan) firstWild() (j int, ok bool, err error) {
	j, ok, err = s.bracket()
	for err == nil {
		var lowest int
		if lowest, err = s.above(calm, j-4*s.octave, j-s.octave, s.octave); err != nil {
			break
		}
		if lowest >= j-s.octave {
			if lowest, err = s.above(calm, j-s.octave, j, 1); err != nil || lowest == j {
				break
			}
		}
		if j, ok = lowest, true; j < -mostDown*s.octave {
			err = s.neverStable()
		}
	}
	return j, ok, err
}

// bracket returns the first j at which descent is not calm above a factor of two between
// whose ends it turns wild; ok is false where there is no such factor.
func (s *scan) bracket() (j int, ok bool, err error) {
	top := mostUp*s.octave + 1
	j, err = s.above(calm, 0, top, s.octave)
	if err != nil || j >= top {
		return top, false, err
	}
	for {
		below, err := s.above(calm, j-s.octave, j, s.octave)
		if err != nil {
			return 0, false, err
		}
		if below == j {
			break
		}
		if j = below; j < -mostDown*s.octave {
			return 0, false, s.neverStable()
		}
	}
	j, err = s.above(calm, j-s.octave+1, j, 1)
	return j, true, err
}

func (s *scan) neverStable() error {
	return fmt.Errorf("got no stable step size down to %.3g, want one", s.eta(-mostDown*s.octave))
}

// narrow halves the gap between a step size at which the loss regains at most the share
// and one at which it regains more, until they are within the precision.
func (s *scan) narrow(share, low, high float64) (below, beyond float64, err error) {
	for high > low*(1+s.precision)*(1+1e-12) {
		middle := math.Sqrt(low * high)
		shares, err := s.try([]float64{middle})
		if err != nil {
			return 0, 0, err
		}
		if shares[0] <= share {
			low = middle
		} else {
			high = middle
		}
	}
	return low, high, nil
}
