package scaling

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

var meanField = Model{Names: []string{"a", "b"}, At: func(x, c []float64) float64 {
	return math.Sqrt(math.Pow(c[0]/x[0], 2) + c[1]*c[1]/(x[0]*x[1]))
}}

func truth(x []float64) float64 { return meanField.At(x, []float64{0.3, 1.2}) }

// TestFitModelExact wants planted coefficients back: of a sum, of a sum of squares whose signs are free, and of an
// unknown power.
func TestFitModelExact(t *testing.T) {
	source := rand.New(rand.NewPCG(1, 3))
	for name, c := range map[string]struct {
		model Model
		want  []float64
	}{
		"squares":  {meanField, []float64{0.3, 1.2}},
		"sum":      {Model{Names: []string{"a", "b"}, At: func(x, c []float64) float64 { return c[0]/x[0] + c[1]/math.Sqrt(x[1]) }}, []float64{40, 1e-3}},
		"negative": {Model{Names: []string{"a", "b"}, At: func(x, c []float64) float64 { return c[0] + c[1]/x[0] }}, []float64{2, -5}},
		"power":    {Model{Names: []string{"c", "p"}, At: func(x, c []float64) float64 { return c[0] * math.Pow(x[0], -c[1]) }}, []float64{0.02, 0.5}},
	} {
		f, err := FitModel(grid(source, 3, func(x []float64) float64 { return c.model.At(x, c.want) }, 0, 0, 0), c.model)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for j, key := range c.model.Names {
			if got := f.Coefficients[key]; !(math.Abs(got.Value-c.want[j]) <= 1e-6*math.Abs(c.want[j])) {
				t.Errorf("%s: %s: got %v, want %v", name, key, got.Value, c.want[j])
			}
		}
	}
}

// TestCoverageModel measures how often the intervals of coefficients hold them, and how often the lack of fit of a
// wrong model is seen.
func TestCoverageModel(t *testing.T) {
	source := rand.New(rand.NewPCG(2, 4))
	const draws = 150
	held, seen, wrong := [2]int{}, 0, 0
	only := Model{Names: []string{"b"}, At: func(x, c []float64) float64 { return c[0] / math.Sqrt(x[0]*x[1]) }}
	for range draws {
		points := grid(source, 4, truth, 0, 0, 0.05)
		f, err := FitModel(points, meanField)
		if err != nil {
			t.Fatal(err)
		}
		for j, want := range []float64{0.3, 1.2} {
			if c := f.Coefficients[meanField.Names[j]]; c.Low <= want && want <= c.High {
				held[j]++
			}
		}
		if f.LackOfFit.P < 0.05 {
			seen++
		}
		if f, err = FitModel(points, only); err != nil {
			t.Fatal(err)
		}
		if f.LackOfFit.P < 0.05 {
			wrong++
		}
	}
	for j, n := range held {
		if share := float64(n) / draws; !(share >= 0.90) {
			t.Errorf("%s: the interval holds the coefficient in %.3f of draws, want 0.95 less 0.05", meanField.Names[j], share)
		}
	}
	if share := float64(seen) / draws; !(share <= 0.11) {
		t.Errorf("the lack of fit of the model that holds is seen in %.3f of draws, want 0.05", share)
	}
	if share := float64(wrong) / draws; !(share >= 0.9) {
		t.Errorf("the lack of fit of a wrong model is seen in %.3f of draws, want 0.9 or more", share)
	}
}

// TestFitModelZero wants 0 without an interval for a term that is not there.
func TestFitModelZero(t *testing.T) {
	source := rand.New(rand.NewPCG(9, 9))
	f, err := FitModel(grid(source, 4, func(x []float64) float64 { return 1.2 / math.Sqrt(x[0]*x[1]) }, 0, 0, 0.05), meanField)
	if err != nil {
		t.Fatal(err)
	}
	a, b := f.Coefficients["a"], f.Coefficients["b"]
	if a.Value != 0 || !math.IsNaN(a.High) || f.Warning == "" || !(b.Low <= 1.2 && 1.2 <= b.High) {
		t.Errorf("got a = %+v, b = %+v, want 0 and 1.2", a, b)
	}
}

// TestFitModelSquares wants coefficients of squares that add to be those of their means, whatever the number of degrees of
// freedom that they have; those of logarithms are lower.
func TestFitModelSquares(t *testing.T) {
	source := rand.New(rand.NewPCG(5, 6))
	model := meanField
	model.Squares = true
	const draws, freedom, few = 60, 4, 20
	mean, logarithms, held := 0.0, 0.0, 0
	for draw := range draws {
		points := grid(source, 4, func(x []float64) float64 { return meanField.At(x, []float64{1, 1.2}) }, 0, 0, 0)
		for i := range points {
			square := 0.0
			for range freedom {
				square += math.Pow(source.NormFloat64(), 2) / freedom
			}
			points[i].Value *= math.Sqrt(square)
		}
		f, err := FitModel(points, model)
		if err != nil {
			t.Fatal(err)
		}
		b := f.Coefficients["b"]
		mean += b.Value / draws
		if b.Low <= 1.2 && 1.2 <= b.High {
			held++
		}
		if draw < few {
			if f, err = FitModel(points, meanField); err != nil {
				t.Fatal(err)
			}
			logarithms += f.Coefficients["b"].Value / few
		}
	}
	if !(math.Abs(mean-1.2) <= 0.02) {
		t.Errorf("squares: the mean coefficient is %v, want 1.2", mean)
	}
	if share := float64(held) / draws; !(share >= 0.9) {
		t.Errorf("squares: the interval holds the coefficient in %v of the draws, want 0.9 or more", share)
	}
	// E log(χ²_4/4)/2 = (ψ(2) − log 2)/2 = −0.135
	if want := 1.2 * math.Exp(-0.135); !(math.Abs(logarithms-want) <= 0.03) {
		t.Errorf("logarithms: the mean coefficient is %v, want %v", logarithms, want)
	}
}

// TestFitModelRefuses wants models that points cannot tell apart refused.
func TestFitModelRefuses(t *testing.T) {
	points := grid(rand.New(rand.NewPCG(1, 1)), 2, truth, 0, 0, 0.01)
	for want, model := range map[string]Model{
		"coefficients a and b that the points cannot tell apart": {Names: []string{"a", "b"}, At: func(x, c []float64) float64 { return (c[0] + 2*c[1]) / x[0] }},
		"not positive":         {Names: []string{"a"}, At: func(x, c []float64) float64 { return -c[0] * c[0] }},
		"got no coefficient":   {Names: nil, At: func(x, c []float64) float64 { return x[0] }},
		"does not depend on b": {Names: []string{"a", "b"}, At: func(x, c []float64) float64 { return c[0] / x[0] }},
	} {
		if _, err := FitModel(points, model); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
