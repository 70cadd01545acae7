package pvar

import (
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// tiles holds a path of the Euclidean space in tiles of leaf points side by side, whose distances from
// a point cost less than those of single points.
//
// # The bound of second order
//
// For blocks I and J let x = c_I + u be a point of I and y = c_J + w one of J. With D = |c_I − c_J|
//
//	|x − y|² = |x − c_J|² + |y − c_I|² − D² − 2⟨u, w⟩ ≤ |x − c_J|² + |y − c_I|² − D² + 2 r_I r_J,
//
// which is off by 4 r_I r_J at most, where the triangle inequality is off by 2D(r_I + r_J). It takes
// |I| + |J| distances and bounds |I|·|J|. On a Brownian path at p = 2 it leaves the pairs of a few
// neighbouring leaves.
//
// V(k) is bounded from below by V before J and the powers of the steps from there to k.
type tiles struct {
	data  []float64 // (tiles, Dim, leaf), the last filled up with the last point
	dim   int
	ops   *kernel.Ops[float64]
	steps []float64           // p-th power of the step to each point
	a, b  []float64           // distances of the points of I from c_J and of J from c_I
	exact []float64           // of a leaf from a point
	inner [leaf][leaf]float64 // p-th powers of those between the points of a leaf
	slack float64             // bounds the relative error of a computed squared distance
}

func newTiles(path Points) *tiles {
	n := path.Len()
	count := (n + leaf - 1) / leaf
	t := &tiles{
		data: make([]float64, count*leaf*path.Dim), dim: path.Dim, ops: kernel.For[float64](),
		a: make([]float64, count*leaf), b: make([]float64, count*leaf), exact: make([]float64, leaf),
		slack: float64(path.Dim+16) * 0x1p-52,
	}
	for i := range count * leaf {
		tile := t.data[i/leaf*leaf*path.Dim:]
		for k, v := range path.At(min(i, n-1)) {
			tile[k*leaf+i%leaf] = v
		}
	}
	return t
}

// distances puts the squared distances of the points from first, the first of a leaf, to last from y into dst, and
// returns those.
func (t *tiles) distances(dst []float64, first, last int, y []float64) []float64 {
	count := (last - first + leaf) / leaf
	t.ops.SquaredDistances(dst[:count*leaf], t.data[first*t.dim:(first+count*leaf)*t.dim], y)
	return dst[:last-first+1]
}

func largest(x []float64) float64 {
	most := 0.0
	for _, v := range x {
		most = max(most, v)
	}
	return most
}

// step computes the powers of the steps.
func (t *tiles) step(s *search) {
	t.steps = make([]float64, s.n)
	for k := 1; k < s.n; k++ {
		t.steps[k] = s.pow(s.space.raw(s.path.At(k-1), s.path.At(k)))
	}
}

// across returns the squared distances of the points of I from c_J and of those of J from c_I, rounded up, and what is to be
// added to the sum of one of each for the bound of second order.
func (t *tiles) across(s *search, i, j node) (a, b []float64, add float64) {
	c, d := s.centre[i.level].At(i.number), s.centre[j.level].At(j.number)
	a = t.distances(t.a, s.first(i), s.last(i), d)
	b = t.distances(t.b, s.first(j), s.last(j), c)
	for k := range b {
		b[k] *= 1 + t.slack
	}
	for k := range a {
		a[k] *= 1 + t.slack
	}
	return a, b, 2*(1+t.slack)*s.radius[i.level][i.number]*s.radius[j.level][j.number] - (1-t.slack)*s.space.raw(c, d)
}

// sharpened reports whether blocks of a level meet the bound of second order: every other level, as one
// level of splitting costs less, up to 128 points. Larger blocks that the triangle inequality leaves are
// too near one another to be excluded whole.
func sharpened(level int) bool { return level%2 == 0 && level <= 4 }

// parts is into how many parts a block is divided for a bound: V rises over I and the distances from it fall.
const parts = 4

// exceeds reports whether a point of block i may offer more to one of block j than that has without i.
func (t *tiles) exceeds(s *search, i, j node) bool {
	a, b, add := t.across(s, i, j)
	first, floor := s.first(j), s.value[s.first(j)-1]
	size := (len(b) + parts - 1) / parts
	for k := 0; k < len(b); k += size {
		part := b[k:min(k+size, len(b))]
		if t.exceedsPart(s, s.first(i), a, largest(part)+add, floor+t.steps[first+k]) {
			return true
		}
		for m := range part {
			floor += t.steps[first+k+m]
		}
	}
	return false
}

// exceedsPart reports whether V(i) + (a(i) + add)^(p/2) > floor for a point of a block that begins at first.
func (t *tiles) exceedsPart(s *search, first int, a []float64, add, floor float64) bool {
	size := (len(a) + parts - 1) / parts
	most := -1.0
	for end := len(a); end > 0; end -= size {
		if far := largest(a[max(0, end-size):end]); far > most { // else later points offer as much, as V does not fall
			most = far
			if s.value[first+end-1]+s.pow(max(0, most+add)) > floor {
				return true
			}
		}
	}
	return false
}

// search is that of search for leaf j, with the distances of whole leaves.
func (t *tiles) search(s *search, j node, list []node) {
	first, last := s.first(j), s.last(j)
	for k := first; k <= last; k++ {
		row := &t.inner[k-first]
		copy(row[:], t.distances(t.exact, first, last, s.path.At(k)))
		for i := range k - first {
			row[i] = s.pow(row[i])
		}
		if k > 0 {
			s.likely(first, k)
		}
	}
	t.within(s, first, last)
	for l := len(list) - 1; l >= 0; l-- {
		i := list[l]
		start := s.first(i)
		a, b, add := t.across(s, i, j)
		for k := first; k <= last; k++ {
			if !t.exceedsPart(s, start, a, b[k-first]+add, s.value[k]) {
				continue
			}
			exact, most := t.distances(t.exact, start, s.last(i), s.path.At(k)), -1.0
			for m := len(exact) - 1; m >= 0; m-- {
				if exact[m] > most { // others offer less, as V does not fall
					most = exact[m]
					s.raise(start+m, k, most)
				}
			}
		}
	}
	t.within(s, first, last)
}

// within offers the points of a leaf to one another.
func (t *tiles) within(s *search, first, last int) {
	for k := first; k <= last; k++ {
		for i := k - 1; i >= first; i-- {
			if v := s.value[i] + t.inner[k-first][i-first]; v > s.value[k] {
				s.value[k], s.from[k] = v, int32(i)
			}
		}
	}
}
