package scaling

import (
	"math"
	"testing"
)

// What is expected of a larger design is about what is found there.
func TestExpectedIsFound(t *testing.T) {
	few, more := []int{16, 32, 64}, []int{16, 32, 64, 128, 256}
	for _, c := range []struct {
		family string
		kind   LimitKind
	}{{"fractional 0.5", RoughLimit}, {"smooth + 0.3 noise", SmoothAndNoise}, {"smooth", SmoothLimit}, {"smooth + jumps 1", JumpLimit}} {
		paths, _ := drawn(t, c.family, 11, few, 2, 2, 0)
		x, err := Infer(paths, Assumptions{})
		if err != nil {
			t.Fatal(err)
		}
		e := x.Expected(c.kind, Design{Depths: more, Seeds: 4})
		if e == nil || e.Verdict != c.kind {
			t.Errorf("%s: got expectation %+v, want verdict %s", c.family, e, c.kind)
			continue
		}
		deeper, _ := drawn(t, c.family, 11, more, 4, 2, 0)
		found, err := Infer(deeper, Assumptions{})
		if err != nil {
			t.Fatal(err)
		}
		width := func(x *Inference) float64 { v := x.Variation(1); return v.High - v.Low }
		if ratio := width(e) / width(found); !(ratio > 0.4 && ratio < 2.5 || c.kind == SmoothLimit && ratio < 10) { // seeds of a smooth path differ less and less
			t.Errorf("%s: V_1: got an expected width %.3g, %.3g was found, want about as much", c.family, width(e), width(found))
		}
		if !(width(e) <= 1.01*width(x)) {
			t.Errorf("%s: V_1: got an expected width %.3g, %.3g now, want no more", c.family, width(e), width(x))
		}
	}
}

func TestExtend(t *testing.T) {
	samples := []Sample{{16, 1, 4}, {64, 1, 8}, {16, 2, 8}, {64, 2, 16}} // L^½ times 1 and 2
	got := Extend(samples, Design{Depths: []int{16, 64, 256}, Seeds: 3}, 0.5)
	want := map[Sample]bool{{256, 1, 16}: true, {256, 2, 32}: true, {16, 3, 4}: true, {64, 3, 8}: true, {256, 3, 16}: true}
	if len(got) != len(samples)+len(want) {
		t.Fatalf("got %v, want 5 more values", got)
	}
	for _, s := range got[len(samples):] {
		s.Value = math.Round(s.Value*1e9) / 1e9
		if !want[s] {
			t.Errorf("got %v, want one of %v", s, want)
		}
	}
	if again := Extend(samples, Design{Depths: []int{16, 64, 256}, Seeds: 3}, math.NaN()); !(math.Abs(again[4].Value-got[4].Value) <= 1e-9) {
		t.Errorf("got %v with the exponent fitted, want %v", again[4], got[4])
	}
	last := []Sample{{16, 0, 4}, {64, 0, 8}, {16, math.MaxUint64, 8}, {64, math.MaxUint64, 16}}
	seeds := map[uint64]bool{}
	for _, s := range Extend(last, Design{Depths: []int{16, 64}, Seeds: 4}, 0.5) {
		seeds[s.Seed] = true
	}
	if len(seeds) != 4 || !seeds[1] || !seeds[2] {
		t.Errorf("got seeds %v, want the smallest two that are free beside the largest of all", seeds)
	}
}

// Where the power of L is free, the kind of limit is that of the shape of the paths, and exponents are those of the
// paths as they are.
func TestInferFreeSize(t *testing.T) {
	for _, c := range []struct {
		family    string
		kind      LimitKind
		variation float64
	}{{"smooth", SmoothLimit, -0.3}, {"fractional 0.5", RoughLimit, 0.2}, {"smooth + 0.3 noise", SmoothAndNoise, 0.2}} {
		paths, _ := drawn(t, c.family, 3, []int{16, 32, 64, 128}, 3, 4, -0.3)
		x, err := Infer(paths, Assumptions{FreeSize: true})
		if err != nil {
			t.Fatal(err)
		}
		if x.Verdict != c.kind {
			t.Errorf("%s: got verdict %q with probabilities %v, want %s", c.family, x.Verdict, x.Probability, c.kind)
		}
		if v := x.Variation(1); !(v.Low <= c.variation && c.variation <= v.High) {
			t.Errorf("%s: got V_1 %+v, want %g", c.family, *v, c.variation)
		}
		if x.OwnScale == nil || !(x.OwnScale.Low <= -0.3 && -0.3 <= x.OwnScale.High) {
			t.Errorf("%s: got the size's exponent %+v, want -0.3", c.family, x.OwnScale)
		}
		if v := x.Index(); v == nil {
			t.Errorf("%s: got no index, want that of the shape", c.family)
		}
	}
}
