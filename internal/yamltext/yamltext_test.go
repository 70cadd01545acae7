package yamltext

import (
	"strings"
	"testing"
)

// TestParse wants the YAML of study files parsed, and what the library takes too much
// for refused with a place.
func TestParse(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	for _, c := range []struct{ name, text, want string }{
		{"a study", "name: s\ndepths: [4, 8]\ndata: {kind: digits}\ngrid:\n  network.alpha: [\n    0.5, # half\n    1,\n  ]\n", ""},
		{"a list of 5,000", "depths:\n" + strings.Repeat("- 1\n", 5_000), ""},
		{"32 levels", "a: " + deep[:32] + strings.Repeat("]", 32), ""},
		{"32 levels of keys", nested(32), ""},
		{"brackets in texts", "a: '" + deep[:30_000] + "'\nb: \"" + deep[:30_000] + "\"\nc: |\n  " + deep[:30_000] + "\n# " + deep[:30_000] + "\n", ""},
		{"an alias", "a: &x [1]\nb: *x\n", ""},
		{"a byte-order mark", "\xef\xbb\xbfname: s\n", ""},
		{"brackets", deep, "line 1, column 33: got values nested too deep, want at most 32 levels"},
		{"closed brackets", "a: " + deep + strings.Repeat("]", 100_000), "line 1, column 36: got values nested too deep, want at most 32 levels"},
		{"braces", strings.Repeat("{a: ", 50_000), "nested too deep"},
		{"keys in brackets", strings.Repeat("[a: ", 50_000), "nested too deep"},
		{"dashes", strings.Repeat("- ", 100_000), "nested too deep"},
		{"explicit keys", strings.Repeat("? ", 100_000), "nested too deep"},
		{"tags", "a: " + strings.Repeat("!a ", 80_000) + "b", "line 1, column 7: did not find expected key"},
		{"anchors in a list", "[" + strings.Repeat("&a ", 80_000) + "b]", "line 1, column 5: did not find expected ',' or ']'"},
		{"indented keys", nested(1000), "nested too deep"},
		{"values", "[" + strings.Repeat("1,", 200_000) + "]", "got 200001 commas, lines and brackets of YAML, want at most 131072"},
		{"empty mappings", "[" + strings.Repeat("{},", 80_000) + "]", "got 160001 commas, lines and brackets"},
		{"no values", "a: ? b", "line 1, column 4: mapping keys are not allowed in this context"},
		{"documents", strings.Repeat("---\n", 100_000), ""},
		{"bytes", strings.Repeat("#", Limit+1), "got 1048577 bytes of YAML, want at most 1048576"},
		{"no YAML", "a: [", "line 2, column 1: "},
		{"control character", "a: 1 # \x01", "line 1, column 8: got a control character, want none"},
		{"a key deeper than its neighbour", "a: 1\n  b: 2\n", "line 2, column 4: got a colon where no key can stand, want the key on a line of its own"},
		{"two keys on a line", "a: b: 2\n", "line 1, column 5: got a colon where no key can stand"},
		{"a version", "%YAML 1.2\n---\na: 1\n", "line 1, column 1: got a line %YAML, want none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.text))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// nested returns mappings one inside the other, a line each.
func nested(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}
