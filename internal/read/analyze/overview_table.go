package analyze

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/plain"
)

// An OverviewColumn is one of an overview: what its cells show, and what rows are sorted by.
type OverviewColumn struct {
	Name  string // as --columns and --sort take it
	Title string // as a header shows it
	About string
	// Text returns a cell, brief with its interval left out; "" where the row has no such number.
	Text func(row *OverviewRow, brief bool) string
	// Order returns what rows are sorted by, best first; NaN where the row has none. It is nil for texts.
	Order func(row *OverviewRow) float64
	// Estimate returns the number of a row, nil for none; it is nil for texts. Size says that it is of any magnitude, as a loss.
	Estimate func(row *OverviewRow) *Estimate
	Size     bool

	must bool // whether the table is of no use without it
}

// overviewColumns are the columns of numbers, in the order that a table has them.
var overviewColumns = []OverviewColumn{
	{
		Name: "runs", Title: "runs", About: "finished runs; and how many diverged, or are without a result", must: true,
		Text:  func(row *OverviewRow, _ bool) string { return row.runsText() },
		Order: func(row *OverviewRow) float64 { return float64(row.Diverged + row.Unfinished) },
	},
	{
		Name: "depth", Title: "at L", About: "the greatest depth of a run that did not diverge: losses and accuracies are means over its seeds",
		Text: func(row *OverviewRow, _ bool) string {
			if row.Depth == 0 {
				return ""
			}
			return strconv.Itoa(row.Depth)
		},
		Order: func(row *OverviewRow) float64 { return float64(row.Depth) },
	},
	sizeColumn("loss", "loss", "loss at the end of training, the geometric mean over seeds", func(row *OverviewRow) *Estimate { return row.Loss }),
	sizeColumn("validation_loss", "validation loss", "of the validation set, likewise", func(row *OverviewRow) *Estimate { return row.Validation }),
	sizeColumn("test_loss", "test loss", "of the test set, likewise", func(row *OverviewRow) *Estimate { return row.TestLoss }),
	shareColumn("accuracy", "accuracy", "share of the samples in their class, the mean over seeds", func(row *OverviewRow) *Estimate { return row.Accuracy }),
	shareColumn("validation_accuracy", "validation acc.", "of the validation set, likewise", func(row *OverviewRow) *Estimate { return row.ValidAcc }),
	shareColumn("test_accuracy", "test acc.", "of the test set, likewise", func(row *OverviewRow) *Estimate { return row.TestAccuracy }),
	{
		Name: "limit", Title: "limit", About: "kind of limit that the weights have; open where none is settled",
		Text: func(row *OverviewRow, _ bool) string {
			if row.Verdict == "" {
				return "open"
			}
			return string(row.Verdict)
		},
	},
	exponentColumn("alpha_plus_beta", "α + β", "α and the exponent that the largest norm of a layer falls with", func(row *OverviewRow) *Estimate { return row.AlphaPlusBeta }),
	exponentColumn("variation_2", "V_2 exponent", "exponent of the 2-variation as L → ∞", func(row *OverviewRow) *Estimate { return row.Variation2 }),
	{
		Name: "rate", Title: "rate", About: "least and greatest ρ in J(t) ≈ C ρ^t of runs whose loss falls linearly, and how many do",
		Text: func(row *OverviewRow, _ bool) string { return row.rateText() },
		Order: func(row *OverviewRow) float64 {
			if row.Rate == nil || row.Rate.MaxRho == nil {
				return math.NaN()
			}
			return *row.Rate.MaxRho
		},
	},
	exponentColumn("index", "index", "variation index of the limit", func(row *OverviewRow) *Estimate { return row.Index }),
	exponentColumn("variation_1", "V_1 exponent", "exponent of the 1-variation as L → ∞", func(row *OverviewRow) *Estimate { return row.Variation1 }),
}

// estimateColumn returns one of an estimate that text writes.
func estimateColumn(name, title, about string, of func(*OverviewRow) *Estimate, text func(e *Estimate, brief bool) string, sign float64) OverviewColumn {
	return OverviewColumn{
		Name: name, Title: title, About: about, Estimate: of,
		Text: func(row *OverviewRow, brief bool) string {
			if e := of(row); e != nil {
				return text(e, brief)
			}
			return ""
		},
		Order: func(row *OverviewRow) float64 {
			if e := of(row); e != nil {
				return sign * e.Value
			}
			return math.NaN()
		},
	}
}

// sizeColumn is of a number that is better the smaller it is.
func sizeColumn(name, title, about string, of func(*OverviewRow) *Estimate) OverviewColumn {
	c := estimateColumn(name, title, about, of, func(e *Estimate, brief bool) string {
		if brief || !e.Known() {
			return digits(e.Value, 3)
		}
		return e.Size(digits)
	}, 1)
	c.Size = true
	return c
}

// shareColumn is of one that is better the larger it is.
func shareColumn(name, title, about string, of func(*OverviewRow) *Estimate) OverviewColumn {
	return estimateColumn(name, title, about, of, exponentCell, -1)
}

func exponentColumn(name, title, about string, of func(*OverviewRow) *Estimate) OverviewColumn {
	return estimateColumn(name, title, about, of, exponentCell, 1)
}

func exponentCell(e *Estimate, brief bool) string {
	if brief || !e.Known() {
		return e.Number()
	}
	return e.String()
}

func (row *OverviewRow) runsText() string {
	text := strconv.Itoa(row.Runs)
	if row.Unfinished > 0 {
		text += fmt.Sprintf(" of %d", row.Runs+row.Unfinished)
	}
	if row.Diverged > 0 {
		text += fmt.Sprintf(", %d diverged", row.Diverged)
	}
	return text
}

func (row *OverviewRow) rateText() string {
	switch {
	case row.Rate == nil:
		return ""
	case row.Rate.Linear == 0:
		return "not linear"
	}
	text := row.Rate.span()
	if row.Rate.Linear < row.Rate.Runs {
		text += fmt.Sprintf(" in %d of %d", row.Rate.Linear, row.Rate.Runs)
	}
	return text
}

// Columns returns the columns that a table of o has: the number of the group, the fields that tell groups apart, and those
// that a row has a number for. The depth is one only where it is not the same for all.
func (o *Overview) Columns() []OverviewColumn {
	columns := append([]OverviewColumn{{
		Name: "group", Title: "group", About: "its number, by which --group takes it", must: true,
		Text:  func(row *OverviewRow, _ bool) string { return strconv.Itoa(row.Number) },
		Order: func(row *OverviewRow) float64 { return float64(row.Number) },
	}}, o.fieldColumns()...)
	for _, c := range overviewColumns {
		has := slices.ContainsFunc(o.Rows, func(row OverviewRow) bool { return c.Text(&row, true) != "" })
		if !has || c.Name == "depth" && o.Depth() != 0 {
			continue
		}
		columns = append(columns, c)
	}
	return columns
}

// Depth returns the depth of all rows, 0 where it is not one.
func (o *Overview) Depth() int {
	depth := 0
	for i := range o.Rows {
		if i > 0 && o.Rows[i].Depth != depth {
			return 0
		}
		depth = o.Rows[i].Depth
	}
	return depth
}

// About says what the numbers of the rows are.
func (o *Overview) About() string {
	if depth := o.Depth(); depth > 0 {
		return fmt.Sprintf("Means over seeds at depth %d, exponents as L → ∞, with 95 %% intervals.", depth)
	}
	return "Means over seeds at the greatest depth of each group, exponents as L → ∞, with 95 % intervals."
}

// fieldColumns returns a column for each field, titled by the end of its path that tells it from the others.
func (o *Overview) fieldColumns() []OverviewColumn {
	var columns []OverviewColumn
	for _, name := range o.Fields {
		columns = append(columns, OverviewColumn{
			Name: name, Title: o.shortName(name), About: "of the study file", must: true,
			Text:  func(row *OverviewRow, _ bool) string { return row.Values[name] },
			Order: func(row *OverviewRow) float64 { return numberOf(row.Values[name]) },
		})
	}
	return columns
}

// shortName returns a field without its section, as alpha for network.alpha, where no other field ends so.
func (o *Overview) shortName(name string) string {
	_, short, ok := strings.Cut(name, ".")
	if !ok || slices.ContainsFunc(o.Fields, func(other string) bool {
		_, end, _ := strings.Cut(other, ".")
		return other != name && (end == short || other == short)
	}) {
		return name
	}
	return short
}

func numberOf(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// Choose returns the columns of those names, all for none. A field of the study file may go by its title.
func (o *Overview) Choose(names []string) ([]OverviewColumn, error) {
	all := o.Columns()
	if len(names) == 0 {
		return all, nil
	}
	var chosen []OverviewColumn
	for _, name := range names {
		c, err := o.find("columns", name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, c)
	}
	return chosen, nil
}

// find returns a column by its name or title; the error is a *field.Error of path.
func (o *Overview) find(path, name string) (OverviewColumn, error) {
	all := o.Columns()
	var names []string
	for _, c := range all {
		if c.Name == name || c.Title == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	for _, c := range overviewColumns {
		if c.Name == name { // no row has it, or all have the same depth
			return c, nil
		}
	}
	return OverviewColumn{}, field.OneOf(path, name, names...)
}

// group returns the places of the groups that a name stands for: a number, field=value, or all.
func (o *Overview) group(name string) (places []int, err error) {
	is := func(row *OverviewRow) bool { return name == "all" || name == strconv.Itoa(row.Number) }
	if of, value, ok := strings.Cut(name, "="); ok {
		c, err := o.find("group", of)
		if err != nil {
			return nil, err
		}
		is = func(row *OverviewRow) bool { return row.Values[c.Name] == value }
	}
	for i := range o.Rows {
		if is(&o.Rows[i]) {
			places = append(places, o.Rows[i].Number-1)
		}
	}
	if places == nil {
		return nil, &field.Error{Path: "group", Got: name, Want: fmt.Sprintf("a number from 1 to %d, all, or a field and its value such as %s", len(o.Rows), o.example())}
	}
	return places, nil
}

// example returns a field with a value.
func (o *Overview) example() string {
	if len(o.Fields) == 0 {
		return "network.alpha=1, where groups differ in one"
	}
	return o.Fields[0] + "=" + o.Rows[0].Values[o.Fields[0]]
}

// Sort orders the rows by a column, best first; last with a minus before its name. Rows without the number are at the end.
func (o *Overview) Sort(by string) error {
	name, backwards := strings.CutPrefix(by, "-")
	c, err := o.find("sort", name)
	if err != nil {
		return err
	}
	sign := 1
	if backwards {
		sign = -1
	}
	slices.SortStableFunc(o.Rows, func(a, b OverviewRow) int {
		x, y := math.NaN(), math.NaN()
		if c.Order != nil {
			x, y = c.Order(&a), c.Order(&b)
		}
		if math.IsNaN(x) || math.IsNaN(y) {
			if math.IsNaN(x) && math.IsNaN(y) {
				return sign * cmp.Compare(c.Text(&a, true), c.Text(&b, true))
			}
			return cmp.Compare(b2i(math.IsNaN(x)), b2i(math.IsNaN(y)))
		}
		return sign * cmp.Compare(x, y)
	})
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Write writes the overview as a table of these columns, at most width runes wide, 0 for any: where it is wider, intervals are
// left out, and then columns from the end that it can do without, which the last line names.
func (o *Overview) Write(w io.Writer, columns []OverviewColumn, width int) error {
	brief := width > 0 && tableWidth(o.cells(columns, false)) > width
	kept, left := slices.Clone(columns), []string{}
	for brief && tableWidth(o.cells(kept, true)) > width {
		i := len(kept) - 1
		for i >= 0 && kept[i].must {
			i--
		}
		if i < 0 {
			break
		}
		left = append(left, kept[i].Name)
		kept = slices.Delete(kept, i, i+1)
	}
	var out strings.Builder
	cells := o.cells(kept, brief)
	widths := columnWidths(cells)
	for _, row := range cells {
		var line strings.Builder
		for j, cell := range row {
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", widths[j]-utf8.RuneCountInString(cell)+gap))
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	for i := range o.Rows {
		for _, remark := range o.Rows[i].Remarks {
			fmt.Fprintf(&out, "group %d: %s\n", o.Rows[i].Number, plain.Text(remark))
		}
	}
	if brief {
		slices.Reverse(left)
		out.WriteString("left out for the width of the terminal: intervals" + strings.Join(append([]string{""}, left...), ", ") + "\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// gap is the number of blanks between columns.
const gap = 2

// cells returns the header and the rows.
func (o *Overview) cells(columns []OverviewColumn, brief bool) [][]string {
	header := make([]string, len(columns))
	for j, c := range columns {
		header[j] = plain.Text(c.Title)
	}
	cells := [][]string{header}
	for i := range o.Rows {
		row := make([]string, len(columns))
		for j, c := range columns {
			row[j] = plain.Text(cmp.Or(c.Text(&o.Rows[i], brief), "–"))
		}
		cells = append(cells, row)
	}
	return cells
}

func columnWidths(cells [][]string) []int {
	widths := make([]int, len(cells[0]))
	for _, row := range cells {
		for j, cell := range row {
			widths[j] = max(widths[j], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

func tableWidth(cells [][]string) int {
	total := -gap
	for _, w := range columnWidths(cells) {
		total += w + gap
	}
	return total
}
