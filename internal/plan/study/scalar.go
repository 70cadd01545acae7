package study

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// The core schema of YAML 1.2 (section 10.3.2): what a plain scalar stands for. The
// parser's own resolution is that of YAML 1.1 in places (1_000, 1e-10 as text), so it
// is not used.
var (
	integerForm = regexp.MustCompile(`^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$`)
	floatForm   = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	specialForm = regexp.MustCompile(`^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
)

// isNull, isBool and isNumber say what a plain scalar's text stands for.
func isNull(text string) bool {
	return text == "" || text == "~" || text == "null" || text == "Null" || text == "NULL"
}

func isBool(text string) bool {
	switch text {
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return true
	}
	return false
}

func isNumber(text string) bool {
	return integerForm.MatchString(text) || floatForm.MatchString(text) || specialForm.MatchString(text)
}

var (
	errNotInteger = errors.New("a whole number")
	errRange      = errors.New("a whole number of at most 64 bits")
	errNotNumber  = errors.New("a finite number")
)

// parseInt and parseUint return the integer that text stands for; the error's text
// says what would be accepted.
func parseInt(text string) (int64, error) {
	if !integerForm.MatchString(text) {
		return 0, errNotInteger
	}
	v, err := strconv.ParseInt(decimal(text), base(text), 64)
	if err != nil {
		return 0, errRange
	}
	return v, nil
}

func parseUint(text string) (uint64, error) {
	if !integerForm.MatchString(text) {
		return 0, errors.New("a whole number ≥ 0")
	}
	v, err := strconv.ParseUint(strings.TrimPrefix(decimal(text), "+"), base(text), 64)
	if err != nil {
		return 0, errors.New("a whole number from 0 to 2^64 − 1")
	}
	return v, nil
}

// decimal strips the prefix of an octal or hexadecimal number; base returns its base.
// A leading 0 alone does not make a number octal.
func decimal(text string) string {
	return strings.TrimPrefix(strings.TrimPrefix(text, "0o"), "0x")
}

func base(text string) int {
	switch {
	case strings.HasPrefix(text, "0o"):
		return 8
	case strings.HasPrefix(text, "0x"):
		return 16
	}
	return 10
}

// parseFloat returns the finite number that text stands for.
func parseFloat(text string) (float64, error) {
	if base(text) != 10 {
		v, err := parseInt(text)
		return float64(v), err
	}
	if !floatForm.MatchString(text) {
		return 0, errNotNumber
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, errNotNumber
	}
	return v, nil
}
