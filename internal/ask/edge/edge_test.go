package edge

import (
	"math"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/internal/plan/plantest"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// TestQuadratic wants the edge of a quadratic loss: with one layer, no activation and N
// orthonormal inputs J = (1/2N) Σ‖x + Ax − y‖², the Hessian has the eigenvalues 1/N and
// 0, so that descent is stable up to η = 2N.
func TestQuadratic(t *testing.T) {
	const head = "name: e\ndepths: [1]\nseeds: 2\ndata: {kind: separated, width: 6, samples: 4, distance: 0.3}\nnetwork: {activation: identity}\n"
	var seen []int
	found, err := Find(t.Context(), plantest.New(t, "edge.yaml", head+"train: {stop: {iterations: 50}}\n"), Options{
		Precision: 0.001, Workers: 2, Observe: func(done, total int) { seen = append(seen, done, total) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(seen, []int{0, 2, 1, 2}) {
		t.Errorf("observed %v, want 0 and 1 of 2 runs", seen)
	}
	for _, r := range found.Runs {
		if !(math.Abs(r.Sharpness-0.25) <= 1e-6) || r.Bound == nil || !(math.Abs(*r.Bound-8) <= 1e-4) {
			t.Errorf("%s: got sharpness %v and bound %v, want 1/4 and 8", r.ID, r.Sharpness, r.Bound)
		}
		// At η = 8 the loss stays as it is up to rounding, which either end may see.
		if r.Unstable == nil || !(r.Stable <= 8*1.001 && *r.Unstable >= 8/1.001 && *r.Unstable <= r.Stable*1.0011) {
			t.Errorf("%s: got stable %v and unstable %v, want them about 8", r.ID, r.Stable, r.Unstable)
		}
	}
	if g := found.Groups; len(g) != 1 || g[0].Measured != nil {
		t.Errorf("got groups %+v, want one, without an exponent as there is one depth", g)
	}
}

// TestExponent wants the edge to grow like L^(2α−1), and the same numbers whatever the workers.
func TestExponent(t *testing.T) {
	const text = `
name: e
depths: [8, 16, 32]
seeds: 2
data: {kind: separated, width: 4, samples: 3, distance: 0.3}
network: {alpha: 1}
train: {stop: {iterations: 60}}
`
	find := func(workers int) *analyze.Edge {
		e, err := Find(t.Context(), plantest.New(t, "edge.yaml", text), Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	one, two := find(1), find(2)
	for _, s := range []*analyze.Slope{one.Groups[0].Measured, one.Groups[0].Bound} {
		if s == nil || !(math.Abs(s.Slope-1) <= 0.1) {
			t.Errorf("got exponent %+v, want 1 ± 0.1", s)
		}
	}
	for i := range one.Runs {
		a, b := one.Runs[i], two.Runs[i]
		if a.Stable != b.Stable || *a.Unstable != *b.Unstable || a.Sharpness != b.Sharpness {
			t.Errorf("run %d: one worker found %+v, two %+v", i, a, b)
		}
	}
}

func TestRefusals(t *testing.T) {
	const head = "name: e\ndepths: [2]\ndata: {kind: separated, width: 4, samples: 2, distance: 0.3}\n"
	_, err := Find(t.Context(), plantest.New(t, "edge.yaml", head+"train: {method: adam}\n"), Options{})
	if want := `train.method: got "adam", want gd, as the edge is that of gradient descent`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = Find(t.Context(), plantest.New(t, "edge.yaml", head), Options{Scan: 0.02})
	if want := `scan: got 0.02, want a number in [1e-6, 0.01]`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = Find(t.Context(), plantest.New(t, "edge.yaml", head), Options{Precision: 2})
	if want := `precision: got 2, want a number in [1e-6, 0.01]`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
