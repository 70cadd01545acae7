package table

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// Read returns the rows. The columns at text hold text, all others except the index numbers. A field
// that is no number there is an error with line and column.
func (t *Reader) Read(text ...int) (*Table, error) {
	out := &Table{Text: make([][]string, len(text))}
	for j := range t.width {
		if !slices.Contains(text, j) && !slices.Contains(t.index, j) {
			out.Columns = append(out.Columns, j)
		}
	}
	c := &content{reader: t, table: out, text: text, known: map[string]string{}}
	header := t.names != nil && t.parquet == nil
	if t.parquet != nil {
		if err := t.parquet.want(out.Columns, text, &t.options); err != nil {
			return nil, err
		}
	}
	for {
		r, err := t.nextRow()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if header {
			header = false
			continue
		}
		if err := c.add(r); err != nil {
			return nil, err
		}
	}
	if out.Rows == 0 && out.dropped > 0 {
		return nil, fmt.Errorf("got %s, all with missing values, want one that is whole", plain.Count(out.dropped, "row"))
	}
	if out.Rows == 0 {
		return nil, errors.New("got no rows below the header, want rows of numbers")
	}
	for _, names := range t.check {
		if err := names.verdict(&t.options, t.names[names.column]); err != nil {
			return nil, err
		}
	}
	if err := t.fill(out); err != nil {
		return nil, err
	}
	out.Counts = t.names == nil && t.options.Index == "" && out.numbersRows()
	out.Reading = t.reading(out)
	return out, nil
}

// nextRow returns the next row that is neither empty nor a comment, without an empty last field if
// all rows have one.
func (t *Reader) nextRow() (*record, error) {
	if t.parquet != nil {
		return t.parquet.next()
	}
	for {
		r, err := t.split.next()
		if err != nil {
			return nil, err
		}
		if r.comment {
			if t.textFirst && t.started {
				if row, err := t.split.split(r); err == nil && len(row.fields) == t.width {
					return row, nil
				}
			}
			t.comments++
			continue
		}
		if r.blank() {
			continue
		}
		if t.trailing && len(r.fields) == t.width+1 && r.fields[t.width] == "" {
			r.fields = r.fields[:t.width]
		}
		t.started = true
		return r, nil
	}
}

// content collects the rows of a table.
type content struct {
	reader *Reader
	table  *Table
	text   []int
	known  map[string]string // texts so far, so that equal ones share memory
	bytes  int               // of texts in memory
}

func (c *content) add(r *record) error {
	t, out := c.reader, c.table
	if len(r.fields) != t.width {
		return fmt.Errorf("%s: got %s, want %d", t.at(r), columns(len(r.fields)), t.width)
	}
	if limit := t.options.Limit; limit > 0 && ((out.Rows+1)*t.width > limit || c.bytes/8 > limit) {
		return fmt.Errorf("%s: got more than %d numbers, want a smaller table (or one that is not zipped)", t.at(r), limit)
	}
	if t.options.Missing == DropMissing && c.misses(r) {
		out.dropped++
		return nil
	}
	for _, names := range t.check {
		names.add(r.fields[names.column], r.quoted[names.column])
		c.bytes += len(r.fields[names.column])
	}
	for _, j := range out.Columns {
		if t.options.Missing == FillMissing && isMissing(r.fields[j]) {
			out.filled = append(out.filled, len(out.Numbers))
			out.Numbers = append(out.Numbers, 0)
			continue
		}
		v, hint, ok := parse(r.fields[j], t.decimal)
		if !ok {
			return fmt.Errorf("%s, column %d: got %q, want a finite number%s%s%s%s",
				t.at(r), j+1, shorten(r.fields[j]), hint, t.missingHint(r.fields[j]), t.headerHint(out.Rows), t.indexHint(r.fields[j], j))
		}
		out.Numbers = append(out.Numbers, v)
	}
	for i, j := range c.text {
		field := r.fields[j]
		switch {
		case t.options.Missing == FillMissing && isMissing(field):
			return fmt.Errorf("%s, column %d: got %q, a missing word, which no mean can stand for; want %s", t.at(r), j+1, field, t.options.set("missing", DropMissing))
		case field == "":
			return fmt.Errorf("%s, column %d: got an empty field, want a word%s", t.at(r), j+1, t.missingHint(field))
		}
		shared, ok := c.known[field]
		if !ok {
			shared = strings.Clone(field)
			c.bytes += len(shared)
			c.known[shared] = shared
		}
		out.Text[i] = append(out.Text[i], shared)
	}
	out.Rows++
	return nil
}

// at names the place of a row in the file.
func (t *Reader) at(r *record) string {
	if t.parquet != nil {
		return fmt.Sprintf("row %d", r.line)
	}
	return fmt.Sprintf("line %d", r.line)
}

// misses reports whether a row has no value in a column that is read.
func (c *content) misses(r *record) bool {
	return slices.ContainsFunc(c.table.Columns, func(j int) bool { return isMissing(r.fields[j]) }) ||
		slices.ContainsFunc(c.text, func(j int) bool { return isMissing(r.fields[j]) })
}

// fill puts the means of the columns in the place of missing values: those of FillWith, or of this table.
func (t *Reader) fill(out *Table) error {
	if t.options.Missing != FillMissing {
		return nil
	}
	if out.Means = t.means; out.Means == nil {
		out.Means = out.means(t.width)
	}
	for _, at := range out.filled {
		j := out.Columns[at%len(out.Columns)]
		if out.Numbers[at] = out.Means[j]; math.IsNaN(out.Means[j]) {
			return fmt.Errorf("column %d: got no value in any row, want one at least", j+1)
		}
	}
	return nil
}

// means returns the mean of what each column of numbers holds, by column of the file; NaN for none.
func (out *Table) means(columns int) []float64 {
	width := len(out.Columns)
	sums, counts := make([]float64, width), make([]float64, width)
	missing := out.filled
	for at, v := range out.Numbers {
		if len(missing) > 0 && missing[0] == at {
			missing = missing[1:]
			continue
		}
		counts[at%width]++
		sums[at%width] += (v - sums[at%width]) / counts[at%width] // the mean so far, which cannot overflow
	}
	means := make([]float64, columns)
	for j := range means {
		means[j] = math.NaN()
	}
	for k, j := range out.Columns {
		if counts[k] > 0 {
			means[j] = sums[k]
		}
	}
	return means
}

// missingHint says in brackets what becomes of a missing value.
func (t *Reader) missingHint(field string) string {
	switch {
	case !isMissing(field):
		return ""
	case t.options.MissingKey:
		return fmt.Sprintf(" (a missing value; %s leaves out its row, %s fills in a number by the mean of its column)", t.options.set("missing", DropMissing), t.options.set("missing", FillMissing))
	}
	return " (a missing value: fill it in or leave its row out)"
}

// headerHint returns advice for a first row that was read as numbers.
func (t *Reader) headerHint(row int) string {
	if row > 0 || t.names != nil || t.options.Header != nil {
		return ""
	}
	return "; if the first row holds names: " + t.options.set("header", "true")
}

// indexHint returns advice for a first column of words or dates.
func (t *Reader) indexHint(field string, j int) string {
	if j > 0 || t.width < 2 || isMissing(field) || almost.MatchString(field) || t.options.Index != "" {
		return ""
	}
	return "; if the column names the rows: " + t.options.set("index", "true")
}

func columns(n int) string { return plain.Count(n, "column") }

// reading describes how the table was read.
func (t *Reader) reading(out *Table) Reading {
	r := Reading{Rows: out.Rows, Header: t.names, Why: t.why, Comments: t.comments, Dropped: out.dropped, Filled: len(out.filled), FilledFrom: t.meansOf}
	if t.parquet != nil {
		r.Format = "parquet"
	} else {
		r.Delimiter, r.Decimal = delimiterNames[t.delimiter], string(t.decimal)
	}
	for _, j := range t.index {
		name := fmt.Sprint(j + 1)
		if t.names != nil {
			name = t.names[j]
		}
		r.Index = append(r.Index, name)
	}
	if t.names != nil && t.options.Index == "" && t.width > 1 {
		for k, j := range out.Columns {
			if out.counts(k) && len(r.Notes) < mostNotes {
				r.Notes = append(r.Notes, t.options.countingNote(t.names[j]))
			}
		}
	}
	return r
}

// String describes in one line how a table was read.
func (r Reading) String() string {
	header := "no header"
	if r.Header != nil {
		header = "header " + shortList(r.Header)
		if r.Why != "" {
			header += " (" + r.Why + ")"
		}
	}
	index := "no index"
	if r.Index != nil {
		index = "index " + indexNames(r.Index)
	}
	parts := []string{plain.Count(r.Rows, "row"), header, index}
	if r.Format != "" {
		parts = append(parts, r.Format)
	} else {
		parts = append(parts, r.dialect()...)
	}
	if r.Comments > 0 {
		parts = append(parts, plain.Count(r.Comments, "comment"))
	}
	if r.Dropped > 0 {
		parts = append(parts, plain.Count(r.Dropped, "row")+" with missing values dropped")
	}
	if r.Filled > 0 {
		parts = append(parts, plain.Count(r.Filled, "missing value")+" filled with the mean of the column"+r.FilledFrom)
	}
	return strings.Join(append(parts, r.Notes...), "; ")
}

// dialect says how a table of text is written.
func (r Reading) dialect() []string {
	var parts []string
	for b, name := range delimiterNames {
		if name == r.Delimiter {
			parts = append(parts, "separated by "+delimiterName(b))
		}
	}
	if r.Decimal == "," {
		return append(parts, "decimal comma")
	}
	return append(parts, "decimal point")
}

// indexNames lists index columns; one without a name is the first.
func indexNames(names []string) string {
	shown := slices.Clone(names)
	for i, name := range shown {
		if name == "" {
			shown[i] = "in the first column, which has no name"
		}
	}
	return shortList(shown)
}
