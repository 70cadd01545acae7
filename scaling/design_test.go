package scaling

import "testing"

// The depths and seeds of a study file that `deeplimit init` writes tell the kinds of limit that theory expects of a network of
// that width, and V_1's exponent to ± 0.05. Two of the depths are too few for any.
func TestDefaultDesign(t *testing.T) {
	depths, seeds, width := []int{16, 64, 256}, 3, 10
	for name, kind := range map[string]LimitKind{"smooth": SmoothLimit, "smooth + 0.3 noise": SmoothAndNoise, "fractional 0.5": RoughLimit} {
		paths, _ := drawn(t, name, 21, depths, seeds, width*width, 0)
		x, err := Infer(paths, Assumptions{})
		if err != nil {
			t.Fatal(err)
		}
		if v := x.Variation(1); x.Verdict != kind || !(v.High-v.Low <= 0.1) {
			t.Errorf("%s: got verdict %q and V_1 %+v, want it told, within 0.05", name, x.Verdict, *v)
		}
	}
	paths, _ := drawn(t, "smooth", 21, depths[1:], seeds, 1, 0)
	if _, err := Infer(paths, Assumptions{}); err == nil {
		t.Error("got an inference from two depths, want an error")
	}
}
