package table

import (
	"fmt"
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
	case n.shorter && (n.again || n.numbers && n.other):
		return fmt.Errorf("the header is one shorter than the rows: want a name for each column, or %s if the first names rows", o.set("index", "true"))
	case n.again:
		return o.ask(fmt.Sprintf("%s and holds %q twice: it may be an index or numbers", what, shorten(n.repeated)), "index", "true", "index", "false")
	case n.fraction != "":
		return o.ask(fmt.Sprintf("%s and holds %q: it may be an index or numbers", what, shorten(n.fraction)), "index", "true", "index", "false")
	}
	return nil
}

// AskIndex returns the error of a first column that counts and has no name.
func (t *Reader) AskIndex() error {
	return t.options.ask("the first column counts the rows and there is no header: it may be an index or numbers", "index", "true", "index", "false")
}

// countingNote returns the note on a column that counts and has a name.
func (o *Options) countingNote(name string) string {
	name = shorten(plain.Text(name))
	return fmt.Sprintf("column %q counts the rows and is kept; %s leaves it out", name, o.set("index", name))
}
