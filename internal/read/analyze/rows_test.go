package analyze

import (
	"math"
	"strings"
	"testing"
)

// TestRowsAreThoseOfJSON compares table and export with JSON: text, ends that are null, runs,
// depths and reasons.
func TestRowsAreThoseOfJSON(t *testing.T) {
	for name, result := range zooResults(t) {
		exported := map[string]ExponentRow{}
		for row, err := range result.exponentRows() {
			if err != nil {
				t.Fatal(err)
			}
			exported[row.Group+"/"+row.Part+"/"+row.Quantity] = row
		}
		for i, tree := range treesOf(t, result) {
			g := &result.Groups[i]
			for _, row := range g.Rows() {
				e := exported[g.Group+"/"+g.part()+"/"+row.Key]
				if row.Law == nil {
					if row.Missing == "" || e.Estimate != nil || e.Low != nil || e.High != nil || e.Missing != row.Missing {
						t.Errorf("%s: %s: got %+v and exported %+v, want a reason", name, row.Key, row, e)
					}
					continue
				}
				if want := typeset(row.Number + " " + row.Range); !strings.Contains(row.Said, want) {
					t.Errorf("%s: %s: %q does not have the exponent %s", name, row.Key, row.Said, want)
				}
				if row.Limit != "" && !strings.Contains(row.Said, typeset(row.Limit)) {
					t.Errorf("%s: %s: %q does not have the exponent of the limit %s", name, row.Key, row.Said, row.Limit)
				}
				at, key := "", row.Key
				if _, ok := g.Exponents[key]; !ok && strings.HasPrefix(key, "displacement_") {
					at, key = "/displacement", strings.TrimPrefix(key, "displacement_")
				}
				path := at + "/exponents/" + key
				if p, ok := strings.CutPrefix(key, "v_"); ok {
					path = at + "/variation_slopes/" + p
				}
				value, err := lookUp(tree, path)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				json := value.(map[string]any)
				if json["text"] != row.Number+" "+row.Range || int64(json["runs"].(float64)) != e.Runs || len(json["seeds"].([]any)) != int(e.Seeds) || len(json["depths"].([]any)) != len(strings.Fields(e.Depths)) {
					t.Errorf("%s: %s: got %+v and exported %+v, want as JSON %v", name, row.Key, row, e, json)
				}
				for key, end := range map[string]*float64{"slope": e.Estimate, "low": e.Low, "high": e.High} {
					if v, known := json[key].(float64); known != (end != nil) || known && v != *end {
						t.Errorf("%s: %s: exported %s is %v, want %v", name, row.Key, key, end, json[key])
					}
				}
			}
		}
	}
}

// TestSpeak: the interval of the limit decides whether it has the expected exponent, that of the window where there is none.
func TestSpeak(t *testing.T) {
	limit := func(low, high float64) *Estimate { return &Estimate{Value: (low + high) / 2, Low: low, High: high} }
	for _, c := range []struct {
		low, high float64
		limit     *Estimate
		want      string
	}{
		{-0.1, 0.1, nil, "shows neither growth nor fall with depth: L^b with b = 0.00 [−0.10, 0.10]. A limit of finite 2-variation has b = 0, which the interval holds."},
		{0.2, 0.4, nil, "grows with depth as L^b, b = 0.30 [0.20, 0.40]. A limit of finite 2-variation has b = 0, which the interval leaves out."},
		{0.02, 0.06, limit(-0.01, 0.01), "grows slowly with depth, as L^b with b below 0.1: b = 0.04 [0.02, 0.06]; as L → ∞: 0.00 [−0.01, 0.01]. A limit of finite 2-variation has b = 0, which the interval holds."},
		{-0.1, 0.1, limit(1e-17, 1e-17), "shows neither growth nor fall with depth: L^b with b = 0.00 [−0.10, 0.10]; as L → ∞: 0.000000 [the same to six decimals]. A limit of finite 2-variation has b = 0, which the interval holds."},
		{math.NaN(), math.NaN(), nil, "goes with depth as L^b, b = 0.30 [no interval]. A limit of finite 2-variation has b = 0."},
	} {
		law := Slope{Slope: (c.low + c.high) / 2, Low: c.low, High: c.high, Method: "seeds"}
		if math.IsNaN(c.low) {
			law.Slope = 0.3
		}
		row := NewRow(QuantityOf("v_2", "A"), &law)
		row.Expected = new(0.0)
		if row.speak(c.limit); row.Said != c.want {
			t.Errorf("[%v, %v], %v: got %q, want %q", c.low, c.high, c.limit, row.Said, c.want)
		}
	}
}
