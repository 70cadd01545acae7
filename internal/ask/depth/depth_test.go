package depth

import (
	"math"
	"testing"
)

// curve returns runs whose loss is limit + c/L^order, with a factor of each seed.
func curve(limit, c, order float64, factors ...float64) []Run {
	var runs []Run
	for _, depth := range []int{4, 8, 16, 32, 64} {
		for seed, f := range factors {
			runs = append(runs, Run{Depth: depth, Seed: uint64(seed), Value: f * (limit + c*math.Pow(float64(depth), -order)), LayerIterations: 10 * depth})
		}
	}
	return runs
}

// TestPlanted wants the limit, the order and the knee of a curve that has them.
func TestPlanted(t *testing.T) {
	r, err := Of(curve(1, 8, 1, 0.98, 1, 1.02), 0.1, 0)
	if err != nil {
		t.Fatal(err)
	}
	l := r.Limit
	if l.Method != byRichardson || !(math.Abs(l.Value-1) <= 1e-12) || !(*l.Low < 1 && 1 < *l.High) || !(math.Abs(*l.Order-1) <= 1e-9) {
		t.Errorf("got limit %+v, want 1 by Richardson and order 1", l)
	}
	// y = 3, 2, 1.5, 1.25, 1.125: from 32 to 64 it is 0.9 of itself, and no less.
	if r.Knee.Depth != 32 || r.Knee.Low != 32 || r.Knee.High == nil || *r.Knee.High != 32 {
		t.Errorf("got knee %+v, want 32", r.Knee)
	}
	if r.Levels[1].LayerIterations != 80 || r.Levels[1].Runs != 3 {
		t.Errorf("got level %+v, want 80 layer-iterations of 3 runs", r.Levels[1])
	}
	r, err = Of(curve(1, 8, 2, 0.98, 1, 1.02), 0.1, 0)
	if err != nil || r.Limit.Method != byDeepest || !(math.Abs(*r.Limit.Order-2) <= 1e-9) {
		t.Errorf("order 2: got %+v, %v, want the deepest network", r, err)
	}
}

// TestEnds wants no upper end where the deepest network still pays, the shallowest depth where all reach the loss that is
// wanted, and errors where there is nothing to compare.
func TestEnds(t *testing.T) {
	r, err := Of(curve(0, 8, 1, 1, 1.1), 0.1, 0)
	if err != nil || r.Knee.High != nil || r.Knee.Depth != 64 {
		t.Errorf("got %+v, %v, want a knee at 64 without an upper end", r, err)
	}
	r, err = Of(curve(0, 8, 1, 1, 1.1), 0.1, 5)
	if err != nil || r.Knee.Depth != 4 || r.Knee.High == nil {
		t.Errorf("all at the loss that is wanted: got %+v, %v, want 4", r, err)
	}
	if _, err := Of(curve(0, 8, 1, 1)[:1], 0.1, 0); err == nil {
		t.Error("one depth: got no error")
	}
	if _, err := Of(curve(0, 8, 1, 1, 1)[:9], 0.1, 0); err == nil {
		t.Error("a run missing: got no error")
	}
	if _, err := Of(curve(math.NaN(), 8, 1, 1), 0.1, 0); err == nil {
		t.Error("no loss: got no error")
	}
	if _, err := Of(curve(1, 8, 1, 1), 1, 0); err == nil {
		t.Error("a gain of 1: got no error")
	}
}
