package runfolder

import (
	"math"
	"reflect"
	"strconv"

	"gonum.org/v1/gonum/floats"

	"github.com/deeplimit/deeplimit/pvar"
)

// A Source is the path over the layers that a statistic is of: the weights A(t), or what
// training has added to them, the displacement A(t) − A(0).
type Source string

// The sources.
const (
	FromWeights      Source = "weights"
	FromDisplacement Source = "displacement"
)

// Sources are all of them, in the order of tables.
var Sources = []Source{FromWeights, FromDisplacement}

// Key returns the name that a statistic has in flat tables: that of the weights as it is, that
// of the displacement behind displacement_. The largest norm of a layer of the displacement is
// its displacement.
func (s Source) Key(statistic string) string {
	switch {
	case s != FromDisplacement:
		return statistic
	case statistic == "max_frobenius":
		return "displacement"
	}
	return "displacement_" + statistic
}

// traceFields holds the place in Row of each column.
var traceFields = func() map[string]int {
	places := map[string]int{}
	for i, name := range traceColumns {
		places[name] = i
	}
	return places
}()

// Column returns the number in the column of that name, nil where the row has none, or there is
// no such column of numbers.
func (r *Row) Column(name string) *float64 {
	i, ok := traceFields[name]
	if !ok {
		return nil
	}
	switch v := reflect.ValueOf(r).Elem().Field(i); v.Kind() {
	case reflect.Pointer:
		return v.Interface().(*float64)
	case reflect.Float64:
		return new(v.Float())
	}
	return nil
}

// SetPath fills those columns of a source that some rows alone have, from its path, which factor rescales:
// root_sum_squares and max_increment of the path, quadratic_variation, V_1 and V_p of the rescaled one, for the p > 1
// in exponents. Numbers that are not finite stay null. Exponents overwrite the path.
func (r *Row) SetPath(source Source, path Path, factor float64, exponents ...float64) {
	row := reflect.ValueOf(r).Elem()
	set := func(statistic string, v float64) {
		i, ok := traceFields[source.Key(statistic)]
		if ok && row.Field(i).Kind() == reflect.Pointer && !math.IsNaN(v) && !math.IsInf(v, 0) {
			row.Field(i).Set(reflect.ValueOf(&v))
		}
	}
	set("root_sum_squares", path.RootSumSquares())
	most, first, squares := 0.0, 0.0, 0.0
	for _, step := range path.Increments() {
		most = max(most, step)
		first += factor * step
		squares += factor * step * factor * step
	}
	set("max_increment", most)
	set("quadratic_variation", squares)
	set("v_1", first)
	if len(exponents) == 0 {
		return
	}
	floats.Scale(factor, path.Data)
	variations, err := pvar.Compute(pvar.Points{Dim: path.Rows * path.Cols, Data: path.Data}, exponents...)
	if err != nil {
		return // an entry is not finite
	}
	for _, v := range variations {
		set("v_"+strconv.FormatFloat(v.P, 'g', -1, 64), v.Value)
	}
}
