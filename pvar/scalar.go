package pvar

// The p-variation of a scalar path for p > 1, in O(n log 1/ε) at worst and a few
// operations a point on rough paths.
//
// # Which steps can be best
//
// In a maximising partition x_i and x_j are the two extremes of x over [i, j] for every
// step i → j: inserting a point outside their range would give one step longer than the
// old one, and another one. Hence only local extrema matter (extrema below), and a maximum
// j is reached only from minima i > g(j), where g(j) is the last maximum above x_j, with
// x_i below all points between.
//
// # Which of them is best
//
// Let f_i(y) = V_i + (y − x_i)^p be what minimum i offers to a maximum at height y.
// For candidates i' < i, x_i' < x_i holds, and f_i' − f_i increases in y because p > 1:
// once i' offers as much as i, it does so at all larger y. So i can be dropped at the first
// y where i' overtakes it: all later maxima that may use i are higher, or a maximum between
// them hides both.
//
// The candidates between two maxima that still count (barriers, which decrease)
// form a list, oldest and lowest first, in which the youngest wins at low y and
// each older one later: the upper envelope of the f_i, as in the convex-hull trick,
// with "overtaken by the older neighbour at height t" in place of the slopes. A
// new maximum removes the barriers below it, joins the lists that they separated, drops
// the candidates that the join makes useless (all at the joint, since the envelopes cross
// once), and then finds its best predecessor at the young end. Every iteration of a loop,
// except a constant number, drops an element, so the total is linear in the number of
// extrema, apart from solving for t.
//
// Rounding: a wrong comparison of two offers costs their difference, a few ulps of V. See
// the note on exactness in pvar.go.

// none marks the absence of an extremum.
const none = -1

// scalarPartition returns a maximising partition of two points or more, for p > 1.
func scalarPartition(x []float64, p float64) []int {
	at := extrema(x)
	if len(at) < 3 {
		return []int{0, len(x) - 1}
	}
	z := make([]float64, len(at))
	for k, i := range at {
		z[k] = x[i]
	}
	s := newScalarSearch(z, p)
	s.run()
	partition := trace(s.from)
	for j, k := range partition {
		partition[j] = int(at[k])
	}
	partition[len(partition)-1] = len(x) - 1
	return partition
}

// run fills value and from.
func (s *scalarSearch) run() {
	// One side holds minima and serves maxima, the other the reverse with heights negated,
	// so that the same code serves both.
	asked, other := &envelope{search: s, sign: 1}, &envelope{search: s, sign: -1}
	if s.z[0] > s.z[1] {
		asked, other = other, asked
	}
	asked.push(0)
	for k := int32(1); int(k) < len(s.z); k++ {
		s.from[k], s.value[k] = asked.best(k)
		other.push(k)
		asked, other = other, asked
	}
}

// extrema returns the indices of the first point, of the strict changes of
// direction, and of the last strict extremum: between neighbours x is monotone, and
// directions alternate. A plateau is represented by its first point.
func extrema(x []float64) []int32 {
	at := make([]int32, 1, len(x)/2+2)
	last, direction := 0, 0 // of the last point that moved, and its sense
	for i := 1; i < len(x); i++ {
		switch {
		case x[i] > x[last]:
			if direction < 0 {
				at = append(at, int32(last))
			}
			direction = 1
		case x[i] < x[last]:
			if direction > 0 {
				at = append(at, int32(last))
			}
			direction = -1
		default:
			continue
		}
		last = i
	}
	if direction != 0 {
		at = append(at, int32(last))
	}
	return at
}
