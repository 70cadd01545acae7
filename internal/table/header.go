package table

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A heading is what is known of the first row: whether it holds names, and why where that is not
// plain to see. Such rows make it hard:
//
//	0,1,2        names that pandas gives by default, or the first row of a table of integers
//	2019,2020    years over columns, or a sample
//	?,NA         missing values, or names
//
// Two marks tell names from numbers: quotes that the numbers below lack, and integers without
// a point where the numbers below have one even if only zeros follow it. Without them, the first row
// counts and the rows below hold no integer, or the table is refused.
type heading struct {
	header bool
	why    string
}

// heading decides whether the first row of a sample holds names.
func (o *Options) heading(s *sample, width int) (heading, error) {
	if o.Header != nil {
		return heading{header: *o.Header}, nil
	}
	first, body := s.rows[0], s.rows[1:]
	if len(first) == width-1 {
		return heading{header: true, why: "one shorter than the rows below, whose first column holds their names"}, nil
	}
	f := newFirst(first, body, s.decimal)
	switch {
	case len(f.numbers) == 0 && !f.missing && slices.ContainsFunc(f.texts, f.overNumbers):
		return heading{header: true}, nil
	case f.missing, f.almost, len(f.numbers) == 0 && len(f.texts) == 0:
		return heading{}, nil // reading it as numbers names the field
	case len(f.numbers) == 0:
		return heading{header: true}, nil
	case f.quotedOver:
		return heading{header: true, why: "quoted, over numbers without quotes"}, nil
	case f.empty && f.counts():
		return heading{header: true, why: "it counts, and its first field is empty"}, nil
	case len(f.texts) > 0:
		return o.mixed(f)
	case f.counts():
		return o.counting(f)
	}
	return heading{}, o.numeric(f)
}

// A firstRow is the first row beside the columns below it.
type firstRow struct {
	row     []cell
	body    [][]cell
	decimal byte

	numbers    []int // columns where the first row holds a number
	texts      []int // columns where it holds another text
	empty      bool  // its first field is empty over a column that is not
	missing    bool  // a field is a missing value
	almost     bool  // a field may be meant as a number
	quotedOver bool  // its fields are quoted, and no number below is
}

func newFirst(row []cell, body [][]cell, decimal byte) *firstRow {
	f := &firstRow{row: row, body: body, decimal: decimal}
	allQuoted, quotedBelow, numbersBelow := true, false, false
	for j, c := range row {
		allQuoted = allQuoted && (c.quoted || c.text == "" && j == 0)
		for _, text := range column(body, j) {
			if isNumber(text.text, decimal) {
				quotedBelow, numbersBelow = quotedBelow || text.quoted && j > 0, numbersBelow || j > 0 || !text.quoted
			}
		}
		switch {
		case j == 0 && c.text == "" && len(row) > 1:
			f.empty = len(body) > 0 && !slices.ContainsFunc(column(body, 0), func(c cell) bool { return c.text == "" })
		case isNumber(c.text, decimal):
			f.numbers = append(f.numbers, j)
		case c.text == "" && j > 0 && len(f.texts) > 0:
			f.texts = append(f.texts, j) // a column without a name among others with one
		case !c.quoted && isMissing(c.text):
			f.missing = true
		case !c.quoted && almost.MatchString(c.text):
			f.almost = true
		default:
			f.texts = append(f.texts, j)
		}
	}
	f.quotedOver = allQuoted && numbersBelow && !quotedBelow && len(f.numbers)+len(f.texts) > 0
	return f
}

// counts reports whether the numbers of the row are 0, 1, 2, … or 1, 2, 3, …
func (f *firstRow) counts() bool {
	cells := make([]cell, len(f.numbers))
	for i, j := range f.numbers {
		cells[i] = f.row[j]
	}
	return counts(cells)
}

// counts reports whether cells are 0, 1, 2, … or 1, 2, 3, …
func counts(cells []cell) bool {
	if len(cells) == 0 || cells[0].text != "0" && cells[0].text != "1" {
		return false
	}
	from := int(cells[0].text[0] - '0')
	for i, c := range cells {
		if c.text != strconv.Itoa(from+i) {
			return false
		}
	}
	return true
}

// column returns column j of rows.
func column(rows [][]cell, j int) []cell {
	cells := make([]cell, 0, len(rows))
	for _, row := range rows {
		if j < len(row) {
			cells = append(cells, row[j])
		}
	}
	return cells
}

// writesIntegers reports whether the column below holds an integer without a point, as the first row does.
func (f *firstRow) writesIntegers(j int) bool {
	return slices.ContainsFunc(column(f.body, j), func(c cell) bool { return isPlain(strings.TrimLeft(c.text, "+-")) })
}

// writesZeros reports whether the column below has a fraction that ends in 0, as 2.0 or 0.50: who
// writes it would write an integer with a point.
func (f *firstRow) writesZeros(j int) bool {
	return slices.ContainsFunc(column(f.body, j), func(c cell) bool {
		mantissa := strings.FieldsFunc(c.text, isExponent)
		return len(mantissa) > 0 && strings.IndexByte(mantissa[0], f.decimal) >= 0 &&
			isNumber(c.text, f.decimal) && strings.HasSuffix(mantissa[0], "0")
	})
}

// holds reports whether the column below holds the text of the first row again.
func (f *firstRow) holds(j int) bool {
	return slices.ContainsFunc(column(f.body, j), func(c cell) bool { return c.text == f.row[j].text })
}

// overNumbers reports whether everything below is a number.
func (f *firstRow) overNumbers(j int) bool {
	below := column(f.body, j)
	return len(below) > 0 && allNumbers(below, f.decimal)
}

// integers returns how many of the numbers of the row stand over a column with integers, and whether
// one stands over a column that no such integer can be from.
func (f *firstRow) integers() (same int, never bool) {
	for _, j := range f.numbers {
		switch {
		case f.writesIntegers(j):
			same++
		case f.writesZeros(j):
			never = true
		}
	}
	return same, never
}

// counting decides about a first row 0, 1, 2, … or 1, 2, 3, …
func (o *Options) counting(f *firstRow) (heading, error) {
	names := heading{header: true, why: "it counts, and the rows below hold no such integers"}
	same, never := f.integers()
	switch n := len(f.numbers); {
	case never:
		return heading{header: true, why: "it counts without a decimal mark, which the numbers below have even before zeros"}, nil
	case n == 1 && (same == 1 || f.row[f.numbers[0]].text == "1"):
		return heading{}, nil // one column is not named 1, and a path may start at 0
	case n == 1, n-same < 2, n <= 3 && f.starts():
		return heading{}, o.askHeader(f)
	}
	return names, nil
}

// starts reports whether the first column goes on from the first row, as time does.
func (f *firstRow) starts() bool {
	values := numbersOf(column(append([][]cell{f.row}, f.body...), f.numbers[0]), f.decimal)
	if len(values) < 3 {
		return true
	}
	up, down := true, true
	for i := 1; i < len(values); i++ {
		up, down = up && values[i] > values[i-1], down && values[i] < values[i-1]
	}
	return up || down
}

// mixed decides about a first row of numbers and texts.
func (o *Options) mixed(f *firstRow) (heading, error) {
	if slices.ContainsFunc(f.texts, f.overNumbers) {
		if f.counts() && len(f.numbers) > 2 {
			return heading{header: true, why: "it counts, with a text over numbers"}, nil
		}
		return heading{}, nil // the text is no number, which the error says
	}
	if slices.ContainsFunc(f.texts, f.holds) {
		return heading{}, nil // a class that comes again
	}
	if f.counts() && len(f.numbers) > 1 {
		return o.counting(f)
	}
	return heading{}, o.numeric(f)
}

// numeric refuses a first row of numbers that may well be names: years, integers over fractions, and
// the points of a grid, unlike the numbers below.
func (o *Options) numeric(f *firstRow) error {
	row := make([]cell, len(f.numbers))
	for i, j := range f.numbers {
		row[i] = f.row[j]
	}
	values := numbersOf(row, f.decimal)
	plain := !slices.ContainsFunc(row, func(c cell) bool { return !isPlain(c.text) })
	equal := stepsEqually(values)
	years := plain && equal && slices.Min(values) >= 1800 && slices.Max(values) <= 2200
	same, _ := f.integers()
	switch next := len(values) == 2 && plain && values[1] == values[0]+1; {
	case years && values[0] < values[1],
		len(f.body) > 0 && plain && same == 0 && (next || len(values) > 2 && distinct(values)),
		(next || equal && len(values) > 2) && f.apart(),
		len(f.body) > 1 && len(values) > 2 && (!plain || len(values) > 3) && onGrid(values) && !slices.ContainsFunc(f.body, f.onGrid):
		return o.askHeader(f)
	}
	return nil
}

// stepsEqually reports whether values differ by the same step, not 0.
func stepsEqually(values []float64) bool {
	for i := 1; i < len(values); i++ {
		step := values[1] - values[0]
		if step == 0 || !(math.Abs(values[i]-values[i-1]-step) <= 1e-9*math.Abs(step)) {
			return false
		}
	}
	return len(values) > 1
}

// onGrid reports whether values differ by the same step or the same factor, as times and parameters
// that name columns do.
func onGrid(values []float64) bool {
	logs := make([]float64, len(values))
	for i, v := range values {
		logs[i] = math.Log(v)
	}
	return stepsEqually(values) || stepsEqually(logs)
}

// onGrid reports whether the numbers of a row below, under those of the first, are on a grid.
func (f *firstRow) onGrid(row []cell) bool {
	cells := make([]cell, 0, len(f.numbers))
	for _, j := range f.numbers {
		if j < len(row) {
			cells = append(cells, row[j])
		}
	}
	return onGrid(numbersOf(cells, f.decimal))
}

func distinct(values []float64) bool {
	sorted := slices.Sorted(slices.Values(values))
	return len(slices.Compact(sorted)) == len(values)
}

// namesTwice reports whether the row below a header that repeats a name may hold names, too: integers
// over columns without any.
func namesTwice(names []string, s *sample) bool {
	named := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "" })
	slices.Sort(named)
	if len(slices.Compact(slices.Clone(named))) == len(named) || len(s.rows) < 3 {
		return false
	}
	f := newFirst(s.rows[1], s.rows[2:], s.decimal)
	same, _ := f.integers()
	return same == 0 && len(f.numbers) == len(names) && !slices.ContainsFunc(f.row, func(c cell) bool { return !isPlain(c.text) })
}

// apart reports whether each number of the row is further from those below than they are from
// each other.
func (f *firstRow) apart() bool {
	for _, j := range f.numbers {
		below := numbersOf(column(f.body, j), f.decimal)
		if len(below) < 2 {
			return false
		}
		v := numbersOf([]cell{f.row[j]}, f.decimal)[0]
		low, high := slices.Min(below), slices.Max(below)
		if !(v < low-(high-low) || v > high+(high-low)) {
			return false
		}
	}
	return true
}

// numbersOf returns the numbers among cells.
func numbersOf(cells []cell, decimal byte) []float64 {
	values := make([]float64, 0, len(cells))
	for _, c := range cells {
		if v, _, ok := parse(c.text, decimal); ok {
			values = append(values, v)
		}
	}
	return values
}

func (o *Options) askHeader(f *firstRow) error {
	texts := make([]string, len(f.row))
	for j, c := range f.row {
		texts[j] = c.text
	}
	return o.ask(fmt.Sprintf("got a first row %s, which may be names or numbers", shortList(texts)), "header", "true", "header", "false")
}
