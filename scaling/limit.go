package scaling

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/internal/rescale"
	"github.com/deeplimit/deeplimit/pvar"
)

// A DepthPath is a rescaled path L^β A of one run: point k−1 is layer k of L = Depth.
type DepthPath struct {
	Depth int
	Seed  uint64
	Path  pvar.Points
}

// A Distance measures how far two paths of different depth are apart, each read as
// the step function s ↦ Ā_⌈sL⌉ on (0,1].
type Distance func(coarse, fine pvar.Points) (float64, error)

// IntegralDistance returns sup_s ‖∫_0^s (Ā − B̄)(u) du‖ over s in [0,1] (Frobenius)
// for the step functions of a and b, of any two depths. It is a weak distance: layer
// noise of size 1 adds L^(−1/2) to it.
//
// It is exact up to rounding: between the jumps of either step function the
// integral is linear in s, so that its norm is largest at a jump.
func IntegralDistance(a, b pvar.Points) (float64, error) {
	if err := matching(a, b); err != nil {
		return 0, fmt.Errorf("scaling: integral distance: %w", err)
	}
	a, b, exponent := rescaledPair(a, b)
	integral, largest := make([]float64, a.Dim), 0.0
	eachPiece(a, b, func(width float64, x, y []float64) {
		square := 0.0
		for k := range integral {
			integral[k] += width * (x[k] - y[k])
			square += integral[k] * integral[k]
		}
		largest = max(largest, math.Sqrt(square))
	})
	return math.Ldexp(largest, exponent), nil
}

// L2Distance returns (∫_0^1 ‖(Ā − B̄)(s)‖² ds)^½ (Frobenius) for the step functions
// of a and b, of any two depths. It suits parts without layer noise, such as the displacement
// L^β (A(T) − A(0)).
func L2Distance(a, b pvar.Points) (float64, error) {
	if err := matching(a, b); err != nil {
		return 0, fmt.Errorf("scaling: L2 distance: %w", err)
	}
	a, b, exponent := rescaledPair(a, b)
	sum := 0.0
	eachPiece(a, b, func(width float64, x, y []float64) {
		for k := range x {
			sum += width * (x[k] - y[k]) * (x[k] - y[k])
		}
	})
	return math.Ldexp(math.Sqrt(sum), exponent), nil
}

// rescaledPair returns two paths times 2^−exponent, which keeps squares of differences in range.
func rescaledPair(a, b pvar.Points) (x, y pvar.Points, exponent int) {
	joined := append(slices.Clone(a.Data), b.Data...)
	exponent = rescale.Exponent(rescale.Spread(a.Dim, joined))
	return scaled(a, exponent), scaled(b, exponent), exponent
}

// scaled returns a path times 2^−exponent.
func scaled(x pvar.Points, exponent int) pvar.Points {
	return pvar.Points{Dim: x.Dim, Data: rescale.By(x.Data, -exponent)}
}

// eachPiece calls f with every interval on which both step functions are constant,
// from left to right: its length and the two values.
func eachPiece(a, b pvar.Points, f func(width float64, x, y []float64)) {
	m, n := a.Len(), b.Len()
	// In units of 1/(mn) step i of a ends at (i+1)·n, and step j of b at (j+1)·m.
	for i, j, at := 0, 0, 0; i < m; {
		end := min((i+1)*n, (j+1)*m)
		f(float64(end-at)/float64(m)/float64(n), a.At(i), b.At(j))
		at = end
		if end == (j+1)*m {
			j++
		}
		if end == (i+1)*n {
			i++
		}
	}
}

// matching returns an error unless a and b are paths in the same space.
func matching(a, b pvar.Points) error {
	if a.Dim != b.Dim {
		return fmt.Errorf("got paths of dimension %d and %d, want the same", a.Dim, b.Dim)
	}
	if a.Len() == 0 || b.Len() == 0 {
		return errors.New("got an empty path, want one layer or more")
	}
	if i := slices.IndexFunc(a.Data, notFinite); i >= 0 {
		return fmt.Errorf("first path: layer %d: got %v, want a finite number", i/a.Dim+1, a.Data[i])
	}
	if i := slices.IndexFunc(b.Data, notFinite); i >= 0 {
		return fmt.Errorf("second path: layer %d: got %v, want a finite number", i/b.Dim+1, b.Data[i])
	}
	return nil
}

func notFinite(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

// DeepestDistances returns the distance of every path to the deepest one of its seed, sorted
// by seed and depth; the deepest has no entry. If the paths of a seed converge at the rate
// L^−r, so do the distances, up to the factor 1 − (L/L_max)^r due to the error of the
// deepest path.
//
// It returns an error if a depth and seed occur twice, and the errors of distance with
// depths and seed.
func DeepestDistances(paths []DepthPath, distance Distance) ([]Sample, error) {
	sorted := slices.Clone(paths)
	slices.SortStableFunc(sorted, func(a, b DepthPath) int {
		return cmp.Or(cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.Depth, b.Depth))
	})
	var samples []Sample
	for from, to := 0, 0; from < len(sorted); from = to {
		for to = from + 1; to < len(sorted) && sorted[to].Seed == sorted[from].Seed; to++ {
			if sorted[to].Depth == sorted[to-1].Depth {
				return nil, fmt.Errorf("scaling: deepest distances: depth %d, seed %d: got two paths, want one", sorted[to].Depth, sorted[to].Seed)
			}
		}
		deepest := sorted[to-1]
		for _, p := range sorted[from : to-1] {
			d, err := distance(p.Path, deepest.Path)
			if err != nil {
				return nil, fmt.Errorf("scaling: deepest distances: depths %d and %d, seed %d: %w", p.Depth, deepest.Depth, p.Seed, err)
			}
			samples = append(samples, Sample{Depth: p.Depth, Seed: p.Seed, Value: d})
		}
	}
	return samples, nil
}
