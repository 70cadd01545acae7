package analyze

import (
	"math"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/pvar"
)

// TestDistanceOverflow wants a distance beyond float64 to be an error, not a number
// that JSON cannot hold.
func TestDistanceOverflow(t *testing.T) {
	path := func(v float64) *layers {
		return &layers{depth: 2, paths: map[string]pvar.Points{"A": {Dim: 2, Data: []float64{v, v, v, v}}}}
	}
	if d, err := distance(path(1), path(3), "A"); err != nil || !(math.Abs(d.Integral-2*math.Sqrt2) <= 1e-15) {
		t.Errorf("got %v, %v, want 2√2", d.Integral, err)
	}
	if _, err := distance(path(math.MaxFloat64), path(-math.MaxFloat64), "A"); err == nil || !strings.Contains(err.Error(), "the weights are too large") {
		t.Errorf("got %v, want an error about large weights", err)
	}
}
