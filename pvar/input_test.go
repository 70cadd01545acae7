package pvar

import (
	"encoding/json"
	"math"
	"testing"
)

func TestErrors(t *testing.T) {
	good := Points{Dim: 2, Data: []float64{0, 0, 1, 1}}
	for _, c := range []struct {
		metric Metric
		path   Points
		p      float64
		want   string
	}{
		{Euclidean, good, 0.5, "pvar: p: got 0.5, want a finite number ≥ 1"},
		{Euclidean, good, math.NaN(), "pvar: p: got NaN, want a finite number ≥ 1"},
		{Euclidean, good, math.Inf(1), "pvar: p: got +Inf, want a finite number ≥ 1"},
		{Euclidean, Points{Dim: 2, Data: []float64{0, 0, 1, math.NaN()}}, 2, "pvar: path: point 1, entry 1: got NaN, want a finite number"},
		{Euclidean, Points{Dim: 2, Data: []float64{0, math.Inf(-1)}}, 2, "pvar: path: point 0, entry 1: got -Inf, want a finite number"},
		{Euclidean, Points{Dim: 2, Data: make([]float64, 3)}, 2, "pvar: path: got 3 numbers, want a multiple of the dimension 2"},
		{Euclidean, Points{}, 2, "pvar: path: got dimension 0, want at least 1"},
		{Spectral(2, 2), good, 2, "pvar: spectral metric: got 2×2 matrices, want rows and cols whose product is the dimension 2"},
		{Euclidean, Points{Dim: 2, Data: []float64{0, 0, 1, 1, 0, 0, -1, -1}}, 1e4, "pvar: p = 10000: got the sum +Inf of steps scaled to about 1, outside the range of float64; want a smaller p"},
		{L1, Points{Dim: 2, Data: []float64{0, 0, 1.5e308, 1.5e308}}, 2, "pvar: p = 2: got a variation beyond the range of float64, want a rescaled path"},
	} {
		if _, err := ComputeIn(c.metric, c.path, c.p); err == nil || err.Error() != c.want {
			t.Errorf("got error %v, want %s", err, c.want)
		}
	}
}

func TestMetrics(t *testing.T) {
	// Difference diag(3, 4): singular values 4, 3.
	x := Points{Dim: 4, Data: []float64{1, 1, 1, 1, 4, 1, 1, 5}}
	for name, want := range map[string]float64{"frobenius": 5, "euclidean": 5, "spectral": 4, "l1": 7, "sup": 4} {
		metric, err := ParseMetric(name, 2, 2)
		if err != nil {
			t.Fatal(err)
		}
		v, err := ComputeIn(metric, x, 2)
		if err != nil || !(math.Abs(v[0].Norm-want) <= 1e-14*want) {
			t.Errorf("%s: got %v, %v, want norm %v", name, v, err, want)
		}
	}
	if _, err := ParseMetric("l2", 2, 2); err == nil || err.Error() != `pvar: metric: got "l2", want frobenius, spectral, l1 or sup` {
		t.Errorf("got error %v", err)
	}
	if got := Spectral(2, 2).String(); got != "spectral" {
		t.Errorf("got name %q", got)
	}
}

func TestJSON(t *testing.T) {
	v, err := Compute(Scalars([]float64{0, 1, 2}), 2)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(v)
	if want := `[{"p":2,"value":4,"norm":2,"partition":[0,2]}]`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if got, _ := json.Marshal(Variation{P: 1}); string(got) != `{"p":1,"value":0,"norm":0,"partition":[]}` {
		t.Errorf("empty path: got %s", got)
	}
}

// TestPathsThatRest has paths that stand still for a leaf of the search and then move about that place, so that all points of a
// block are the centre of the next.
func TestPathsThatRest(t *testing.T) {
	x := Points{Dim: 2, Data: make([]float64, 2*2*leaf)}
	for k, at := range []float64{-0.1, -0.05, -5} {
		x.At(leaf + k)[0] = at
	}
	x.At(2*leaf - 1)[0] = 0.1
	for _, p := range []float64{1.3, 2, 3} {
		checkAgainstDefinition(t, Euclidean, x, p)
	}
}
