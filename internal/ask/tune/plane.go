package tune

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// A plane looks for the minimum of a measure over two settings at one depth, each a power of the precision times its first
// value: a pattern search with steps along the axes and the diagonals, of a factor of about two first and of the precision
// last, so that it follows a valley in which only the product or the ratio of the settings counts. Then it looks along the four
// lines through the best how far the valley reaches. What it asks depends on nothing but what it was told.
type plane struct {
	origin cell
	stride int     // of the coarse steps
	start  float64 // the mean of log measure before training, NaN where it is not known
	most   int     // the largest power either way, of each setting

	value   map[cell]float64   // told so far; +Inf where any seed diverged
	seeds   map[cell][]float64 // of the same, log measure of each seed
	refused map[cell]bool      // those that the study does not take

	center cell // from which steps are taken
	moved  cell // the last step of the center
	fine   int  // the length of the steps, 0 when all have been
	polled int  // how many of the two kinds of step from the center were asked for
	steep  bool // whether parts of the flanks were asked for
	gaveUp bool // whether something was left to ask for when mostCells had been tried
}

const (
	// gain is the least fall of log measure for which the center moves: without it, a level valley is followed for ever.
	gain = 1e-3
	// mostCells is how many pairs of values are tried at a depth before a search gives up.
	mostCells = 400
)

// axes and diagonals are the directions of steps, and of the lines through the best.
var (
	axes      = []cell{{1, 0}, {0, 1}}
	diagonals = []cell{{1, 1}, {1, -1}}
)

// newPlane returns the search at depth number i of a study.
func newPlane(precision float64, i int) *plane {
	a, b := newSearch(precision, i), newSearch(precision, i+3) // scans that begin apart: see origins
	p := &plane{
		origin: cell{a.origin, b.origin}, stride: a.stride, start: math.NaN(), most: a.most,
		value: map[cell]float64{}, seeds: map[cell][]float64{}, refused: map[cell]bool{}, fine: a.stride,
	}
	p.center = p.origin
	return p
}

func (c cell) plus(k int, d cell) cell { return cell{c[0] + k*d[0], c[1] + k*d[1]} }

// next returns the cells to try next, nil when the minimum is found or cannot be.
func (s *plane) next() []cell {
	if len(s.value) == 0 {
		if more := s.fresh(append(s.around(axes), s.origin)...); more != nil {
			return more
		}
		return s.fresh(cell{}) // what the study has written
	}
	if s.hopeless() {
		return nil
	}
	more := s.descend()
	if more == nil {
		more = s.look()
	}
	if len(s.value) >= mostCells && more != nil {
		s.gaveUp = true
		return nil
	}
	return more
}

// hopeless reports whether the measure does not change with the settings.
func (s *plane) hopeless() bool {
	values := slices.Collect(maps.Values(s.value))
	return len(values) >= flatness && slices.Max(values)-slices.Min(values) <= 1e-9
}

// descend returns the steps from the center that are missing.
func (s *plane) descend() []cell {
	best := s.best()
	if math.IsInf(s.value[best], 1) { // all diverged: smaller settings
		k := (len(s.value) + 1) * s.stride
		return s.fresh(s.origin.plus(-k, cell{1, 1}), s.origin.plus(-k, axes[0]), s.origin.plus(-k, axes[1]))
	}
	if v, tried := s.value[s.center]; !tried || s.value[best] < v-gain {
		s.moved = cell{best[0] - s.center[0], best[1] - s.center[1]}
		s.center, s.polled = best, 0
		if s.fine == 0 { // found by looking along a line, or at another depth
			s.fine, s.moved = max(1, s.stride/4), cell{}
		}
	}
	for s.fine > 0 {
		var wanted []cell
		switch s.polled {
		case 0:
			wanted = s.around(axes)
			if s.moved != (cell{}) {
				wanted = append(wanted, s.center.plus(1, s.moved))
			}
		case 1:
			wanted = s.around(diagonals)
		default:
			s.fine, s.polled, s.moved = s.fine/2, 0, cell{}
			continue
		}
		s.polled++
		if more := s.fresh(wanted...); more != nil {
			return more
		}
	}
	return nil
}

// around returns the cells a step from the center along directions, both ways.
func (s *plane) around(directions []cell) []cell {
	var out []cell
	for _, d := range directions {
		out = append(out, s.center.plus(-s.fine, d), s.center.plus(s.fine, d))
	}
	return out
}

// look returns what is missing of the four lines through the best: of the axes as far as a search over one
// setting goes, of the diagonals no farther than where a flank ends anyway.
func (s *plane) look() []cell {
	best := s.best()
	if math.IsInf(s.value[best], 1) {
		return nil
	}
	var more []cell
	for _, d := range axes {
		l := s.line(d)
		for _, k := range l.wider() {
			if side := cmp.Compare(k, 0); !l.level(side) {
				more = append(more, best.plus(k, d))
			}
		}
	}
	for _, d := range diagonals {
		for _, k := range s.line(d).wider() {
			if abs(k) <= clearing*s.stride {
				more = append(more, best.plus(k, d))
			}
		}
	}
	if more = s.fresh(more...); more != nil || s.steep {
		return more
	}
	s.steep = true
	for _, d := range axes {
		for _, k := range s.line(d).steep() {
			more = append(more, best.plus(k, d))
		}
	}
	return s.fresh(more...)
}

// line returns what was told of the cells on a line through the best, which has power 0 there, as a search over one setting.
func (s *plane) line(d cell) *search {
	best := s.best()
	out := &search{stride: s.stride, most: s.most, start: s.start, value: map[int]float64{}, seeds: map[int][]float64{}}
	for c, v := range s.value {
		if k, ok := along(best, c, d); ok {
			out.value[k], out.seeds[k] = v, s.seeds[c]
		}
	}
	for c := range s.refused {
		if k, ok := along(best, c, d); ok {
			out.refuse(k)
		}
	}
	return out
}

// along returns the k with c = from + k·d, false where there is none.
func along(from, c, d cell) (int, bool) {
	k := (c[0] - from[0]) * d[0]
	if d[0] == 0 {
		k = (c[1] - from[1]) * d[1]
	}
	return k, from.plus(k, d) == c
}

// fresh returns those of the cells that are within reach and not tried, once each and in order, nil for none.
func (s *plane) fresh(cells ...cell) []cell {
	var out []cell
	for _, c := range cells {
		if _, tried := s.value[c]; !tried && !s.refused[c] && max(abs(c[0]), abs(c[1])) <= s.most {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, compareCells)
	return slices.Compact(out)
}

func compareCells(a, b cell) int { return slices.Compare(a[:], b[:]) }

// tell records log measure of each seed at a cell, +Inf where it diverged.
func (s *plane) tell(c cell, seeds []float64) {
	s.value[c], s.seeds[c] = meanOf(seeds), seeds
}

// refuse records that the study does not take the settings of a cell.
func (s *plane) refuse(c cell) { s.refused[c] = true }

// cells returns those that were tried, in order.
func (s *plane) cells() []cell { return slices.SortedFunc(maps.Keys(s.value), compareCells) }

// best returns the cell of the least value, the first of equal ones.
func (s *plane) best() cell {
	return slices.MinFunc(s.cells(), func(a, b cell) int { return cmp.Compare(s.value[a], s.value[b]) })
}

// far reports whether no cell about c was tried.
func (s *plane) far(c cell) bool {
	for other := range s.value {
		if max(abs(other[0]-c[0]), abs(other[1]-c[1])) <= 1 {
			return false
		}
	}
	return len(s.fresh(c)) > 0
}
