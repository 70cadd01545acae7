package pvar

import (
	"math"

	"github.com/deeplimit/deeplimit/internal/kernel"
)

// search finds V_p of a path in a normed space, for p > 1, by the dynamic
// programme V(j) = max_{i<j} V(i) + d(i,j)^p over a dyadic tree of index blocks.
//
// # Which pairs can be skipped
//
// V is non-decreasing, since V(j) ≥ V(j−1) + d(j−1,j)^p. Let c be the middle between
// the first and last point of a block and r the largest distance of its points from c.
// All i in block I and j in block J, I before J, satisfy by the triangle inequality
//
//	V(i) + d(i,j)^p ≤ V(last of I) + (d(c_I,c_J) + r_I + r_J)^p.
//
// If that does not exceed V(first of J − 1), which every V(j) in J reaches without
// I, the search skips all pairs of I × J. What it cannot skip meets a sharper test in the
// Euclidean metric (euclidean.go). What is left is split, the larger block first. The search
// visits the blocks J from left to right, so that V is known before them. A block passes
// the list of the I that it could not exclude to its halves, so that far blocks are
// excluded for many j at once. On a straight line all but O(log n) blocks are excluded
// at each level, and the cost is O(n log n).
//
// This c is optimal on a straight line, where r is half the length, and close to optimal
// on a Brownian path in many dimensions: there d(i,j)² is close to a multiple of |i−j|,
// and all points of a block are equally far from c, at 1/√2 of their largest distance
// from its middle point.
//
// Korepanov, Lyons and Zorin-Kranich bound the dynamic programme by dyadic blocks; the
// recursion over J, the centres, the leaves and the bound of second order are deeplimit's.
type search struct {
	path  Points
	space space
	pow   func(raw float64) float64 // d^p as a function of the raw distance
	p     float64
	tiles *tiles // nil unless the metric is Euclidean

	n      int
	centre []Points    // by level: one point a block
	radius [][]float64 // by level and block

	value []float64
	from  []int32
	lists [][]node // one buffer for each level of J
}

// leaf is the number of points in the smallest blocks.
const leaf = kernel.Lanes

// node is the block of indices [number·leaf·2^level, (number+1)·leaf·2^level), cut at n.
type node struct {
	level  int
	number int
}

// newSearch prepares the search for V_p of a path of two points or more.
func newSearch(metric Metric, path Points, p float64) *search {
	s := &search{path: path, space: metric.space(path.Dim), p: p, n: path.Len()}
	s.pow = power(p)
	if s.space.squared {
		s.pow = power(p / 2)
		s.tiles = newTiles(path)
	}
	return s
}

func (s *search) first(b node) int { return b.number * (leaf << b.level) }
func (s *search) last(b node) int  { return min((b.number+1)*(leaf<<b.level), s.n) - 1 }

// partition returns a maximising partition.
func (s *search) partition() []int {
	s.value, s.from = make([]float64, s.n), make([]int32, s.n)
	s.measure()
	if s.tiles != nil {
		s.tiles.step(s)
	}
	s.lists = make([][]node, len(s.radius))
	s.descend(node{level: len(s.radius) - 1}, nil)
	return trace(s.from)
}

// measure computes the centre and radius of every block, n distances for each of the lower levels.
func (s *search) measure() {
	for level := 0; ; level++ {
		size := leaf << level
		blocks := (s.n + size - 1) / size
		centre := Points{Dim: s.path.Dim, Data: make([]float64, blocks*s.path.Dim)}
		radius := make([]float64, blocks)
		for k := range radius {
			b, c := node{level, k}, centre.At(k)
			right := s.path.At(s.last(b))
			for m, left := range s.path.At(s.first(b)) {
				c[m] = left + (right[m]-left)/2
			}
			radius[k] = s.reach(b, c)
		}
		s.centre, s.radius = append(s.centre, centre), append(s.radius, radius)
		if blocks == 1 {
			return
		}
	}
}

// reach returns the largest distance of the points of block b from c; for large blocks a bound by those of smaller
// ones, a quarter above it on a Brownian path.
func (s *search) reach(b node, c []float64) float64 {
	first, last := s.first(b), s.last(b)
	radius := 0.0
	if low := b.level - coarser; low >= coarser {
		for k := b.number << coarser; k < (b.number+1)<<coarser && k < len(s.radius[low]); k++ {
			radius = max(radius, s.space.distance(s.centre[low].At(k), c)+s.radius[low][k])
		}
		return radius
	}
	if s.tiles != nil {
		return math.Sqrt(largest(s.tiles.distances(s.tiles.a, first, last, c)))
	}
	for i := first; i <= last; i++ {
		if s.space.within == nil || !s.space.within(s.path.At(i), c, radius) {
			radius = max(radius, s.space.distance(s.path.At(i), c))
		}
	}
	return radius
}

// coarser is how many levels below a block are the smaller ones of reach, and the lowest level of those.
const coarser = 4

// exceeds reports whether v + (d(x, y) + slack)^p > floor may hold.
func (s *search) exceeds(v float64, x, y []float64, slack, floor float64) bool {
	if s.space.within != nil {
		return !s.space.within(x, y, s.root(floor-v)-slack)
	}
	raw := s.space.raw(x, y)
	if s.space.squared {
		d := math.Sqrt(raw) + slack
		raw = d * d
	} else {
		raw += slack
	}
	return v+s.pow(raw) > floor
}

// root returns the distance whose p-th power is gain.
func (s *search) root(gain float64) float64 { return math.Pow(max(0, gain), 1/s.p) }

// descend computes V in block j; before lists the blocks of predecessors outside it, in
// ascending order.
func (s *search) descend(j node, before []node) {
	list := s.lists[j.level][:0]
	if first := s.first(j); first > 0 {
		floor := s.value[first-1]
		for _, i := range before {
			list = s.keep(list, i, j, floor)
		}
	}
	s.lists[j.level] = list
	if j.level == 0 {
		if s.tiles != nil {
			s.tiles.search(s, j, list)
		} else {
			s.search(j, list)
		}
		return
	}
	left, right := node{j.level - 1, 2 * j.number}, node{j.level - 1, 2*j.number + 1}
	s.descend(left, list)
	if right.number < len(s.radius[right.level]) {
		list = append(list, left)
		s.lists[j.level] = list
		s.descend(right, list)
	}
}

// keep appends to list the parts of block i that may offer more than floor to block j, as
// blocks no larger than j.
func (s *search) keep(list []node, i, j node, floor float64) []node {
	slack := s.radius[i.level][i.number] + s.radius[j.level][j.number]
	if !s.exceeds(s.value[s.last(i)], s.centre[i.level].At(i.number), s.centre[j.level].At(j.number), slack, floor) {
		return list
	}
	if i.level <= j.level {
		if s.tiles != nil && sharpened(j.level) && !s.tiles.exceeds(s, i, j) {
			return list
		}
		return append(list, i)
	}
	for k := 2 * i.number; k <= 2*i.number+1 && k < len(s.radius[i.level-1]); k++ {
		list = s.keep(list, node{i.level - 1, k}, j, floor)
	}
	return list
}

// search computes V in the leaf j; list holds the leaves of predecessors outside it. It tries
// likely predecessors first, so that others are excluded sooner: the neighbour and its
// predecessor, those in the leaf, then from near to far.
func (s *search) search(j node, list []node) {
	first := s.first(j)
	for k := max(first, 1); k <= s.last(j); k++ {
		s.likely(first, k)
		for i := k - 2; i >= first; i-- {
			s.offer(i, k)
		}
		for l := len(list) - 1; l >= 0; l-- {
			i := list[l]
			if !s.exceeds(s.value[s.last(i)], s.centre[0].At(i.number), s.path.At(k), s.radius[0][i.number], s.value[k]) {
				continue
			}
			for m := s.last(i); m >= s.first(i); m-- {
				s.offer(m, k)
			}
		}
	}
}

// likely offers k its neighbour and that one's predecessor, if it is before first.
func (s *search) likely(first, k int) {
	s.offer(k-1, k)
	if guess := int(s.from[k-1]); guess < first {
		s.offer(guess, k)
	}
}

// offer makes i the predecessor of k if none so far is better.
func (s *search) offer(i, k int) {
	x, y := s.path.At(i), s.path.At(k)
	if s.space.within != nil && s.space.within(x, y, s.root(s.value[k]-s.value[i])) {
		return
	}
	s.raise(i, k, s.space.raw(x, y))
}

// raise is offer with the raw distance of the two at hand.
func (s *search) raise(i, k int, raw float64) {
	if v := s.value[i] + s.pow(raw); v > s.value[k] {
		s.value[k], s.from[k] = v, int32(i)
	}
}
