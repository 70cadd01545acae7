package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// An overviewView is the table of all groups at the head of a page.
type overviewView struct {
	Caption string
	Heads   []headView
	Rows    []overviewRowView
	Remarks []string
}

// A headView is a column and what it holds.
type headView struct{ Title, About string }

// An overviewRowView is a row of the overview, whose first cell leads to the group.
type overviewRowView struct {
	Number      int
	Slug, Label string
	Cells       []cellView
}

// A cellView is a number and its interval, "" for none.
type cellView struct{ Value, Range string }

// newOverviewView returns the overview of groups as view asks for it; nil where there are no two to compare. An error is a
// *field.Error about the view.
func newOverviewView(o *analyze.Overview, view analyze.View, groups []group) (*overviewView, error) {
	if o == nil {
		return nil, nil
	}
	columns, err := o.Choose(view.Columns)
	if err != nil {
		return nil, err
	}
	if o, err = o.Sorted(view.Sort); err != nil || len(o.Rows) < 2 {
		return nil, err
	}
	columns = slices.DeleteFunc(columns, func(c analyze.OverviewColumn) bool { return c.Name == "group" }) // that is the head of a row
	v := &overviewView{Caption: o.About()}
	for _, c := range columns {
		v.Heads = append(v.Heads, headView{c.Title, c.About})
	}
	for i := range o.Rows {
		row := &o.Rows[i]
		r := overviewRowView{Number: row.Number}
		if j := slices.IndexFunc(groups, func(g group) bool { return g.Group.Group == row.Group }); j >= 0 {
			r.Slug, r.Label = groups[j].slug, groups[j].label
		}
		for _, c := range columns {
			r.Cells = append(r.Cells, newCellView(&c, row))
		}
		v.Rows = append(v.Rows, r)
	}
	for _, remark := range o.AllRemarks() {
		v.Remarks = append(v.Remarks, upperFirst(remark))
	}
	return v, nil
}

// newCellView writes the number of a row, and its interval where there is one.
func newCellView(c *analyze.OverviewColumn, row *analyze.OverviewRow) cellView {
	if c.Estimate == nil {
		return cellView{Value: cmp.Or(c.Text(row, false), none)}
	}
	e := c.Estimate(row)
	switch {
	case e == nil:
		return cellView{Value: none}
	case !e.Known() && c.Size:
		return cellView{Value: number(e.Value, 3)}
	case !e.Known():
		return cellView{Value: typeset(e.Number())}
	case c.Size:
		value, interval, _ := strings.Cut(e.Size(number), " [")
		return cellView{value, "[" + interval}
	}
	return cellView{typeset(e.Number()), typeset(e.Range())}
}
