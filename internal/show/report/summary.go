package report

import (
	"cmp"
	"html/template"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// A law is a row of the table of power laws.
type law struct {
	Quantity template.HTML
	Name     string // in words
	Expected string // exponent for a path with a scaling limit, or ""
	Slope    string
	Interval string
	InLimit  string // the exponent of the limit with its interval
	R2       string
	Basis    string // the runs that it rests on
	Reading  string // what the interval tells
	Warning  string
	Missing  string // why there is none of these
}

// lawOf is the row of one slope of a quantity.
func lawOf(key, part string, s *analyze.Slope) law {
	return lawRow(analyze.NewRow(analyze.QuantityOf(key, part), s))
}

// laws lists the exponents and variation slopes that a group has, and lacks.
func laws(g group) []law {
	var out []law
	for _, row := range g.Rows() {
		out = append(out, lawRow(row))
	}
	return out
}

func lawRow(row analyze.Row) law {
	l := law{
		Quantity: mathHTML(row.Quantity.Symbol), Name: row.Name, Slope: typeset(row.Number), Interval: typeset(row.Range), InLimit: cmp.Or(typeset(row.Limit), none), R2: row.R2,
		Basis: row.Basis, Reading: row.Reading, Warning: row.Warning, Missing: row.Missing,
	}
	if row.Expected != nil {
		l.Expected = unpadded(*row.Expected)
	}
	return l
}
