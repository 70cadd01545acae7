package table

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// rowNames collects a column without a name, as the index of a data frame has none. It names rows if
// it tells them apart: integers in any order (rows are drawn or shuffled), dates, words. Other
// numbers may be values, such as times.
type rowNames struct {
	column  int
	shorter bool // the header is one shorter than the rows, as R writes it, or lacks a name

	known    map[string]bool
	empty    bool // an entry is empty
	repeated string
	again    bool
	fraction string // the first entry that is a number and no integer
	numbers  bool   // an entry is a number without quotes
	other    bool   // an entry is not its row's number, from 0 or 1 on
	from     int
}

func (n *rowNames) add(text string, quoted bool) {
	if n.known == nil {
		n.known = map[string]bool{}
		if text == "1" {
			n.from = 1
		}
	}
	n.empty = n.empty || text == ""
	n.other = n.other || text != strconv.Itoa(n.from+len(n.known))
	if n.known[text] && !n.again {
		n.again, n.repeated = true, text
	}
	n.known[strings.Clone(text)] = true
	number := isNumber(text, '.') || isNumber(text, ',')
	n.numbers = n.numbers || number && !quoted
	if n.fraction == "" && number && !isPlain(strings.TrimLeft(text, "+-")) {
		n.fraction = text
	}
}

// verdict refuses a column that may hold values.
func (n *rowNames) verdict(o *Options, name string) error {
	what := fmt.Sprintf("column %d has no name", n.column+1)
	if name != "" {
		what = fmt.Sprintf("column %d is called %q", n.column+1, plain.Text(name))
	}
	switch {
	case n.empty && len(n.known) > 1:
		return fmt.Errorf("%s and is empty in a row below the header, which may hold names, too: want one row of names", what)
	case n.shorter && (n.again || n.numbers && n.other):
		return fmt.Errorf("the header is one shorter than the rows: want a name for each column, or %s if the first names rows", o.set("index", "true"))
	case n.again:
		return o.ask(fmt.Sprintf("%s and holds %q twice: it may be an index or numbers", what, shorten(n.repeated)), "index", "true", "index", "false")
	case n.fraction != "":
		return o.ask(fmt.Sprintf("%s and holds %q: it may be an index or numbers", what, shorten(n.fraction)), "index", "true", "index", "false")
	}
	return nil
}

// mostNotes bounds the notes on columns that count.
const mostNotes = 3

// at returns the number of a row in the k-th column of numbers.
func (t *Table) at(row, k int) float64 { return t.Numbers[row*len(t.Columns)+k] }

// counts reports whether the k-th column of numbers goes up by 1 from row to row, as row numbers and
// years do, from any integer on.
func (t *Table) counts(k int) bool {
	for i := range t.Rows {
		if v := t.at(i, k); v != math.Trunc(v) || v != t.at(0, k)+float64(i) {
			return false
		}
	}
	return t.Rows > 2 && math.Abs(t.at(0, k)) < 1<<53
}

// numbersRows reports whether the first column may hold row numbers: it counts, or it holds integers
// beside fractions that are in order with gaps (rows are left out) or are a whole range in any order
// (rows are shuffled).
func (t *Table) numbersRows() bool {
	switch {
	case len(t.Columns) == 0 || t.Columns[0] != 0:
		return false
	case t.counts(0):
		return t.at(0, 0) == 0 || t.at(0, 0) == 1 || t.Rows > 3
	case t.Rows <= 3 || !t.fractions():
		return false
	}
	values, rising, falling := make([]float64, t.Rows), true, true
	for i := range values {
		values[i] = t.at(i, 0)
		if v := values[i]; v != math.Trunc(v) || v < 0 {
			return false
		}
		if i > 0 {
			rising, falling = rising && values[i] > values[i-1], falling && values[i] == values[i-1]-1
		}
	}
	if rising || falling {
		return true
	}
	slices.Sort(values)
	for i, v := range values {
		if v != values[0]+float64(i) {
			return false
		}
	}
	return true
}

// fractions reports whether a column behind the first holds a number that is no integer.
func (t *Table) fractions() bool {
	for i, v := range t.Numbers {
		if i%len(t.Columns) > 0 && v != math.Trunc(v) {
			return true
		}
	}
	return false
}

// AskIndex returns the error of a first column that numbers the rows and has no name.
func (t *Reader) AskIndex() error {
	return t.options.ask("the first column numbers the rows and there is no header: it may be an index or numbers", "index", "true", "index", "false")
}

// countingNote returns the note on a column that counts and has a name.
func (o *Options) countingNote(name string) string {
	name = shorten(plain.Text(name))
	return fmt.Sprintf("column %q counts the rows and is kept; %s leaves it out", name, o.set("index", name))
}
