package surface

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/formula"
)

// study returns one observation a run: two depths of freedom crossed with a field that changes along, one that is
// crossed, and two seeds.
func study(value func(L, M, alpha float64) float64) []Observation {
	var all []Observation
	text := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	for _, L := range []float64{8, 16, 32, 64} {
		for _, M := range []float64{4, 16, 64} {
			for _, alpha := range []float64{0.5, 1} {
				for seed := range uint64(2) {
					all = append(all, Observation{
						Run: fmt.Sprint(L, M, alpha, seed), Seeds: []uint64{seed}, Value: value(L, M, alpha),
						Fields: map[string]string{
							"depth": text(L), "data": "separated", "network.hidden": text(M),
							"initial.amplitude": text(1 / math.Sqrt(M)), "network.alpha": text(alpha),
						},
					})
				}
			}
		}
	}
	return all
}

func law(L, M, alpha float64) float64 { return 3 * math.Pow(L, -alpha) * math.Pow(M, -0.5) }

// TestFits wants a fit for each value of the field that runs differ in freely, and none for one that changes along.
func TestFits(t *testing.T) {
	fits, skipped := Fits("loss", study(law), []string{"depth", "network.hidden"}, nil)
	if len(skipped) > 0 || len(fits) != 4 {
		t.Fatalf("got %d fits and %v, want 4: two fields at two values of alpha", len(fits), skipped)
	}
	for _, f := range fits {
		want := -0.5
		if f.In == "depth" {
			want, _ = strconv.ParseFloat("-"+f.At["network.alpha"], 64)
		}
		if !(math.Abs(*f.Exponent-want) <= 1e-12) || strings.Join(f.Along, " ") != "initial.amplitude" || len(f.At) != 1 || f.Points != 24 {
			t.Errorf("got %+v, want the exponent %v", f, want)
		}
	}
	fits, _ = Fits("loss", study(law), []string{"network.hidden"}, nil)
	if len(fits) != 8 || fits[0].Limit == nil || !(math.Abs(fits[0].Limit.Exponent+0.5) <= 0.01) {
		t.Errorf("got %d fits, want 8, each with the exponent of the limit: %+v", len(fits), fits[0])
	}
}

// TestModel wants the coefficients of a model back.
func TestModel(t *testing.T) {
	in := []string{"depth", "network.hidden"}
	f, err := formula.Parse("a/L + b/sqrt(L*M)", in, true)
	if err != nil {
		t.Fatal(err)
	}
	fits, skipped := Fits("distance", study(func(L, M, _ float64) float64 { return math.Hypot(0.5/L, 1.2/math.Sqrt(L*M)) }), in, &Model{Text: "model", Formula: f})
	if len(skipped) > 0 || len(fits) != 2 {
		t.Fatal(fits, skipped)
	}
	for name, want := range map[string]float64{"a": 0.5, "b": 1.2} {
		if got := fits[0].Coefficients[name].Value; !(math.Abs(got-want) <= 1e-6) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// TestRefuses wants fields that do not vary, and runs that differ in what no field tells, refused.
func TestRefuses(t *testing.T) {
	all := study(law)
	for _, in := range []string{"data", "network.width", "nothing"} {
		if err := Check(all, []string{in}); err == nil || !strings.Contains(err.Error(), "want a numeric field of which the runs have two values or more: depth, initial.amplitude, network.alpha, network.hidden") {
			t.Errorf("%s: got %v", in, err)
		}
	}
	if err := Check(all, []string{"depth", "depth"}); err == nil {
		t.Error("depth twice: got no error")
	}
	_, skipped := Fits("loss", append(all, all[0]), []string{"depth"}, nil)
	if len(skipped) != 1 || !strings.Contains(skipped[0], "got two values at depth = [8]") {
		t.Errorf("one run twice: got %v", skipped)
	}
	_, skipped = Fits("loss", all, []string{"network.hidden", "initial.amplitude"}, nil)
	if len(skipped) == 0 || !strings.Contains(skipped[0], "vary too little, or together") {
		t.Errorf("fields that are tied: got %v", skipped)
	}
}
