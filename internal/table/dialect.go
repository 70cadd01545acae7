package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// delimiters are what may separate fields, the commonest first; a blank stands for any run of
// blanks and tabs.
var delimiters = []byte{',', ';', '\t', ' '}

// delimiterNames are the values of Options.Delimiter, and what messages call them.
var delimiterNames = map[byte]string{',': ",", ';': ";", '\t': "tab", ' ': "blank", 0: "none"}

// sampleRows bounds the rows that a dialect is detected from.
const sampleRows = 1000

// A sample is the first rows of a table, split by one delimiter.
type sample struct {
	delimiter byte
	decimal   byte
	rows      [][]cell
	lines     []int
	err       error // error that ended the rows early
}

type cell struct {
	text   string
	quoted bool
}

// take splits the first rows of text. Unless text is the whole file, it leaves out the last row, which
// may be incomplete.
func take(text []byte, whole bool, delimiter byte, line int) *sample {
	s := &sample{delimiter: delimiter, decimal: '.'}
	split := newSplitter(bytes.NewReader(text), delimiter)
	split.line = line
	for len(s.rows) < sampleRows {
		r, err := split.next()
		if errors.Is(err, io.EOF) {
			if n := len(s.rows) - 1; !whole && n > 0 {
				s.rows, s.lines = s.rows[:n], s.lines[:n]
			}
			break
		}
		if err != nil {
			s.err = err
			break
		}
		if r.comment || r.blank() {
			continue
		}
		row := make([]cell, len(r.fields))
		for j := range row {
			row[j] = cell{r.fields[j], r.quoted[j]}
		}
		s.rows, s.lines = append(s.rows, row), append(s.lines, r.line)
	}
	return s
}

// body returns the rows below the first, or the first where it is the only one.
func (s *sample) body() [][]cell {
	if len(s.rows) > 1 {
		return s.rows[1:]
	}
	return s.rows
}

// width returns the number of columns of the body, 0 where rows differ. The first row may be one
// shorter (R gives names to columns and none to that of row names) or end with a delimiter.
func (s *sample) width() int {
	body := s.body()
	if len(body) == 0 {
		return 0
	}
	width := len(body[0])
	for _, row := range body {
		if len(row) != width {
			return 0
		}
	}
	switch first := s.rows[0]; {
	case len(first) == width, len(first) == width-1 && width > 1:
		return width
	case len(first) == width+1 && first[width].text == "":
		return width
	}
	return 0
}

// share returns the share of the fields of the body that are numbers with the decimal mark.
func (s *sample) share(decimal byte) float64 {
	numbers, fields := 0, 0
	for _, row := range s.body() {
		for _, c := range row {
			fields++
			if isNumber(c.text, decimal) {
				numbers++
			}
		}
	}
	if fields == 0 {
		return 0
	}
	return float64(numbers) / float64(fields)
}

// best returns the share with the decimal mark that makes more of the fields numbers.
func (s *sample) best() float64 { return max(s.share('.'), s.share(',')) }

// sniff detects delimiter and decimal mark of a table from its text or the beginning of it.
func (o *Options) sniff(text []byte, whole bool, line int) (*sample, error) {
	if o.Decimal != "" && o.Decimal != "." && o.Decimal != "," {
		return nil, fmt.Errorf("decimal: got %q, want . or ,", o.Decimal)
	}
	s, err := o.split(text, whole, line)
	switch {
	case err != nil:
		return nil, err
	case s.err != nil:
		return nil, s.err
	case len(s.rows) == 0:
		return nil, errors.New("got an empty file, want rows of numbers")
	}
	return s, o.mark(s)
}

// split chooses the delimiter by which all rows have as many fields, and most of them are numbers.
func (o *Options) split(text []byte, whole bool, line int) (*sample, error) {
	if o.Delimiter != "" {
		for b, name := range delimiterNames {
			if name == o.Delimiter || b != 0 && string(b) == o.Delimiter {
				return take(text, whole, b, line), nil
			}
		}
		return nil, fmt.Errorf("delimiter: got %q, want one of , ; tab blank none", o.Delimiter)
	}
	single := take(text, whole, 0, line)
	var even, ragged []*sample
	for _, b := range delimiters {
		s := take(text, whole, b, line)
		switch w := s.width(); {
		case w > 1:
			even = append(even, s)
		case w == 0 && (len(s.rows) > 0 || s.err != nil):
			ragged = append(ragged, s)
		}
	}
	switch {
	case len(even) > 0:
		best, err := o.choose(even)
		if err != nil {
			return nil, err
		}
		return o.column(best, single)
	case single.err == nil && single.best() == 1 && o.Least < 2 && (len(ragged) == 0 || ragged[0].named() || allNumbers(single.rows[0], ',')):
		if len(ragged) > 0 && allNumbers(single.rows[0], ',') && o.Decimal == "" {
			return nil, o.ask("got rows with a comma and rows without, which are decimal commas or a missing column", "decimal", ",", "delimiter", ",")
		}
		return single, nil
	case len(ragged) > 0:
		best := ragged[0]
		for _, s := range ragged[1:] {
			if s.best() > best.best() {
				best = s
			}
		}
		return best, nil
	}
	return single, nil
}

// named reports whether the first row is one field: a name over one column.
func (s *sample) named() bool { return len(s.rows) > 0 && len(s.rows[0]) == 1 }

// choose returns the sample with the largest share of numbers.
func (o *Options) choose(even []*sample) (*sample, error) {
	best := even[0]
	for _, s := range even[1:] {
		switch a, b := s.best(), best.best(); {
		case a > b:
			best = s
		case a == b && a > 0 && len(s.body()[0]) != len(best.body()[0]):
			return nil, o.ask(fmt.Sprintf("got rows that %s and %s separate into as many numbers", delimiterName(best.delimiter), delimiterName(s.delimiter)),
				"delimiter", delimiterNames[best.delimiter], "delimiter", delimiterNames[s.delimiter])
		}
	}
	return best, nil
}

// column decides about rows with one comma each: they are pairs, or one column with a decimal comma.
func (o *Options) column(pairs, single *sample) (*sample, error) {
	if pairs.delimiter != ',' || o.Least > 1 || single.err != nil || single.share(',') < 1 || pairs.width() != 2 {
		return pairs, nil
	}
	switch {
	case o.Decimal == ",":
		return single, nil
	case o.Decimal == ".":
		return pairs, nil
	case len(pairs.rows[0]) == 1: // a name over one column; R leaves that of its row names out
		if counts(column(pairs.body(), 0)) {
			return nil, o.askPairs()
		}
		return single, nil
	case !allNumbers(pairs.rows[0], '.'):
		return pairs, nil // two names
	case likeDecimals(pairs.rows):
		return nil, o.askPairs()
	}
	return pairs, nil
}

func (o *Options) askPairs() error {
	return o.ask("got rows with one comma, which are pairs of integers or numbers with a decimal comma", "decimal", ".", "decimal", ",")
}

// likeDecimals reports whether the second of each pair may be the decimals of a number: programs write
// the same number of decimals everywhere, or none that end in 0.
func likeDecimals(pairs [][]cell) bool {
	equal, short := true, true
	for _, row := range pairs {
		first, second := strings.TrimLeft(row[0].text, "+-"), row[1].text
		if !isPlain(first) || !isPlain(second) || len(first) > 1 && first[0] == '0' {
			return false
		}
		equal = equal && len(second) == len(pairs[0][1].text)
		short = short && (second == "0" || !strings.HasSuffix(second, "0"))
	}
	return equal || short
}

// mark detects the decimal mark of a sample.
func (o *Options) mark(s *sample) error {
	if o.Decimal != "" {
		s.decimal = o.Decimal[0]
		return nil
	}
	comma, unsure, points := "", "", ""
	for i, row := range s.rows {
		for j, c := range row {
			at := func() string { return fmt.Sprintf("line %d, column %d: got %q", s.lines[i], j+1, c.text) }
			switch {
			case !strings.ContainsAny(c.text, ".,"):
			case strings.Contains(c.text, ",") && grouped.MatchString(c.text):
				unsure = first(unsure, at())
			case strings.Contains(c.text, ",") && isNumber(c.text, ','):
				comma = first(comma, at())
			case isNumber(c.text, '.'):
				points = first(points, at())
			}
		}
	}
	switch {
	case comma != "" && points != "":
		return o.ask(comma+" with a decimal comma, and in "+strings.Replace(points, ": got", ":", 1)+" with a point", "decimal", ".", "decimal", ",")
	case comma != "":
		s.decimal = ','
	case unsure != "":
		return o.ask(unsure+", which has a separator of thousands or a decimal comma", "decimal", ".", "decimal", ",")
	}
	return nil
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func allNumbers(row []cell, decimal byte) bool {
	for _, c := range row {
		if !isNumber(c.text, decimal) {
			return false
		}
	}
	return true
}

// delimiterName returns how a sentence calls a delimiter.
func delimiterName(b byte) string {
	switch b {
	case '\t':
		return "tabs"
	case ' ':
		return "blanks"
	case ';':
		return "semicolons"
	case ',':
		return "commas"
	}
	return "nothing"
}
