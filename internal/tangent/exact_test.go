package tangent

import (
	"context"
	"encoding/json"
	"math"
	"math/big"
	"os"
	"testing"

	"github.com/deeplimit/deeplimit/certify"
)

// exact holds numbers of the golden nets to 40 digits, by the balls of python/verify_certificate.py at 250 bits.
type exact struct {
	Residual      string
	LambdaMin     string `json:"lambda_min"`
	LambdaMax     string `json:"lambda_max"`
	NewtonStep    string `json:"newton_step"`
	Tau, Chi, Pi  []string
	Omega, Centre []string
	Ball          [][2]any // radius and ‖F″‖'s bound by the same formulas
	above, among  int      // of doubles: estimates on the wrong side, and those there are
}

// compare counts an estimate and a bound of a number, sign 1 for an upper bound.
func (e *exact) compare(t *testing.T, what string, estimate, bound float64, text any, sign int) {
	t.Helper()
	want, _, err := big.ParseFloat(text.(string), 10, 300, big.ToNearestEven)
	if err != nil {
		t.Fatal(err)
	}
	e.among++
	if big.NewFloat(estimate).Cmp(want)*sign < 0 {
		e.above++
	}
	if math.IsNaN(bound) || big.NewFloat(bound).Cmp(want)*sign < 0 {
		t.Errorf("%s: the bound %.17g is on the wrong side of %s", what, bound, text)
	}
	if !(math.Abs(bound-estimate) <= 1e-7*math.Abs(estimate)) {
		t.Errorf("%s: the bound %.17g is far from %.17g", what, bound, estimate)
	}
}

// TestExact wants every bound on its side of a number of 40 digits and near it. The estimates are on the wrong side of a good part of
// them, so that a margin left out shows.
func TestExact(t *testing.T) {
	text, err := os.ReadFile("testdata/exact.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]*exact
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	wrong, among := 0, 0
	for _, c := range readGolden(t) {
		e := all[c.Name]
		if e == nil {
			continue // softplus with a constant, which σ of the program has not
		}
		m := c.model(t, 2)
		k, err := m.Prove(context.Background(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if k.Proven == nil {
			if k.RoundingWhy == "" || k.Rounding != certify.RoundingEstimated {
				t.Errorf("%s: rounding %s, %q", c.Name, k.Rounding, k.RoundingWhy)
			}
			if e.NewtonStep != "" {
				t.Errorf("%s: not proven: %s", c.Name, k.RoundingWhy)
			}
			continue
		}
		p := k.Proven
		e.compare(t, c.Name+" residual", k.Residual, p.Residual, e.Residual, 1)
		e.compare(t, c.Name+" lambda_min", *k.LambdaMin, p.LambdaMin, e.LambdaMin, -1)
		e.compare(t, c.Name+" lambda_max", *k.LambdaMax, p.LambdaMax, e.LambdaMax, 1)
		e.compare(t, c.Name+" newton_step", *k.NewtonStep, p.NewtonStep, e.NewtonStep, 1)
		compareGains(t, m, c.Name, e)
		wrong, among = wrong+e.above, among+e.among
	}
	if !(wrong >= among/10) || among < 100 {
		t.Errorf("%d of %d estimates are on the wrong side, want a tenth, so that the test shows what the margins do", wrong, among)
	}
	t.Logf("%d of %d estimates are on the wrong side, no bound is", wrong, among)
}

// compareGains compares those of every sample, and bounds over balls.
func compareGains(t *testing.T, m *Model, name string, e *exact) {
	t.Helper()
	estimates, err := m.Propagations(context.Background(), true, nil)
	if err != nil {
		t.Fatal(err)
	}
	plain := m.Layers()
	o, why, err := m.enclose(context.Background(), "")
	if err != nil || why != "" {
		t.Fatal(err, why)
	}
	layers := m.layers(roundoff{unit})
	bounds, _, err := m.propagations(context.Background(), true, nil, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range bounds {
		a, b := estimates[i], bounds[i]
		e.compare(t, name+" tau", a.Tau, b.Tau, e.Tau[i], 1)
		e.compare(t, name+" chi", a.Chi, b.Chi, e.Chi[i], 1)
		e.compare(t, name+" pi", a.Pi, b.Pi, e.Pi[i], 1)
		e.compare(t, name+" curvature", a.Curvature, b.Curvature, e.Centre[i], 1)
	}
	for _, ball := range e.Ball {
		radius := ball[0].(float64)
		e.compare(t, name+" ball", plain.Ball(estimates, radius).Curvature, layers.Ball(bounds, radius).Curvature, ball[1], 1)
	}
}
