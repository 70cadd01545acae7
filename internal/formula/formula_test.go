package formula

import (
	"math"
	"strings"
	"testing"
)

// TestParse holds values to the formula written in Go.
func TestParse(t *testing.T) {
	L, M := 16.0, 5.0
	for _, c := range []struct {
		text    string
		fields  []string
		squares bool
		names   string
		theta   []float64
		want    float64
	}{
		{"a/L + b/sqrt(L*M)", []string{"depth", "network.hidden"}, false, "a b", []float64{2, 3}, 2/L + 3/math.Sqrt(L*M)},
		{"a/L + b/sqrt(L*M)", []string{"depth", "network.hidden"}, true, "a b", []float64{2, 3}, math.Sqrt(4/L/L + 9/L/M)},
		{"a/L - b/sqrt(L*M)", []string{"depth", "network.width"}, true, "a b", []float64{2, 3}, math.Sqrt(4/L/L + 9/L/M)},
		{"c * depth ^ -p + e*network.hidden", []string{"depth", "network.hidden"}, false, "c p e", []float64{2, 0.5, 7}, 2/math.Sqrt(L) + 7*M},
		{"c*pow(L, 0.5)*exp(log(m))", []string{"depth", "network.hidden"}, false, "c", []float64{2}, 2 * math.Sqrt(L) * M},
		{"k*alpha", []string{"network.alpha", "depth"}, false, "k", []float64{3}, 3 * L},
	} {
		f, err := Parse(c.text, c.fields, c.squares)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := strings.Join(f.Coefficients, " "); got != c.names {
			t.Errorf("%s: got coefficients %s, want %s", c.text, got, c.names)
		}
		if got := f.At([]float64{L, M}, c.theta); !(math.Abs(got-c.want) <= 1e-14*c.want) {
			t.Errorf("%s: got %v, want %v", c.text, got, c.want)
		}
	}
}

// TestParseRefuses wants names that may be meant otherwise refused, not made coefficients.
func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"a/L + b/M":            "got M, which stands for network.hidden or network.width",
		"a/L + network.hidden": "got network.hidden, want a field that the fit is over: depth",
		"1/L":                  "got no coefficient",
		"a/":                   "cannot be read",
		"a > L":                "want a number",
	} {
		if _, err := Parse(text, []string{"depth"}, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", text, err, want)
		}
	}
}
