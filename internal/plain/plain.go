// Package plain makes texts from files, such as names of tensors, data sets, columns and
// studies, safe to show on a terminal, on a page or in a figure, and writes numbers of things.
package plain

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns s with every invisible character written as its Go escape: control characters
// (C0 with ESC, tab and line break, DEL, C1), bidirectional and zero-width characters, spaces
// other than the common one, unassigned code points, and bytes that are no UTF-8. It does not
// change other characters, backslashes included.
func Text(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(escape(s[i : i+1]))
		case !visible(r):
			b.WriteString(escape(s[i : i+size]))
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// Lines is Text for texts with lines and tabs, such as a log, which it keeps.
func Lines(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		i := strings.IndexAny(s, "\n\t")
		if i < 0 {
			i = len(s)
		}
		b.WriteString(Text(s[:i]))
		if i < len(s) {
			b.WriteByte(s[i])
			i++
		}
		s = s[i:]
	}
	return b.String()
}

func isPlain(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return !visible(r) }) < 0
}

// visible reports whether a character is visible. Fillers and variation selectors are not,
// although Unicode counts them as letters or marks.
func visible(r rune) bool {
	return strconv.IsPrint(r) && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) && r != '\u2800'
}

// escape returns the Go escape of one character that is not visible, or of a byte.
func escape(s string) string {
	quoted := strconv.QuoteToASCII(s)
	return quoted[1 : len(quoted)-1]
}

// ShellWord returns a word as a shell takes it.
func ShellWord(text string) string {
	if text == "" || strings.ContainsFunc(text, func(r rune) bool {
		return !strings.ContainsRune(".,_-=+:/%@", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	return text
}

// Count returns "1 run", "4 runs" for the noun "run", and "4 families" for "family".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
