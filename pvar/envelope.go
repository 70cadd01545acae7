package pvar

import "math"

// scalarSearch is the state shared by the two sides of the scalar algorithm, indexed by
// extremum. Every extremum is a candidate on one side and may be a barrier on the other.
type scalarSearch struct {
	p   float64
	pow func(float64) float64

	z     []float64 // heights
	value []float64 // V: the p-variation of the path up to here
	from  []int32   // best predecessor

	// Lists of candidates, both sides in the same arrays.
	older, younger []int32
	listed         []bool
	// first is the oldest candidate younger than a barrier; it is valid only while listed.
	first []int32
	// overtaken brackets the height at which a candidate is overtaken by its older neighbour.
	overtaken []overtaking
}

// overtaking says that a candidate is overtaken by candidate by at a height
// between low and high above its own.
type overtaking struct {
	low, high float64
	by        int32
}

func newScalarSearch(z []float64, p float64) *scalarSearch {
	n := len(z)
	links := make([]int32, 4*n)
	s := &scalarSearch{
		p: p, pow: power(p), z: z,
		value: make([]float64, n), from: links[:n:n],
		older: links[n : 2*n : 2*n], younger: links[2*n : 3*n : 3*n], first: links[3*n:],
		listed: make([]bool, n), overtaken: make([]overtaking, n),
	}
	for i := range s.overtaken {
		s.overtaken[i].by = none
	}
	return s
}

// envelope holds the candidates of one side, in heights sign·z: minima for sign 1.
type envelope struct {
	search   *scalarSearch
	sign     float64
	youngest int32   // + 1; 0 for none, so that the zero value is empty
	barriers []int32 // heights decrease; all above the candidates younger than them
}

// offer returns f_i at height y.
func (e *envelope) offer(i int32, y float64) float64 {
	return e.search.value[i] + e.search.pow(y-e.sign*e.search.z[i])
}

// push makes extremum k, lower or younger than all others, a candidate, and drops
// those that are not lower.
func (e *envelope) push(k int32) {
	s := e.search
	y := e.sign * s.z[k]
	top := e.youngest - 1
	for top != none && e.sign*s.z[top] >= y {
		s.listed[top] = false
		top = s.older[top]
	}
	s.older[k], s.younger[k], s.listed[k] = top, none, true
	if top != none {
		s.younger[top] = k
	}
	e.youngest = k + 1
	if b := len(e.barriers); b > 0 && top < e.barriers[b-1] {
		s.first[e.barriers[b-1]] = k
	}
}

// remove takes candidate i out of the list.
func (e *envelope) remove(i int32) {
	s := e.search
	older, younger := s.older[i], s.younger[i]
	s.listed[i] = false
	if older != none {
		s.younger[older] = younger
	}
	if younger != none {
		s.older[younger] = older
	} else {
		e.youngest = older + 1
	}
}

// best returns the candidate that offers most to extremum k, with its offer, and makes k a
// barrier.
func (e *envelope) best(k int32) (int32, float64) {
	s := e.search
	y := e.sign * s.z[k]
	barrier := func() int32 {
		if b := len(e.barriers); b > 0 {
			return e.barriers[b-1]
		}
		return none
	}
	wall := barrier() // only candidates younger than this one can be used
	offered := e.trim(wall, y)
	for wall != none && e.sign*s.z[wall] <= y {
		e.barriers = e.barriers[:len(e.barriers)-1]
		next := barrier()
		offered = e.join(wall, next, y, offered)
		wall = next
	}
	e.barriers = append(e.barriers, k)
	return e.youngest - 1, offered
}

// trim drops the youngest candidates that an older one beyond wall has overtaken at
// height y, and returns what the remaining youngest offers.
func (e *envelope) trim(wall int32, y float64) float64 {
	s := e.search
	offered := e.offer(e.youngest-1, y)
	for {
		top := e.youngest - 1
		older := s.older[top]
		if older <= wall {
			return offered
		}
		o := e.offer(older, y)
		if o < offered {
			return offered
		}
		e.remove(top)
		offered = o
	}
}

// join removes barrier wall for extrema at height y and above: the candidates younger than
// wall, whose youngest offers offered, and those between next and wall become one envelope.
// It returns the offer of its youngest at y.
func (e *envelope) join(wall, next int32, y, offered float64) float64 {
	s := e.search
	b := s.first[wall] // oldest of the young list, which is not empty: it holds the extremum before k
	a := s.older[b]    // youngest of the old list
	if a <= next {
		if next != none {
			s.first[next] = b
		}
		return offered
	}
	// Trim the old list at y first, so that both envelopes start at y.
	atA := e.offer(a, y)
	for o := s.older[a]; o > next; o = s.older[a] {
		v := e.offer(o, y)
		if v < atA {
			break
		}
		e.remove(a)
		a, atA = o, v
	}
	if atA >= offered {
		for e.youngest-1 != a {
			e.remove(e.youngest - 1)
		}
		return atA
	}
	// The old list wins above some height: drop the candidates at the joint that never win.
	for {
		if c := s.younger[b]; c != none && e.useless(c, b, a) {
			e.remove(b)
			b = c
			continue
		}
		if o := s.older[a]; o > next && e.useless(b, a, o) {
			e.remove(a)
			a = o
			continue
		}
		break
	}
	return offered
}

// useless reports whether b, between its younger neighbour c and its older one a,
// never offers most: c still offers as much as b at the height where a overtakes b. Heights
// are relative to b, so that a far origin adds no rounding.
//
// Where b and a are nearly parallel that height is ill-conditioned, which is harmless: at
// the computed height a offers as much as b up to rounding, and b's lead over a only falls
// beyond it, so dropping b costs no more than that rounding.
func (e *envelope) useless(c, b, a int32) bool {
	s := e.search
	step := e.sign * (s.z[c] - s.z[b])
	// c offers as much as b at height u if it did not lose to b before.
	holds := func(u float64) bool {
		return u <= step || s.value[c]+s.pow(u-step) >= s.value[b]+s.pow(u)
	}
	t := &s.overtaken[b]
	if t.by != a {
		*t = overtaking{by: a}
		h, gain := e.sign*(s.z[b]-s.z[a]), s.value[b]-s.value[a]
		switch {
		case !(gain > s.pow(h)): // at b already
		case s.p == 2:
			t.low = (gain/h - h) / 2
			t.high = t.low
		default:
			t.low, t.high = crossingBracket(s.p, h, gain)
		}
	}
	// As u grows, c loses to b once and stays behind, so the bracket mostly decides.
	switch {
	case math.IsInf(t.low, 1): // beyond all heights
		return false
	case holds(t.high):
		return true
	case t.low == t.high || !holds(t.low):
		return false
	}
	h, gain := e.sign*(s.z[b]-s.z[a]), s.value[b]-s.value[a]
	t.low = crossing(s.p, s.pow, h, gain, t.low, t.high)
	t.high = t.low
	return holds(t.low)
}
