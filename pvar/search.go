package pvar

// search finds V_p of a path in a metric space, for p > 1, by the dynamic
// programme V(j) = max_{i<j} V(i) + d(i,j)^p over a dyadic tree of index blocks.
//
// # Which pairs can be skipped
//
// V is non-decreasing, since V(j) ≥ V(j−1) + d(j−1,j)^p. With c the middle point of
// a block and r the largest distance from it, all i in block I and j in block J, I
// before J, satisfy by the triangle inequality
//
//	V(i) + d(i,j)^p ≤ V(last of I) + (d(c_I,c_J) + r_I + r_J)^p.
//
// If that does not exceed V(first of J − 1), which every V(j) in J reaches without
// I, no pair of I × J is needed, and none is looked at. Otherwise the larger block is
// split. Blocks J are taken from left to right, so that V is known before them; a
// block hands the list of the I it could not exclude to its halves, so that far
// blocks are excluded for many j at once. On a straight line all but O(log n) blocks
// go at each level, and the cost is O(n log n).
//
// The idea of bounding the dynamic programme by dyadic blocks is that of Korepanov,
// Lyons and Zorin-Kranich; the recursion over J and the leaves are our own.
type search struct {
	space space
	pow   func(raw float64) float64 // d^p from the raw distance

	n, leaf int
	radius  [][]float64 // by level and block

	value []float64
	from  []int32
	lists [][]node // one buffer for each level of J
}

// node is the block of indices [number·leaf·2^level, (number+1)·leaf·2^level), cut at n.
type node struct {
	level  int
	number int
}

// newSearch prepares the search for V_p of n ≥ 2 points of R^dim.
func newSearch(sp space, n, dim int, p float64) *search {
	s := &search{space: sp, n: n, leaf: 8}
	if dim >= vectorDim {
		s.leaf = 4 // distances cost more than the bookkeeping of smaller leaves
	}
	if sp.squared {
		p /= 2
	}
	s.pow = power(p)
	return s
}

func (s *search) first(b node) int  { return b.number * (s.leaf << b.level) }
func (s *search) last(b node) int   { return min((b.number+1)*(s.leaf<<b.level), s.n) - 1 }
func (s *search) middle(b node) int { return (s.first(b) + s.last(b)) / 2 }

// partition returns a maximising partition of a path of two points or more.
func (s *search) partition() []int {
	s.value, s.from = make([]float64, s.n), make([]int32, s.n)
	s.measure()
	root := node{level: len(s.radius) - 1}
	s.lists = make([][]node, len(s.radius))
	s.descend(root, nil)
	return trace(s.from)
}

// measure computes the radius of every block, n distances a level.
func (s *search) measure() {
	for level := 0; ; level++ {
		size := s.leaf << level
		blocks := (s.n + size - 1) / size
		radius := make([]float64, blocks)
		for k := range radius {
			b := node{level, k}
			c, raw := s.middle(b), 0.0
			for i := s.first(b); i <= s.last(b); i++ {
				raw = max(raw, s.space.raw(i, c))
			}
			radius[k] = s.space.root(raw)
		}
		s.radius = append(s.radius, radius)
		if blocks == 1 {
			return
		}
	}
}

// reach bounds what block i offers to any point of block j.
func (s *search) reach(i, j node) float64 {
	d := s.space.root(s.space.raw(s.middle(i), s.middle(j))) + s.radius[i.level][i.number] + s.radius[j.level][j.number]
	return s.value[s.last(i)] + s.pow(s.space.unroot(d))
}

// descend finds V in block j, whose predecessors outside it lie in the blocks of
// before, in ascending order.
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
		s.search(j, list)
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

// keep appends to list what of block i may offer more than floor to block j, in
// blocks no larger than j.
func (s *search) keep(list []node, i, j node, floor float64) []node {
	if s.reach(i, j) <= floor {
		return list
	}
	if i.level <= j.level {
		return append(list, i)
	}
	for k := 2 * i.number; k <= 2*i.number+1 && k < len(s.radius[i.level-1]); k++ {
		list = s.keep(list, node{i.level - 1, k}, j, floor)
	}
	return list
}

// search finds V in the leaf j, whose predecessors outside it lie in the leaves of list.
func (s *search) search(j node, list []node) {
	first := s.first(j)
	for k := first; k <= s.last(j); k++ {
		if k == 0 {
			continue
		}
		s.offer(k-1, k)
		if guess := int(s.from[k-1]); guess < k-1 {
			s.offer(guess, k)
		}
		for i := k - 2; i >= first; i-- {
			s.offer(i, k)
		}
		for l := len(list) - 1; l >= 0; l-- {
			s.scan(list[l], k)
		}
	}
}

// scan looks for a better predecessor of point k in the leaf i.
func (s *search) scan(i node, k int) {
	top := s.value[s.last(i)]
	c := s.middle(i)
	raw := s.space.raw(c, k)
	if top+s.pow(s.space.unroot(s.space.root(raw)+s.radius[0][i.number])) <= s.value[k] {
		return
	}
	for m := s.last(i); m >= s.first(i); m-- {
		s.offer(m, k)
	}
}

// offer makes i the predecessor of k if none so far is better.
func (s *search) offer(i, k int) {
	if s.space.bound != nil && s.value[i]+s.pow(s.space.bound(i, k)) <= s.value[k] {
		return
	}
	if v := s.value[i] + s.pow(s.space.raw(i, k)); v > s.value[k] {
		s.value[k], s.from[k] = v, int32(i)
	}
}
