package analyze

import (
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
