package filter

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Value returns the number or truth value that the text of a setting stands for, or the text.
func Value(text string) any {
	if x, err := strconv.ParseFloat(text, 64); err == nil {
		return x
	}
	if b, err := strconv.ParseBool(text); err == nil {
		return b
	}
	return text
}

// A Comparison is of a field with a value, as it is typed: depth>=64, train.step.value=0.1.
type Comparison struct {
	Name, Operator, Value string // the operator is one of == != < <= > >=; the value is without its quotes
	quoted                bool
}

// A Search is what somebody types to find runs.
type Search struct {
	Comparisons []Comparison
	Words       []string
	// Condition is the whole text where it joins comparisons as only the language of New does, such as depth > 8 or seed == 1;
	// there are no comparisons and words then.
	Condition string
}

var (
	comparison = regexp.MustCompile(`^([\p{L}_][\p{L}\d_.-]*)\s*(==|!=|<=|>=|=|<|>)\s*("[^"]*"|'[^']*'|[^\s"'=<>!]+)`)
	word       = regexp.MustCompile(`^("[^"]*"|'[^']*'|\S+)`)
)

// joins are the words of the language of New by which a text is one condition as a whole.
var joins = []string{"and", "or", "not", "in", "contains", "matches", "startsWith", "endsWith", "&&", "||"}

// ReadSearch reads comparisons and words with blanks between them, all of which are to hold. One = is ==. A text in quotes is one
// word, also where it reads like a comparison. A text with one of the language's own words, such as or, is one condition.
func ReadSearch(text string) Search {
	var s Search
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		if m := comparison.FindStringSubmatch(rest); m != nil {
			operator := m[2]
			if operator == "=" {
				operator = "=="
			}
			value, quoted := unquoted(m[3])
			s.Comparisons = append(s.Comparisons, Comparison{m[1], operator, value, quoted})
			rest = rest[len(m[0]):]
			continue
		}
		found := word.FindString(rest)
		rest = rest[len(found):]
		value, quoted := unquoted(found)
		if !quoted && (slices.Contains(joins, value) || strings.ContainsAny(value, "()[]")) {
			return Search{Condition: strings.TrimSpace(text)}
		}
		if value != "" {
			s.Words = append(s.Words, value)
		}
	}
	return s
}

// unquoted takes the quotes off a text.
func unquoted(text string) (string, bool) {
	if n := len(text); n >= 2 && (text[0] == '"' || text[0] == '\'') && text[n-1] == text[0] {
		return text[1 : n-1], true
	}
	return text, false
}

// Condition returns the comparison in the language of New, about the field called name. The value is a text where it is no finite
// number and no truth value, where it was in quotes, and where example has a text by that name.
func (c *Comparison) Condition(name string, example Fields) string {
	var at any = example
	var path strings.Builder
	for i, step := range strings.Split(name, ".") {
		inner, _ := at.(Fields)
		at = inner[step]
		switch {
		case i == 0:
			path.WriteString(step)
		case strings.Contains(step, "-"): // which would be a difference
			fmt.Fprintf(&path, "[%q]", step)
		default:
			path.WriteString("." + step)
		}
	}
	if section, ok := at.(Fields); ok { // it means its name
		at = section["name"]
	}
	value := strconv.Quote(c.Value)
	if _, text := at.(string); !text && !c.quoted {
		switch v := Value(c.Value).(type) {
		case float64:
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				value = strconv.FormatFloat(v, 'g', -1, 64)
			}
		case bool:
			value = strconv.FormatBool(v)
		}
	}
	return path.String() + " " + c.Operator + " " + value
}
