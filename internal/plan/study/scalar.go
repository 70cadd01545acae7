package study

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// The core schema of YAML 1.2 (section 10.3.2): what a plain scalar stands for. The
// library's own resolution takes the forms of YAML 1.1, too (1_000, 0b11, and 010 for 8), so it
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
	digits, base := whole(text)
	v, err := strconv.ParseInt(digits, base, 64)
	if err != nil {
		return 0, errRange
	}
	return v, nil
}

func parseUint(text string) (uint64, error) {
	if !integerForm.MatchString(text) {
		return 0, errors.New("a whole number ≥ 0")
	}
	digits, base := whole(text)
	v, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		return 0, errors.New("a whole number from 0 to 2^64 − 1")
	}
	return v, nil
}

// whole returns the digits of an integer and their base. A leading 0 alone makes no
// number octal.
func whole(text string) (digits string, base int) {
	if digits, ok := strings.CutPrefix(text, "0o"); ok {
		return digits, 8
	}
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		return digits, 16
	}
	return strings.TrimPrefix(text, "+"), 10
}

// parseFloat returns the finite number that text stands for.
func parseFloat(text string) (float64, error) {
	if _, base := whole(text); base != 10 {
		v, err := parseInt(text)
		if errors.Is(err, errNotInteger) {
			err = errNotNumber
		}
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
