package report

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"
)

// TestPart wants places in their order, apart, between the ends, and where they were if they were apart.
func TestPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		places := rapid.SliceOfN(rapid.Float64Range(-5, 105), 1, 12).Draw(t, "places")
		slices.Sort(places)
		distance := rapid.Float64Range(0.1, 20).Draw(t, "distance")
		got := make([]vg.Length, len(places))
		for i, v := range places {
			got[i] = vg.Length(v)
		}
		part(got, vg.Length(distance), 0, 100)
		least := min(distance, 100/float64(max(1, len(places)-1)))
		apart := true
		for i, v := range places {
			apart = apart && 0 <= v && v <= 100 && (i == 0 || v-places[i-1] >= distance)
			if at := float64(got[i]); !(at >= -1e-9 && at <= 100+1e-9) {
				t.Errorf("place %d: got %g, want it from 0 to 100", i, at)
			}
			if i > 0 && !(float64(got[i]-got[i-1]) >= least-1e-9) {
				t.Errorf("places %d and %d: got %g and %g, want them %g apart", i-1, i, got[i-1], got[i], least)
			}
		}
		for i, v := range places {
			if apart && !(math.Abs(float64(got[i])-v) <= 1e-9) {
				t.Errorf("place %d: got %g, want it left at %g", i, got[i], v)
			}
		}
	})
}

// TestPartPair wants two places that are too near moved equally far.
func TestPartPair(t *testing.T) {
	places := []vg.Length{40, 42}
	part(places, 10, 0, 100)
	if places[0] != 36 || places[1] != 46 {
		t.Errorf("got %v, want 36 and 46", places)
	}
}

// TestWideTags wants no name beside a line where one would take too much of the figure, and none of a line that is alone.
func TestWideTags(t *testing.T) {
	f := &Figure{style: Paper}
	p := panel{y: axis{log: true}}
	if f.addTags(&p, []tag{{1, "$V_1$", nil}, {0, "$V_2$", nil}, {2, "$V_3$", nil}}); len(p.tags) != 2 {
		t.Errorf("got %d tags, want those of the lines that have an end on the axis", len(p.tags))
	}
	p.tags = nil
	if f.addTags(&p, []tag{{1, "$V_1$", nil}, {2, "a quantity with a long name indeed", nil}}); p.tags != nil {
		t.Errorf("got tags %v, want none", p.tags)
	}
	if f.addTags(&p, []tag{{1, "$V_1$", nil}}); p.tags != nil {
		t.Errorf("got tags %v, want none", p.tags)
	}
}
