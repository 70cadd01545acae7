package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"html"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/test/zoo"
)

var (
	element = regexp.MustCompile(`(?s)<(li|p|figcaption|caption)\b[^>]*>(.*?)</(?:li|p|figcaption|caption)>`)
	markup  = regexp.MustCompile(`(?s)<[^>]*>`)
	lowered = regexp.MustCompile(`(?s)<su[bp]>.*?</su[bp]>`)
	// figuresIn are the numbers of a text, without those in names such as V_1 and L^2.
	figuresIn = regexp.MustCompile(`(?:^|[^\pL\d_^.⁻])([-−]?\d+(?:\.\d+)?(?:e[-−+]?\d+)?)(?: × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?`)
	// ruled are numbers that the page fixes: levels, limits, thresholds, references.
	ruled = []string{"0", "1", "2", "95", "0.1", "0.5", "0.99", "−0.1", "0.15", "2204.07261", "2105.12245", "2022", "10"}
	// uncounted are the numbers of figures, and counts of what a figure does not show.
	uncounted = regexp.MustCompile(`^\s*Figure \d+\.|\d+ (?:values|recorded losses) are`)
	numeral   = regexp.MustCompile(`[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?`)
)

// numbersIn returns every number of the JSON of a result, and lengths of its lists.
func numbersIn(v any, into map[float64]bool) {
	switch at := v.(type) {
	case map[string]any:
		for key, inner := range at {
			if p, err := strconv.ParseFloat(key, 64); err == nil {
				into[p] = true
			}
			numbersIn(inner, into)
		}
	case []any:
		into[float64(len(at))] = true
		for _, inner := range at {
			numbersIn(inner, into)
		}
	case float64:
		into[at], into[math.Abs(at)] = true, true
	case string: // names, warnings and reasons, which hold numbers
		for _, text := range numeral.FindAllString(strings.ReplaceAll(at, "−", "-"), -1) {
			if v, err := strconv.ParseFloat(text, 64); err == nil {
				into[v], into[math.Abs(v)] = true, true
			}
		}
	}
}

// known reports whether a number, to the digits that are written, is among those of a result.
func known(text, power string, values map[float64]bool) bool {
	if slices.Contains(ruled, text) {
		return true
	}
	said, err := strconv.ParseFloat(strings.ReplaceAll(text, "−", "-"), 64)
	if err != nil {
		return false
	}
	unit, down := 1.0, 0.0
	text, exponent, small := strings.Cut(text, "e")
	if small {
		power = strings.ReplaceAll(exponent, "−", "-")
		said, _ = strconv.ParseFloat(strings.ReplaceAll(text, "−", "-"), 64)
	}
	if _, fraction, ok := strings.Cut(text, "."); ok {
		unit = math.Pow10(-len(fraction))
		if len(fraction) == 4 { // R² is rounded down
			down = unit
		}
	}
	if power != "" {
		e, err := strconv.Atoi(strings.NewReplacer("⁻", "-", "⁰", "0", "¹", "1", "²", "2", "³", "3", "⁴", "4", "⁵", "5", "⁶", "6", "⁷", "7", "⁸", "8", "⁹", "9").Replace(power))
		if err != nil {
			return false
		}
		said, unit = said*math.Pow10(e), unit*math.Pow10(e)
	}
	for v := range values {
		if v == said || (unit < 1 || power != "") && (math.Abs(v-said) <= 0.501*unit || said <= v && v < said+down) {
			return true
		}
	}
	return false
}

// TestPagesOfTheZoo wants on every page the sentences of analyze and no others about its
// numbers: every number in its prose is one of the result, and every cell of the table of
// power laws is that of the result.
func TestPagesOfTheZoo(t *testing.T) {
	prose := 0
	for _, s := range zoo.Studies() {
		dir, study := readZoo(t, s)
		result := study.Result
		path, err := Write(t.Context(), dir, study, quick)
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(result)
		if err != nil {
			t.Fatal(err)
		}
		var tree any
		if err := json.Unmarshal(text, &tree); err != nil {
			t.Fatal(err)
		}
		values := map[float64]bool{3: true, 4: true} // width and samples, of run.json
		numbersIn(tree, values)
		page := string(data)
		checkPage(t, s.Name, page, result)
		section, _, _ := strings.Cut(page, `aria-labelledby="cite"`)
		for _, m := range element.FindAllStringSubmatch(section, -1) {
			text := html.UnescapeString(markup.ReplaceAllString(lowered.ReplaceAllString(m[2], ""), ""))
			for _, name := range formulas(result) {
				text = strings.ReplaceAll(text, name, "")
			}
			text = uncounted.ReplaceAllString(text, "")
			for _, n := range figuresIn.FindAllStringSubmatch(text, -1) {
				prose++
				if !known(n[1], n[2], values) {
					t.Errorf("%s: %q holds %s, which is no number of the result", s.Name, strings.TrimSpace(text), n[0])
				}
			}
		}
	}
	if prose < 1000 {
		t.Errorf("only %d numbers were looked at", prose)
	}
}

// formulas are the names in sentences that hold digits.
func formulas(result *analyze.Result) []string {
	names := []string{result.Study, "A_k(0)", "V_k(0)", "L²"}
	for _, g := range result.Groups {
		for _, row := range g.Rows() {
			names = append(names, row.Symbol)
		}
	}
	return names
}

// checkPage compares summary, text to cite and table with the result.
func checkPage(t *testing.T, name, page string, result *analyze.Result) {
	t.Helper()
	escaped := func(text string) string {
		var b bytes.Buffer
		json.HTMLEscape(&b, []byte(text)) // as html/template does, but for quotes
		return strings.NewReplacer(`\u003c`, "&lt;", `\u003e`, "&gt;", `\u0026`, "&amp;", "+", "&#43;", "'", "&#39;", `"`, "&#34;").Replace(b.String())
	}
	for i := range result.Groups {
		g := &result.Groups[i]
		var all []string
		for _, s := range g.Sentences() {
			all = append(all, s.Text)
			if !strings.Contains(page, "<li>"+escaped(s.Text)+"</li>") {
				t.Errorf("%s: the summary lacks %q", name, s.Text)
			}
		}
		if !strings.Contains(page, escaped(strings.Join(all, " "))) {
			t.Errorf("%s: the text to cite is not that of the sentences", name)
		}
		for _, row := range g.Rows() {
			want := "none: " + escaped(row.Missing) + "</td>"
			if row.Law != nil {
				want = "<td>" + typeset(row.Number) + "</td><td>" + typeset(row.Range) + "</td><td>" + cmp.Or(typeset(row.Limit), none) + "</td><td>" + row.R2 + `</td><td class="text">` + row.Basis + `</td><td class="text">` + row.Reading
			}
			if !strings.Contains(page, want) {
				t.Errorf("%s: the table lacks %q", name, want)
			}
		}
	}
	for _, bad := range []string{"NaN", "−0.00<", "−0.00 ", "N</i> = 0 samples", "[0.02, 0.02]", "%!"} {
		if strings.Contains(page, bad) {
			t.Errorf("%s: the page holds %q", name, bad)
		}
	}
}

// TestNumbersOfProseAreLookedUp: the comparison of a page refuses numbers that are not there.
func TestNumbersOfProseAreLookedUp(t *testing.T) {
	values := map[float64]bool{-0.5213: true, 64: true, 2.36e-8: true, 0.99994: true}
	for text, want := range map[string]bool{"−0.52": true, "−0.53": false, "64": true, "65": false, "0.9999": true, "0.9998": false, "2.36 × 10⁻⁸": true, "2.38 × 10⁻⁸": false} {
		m := figuresIn.FindStringSubmatch(text)
		if got := known(m[1], m[2], values); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}
