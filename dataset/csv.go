package dataset

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// openCSV reads the table of a spec of kind csv.
func openCSV(path string, spec Spec) (*stored, error) {
	t, err := readCSV(path, csvOptions{columns: spec.Columns, classification: spec.Classification})
	if err != nil {
		return nil, at(path, err)
	}
	s, err := t.stored()
	if err != nil {
		return nil, at(path, err)
	}
	s.place, s.source = path, "file of the user"
	return s, nil
}

// csvDimensions reads one row, or all when classes must be counted.
func csvDimensions(path string, spec Spec) (d, m int, err error) {
	o := csvOptions{columns: spec.Columns, classification: spec.Classification}
	if !o.classification {
		o.rows = 1
	}
	t, err := readCSV(path, o)
	if err != nil {
		return 0, 0, at(path, err)
	}
	s, err := t.stored()
	if err != nil {
		return 0, 0, at(path, err)
	}
	return s.d, s.m, nil
}

type csvOptions struct {
	comma          rune     // separator; 0 to find it in the first line
	columns        []string // target columns; none for the last
	classification bool     // the target is a class
	rows           int      // read no more rows than this; 0 for all
}

// A csvTable is a table split into inputs and targets.
type csvTable struct {
	n, d, m int
	x, y    []float64 // (n,d) and (n,m); y is empty for a classification
	classes []string  // (n), nil for a regression
}

// readCSV reads a table, gzipped or not.
func readCSV(path string, o csvOptions) (*csvTable, error) {
	s, err := openSource(path)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return decodeCSV(s.Reader, o)
}

// decodeCSV reads rows of numbers separated by commas, or by semicolons or tabs
// if the first line holds those and no comma. The first row is a header if
// none of its fields is a number and not all are empty. Blank lines and a byte-order mark are skipped;
// everything else that is not a finite number, outside a class column, is an
// error with its line.
func decodeCSV(r *bufio.Reader, o csvOptions) (*csvTable, error) {
	if mark, _ := r.Peek(3); string(mark) == "\xef\xbb\xbf" {
		r.Discard(3)
	}
	reader := csv.NewReader(r)
	reader.ReuseRecord = true
	reader.Comma = cmp.Or(o.comma, separator(r))
	reader.TrimLeadingSpace = reader.Comma != '\t' && reader.Comma != ' '

	record, err := nextRecord(reader, 0)
	if errors.Is(err, io.EOF) {
		return nil, errors.New("got an empty file, want rows of numbers")
	}
	if err != nil {
		return nil, err
	}
	width := len(record)
	var header []string
	if isHeader(record) {
		header = slices.Clone(record)
	}
	targets, err := targetColumns(o.columns, header, width)
	if err != nil {
		return nil, err
	}
	if header != nil {
		record, err = nextRecord(reader, width)
	}
	t := &csvTable{d: width - len(targets), m: len(targets)}
	for ; err == nil; record, err = nextRecord(reader, width) {
		if o.rows > 0 && t.n == o.rows {
			return t, nil
		}
		if err := t.add(reader, record, targets, o.classification); err != nil {
			return nil, err
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	if t.n == 0 {
		return nil, errors.New("got no rows below the header, want rows of numbers")
	}
	return t, nil
}

// add appends one record. targets are its target columns, in the order wanted.
func (t *csvTable) add(reader *csv.Reader, record []string, targets []int, classification bool) error {
	if !fits(t.n+1, t.d, t.m) {
		return fmt.Errorf("row %d: got more than 2^31 numbers", t.n+1)
	}
	number := func(j int) (float64, error) {
		v, err := strconv.ParseFloat(strings.TrimSpace(record[j]), 64)
		if err != nil || !finite(v) {
			line, _ := reader.FieldPos(j)
			return 0, fmt.Errorf("line %d, column %d: got %q, want a finite number%s", line, j+1, record[j], headerHint(t.n))
		}
		return v, nil
	}
	for j := range record {
		if slices.Contains(targets, j) {
			continue
		}
		v, err := number(j)
		if err != nil {
			return err
		}
		t.x = append(t.x, v)
	}
	for _, j := range targets {
		if classification {
			class := strings.TrimSpace(record[j])
			if class == "" {
				line, _ := reader.FieldPos(j)
				return fmt.Errorf("line %d, column %d: got an empty field, want a class", line, j+1)
			}
			t.classes = append(t.classes, class)
			continue
		}
		v, err := number(j)
		if err != nil {
			return err
		}
		t.y = append(t.y, v)
	}
	t.n++
	return nil
}

// headerHint helps with a header row that was read as numbers.
func headerHint(row int) string {
	if row > 0 {
		return ""
	}
	return " (a header row is one without any number)"
}

// stored hands out the rows; the classes of a classification are numbered in
// sorted order.
func (t *csvTable) stored() (*stored, error) {
	s := &stored{
		n: t.n, d: t.d, m: t.m,
		x: func(i int, dst []float64) { copy(dst, t.x[i*t.d:]) },
	}
	if t.classes == nil {
		s.y = func(i int, dst []float64) { copy(dst, t.y[i*t.m:]) }
		return s, nil
	}
	labels, m := numberClasses(t.classes)
	if m < 2 {
		return nil, fmt.Errorf("got the one class %q in all rows, want at least 2", t.classes[0])
	}
	s.m = m
	s.label = func(i int) int { return labels[i] }
	return s, nil
}

// numberClasses returns the place of each value among the m distinct values,
// sorted as numbers if all are numbers (1 and 1.0 are then one class) and as
// text otherwise.
func numberClasses(values []string) (labels []int, m int) {
	numbers := make([]float64, len(values))
	for i, v := range values {
		number, err := strconv.ParseFloat(v, 64)
		if err != nil || !finite(number) {
			return ranks(values)
		}
		numbers[i] = number
	}
	return ranks(numbers)
}

// ranks returns the place of each value among the m distinct values.
func ranks[T cmp.Ordered](values []T) (labels []int, m int) {
	distinct := slices.Compact(slices.Sorted(slices.Values(values)))
	labels = make([]int, len(values))
	for i, v := range values {
		labels[i], _ = slices.BinarySearch(distinct, v)
	}
	return labels, len(distinct)
}

// targetColumns returns the 0-based places of the named columns, in that order.
func targetColumns(names, header []string, width int) ([]int, error) {
	if width < 2 {
		return nil, fmt.Errorf("line 1: got %d column, want inputs and targets separated by commas, semicolons or tabs", width)
	}
	if len(names) == 0 {
		return []int{width - 1}, nil
	}
	var targets []int
	for _, name := range names {
		column := -1
		if header == nil {
			index, err := strconv.Atoi(name)
			if err != nil || index < 1 || index > width {
				return nil, fmt.Errorf("columns: got %q, want a number from 1 to %d (no header row)", name, width)
			}
			column = index - 1
		}
		for j, title := range header {
			if strings.TrimSpace(title) != name {
				continue
			}
			if column >= 0 {
				return nil, fmt.Errorf("columns: got %q, want a name that the header holds once", name)
			}
			column = j
		}
		if column < 0 {
			return nil, fmt.Errorf("columns: got %q, want one of the header: %s", name, strings.Join(header, ", "))
		}
		if slices.Contains(targets, column) {
			return nil, fmt.Errorf("columns: got %q, want each column once", name)
		}
		targets = append(targets, column)
	}
	if len(targets) == width {
		return nil, fmt.Errorf("columns: got all %d columns as targets, want at least one input", width)
	}
	return targets, nil
}

// nextRecord reads a record of width fields (0 for any) and says on which line
// it went wrong.
func nextRecord(reader *csv.Reader, width int) ([]string, error) {
	record, err := reader.Read()
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		if errors.Is(err, csv.ErrFieldCount) {
			return nil, fmt.Errorf("line %d: got %d columns, want %d", e.Line, len(record), width)
		}
		return nil, fmt.Errorf("line %d, character %d: %w", e.Line, e.Column, e.Err)
	}
	return record, bare(err)
}

// separator looks for what separates the fields of the first line.
func separator(r *bufio.Reader) rune {
	line, _ := r.Peek(r.Size())
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	for _, comma := range ",;\t" {
		if bytes.ContainsRune(line, comma) {
			return comma
		}
	}
	return ','
}

// isHeader reports whether the first row holds names: something, but no number.
func isHeader(record []string) bool {
	named := false
	for _, text := range record {
		text = strings.TrimSpace(text)
		_, err := strconv.ParseFloat(text, 64)
		if err == nil || errors.Is(err, strconv.ErrRange) {
			return false
		}
		named = named || text != ""
	}
	return named
}
