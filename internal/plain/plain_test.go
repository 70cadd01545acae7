package plain

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "",
		"layers.0.weight":       "layers.0.weight",
		`C:\tmp\x1b`:            `C:\tmp\x1b`,
		"\x1b[31mred\x1b[0m":    `\x1b[31mred\x1b[0m`,
		"a\nb\tc\rd":            `a\nb\tc\rd`,
		"bell\a del\x7f":        `bell\a del\x7f`,
		"\u009b31m":             `\u009b31m`,
		"\x9b31m":               `\x9b31m`,
		"evil\u202egpj.exe":     `evil\u202egpj.exe`,
		"\u2066x\u2069":         `\u2066x\u2069`,
		"zero\u200bwidth\ufeff": `zero\u200bwidth\ufeff`,
		"soft\u00adhyphen":      `soft\u00adhyphen`,
		"no\u00a0break":         `no\u00a0break`,
		"\U000e0041tag":         `\U000e0041tag`,
		"filler\u3164\u2800":    `filler\u3164\u2800`,
		"variant\ufe0f":         `variant\ufe0f`,
		"λ_max ≤ 2·10⁻³, 深さ, é": "λ_max ≤ 2·10⁻³, 深さ, é",
	} {
		if got := Text(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
	if got, want := Lines("a\tb\n\x1bc\n"), "a\tb\n\\x1bc\n"; got != want {
		t.Errorf("lines: got %q, want %q", got, want)
	}
}

// TestNothingHidden holds the result of any text to what it promises.
func TestNothingHidden(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + rapid.String().Draw(t, "text")
		got := Text(in)
		if !utf8.ValidString(got) {
			t.Fatalf("%q: got %q, which is no UTF-8", in, got)
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }); i >= 0 {
			t.Fatalf("%q: got %q with a hidden character at %d", in, got, i)
		}
		if Text(got) != got {
			t.Fatalf("%q: escaped again it is another text", in)
		}
	})
}
