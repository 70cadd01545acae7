package resnet

import (
	"math"

	"github.com/deeplimit/deeplimit/internal/alloc"
)

// states is what Measure reads off the hidden states of the chosen samples.
type states struct {
	samples, rows int
	featured      bool      // whether features are kept: N ≤ rows
	hidden        []float64 // max_i ‖h_k(x_i)‖, k = 0..L
	slopes        []float64 // min |σ′(z_k)| over entries and samples, k = 1..L
	inputs        []float64 // max_i ‖u_k(x_i)‖ without a one, k = 1..L; nil where u_k = h_{k−1} or its norm
	// features holds for every layer the inputs of its outermost map, (L, N, rows), a
	// one appended to each with biases; nil where N > rows.
	features []float64
}

// feature returns the (N, rows) array of layer index k.
func (s *states) feature(k int) []float64 { return block(s.features, k, s.samples*s.rows) }

// near returns σ_min(U_r) − ‖U_k − U_r‖_F, a lower bound of σ_min(U_k) by Weyl's
// inequality, for the features U of layer k and the reference layer r before it, when
// it is within a thousandth: h moves little from a layer to the next.
func (s *states) near(reference, k int, smallest []float64) (value float64, ok bool) {
	if reference < 0 {
		return 0, false
	}
	u, r := s.feature(k), s.feature(reference)
	square := 0.0
	for i, v := range u {
		square += (v - r[i]) * (v - r[i])
	}
	distance := math.Sqrt(square) * (1 + float64(len(u)+4)*0x1p-53)
	return smallest[reference] - distance, distance <= 1e-3*smallest[reference]
}

// newStates returns the memory for n samples, for the norms alone unless all is wanted. The
// features take no more memory than the weights, as N ≤ rows.
func newStates(mem *alloc.Account, net *Network, n int, all bool) *states {
	_, outer := net.outermost()
	s := &states{samples: n, rows: outer.cols, hidden: alloc.Make[float64](mem, net.Depth+1), slopes: alloc.Make[float64](mem, net.Depth)}
	if net.Bias {
		s.rows++
	}
	if s.featured = all && s.samples <= s.rows; s.featured {
		s.features = alloc.Make[float64](mem, net.Depth*s.samples*s.rows)
	}
	if all && net.behind.present {
		s.inputs = alloc.Make[float64](mem, net.Depth)
	}
	return s
}

// A look is what one worker needs to read off states.
type look[T Float] struct {
	reader[T]
	seen    states // maxima and minima of its own
	squares []float64
}

func (e *Evaluator[T]) newLook(mem *alloc.Account, all bool) *look[T] {
	l := &look[T]{reader: e.newReader(mem), seen: *newStates(mem, e.net, e.total, false), squares: alloc.Make[float64](mem, e.columns)}
	if all && e.net.behind.present {
		l.seen.inputs = alloc.Make[float64](mem, e.net.Depth)
	}
	return l
}

// capture takes the chosen samples through the depth once, for the norms alone unless
// all is wanted.
func (e *Evaluator[T]) capture(theta []T, all bool) *states {
	net := e.net
	s := newStates(&alloc.Account{}, net, e.total, all)
	for k := range s.slopes {
		s.slopes[k] = math.Inf(1)
	}
	own := make([]*states, len(e.passes)) // maxima and minima, so that their order is no matter
	e.dealTiles(func(worker int) {
		l := e.newLook(&alloc.Account{}, all)
		mine := &l.seen
		mine.featured, mine.features = s.featured, s.features
		copy(mine.slopes, s.slopes)
		own[worker] = mine
		for i, ok := e.tile(); ok; i, ok = e.tile() {
			t := &e.tiles[i]
			l.read(theta, t, func(at *layer[T]) { see(mine, net, at, t, l.squares[:t.n], i*e.width, all) })
		}
	})
	for _, mine := range own {
		for k, v := range mine.hidden {
			s.hidden[k] = max(s.hidden[k], v) // NaN stays
		}
		for k, v := range mine.inputs {
			s.inputs[k] = max(s.inputs[k], v)
		}
		for k, v := range mine.slopes {
			s.slopes[k] = min(s.slopes[k], v)
		}
	}
	return s
}

// A reader takes tiles through the depth for others to look at the layers; it keeps none.
type reader[T Float] struct {
	*pass[T]
	layers *plain[T]
}

func (e *Evaluator[T]) newReader(mem *alloc.Account) reader[T] {
	layers := newPlain(mem, e.net, e.ops, e.columns, e.net.Depth, keeps{})
	return reader[T]{newPass(mem, e.net, e.ops, e.columns, layers), layers}
}

func (r reader[T]) read(theta []T, t *tile[T], see func(*layer[T])) {
	r.embed(theta, t)
	r.layers.forwardWith(theta, t.n, false, see)
}

// see puts into s what there is to see at a layer for a tile whose first sample has the
// given index, the norms alone unless all is wanted.
func see[T Float](s *states, net *Network, l *layer[T], t *tile[T], squares []float64, sample int, all bool) {
	s.hidden[l.k] = max(s.hidden[l.k], longest(squares, l.h, t.n, t.used))
	if l.k+1 == net.Depth {
		s.hidden[l.k+1] = max(s.hidden[l.k+1], longest(squares, l.next, t.n, t.used))
	}
	if s.inputs != nil {
		s.inputs[l.k] = max(s.inputs[l.k], longest(squares, l.value, t.n, t.used))
	}
	if s.featured {
		u := l.x
		if net.behind.present {
			u = l.value
		}
		transposeTo(s.feature(l.k)[sample*s.rows:], u, t.n, t.used, s.rows, net.Bias)
	}
	if all && !net.behind.present {
		s.slopes[l.k] = min(s.slopes[l.k], flattest(l.slope, t.n, t.used))
	}
}

// longest returns the largest norm of the first used columns of h (d,n).
func longest[T Float](squares []float64, h []T, n, used int) float64 {
	clear(squares)
	for ; len(h) > 0; h = h[n:] {
		for c, v := range h[:used] {
			squares[c] += float64(v) * float64(v)
		}
	}
	most := 0.0
	for _, square := range squares[:used] {
		most = max(most, square)
	}
	return math.Sqrt(most)
}

// flattest returns the smallest |ds| in the first used columns.
func flattest[T Float](ds []T, n, used int) float64 {
	least := math.Inf(1)
	for ; len(ds) > 0; ds = ds[n:] {
		for _, v := range ds[:used] {
			least = min(least, math.Abs(float64(v)))
		}
	}
	return least
}

// transposeTo writes the first used columns of u (·,n) to the rows of dst, each of
// the given length, with a one at the end of each row where one is set.
func transposeTo[T Float](dst []float64, u []T, n, used, length int, one bool) {
	for c := range used {
		row := dst[c*length : (c+1)*length]
		if one {
			row[length-1] = 1
			row = row[:length-1]
		}
		for i := range row {
			row[i] = float64(u[i*n+c])
		}
	}
}
