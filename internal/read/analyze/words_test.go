package analyze

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/deeplimit/deeplimit/test/zoo"
)

// zooResults analyses every study of the zoo, once for all tests.
func zooResults(t *testing.T) map[string]*Result {
	t.Helper()
	zooOnce.Do(func() { zooKept = analysedZoo(t) })
	return zooKept
}

var (
	zooOnce sync.Once
	zooKept map[string]*Result
)

func analysedZoo(t *testing.T) map[string]*Result {
	t.Helper()
	results := map[string]*Result{}
	for _, s := range zoo.Studies() {
		dir := filepath.Join(t.TempDir(), s.Name)
		if err := s.Write(dir); err != nil {
			t.Fatal(err)
		}
		results[s.Name] = mustStudy(t, dir, Options{})
	}
	return results
}

var (
	// figures are the numbers of a text, without those in names such as V_1 and L^2.
	figures = regexp.MustCompile(`(^|[^\pL\d_^.])([-−]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)`)
	// constants are the numbers that the program fixes.
	constants = []string{"0.1", "0.95", "0.99", "95"}
	flat      = regexp.MustCompile(`\[(\S+), (\S+)\]`)
)

// numbersOf returns the numbers of a text; formulas are names.
func numbersOf(text string) (found []string) {
	for _, q := range quantityList {
		for _, part := range []string{"A", "V", "W", "b"} {
			text = strings.ReplaceAll(text, QuantityOf(q.Key, part).Plain(), "")
		}
	}
	for _, m := range figures.FindAllStringSubmatch(text, -1) {
		found = append(found, m[2])
	}
	return found
}

// lookUp follows the path of a fact.
func lookUp(tree any, path string) (any, error) {
	for key := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		switch at := tree.(type) {
		case map[string]any:
			value, ok := at[key]
			if !ok {
				return nil, fmt.Errorf("%s: no key %q", path, key)
			}
			tree = value
		case []any:
			if key == "#" {
				tree = float64(len(at))
				continue
			}
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(at) {
				return nil, fmt.Errorf("%s: no entry %q", path, key)
			}
			tree = at[i]
		default:
			return nil, fmt.Errorf("%s: nothing below %v", path, tree)
		}
	}
	return tree, nil
}

// checkFact compares the words of a fact with the JSON of its group, to half a unit of the
// last digit; R² is rounded down.
func checkFact(tree any, f Fact) error {
	if f.Path == "" {
		if !slices.Contains(constants, f.Text) {
			return fmt.Errorf("%q is no number that the program fixes", f.Text)
		}
		return nil
	}
	value, err := lookUp(tree, f.Path)
	if err != nil {
		return err
	}
	switch v := value.(type) {
	case string:
		if f.Text != v {
			return fmt.Errorf("%s: says %q, JSON %q", f.Path, f.Text, v)
		}
	case nil:
		return fmt.Errorf("%s: says %q, JSON null", f.Path, f.Text)
	case float64:
		text := strings.ReplaceAll(f.Text, "−", "-")
		said, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		mantissa, power, _ := strings.Cut(text, "e")
		decimals := 0
		if _, fraction, ok := strings.Cut(mantissa, "."); ok {
			decimals = len(fraction)
		}
		if exponent, err := strconv.Atoi(power); err == nil {
			decimals -= exponent
		}
		unit := math.Pow10(-decimals)
		if strings.HasSuffix(f.Path, "r2") {
			said += unit / 2
		}
		if decimals == 0 {
			unit = 0 // counts and depths are exact
		}
		if !(math.Abs(said-v) <= 0.5001*unit) {
			return fmt.Errorf("%s: says %s, JSON %v", f.Path, f.Text, v)
		}
	default:
		return fmt.Errorf("%s: JSON has %v", f.Path, v)
	}
	return nil
}

// checkSentence holds every number of a sentence against the JSON of its group.
func checkSentence(tree any, s Sentence) error {
	var told []string
	for _, f := range s.Facts {
		if err := checkFact(tree, f); err != nil {
			return err
		}
		told = append(told, numbersOf(f.Text)...)
	}
	if found := numbersOf(s.Text); !slices.Equal(found, told) {
		return fmt.Errorf("numbers %q, and facts of %q", found, told)
	}
	return checkWording(tree, s)
}

// checkWording looks for words that no number bears out.
func checkWording(tree any, s Sentence) error {
	for _, bad := range []string{"NaN", "−0.00 ", "−0.00]", "-0.00 ", "Inf", "%!", "  ", " ,", ".."} {
		if strings.Contains(s.Text, bad) {
			return fmt.Errorf("says %q", bad)
		}
	}
	for _, m := range flat.FindAllStringSubmatch(s.Text, -1) {
		if m[1] == m[2] {
			return fmt.Errorf("the interval %s has no width", m[0])
		}
	}
	for _, f := range s.Facts {
		path, ok := strings.CutSuffix(f.Path, "/slope")
		if !ok || strings.Contains(path, "evidence") {
			continue
		}
		value, err := lookUp(tree, path)
		if err != nil {
			return err
		}
		slope := value.(map[string]any)
		low, known := slope["low"].(float64)
		high, _ := slope["high"].(float64)
		grows, falls := strings.Contains(s.Text, " grows "), strings.Contains(s.Text, " falls ")
		if grows != (known && low > 0) || falls != (known && high < 0) {
			return fmt.Errorf("the verb is not that of [%v, %v]", slope["low"], slope["high"])
		}
		if strings.Contains(s.Text, "[no interval]") == known {
			return fmt.Errorf("an interval is said where there is none, or none where there is one")
		}
	}
	return nil
}

// treesOf returns the groups of a result as JSON has them.
func treesOf(t *testing.T, result *Result) []any {
	t.Helper()
	text, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	var tree struct {
		Groups []any `json:"groups"`
	}
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	return tree.Groups
}

// TestSentencesHoldTheNumbersOfJSON compares every number in every sentence on the zoo with
// its value in JSON, and wants the terminal to print the same sentences and exponents.
func TestSentencesHoldTheNumbersOfJSON(t *testing.T) {
	sentences, numbers := 0, 0
	for name, result := range zooResults(t) {
		var table bytes.Buffer
		if err := result.WriteTable(&table, View{}); err != nil {
			t.Fatal(err)
		}
		for i, tree := range treesOf(t, result) {
			var words []any
			for _, s := range result.Groups[i].Sentences() {
				sentences, numbers = sentences+1, numbers+len(s.Facts)
				words = append(words, s.Text)
				if err := checkSentence(tree, s); err != nil {
					t.Errorf("%s: %q: %v", name, s.Text, err)
				}
				if !strings.Contains(table.String(), "\n"+s.Text+"\n") {
					t.Errorf("%s: the table lacks %q", name, s.Text)
				}
			}
			if got := tree.(map[string]any)["words"]; !slices.Equal(got.([]any), words) {
				t.Errorf("%s: JSON has the words %q, want %q", name, got, words)
			}
		}
		if text := table.String(); strings.Contains(text, "NaN") || strings.Contains(text, "-0.00 ") || strings.Contains(text, "-0.000 ") {
			t.Errorf("%s: table:\n%s", name, text)
		}
	}
	if sentences < 150 || numbers < 500 {
		t.Errorf("the zoo gives %d sentences with %d numbers: the test has lost what it tests", sentences, numbers)
	}
}

// TestSentencesAreToldFromJSON changes each number of JSON in turn, and each fact: every time
// the comparison must fail.
func TestSentencesAreToldFromJSON(t *testing.T) {
	results := zooResults(t)
	for _, name := range []string{"shared-delta", "mlp", "coupled", "all-diverged"} {
		result := results[name]
		for i := range result.Groups {
			for _, s := range result.Groups[i].Sentences() {
				for k, f := range s.Facts {
					if f.Path == "" {
						continue
					}
					tree := treesOf(t, result)[i]
					spoil(t, tree, f.Path)
					if err := checkSentence(tree, s); err == nil {
						t.Errorf("%s: %q passes with another value of %s", name, s.Text, f.Path)
					}
					changed := Sentence{Text: s.Text, Facts: slices.Delete(slices.Clone(s.Facts), k, k+1)}
					if len(numbersOf(f.Text)) == 0 {
						continue
					}
					if err := checkSentence(treesOf(t, result)[i], changed); err == nil {
						t.Errorf("%s: %q passes without the fact %s", name, s.Text, f.Path)
					}
				}
			}
		}
	}
}

// spoil changes the value at the end of a path by two hundredths of it and two more units.
func spoil(t *testing.T, tree any, path string) {
	t.Helper()
	keys := strings.Split(strings.TrimPrefix(path, "/"), "/")
	last := keys[len(keys)-1]
	for _, key := range keys[:len(keys)-1] {
		switch at := tree.(type) {
		case map[string]any:
			if next := at[key]; last == "#" && key == keys[len(keys)-2] {
				at[key] = append(slices.Clone(next.([]any)), 7.)
				return
			}
			tree = at[key]
		case []any:
			i, _ := strconv.Atoi(key)
			tree = at[i]
		}
	}
	other := func(v any) any {
		if number, ok := v.(float64); ok {
			return number*1.02 + 2
		}
		return "else"
	}
	switch at := tree.(type) {
	case map[string]any:
		at[last] = other(at[last])
	case []any:
		i, _ := strconv.Atoi(last)
		at[i] = other(at[i])
	}
}

// TestWordsOfTheZoo holds what kinds of studies must say, and must not.
func TestWordsOfTheZoo(t *testing.T) {
	results := zooResults(t)
	text := func(name string) string {
		var texts []string
		for _, s := range results[name].Groups[0].Sentences() {
			texts = append(texts, s.Text)
		}
		return strings.Join(texts, "\n")
	}
	for name, want := range map[string]string{
		"one-depth":              "There are no exponents: depth 16 is the only one, and an exponent needs two.",
		"all-diverged":           "There are no exponents: all 4 runs diverged.",
		"the-one-run-diverged":   "There are no exponents: the one run diverged.",
		"diverged-but-one-depth": "There are no exponents: depth 16 is the only one, and an exponent needs two: 6 of 8 runs diverged.",
		"diverged-ends":          "from 4 runs at depths 16 and 32 (2 seeds)",
		"two-depths-one-seed":    "[no interval], from 2 runs at depths 8 and 32 (1 seed)",
		"single-rate":            "in 1 of 8 runs, with ρ = 0.6",
		"no-rate":                "In none of 8 runs the loss falls linearly: fits J(t) ≈ C ρ^t have R² down to ",
		"no-fall":                "No run has a linear rate: the loss did not fall.",
		"digits":                 "The limit is smooth-and-noise: probability ",
		"smooth":                 "No variation index: 5 depths of 8 layers or more and 1 seed, and a limit needs three and two.", // equal weights count once
		"one-seed":               "No variation index: 4 depths of 8 layers or more and 1 seed, and a limit needs three and two.",
		"imported":               "3 runs with imported weights at 3 depths from 6 to 24 with 1 seed.",
		"shared-delta":           "minus the exponent of that product.",
		"missing-seeds":          "from 7 runs at 4 depths from 8 to 64 (2 seeds)",
		"coupled":                "The integral distance between the paths of consecutive depths falls with depth",
		"mlp":                    "The variation index of W of the limit is ",
	} {
		if got := text(name); !strings.Contains(got, want) {
			t.Errorf("%s: got no %q in\n%s", name, want, got)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(results)) {
		if got := text(name); strings.Contains(name, "delta") == strings.Contains(got, "the fixed α") && strings.Contains(got, "β̂") {
			t.Errorf("%s: got %s", name, got)
		}
	}
	if got := text("imported"); strings.Contains(got, "rate") || strings.Contains(got, "loss") {
		t.Errorf("imported: got %s", got)
	}
	if sum, product := results["layered-delta"].Groups[0].AlphaPlusBeta, results["layered-delta"].Groups[0].Exponents["delta_max_frobenius"]; sum.Low != -product.High || sum.High != -product.Low {
		t.Errorf("layered δ: α̂ + β̂ is %v, want minus %v", sum, product)
	}
	for _, r := range results["layered-delta"].Runs {
		largest := 0.0
		for _, delta := range r.Delta {
			largest = max(largest, math.Abs(delta))
		}
		if !(r.DeltaMaxFrobenius <= largest*r.MaxFrobenius) || len(r.Delta) != r.Depth {
			t.Errorf("%s: max |δ_k| ‖A_k‖ is %v, beyond %v", r.ID, r.DeltaMaxFrobenius, largest*r.MaxFrobenius)
		}
	}
}
