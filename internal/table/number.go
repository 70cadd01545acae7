package table

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Numbers are decimal: digits with at most one mark, and an exponent. What else Go reads
// as a number (1_000, 0x1p4, inf, nan) is none in a table.
var (
	// grouped may be a number with a separator of thousands. With one separator it may
	// be a decimal as well.
	grouped = regexp.MustCompile(`^[+-]?[1-9][0-9]{0,2}([,.'’_ \x{a0}\x{202f}][0-9]{3})+([.,][0-9]+)?$`)
	// almost is meant as a number by other conventions.
	almost = regexp.MustCompile(`^[+-]?(0[xX][0-9a-fA-F_.]+([pP][+-]?[0-9]+)?|[0-9][0-9_,.'’ ]*([eEdD][+-]?[0-9]+)?)$`)
)

// missing are the texts that stand for a missing value, as pandas, R and others write them.
var missing = []string{
	"", "NA", "N/A", "n/a", "na", "#N/A", "<NA>", "NaN", "nan", "-nan", "-NaN", "NAN", "NULL", "null", "None", "none", "NaT", "?", "-", "--", ".", "*",
	"inf", "-inf", "Inf", "-Inf", "+inf", "+Inf", "INF", "-INF", "infinity", "Infinity", "-infinity", "-Infinity", "#DIV/0!", "#VALUE!", "#NUM!",
}

func isMissing(text string) bool { return slices.Contains(missing, text) }

// isNumber reports whether text has the form of a number with this decimal mark: an optional sign, digits
// with at most one mark, an exponent. A decimal comma has digits on both sides, so that 1, in a
// list is none. (A table has millions of numbers, and a regular expression takes ten times as long.)
func isNumber(text string, decimal byte) bool {
	i, digits := 0, 0
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		i++
	}
	for ; i < len(text) && isDigit(text[i]); i++ {
		digits++
	}
	if i < len(text) && text[i] == decimal {
		before := digits
		for i++; i < len(text) && isDigit(text[i]); i++ {
			digits++
		}
		if decimal == ',' && (before == 0 || digits == before) {
			return false
		}
	}
	if digits == 0 {
		return false
	}
	if i < len(text) && isExponent(rune(text[i])) {
		if i++; i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		if i == len(text) {
			return false
		}
		for ; i < len(text) && isDigit(text[i]); i++ {
		}
	}
	return i == len(text)
}

// isPlain reports whether text is a number without sign, mark and exponent.
func isPlain(text string) bool {
	return text != "" && strings.TrimLeft(text, "0123456789") == ""
}

// parse returns the number that text stands for; otherwise ok is false, and hint says what the text may
// have been meant as.
func parse(text string, decimal byte) (v float64, hint string, ok bool) {
	if !isNumber(text, decimal) {
		return 0, misread(text, decimal), false
	}
	if decimal == ',' {
		text = strings.Replace(text, ",", ".", 1)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, " (it is beyond the range of float64)", false
	}
	if v == 0 && strings.ContainsAny(strings.FieldsFunc(text, isExponent)[0], "123456789") {
		return 0, " (it is below the range of float64)", false
	}
	return v, "", true
}

func isExponent(r rune) bool { return r == 'e' || r == 'E' }

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// misread says in brackets what a text that is neither a number nor a missing value may have been meant as.
func misread(text string, decimal byte) string {
	switch {
	case grouped.MatchString(text):
		return " (separators of thousands are not read)"
	case decimal == '.' && isNumber(text, ','):
		return " (a decimal comma)"
	case decimal == ',' && isNumber(text, '.'):
		return " (a decimal point among decimal commas)"
	}
	return ""
}
