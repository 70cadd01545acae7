package report

import (
	"cmp"
	"strings"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// An overviewView is the table of all groups at the head of a page.
type overviewView struct {
	Caption string
	Heads   []headView
	Rows    []overviewRowView

	overview *analyze.Overview
}

// A headView is a column and what it holds.
type headView struct{ Title, About string }

// An overviewRowView is a row of the overview, whose first cell leads to the group.
type overviewRowView struct {
	Number      int
	Slug, Label string
	Cells       []cellView
	Remarks     []string
}

// A cellView is a number and its interval, "" for none.
type cellView struct{ Value, Range string }

// newOverviewView returns the overview of a study as view asks for it; nil where there are no two groups to compare. An error is
// a *field.Error about the view.
func newOverviewView(o *analyze.Overview, view analyze.View) (*overviewView, error) {
	if o == nil {
		return nil, nil
	}
	columns, err := o.Choose(view.Columns)
	if err == nil && view.Sort != "" {
		err = o.Sort(view.Sort)
	}
	if err != nil || len(o.Rows) < 2 {
		return nil, err
	}
	v := &overviewView{overview: o, Caption: o.About()}
	for _, c := range columns {
		if c.Name != "group" { // the label of the row
			v.Heads = append(v.Heads, headView{c.Title, c.About})
		}
	}
	for i := range o.Rows {
		row := &o.Rows[i]
		r := overviewRowView{Number: row.Number, Remarks: row.Remarks}
		for _, c := range columns {
			if c.Name != "group" {
				r.Cells = append(r.Cells, newCellView(&c, row))
			}
		}
		v.Rows = append(v.Rows, r)
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

// of names the groups of the rows and returns v.
func (v *overviewView) of(groups []group) *overviewView {
	if v == nil {
		return nil
	}
	for i := range v.Rows {
		row := &v.overview.Rows[i]
		for _, g := range groups {
			if g.Group.Group == row.Group {
				v.Rows[i].Slug, v.Rows[i].Label = g.slug, g.label
			}
		}
	}
	return v
}
