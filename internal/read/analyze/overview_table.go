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

// allGroups names every group.
const allGroups = "all"

// group returns the places of the groups that a name stands for: a number, field=value, or all.
func (o *Overview) group(name string) (places []int, err error) {
	is := func(row *OverviewRow) bool { return name == allGroups || name == strconv.Itoa(row.Number) }
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
	if places == nil && name != allGroups {
		return nil, &field.Error{Path: "group", Got: name, Want: fmt.Sprintf("a number from 1 to %d, all, or a field and its value such as %s", len(o.Rows), o.example())}
	}
	return places, nil
}

// Only returns o with the rows of the groups that names stand for, all for none.
func (o *Overview) Only(names []string) (*Overview, error) {
	if len(names) == 0 {
		return o, nil
	}
	wanted := map[int]bool{}
	for _, name := range names {
		places, err := o.group(name)
		if err != nil {
			return nil, err
		}
		for _, place := range places {
			wanted[place] = true
		}
	}
	only := *o
	only.Rows = slices.DeleteFunc(slices.Clone(o.Rows), func(row OverviewRow) bool { return !wanted[row.Number-1] })
	return &only, nil
}

// example returns a field with a value.
func (o *Overview) example() string {
	if len(o.Fields) == 0 {
		return "network.alpha=1, where groups differ in one"
	}
	return o.Fields[0] + "=" + o.Rows[0].Values[o.Fields[0]]
}

// Sorted returns o with its rows ordered by a column, best first; last with a minus before its name. Rows without the number are
// at the end either way. With "" it returns o.
func (o *Overview) Sorted(by string) (*Overview, error) {
	if by == "" {
		return o, nil
	}
	name, backwards := strings.CutPrefix(by, "-")
	c, err := o.find("sort", name)
	if err != nil {
		return nil, err
	}
	sorted := *o
	sorted.Rows = slices.Clone(o.Rows)
	slices.SortStableFunc(sorted.Rows, func(a, b OverviewRow) int { return c.compare(&a, &b, backwards) })
	return &sorted, nil
}

// compare orders two rows by the column, by its texts where neither has a number.
func (c *OverviewColumn) compare(a, b *OverviewRow, backwards bool) int {
	x, y := math.NaN(), math.NaN()
	if c.Order != nil {
		x, y = c.Order(a), c.Order(b)
	}
	order := cmp.Compare(x, y)
	switch {
	case math.IsNaN(x) && math.IsNaN(y):
		order = cmp.Compare(c.Text(a, true), c.Text(b, true))
	case math.IsNaN(x):
		return 1
	case math.IsNaN(y):
		return -1
	}
	if backwards {
		return -order
	}
	return order
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
	for _, remark := range o.AllRemarks() {
		out.WriteString(plain.Text(remark) + "\n")
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
