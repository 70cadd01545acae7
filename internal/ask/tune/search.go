package tune

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/deeplimit/deeplimit/scaling"
)

// A search brackets the minimum of a measure at one depth, on settings that are powers of the precision times
// the first one, and closes in on it. It asks for the powers to try next, and is told the mean over seeds of log measure
// there. What it asks depends on nothing but what it was told, so that an interrupted search
// asks the same again.
type search struct {
	origin int // of the coarse scan
	stride int // of the coarse scan: a factor of about two
	most   int // the largest power either way
	// start is the mean of log measure before training, NaN where it is not known: how high a flank can be.
	start float64
	value map[int]float64   // told so far; +Inf where any seed diverged
	seeds map[int][]float64 // of the same, log measure of each seed

	fine         int  // the stride about the best that is asked for next; 0 when all have been
	turned       bool // whether one side of center was asked for with that stride, side which
	center, side int
	joined       bool // whether steep was asked for
	rival        bool // whether a power from elsewhere was asked for when before was the best
	before       int

	// lowEnd and highEnd are the ends of the settings that the field takes, if any were met.
	lowEnd, highEnd *int
}

const (
	// scanFactor is about what lies between two settings of the coarse scan.
	scanFactor = 2.0
	// reach is how far from the first setting a search goes, either way.
	reach = 1e9
	// flank is the share of the fall from the start that the measure must regain on each side of the best.
	flank = 0.3
	// clearing is how many coarse steps from the best a flank ends though the seeds do not agree that it is higher.
	clearing = 6
	// steepShare is the share of the fall from the start by which a part of a flank is steep, and mostSteep how many
	// of those are divided.
	steepShare, mostSteep = 0.1, 2
	// flatness is how many equal values show that the measure does not change with the setting, and levelled how
	// many outermost ones, of enough, that it does not any more.
	flatness, levelled, enough = 20, 4, 8
	// ahead is how many coarse steps are tried at once while the measure falls towards an end.
	ahead = 2
)

// origins are where the coarse scans of the depths of a study begin, in eighths of a stride. If all began at one
// setting, their trials would lie on one another at the exponent that the study's rule has, and nowhere else: the
// collapse of the curves, between whose trials it interpolates, would favour it. No other exponent lays
// those of more than a few pairs of depths on one another.
var origins = []int{0, 5, 3, 6, 1, 4, 7, 2}

// newSearch returns the search at depth number i of a study.
func newSearch(precision float64, i int) *search {
	stride := 1
	for math.Pow(precision, 1.5*float64(stride)) < scanFactor {
		stride *= 2
	}
	return &search{
		origin: origins[i%len(origins)] * stride / 8, stride: stride, most: int(math.Log(reach)/math.Log(precision)) / stride * stride,
		start: math.NaN(), value: map[int]float64{}, seeds: map[int][]float64{}, fine: stride / 2,
	}
}

// next returns the powers to try next, nil when the minimum is found or cannot be: see end.
func (s *search) next() []int {
	if len(s.value) == 0 {
		return s.fresh(s.origin-s.stride, s.origin, s.origin+s.stride)
	}
	if s.hopeless() {
		return nil
	}
	if s.rival && s.best() != s.before {
		s.fine, s.turned = max(1, s.stride/4), false
	}
	s.rival = false
	if wider := s.widen(); wider != nil {
		return wider
	}
	best := s.best()
	if math.IsInf(s.value[best], 1) {
		return nil
	}
	for s.fine >= 1 {
		if finer := s.closer(best); finer != nil {
			return finer
		}
	}
	if !s.joined {
		s.joined = true
		return s.steep()
	}
	return nil
}

// hopeless reports whether the measure does not change with the setting.
func (s *search) hopeless() bool { return len(s.value) >= flatness && s.flat() }

// wider returns what widen does, of a search that has a point.
func (s *search) wider() []int {
	if s.hopeless() {
		return nil
	}
	return s.widen()
}

// far reports whether no power about k was tried, and the best may lie there: between two neighbours that are as good as the
// best, to a fiftieth, it is not worth looking.
func (s *search) far(k int) bool {
	if len(s.fresh(k-1, k, k+1)) < 3 {
		return false
	}
	powers := s.powers()
	i, _ := slices.BinarySearch(powers, k)
	if i == 0 || i == len(powers) {
		return true
	}
	return max(s.value[powers[i-1]], s.value[powers[i]])-s.value[s.best()] > math.Log(1.02)
}

// again lets the search close in once more if a power that is tried next turns out better than the best.
func (s *search) again() { s.rival, s.before = true, s.best() }

// closer returns the powers a stride from the best: first the one on the side where the measure is lower, then,
// unless it is better than the best, the other. Of the last stride it returns both.
func (s *search) closer(best int) []int {
	stride := s.fine
	if stride == 1 {
		s.fine = 0
		return s.fresh(best-1, best+1)
	}
	if !s.turned {
		s.turned, s.center, s.side = true, best, s.lower(best)
		return s.fresh(best + s.side*stride)
	}
	s.turned = false
	s.fine /= 2
	if best != s.center {
		return nil
	}
	return s.fresh(best - s.side*stride)
}

// lower returns on which side of the best the nearest power tried has the lower value: −1 or 1.
func (s *search) lower(best int) int {
	powers := s.powers()
	i := slices.Index(powers, best)
	if i == 0 || i+1 < len(powers) && s.value[powers[i+1]] < s.value[powers[i-1]] {
		return 1
	}
	return -1
}

// steep returns powers half-way down the steepest parts of the flanks, where little is known of the curve that
// is compared between depths.
func (s *search) steep() []int {
	type part struct {
		middle int
		fall   float64
	}
	var parts []part
	powers := s.powers()
	for i := range len(powers) - 1 {
		low, high := powers[i], powers[i+1]
		fall := math.Abs(s.value[low] - s.value[high])
		if high-low > s.stride/2 && !math.IsInf(fall, 0) && fall > steepShare*(s.start-s.value[s.best()]) {
			parts = append(parts, part{(low + high) / 2, fall})
		}
	}
	slices.SortFunc(parts, func(a, b part) int { return cmp.Or(cmp.Compare(b.fall, a.fall), cmp.Compare(a.middle, b.middle)) })
	var middles []int
	for _, p := range parts[:min(mostSteep, len(parts))] {
		middles = append(middles, p.middle)
	}
	return s.fresh(middles...)
}

// widen returns the coarse steps that are missing on either side.
func (s *search) widen() []int {
	best := s.best()
	low, high := slices.Min(s.powers()), slices.Max(s.powers())
	var more []int
	if math.IsInf(s.value[best], 1) { // all diverged: smaller settings
		for i := range ahead {
			more = append(more, low-(i+1)*s.stride)
		}
		return s.fresh(more...)
	}
	height := flank * (s.start - s.value[best])
	if !(height > 0) {
		height = 0
	}
	for _, side := range []struct{ end, sign int }{{low, -1}, {high, 1}} {
		switch {
		case s.value[side.end] <= s.value[best] || s.value[side.end] < s.value[best]+height:
		case scaling.Above(s.seeds[side.end], s.seeds[best]), abs(side.end-best) >= clearing*s.stride:
			continue
		}
		steps := 1
		if best == side.end {
			if s.level(side.sign) {
				continue
			}
			steps = ahead
		}
		for i := range steps {
			more = append(more, side.end+side.sign*(i+1)*s.stride)
		}
	}
	return s.fresh(more...)
}

// fresh returns those of the powers that are within reach and not tried, nil for none.
func (s *search) fresh(powers ...int) []int {
	var out []int
	for _, k := range powers {
		_, tried := s.value[k]
		switch {
		case tried, k < -s.most, k > s.most:
		case s.lowEnd != nil && k <= *s.lowEnd, s.highEnd != nil && k >= *s.highEnd:
		default:
			out = append(out, k)
		}
	}
	return out
}

// tell records log measure of each seed at a power, +Inf where it diverged.
func (s *search) tell(k int, seeds []float64) {
	s.value[k], s.seeds[k] = meanOf(seeds), seeds
}

// meanOf returns the mean of log measure over seeds, +Inf where that is not a number.
func meanOf(seeds []float64) float64 {
	mean := stat.Mean(seeds, nil)
	if math.IsNaN(mean) {
		return math.Inf(1)
	}
	return mean
}

// refuse records that the study does not take the setting at a power, nor any beyond it.
func (s *search) refuse(k int) {
	if k < 0 {
		if s.lowEnd == nil || k > *s.lowEnd {
			s.lowEnd = &k
		}
	} else if s.highEnd == nil || k < *s.highEnd {
		s.highEnd = &k
	}
}

func (s *search) powers() []int { return slices.Sorted(maps.Keys(s.value)) }

// best returns the power of the least value, the smallest of equal ones.
func (s *search) best() int {
	return slices.MinFunc(s.powers(), func(a, b int) int { return cmp.Compare(s.value[a], s.value[b]) })
}

// end says in words why the search has ended without a minimum, "" where it has one. field
// returns the setting at a power.
func (s *search) end(field func(k int) float64) string {
	best := s.best()
	low, high := slices.Min(s.powers()), slices.Max(s.powers())
	switch {
	case math.IsInf(s.value[best], 1):
		return fmt.Sprintf("training diverges at every value from %.3g to %.3g", field(low), field(high))
	case s.flat():
		return fmt.Sprintf("it is the same at all %d values from %.3g to %.3g", len(s.value), field(low), field(high))
	case best == low && s.lowEnd == nil:
		return fmt.Sprintf("it is least at %.3g, the smallest of %d values up to %.3g", field(low), len(s.value), field(high))
	case best == high && s.highEnd == nil:
		return fmt.Sprintf("it is least at %.3g, the largest of %d values down to %.3g", field(high), len(s.value), field(low))
	}
	return ""
}

// level reports whether the outermost values on a side, -1 or 1, hardly differ over two coarse steps or more: beyond them is
// nothing to find.
func (s *search) level(side int) bool {
	powers := s.powers()
	if len(powers) < enough || s.flat() {
		return false
	}
	outer := powers[:levelled]
	if side > 0 {
		outer = powers[len(powers)-levelled:]
	}
	if outer[levelled-1]-outer[0] < (levelled-2)*s.stride {
		return false
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, k := range outer {
		low, high = min(low, s.value[k]), max(high, s.value[k])
	}
	return high-low <= 1e-3
}

// isEnd reports whether power k is the outermost one on a side, -1 or 1.
func (s *search) isEnd(k, side int) bool {
	if side < 0 {
		return k == slices.Min(s.powers())
	}
	return k == slices.Max(s.powers())
}

// flat reports whether all values are equal but for rounding.
func (s *search) flat() bool {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range s.value {
		low, high = min(low, v), max(high, v)
	}
	return high-low <= 1e-9
}
