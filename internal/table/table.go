// Package table reads tables: rows of numbers, and of classes, as spreadsheets, pandas, R and
// others write them, as text or in Parquet files.
//
// It detects what a file of text does not say: delimiter, decimal mark, names in the first row, names of
// the rows in the first column. A file that two readings fit is an error that names the option which
// decides, because a name read as a number, or a number as a name, would be a silent wrong result.
package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// Options override detection. Zero values mean detect.
type Options struct {
	Header    *bool  // whether the first row holds names
	Index     string // true (the first column names rows), false, or the name of such a column
	Delimiter string // one of , ; tab blank none
	Decimal   string // . or ,
	// Missing says what to do with rows that have no value in some column: DropMissing, or FillMissing with the mean of
	// the column, where words are an error, as they have none. "" makes a missing number an error.
	Missing string
	// MissingKey says that the user can set Missing, so that messages name it.
	MissingKey bool

	Least int // fewest columns
	Limit int // most numbers; 0 for none
	// Key returns how the user sets an option to a value, for messages; nil for "key: value" of YAML.
	Key func(key, value string) string
}

// The values of Options.Missing.
const (
	DropMissing = "drop"
	FillMissing = "mean"
)

// ask returns an error of two options, each with a value, that decide between two readings.
func (o *Options) ask(got, key, value, otherKey, other string) error {
	return fmt.Errorf("%s; want %s or %s to say so", got, o.set(key, value), o.set(otherKey, other))
}

// set returns how the user sets an option.
func (o *Options) set(key, value string) string {
	switch {
	case o.Key != nil:
		return o.Key(key, value)
	case strings.ContainsAny(value, ",;."):
		value = `"` + value + `"`
	}
	return key + ": " + value
}

// A Reading describes how a table was read.
type Reading struct {
	Rows      int      `json:"rows"`
	Header    []string `json:"header"` // names of the columns, null without
	Why       string   `json:"why,omitempty"`
	Index     []string `json:"index"`            // columns that name rows and are left out, null without
	Format    string   `json:"format,omitempty"` // parquet; tables of text have a delimiter and a decimal mark
	Delimiter string   `json:"delimiter"`
	Decimal   string   `json:"decimal"`
	Comments  int      `json:"comments,omitempty"` // lines that begin with #
	Dropped   int      `json:"dropped,omitempty"`  // rows without a value in some column
	Filled    int      `json:"filled,omitempty"`   // values that the mean of their column stands for
	Notes     []string `json:"notes,omitempty"`
	// FilledFrom says in words whose means these are, "" for the table's own.
	FilledFrom string `json:"-"`
}

// A Table is what Read returns.
type Table struct {
	Rows    int
	Columns []int     // places of the columns of Numbers in the file, from 0
	Numbers []float64 // (Rows, len(Columns)), row-major
	Text    [][]string
	Means   []float64 // of the columns by their place in the file, where missing values are filled in
	Reading Reading
	dropped int
	filled  []int // places in Numbers
	// Counts says that the first column has no name and numbers the rows: it may be time, or an
	// index. A caller that uses it as numbers returns AskIndex.
	Counts bool
}

// A Reader reads one table.
type Reader struct {
	options   Options
	split     *splitter    // of text
	parquet   *parquetFile // in the place of split
	delimiter byte
	decimal   byte
	width     int  // columns of the file but for an empty last one
	trailing  bool // rows end with a delimiter
	textFirst bool // the first column holds text, so that a row may begin with #
	names     []string
	why       string
	index     []int
	check     []*rowNames // of the index columns that were found, not given
	comments  int
	started   bool      // a row has been read
	means     []float64 // of FillWith
	meansOf   string
}

// prefix bounds the bytes that a dialect is detected from: two rows of the largest size.
const prefix = 2 * maxRecord

// NewReader detects how the table in r is written. If two readings fit, the error names the options
// that decide. Errors have the line and do not name the file.
func NewReader(r io.Reader, o Options) (*Reader, error) {
	text, err := io.ReadAll(io.LimitReader(r, prefix))
	if err != nil {
		return nil, err
	}
	rest := text
	line := 1
	switch {
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		return nil, errors.New("got text in UTF-16, want UTF-8 (in Excel: CSV UTF-8)")
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		rest = text[3:]
	}
	if i := bytes.IndexByte(rest, 0); i >= 0 {
		return nil, fmt.Errorf("line %d: got a byte 0, want text in UTF-8 (UTF-16 has such)", 1+bytes.Count(rest[:i], []byte("\n")))
	}
	if d, after, ok := declared(rest); ok {
		rest, line = after, 2
		if o.Delimiter == "" {
			o.Delimiter = d
		}
	}
	s, err := o.sniff(rest, len(text) < prefix, line)
	if err != nil {
		return nil, err
	}
	t := &Reader{options: o, delimiter: s.delimiter, decimal: s.decimal}
	t.split = newSplitter(io.MultiReader(bytes.NewReader(rest), r), s.delimiter)
	t.split.line = line
	return t, t.layout(s)
}

// declared reads a first line as Excel has it, sep=;
func declared(text []byte) (delimiter string, rest []byte, ok bool) {
	line, rest, _ := bytes.Cut(text, []byte("\n"))
	value, ok := strings.CutPrefix(strings.Trim(string(bytes.TrimRight(line, "\r")), `"`), "sep=")
	if !ok || len(value) != 1 || delimiterNames[value[0]] == "" {
		return "", text, false
	}
	return delimiterNames[value[0]], rest, true
}

// layout finds header, index and width.
func (t *Reader) layout(s *sample) error {
	first := s.rows[0]
	t.width = s.width()
	if t.width == len(first)+1 && slices.ContainsFunc(first, func(c cell) bool { return !c.quoted && isNumber(c.text, t.decimal) }) {
		return fmt.Errorf("line %d: got %s, want %d, as in the rows below", s.lines[0], columns(len(first)), t.width)
	}
	if t.width == 0 {
		for i, row := range s.rows {
			if len(row) != len(first) {
				return fmt.Errorf("line %d: got %s, want %d", s.lines[i], columns(len(row)), len(first))
			}
		}
	}
	last := t.width - 1
	t.trailing = t.width > 1 && t.delimiter != ' ' && len(s.rows) > 1 && (len(first) == last || len(first) > last && first[last].text == "") &&
		!slices.ContainsFunc(s.body(), func(row []cell) bool { return len(row) != t.width || row[last] != cell{} })
	if t.trailing {
		t.width--
		for i, row := range s.rows {
			s.rows[i] = row[:min(len(row), t.width)]
		}
	} else if len(first) == t.width+1 {
		s.rows[0] = first[:t.width] // a header that ends with a delimiter
	}
	t.textFirst = len(s.rows) > 1 && !isNumber(s.rows[len(s.rows)-1][0].text, t.decimal)
	if t.width < t.options.Least {
		return fmt.Errorf("line %d: got %s, want inputs and targets separated by commas, semicolons, tabs or blanks", s.lines[0], columns(t.width))
	}
	h, err := t.options.heading(s, t.width)
	if err != nil {
		return fmt.Errorf("line %d: %w", s.lines[0], err)
	}
	if h.header {
		t.why = h.why
		if len(s.rows[0]) < t.width {
			t.names = append(t.names, "")
		}
		for _, c := range s.rows[0] {
			t.names = append(t.names, c.text)
		}
		if len(s.rows) < 2 {
			return errors.New("got no rows below the header, want rows of numbers")
		}
		if t.options.Header == nil && namesTwice(t.names, s) {
			return fmt.Errorf("line %d: got integers below names that the header holds twice, which may be names, too: want one row of names, each of them once", s.lines[1])
		}
	}
	return t.findIndex(len(s.rows[0]) < t.width)
}

// findIndex finds the columns that name rows: leading ones without a name of their own.
func (t *Reader) findIndex(shorter bool) error {
	switch name := t.options.Index; name {
	case "":
		for j := 0; j < t.width-1 && t.names != nil && unnamed(t.names[j]); j++ {
			t.index = append(t.index, j)
			t.check = append(t.check, &rowNames{column: j, shorter: shorter && j == 0})
		}
	case "false":
		if shorter {
			return errors.New("the header is one shorter than the rows: want a name for each column, or the index that the first may be")
		}
	case "true":
		t.index = []int{0}
		for j := 1; j < t.width-1 && t.names != nil && unnamed(t.names[j-1]) && unnamed(t.names[j]); j++ {
			t.index = append(t.index, j)
		}
	default:
		j, err := t.Column(name)
		if err != nil {
			return fmt.Errorf("index: %w", err)
		}
		t.index = []int{j}
	}
	if len(t.index) > 0 && t.width == 1 {
		return errors.New("index: got the only column, want another one with numbers")
	}
	return nil
}

// unnamed reports whether a name means none: empty, or what pandas writes for an empty one.
func unnamed(name string) bool { return name == "" || strings.HasPrefix(name, "Unnamed: ") }

// FillWith gives means by column of the file that fill in missing values in the place of the table's own, such as those of the training
// samples for held-out ones; of says in words whose they are.
func (t *Reader) FillWith(means []float64, of string) { t.means, t.meansOf = means, of }

// Parquet reports whether the table is a Parquet file.
func (t *Reader) Parquet() bool { return t.parquet != nil }

// Names returns the names of all columns, nil if there are none.
func (t *Reader) Names() []string { return t.names }

// Width returns the number of columns, with those that name rows.
func (t *Reader) Width() int { return t.width }

// Index returns the columns that name rows.
func (t *Reader) Index() []int { return t.index }

// Column returns the index, from 0, of the column called name. Where columns have no names, name is
// the number from 1.
func (t *Reader) Column(name string) (int, error) {
	if t.names == nil {
		for j := range t.width {
			if name == fmt.Sprint(j+1) {
				return j, nil
			}
		}
		return 0, fmt.Errorf("got %q, want a number from 1 to %d (no header row)", name, t.width)
	}
	switch j := slices.Index(t.names, name); {
	case j < 0:
		return 0, fmt.Errorf("got %q, want one of the header: %s", name, shortList(t.names))
	case slices.Contains(t.names[j+1:], name):
		return 0, fmt.Errorf("got %q, want a name that the header holds once", name)
	default:
		return j, nil
	}
}

// shortList writes texts for a message, the first ten of them.
func shortList(texts []string) string {
	shown := make([]string, 0, 11)
	for _, text := range texts[:min(len(texts), 10)] {
		if text == "" {
			text = `""`
		}
		shown = append(shown, shorten(plain.Text(text)))
	}
	if more := len(texts) - len(shown); more > 0 {
		return strings.Join(shown, ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(shown, ", ")
}

// shorten cuts a text to the length for a message.
func shorten(text string) string {
	if r := []rune(text); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return text
}
