package report

import (
	"cmp"
	"image/color"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
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

// TestLegible wants names that can be read on white, in the colour of their line where that is dark enough, and no name darker than
// that of a darker line.
func TestLegible(t *testing.T) {
	var colors []color.NRGBA
	for i := range 101 {
		colors = append(colors, ramp(viridis, float64(i)/100), ramp(plasma, float64(i)/100))
	}
	for _, c := range categories {
		colors = append(colors, c.color)
	}
	slices.SortFunc(colors, func(a, b color.NRGBA) int { return cmp.Compare(contrast(b), contrast(a)) })
	last, changed := math.Inf(1), 0
	for _, c := range colors {
		text := color.NRGBAModel.Convert(legible(c)).(color.NRGBA)
		got := contrast(text)
		if !(got >= 4.5) {
			t.Errorf("%v: contrast %.2f of %v, want at least 4.5", c, got, text)
		}
		if contrast(c) >= 4.5 && text != c {
			t.Errorf("%v: got %v, want it kept: its contrast is %.2f", c, text, contrast(c))
		}
		if text != c {
			changed++
			if !(got < 4.65) {
				t.Errorf("%v: contrast %.2f of %v, want it darkened no more than it takes", c, got, text)
			}
		}
		if !(got <= last+0.15) {
			t.Errorf("%v: the name is darker than that of a darker line: contrast %.2f after %.2f", c, got, last)
		}
		last = got
	}
	if changed == 0 {
		t.Error("no colour was darkened")
	}
	for c, want := range map[color.NRGBA]float64{{0, 0, 0, 255}: 21, {255, 255, 255, 255}: 1, {0x77, 0x77, 0x77, 255}: 4.48} {
		if got := contrast(c); !(math.Abs(got-want) < 0.01) {
			t.Errorf("contrast of %v: got %.3f, want %g", c, got, want)
		}
	}
}

// TestCategories wants a colour and a shape for each of as many quantities as one figure has, the kernel certificates' six.
func TestCategories(t *testing.T) {
	if drawn := len(analyze.KernelQuantities) - 1; len(categories) < drawn { // all but the distance
		t.Errorf("got %d, want those of %d quantities", len(categories), drawn)
	}
	colors, shapes := map[color.NRGBA]bool{}, map[shape]bool{}
	for _, c := range categories {
		colors[c.color], shapes[c.shape] = true, true
	}
	if len(colors) != len(categories) || len(shapes) != len(categories) {
		t.Errorf("got %d colours and %d shapes of %d quantities, want each to have its own", len(colors), len(shapes), len(categories))
	}
}
