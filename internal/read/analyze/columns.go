package analyze

import (
	"context"
	"iter"
	"math"
	"reflect"
	"slices"
)

// A Column is a column of a table of Export, for programs that take it from memory. Numbers are in Floats, with
// NaN for null, or in Ints where none is null; everything else is in Values, with nil for null.
type Column struct {
	Name   string
	Floats []float64
	Ints   []int64
	Values []any
}

// RunTable returns the table of runs.
func (r *Result) RunTable() ([]Column, error) { return columnTable(r.runRows()) }

// ExponentTable returns the table of exponents.
func (r *Result) ExponentTable() ([]Column, error) { return columnTable(r.exponentRows()) }

// IterationTable returns the table of iterations of runs in the folder of a study, or of one run.
func IterationTable(ctx context.Context, dir string, ids []string) ([]Column, error) {
	return columnTable(iterationRows(ctx, dir, slices.Values(ids)))
}

// columnTable turns rows into columns.
func columnTable[T any](rows iter.Seq2[T, error]) ([]Column, error) {
	fields := columnsOf[T]()
	out := make([]Column, len(fields))
	for i, c := range fields {
		out[i].Name = c.name
		switch c.kind(reflect.TypeFor[T]()) {
		case reflect.Float64:
			out[i].Floats = []float64{}
		case reflect.Int64:
			if c.optional { // which NaN stands for; float64 holds counts exactly
				out[i].Floats = []float64{}
				continue
			}
			out[i].Ints = []int64{}
		default:
			out[i].Values = []any{}
		}
	}
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		value := reflect.ValueOf(row)
		for i, c := range fields {
			v, ok := c.of(value)
			switch to := &out[i]; {
			case to.Ints != nil:
				to.Ints = append(to.Ints, v.Int())
			case to.Floats != nil && ok && v.CanInt():
				to.Floats = append(to.Floats, float64(v.Int()))
			case to.Floats != nil && ok:
				to.Floats = append(to.Floats, v.Float())
			case to.Floats != nil:
				to.Floats = append(to.Floats, math.NaN())
			case ok:
				to.Values = append(to.Values, v.Interface())
			default:
				to.Values = append(to.Values, nil)
			}
		}
	}
	return out, nil
}

// kind returns that of the values of the column in rows of a type.
func (c *column) kind(row reflect.Type) reflect.Kind {
	t := row.FieldByIndex(c.place).Type
	if c.optional {
		t = t.Elem()
	}
	return t.Kind()
}
