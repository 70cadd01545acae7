package report

import (
	"cmp"
	"context"
	"fmt"
	"image/color"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/plain"
)

// MapOptions say what a map shows. A parameter is a field that the study's grid varies,
// such as network.alpha, or depth, seed or data.
type MapOptions struct {
	X, Y  string // parameters of the axes
	Value string // one of MapValues; test_accuracy when empty
	// Best is a parameter whose best value counts in every cell, such as
	// train.step.value; empty for none.
	Best string
	// Where keeps only runs whose parameters have these values.
	Where   map[string]string
	Style   Style
	Columns int // as Options.Columns
}

// MapValues returns the quantities that a map can show, sorted.
func MapValues() []string { return slices.Sorted(maps.Keys(mapValues)) }

// Map draws a quantity of the runs of a study folder over two parameters. A cell is the
// mean over seeds; with options.Best, of the value of that parameter with the best mean
// among those at which no run diverged. A cell where every choice has a run that diverged
// is marked with a cross, one without finished runs left white. It works from analyze.Ends.
//
// Runs that differ in a parameter that is neither on an axis, nor Best, nor fixed by
// Where, nor the seed are an error: their mean would mean nothing.
func Map(ctx context.Context, dir string, options MapOptions) (*Figure, error) {
	resolved, err := Options{Style: options.Style, Columns: options.Columns}.resolve()
	if err != nil {
		return nil, err
	}
	options.Value = cmp.Or(options.Value, "test_accuracy")
	if err := field.OneOf("value", options.Value, MapValues()...); err != nil {
		return nil, err
	}
	runs, unfinished, err := mapRuns(ctx, dir, options)
	if err != nil {
		return nil, err
	}
	if err := options.check(runs); err != nil {
		return nil, err
	}
	f := options.figure(runs)
	f.style, f.wide = resolved.Style, options.Columns == 2
	if unfinished > 0 {
		f.Notes = append(f.Notes, plain.Count(unfinished, "run")+" without a result left out.")
	}
	return f, nil
}

// matches reports whether a run with these parameters counts.
func (o MapOptions) matches(parameters map[string]string) bool {
	for name, value := range o.Where {
		if !sameValue(parameters[name], value) {
			return false
		}
	}
	return true
}

func whereText(where map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(where)) {
		parts = append(parts, name+"="+where[name])
	}
	if parts == nil {
		return ""
	}
	return " with " + strings.Join(parts, ", ")
}

// check refuses parameters that no run has and runs that a cell may not mix.
func (o MapOptions) check(runs []mapRun) error {
	known := map[string]bool{}
	for _, r := range runs {
		for name := range r.parameters {
			known[name] = true
		}
	}
	names := slices.Sorted(maps.Keys(known))
	for _, used := range []struct{ path, name string }{{"x", o.X}, {"y", o.Y}, {"best", o.Best}} {
		if used.name != "" && known[used.name] || used.path == "best" && used.name == "" {
			continue
		}
		return &field.Error{Path: used.path, Got: used.name, Want: "a parameter of the runs: " + strings.Join(names, ", ") + field.Mean(used.name, names)}
	}
	if o.X == o.Y || o.Best == o.X || o.Best == o.Y {
		return &field.Error{Path: "y", Got: o.Y, Want: "three different parameters as x, y and best"}
	}
	for _, name := range names {
		if name == "seed" || name == o.X || name == o.Y || name == o.Best {
			continue
		}
		if values := valuesOf(runs, name); len(values) > 1 {
			return &field.Error{Path: "where", Got: fmt.Sprintf("runs with %s = %s", name, strings.Join(values, ", ")), Want: fmt.Sprintf("one of them, as in %s=%s, or the parameter as x, y or best", name, values[0])}
		}
	}
	return nil
}

// figure draws the map.
func (o MapOptions) figure(runs []mapRun) *Figure {
	quantity := mapValues[o.Value]
	xs, ys := valuesOf(runs, o.X), valuesOf(runs, o.Y)
	cells := make([][]mapCell, len(ys))
	var means []float64
	values := make([][]float64, len(ys))
	for j, y := range ys {
		for _, x := range xs {
			var here []mapRun
			for _, r := range runs {
				if r.parameters[o.X] == x && r.parameters[o.Y] == y {
					here = append(here, r)
				}
			}
			c := o.cell(here, quantity.higher)
			cells[j], values[j] = append(cells[j], c), append(values[j], c.value)
			means = append(means, c.value)
		}
	}
	scale := newColorScale(quantity.label, means, quantity.log)
	p := panel{
		x:    axis{label: parameterLabel(o.X), low: -0.5, high: float64(len(xs)) - 0.5, names: plainNames(xs), stride: stride(xs, 44)},
		y:    axis{label: parameterLabel(o.Y), low: -0.5, high: float64(len(ys)) - 0.5, names: plainNames(ys), stride: (len(ys) + 15) / 16},
		heat: &heat{x: edges(len(xs)), y: edges(len(ys)), values: values, scale: scale},
	}
	crosses := mark{color: color.Black, shape: cross, radius: 3}
	f := &Figure{
		Kind: "map", Name: "map-" + slug(o.Value+"-"+lastKey(o.X)+"-"+lastKey(o.Y)), Title: plainText(quantity.label) + " over " + o.X + " and " + o.Y,
		Data: Table{Header: []string{o.Y, o.X, o.Value, "low", "high", "runs", "diverged"}},
	}
	if o.Best != "" {
		f.Data.Header = append(f.Data.Header, "best_"+o.Best)
	}
	for j, row := range cells {
		for i, c := range row {
			if !c.seen {
				continue
			}
			line := []string{ys[j], xs[i], blank(c.value), blank(c.low), blank(c.high), strconv.Itoa(c.runs), strconv.Itoa(c.diverged)}
			if o.Best != "" {
				line = append(line, c.best)
			}
			f.Data.Rows = append(f.Data.Rows, line)
			if math.IsNaN(c.value) {
				crosses.x, crosses.y = append(crosses.x, float64(i)), append(crosses.y, float64(j))
			} else if len(xs) <= 8 && len(ys) <= 14 {
				p.notes = append(p.notes, note{x: float64(i), y: float64(j), text: shortNumber(c.value), color: ink(max(0, scale.shade(c.value)))})
			}
		}
	}
	if len(crosses.x) > 0 {
		p.marks = append(p.marks, crosses)
		f.legend = append(f.legend, entry{text: "a run diverged", mark: &crosses})
	}
	f.Notes = o.choosing(cells, runs)
	f.panels, f.bar = [][]panel{{p}}, &scale
	f.Caption = o.caption(quantity, runs)
	f.Alt = fmt.Sprintf("Heat map of %d by %d cells.", len(xs), len(ys))
	if i, j, ok := bestCell(cells, quantity.higher); ok {
		f.Alt += fmt.Sprintf(" The best value, %s, is at %s = %s, %s = %s.", number(cells[j][i].value, 4), o.X, xs[i], o.Y, ys[j])
	}
	return f
}

// caption says what a cell is.
func (o MapOptions) caption(quantity mapValue, runs []mapRun) string {
	seeds := len(valuesOf(runs, "seed"))
	text := fmt.Sprintf("%s at the end of training over %s and %s", upperFirst(plainText(quantity.label)), o.X, o.Y)
	if seeds > 1 && o.X != "seed" && o.Y != "seed" {
		text += fmt.Sprintf(", mean over %d seeds", seeds)
	}
	if o.Best != "" {
		text += fmt.Sprintf(", at the %s with the best mean among %s at which no run diverged", o.Best, strings.Join(valuesOf(runs, o.Best), ", "))
	}
	text += "."
	for _, fixed := range []string{"data", "depth"} {
		if values := valuesOf(runs, fixed); len(values) == 1 {
			text += fmt.Sprintf(" %s %s.", upperFirst(fixed), values[0])
		}
	}
	return text + " White cells have no finished run; the CSV file holds 95 % intervals over seeds, cut at the ends of what the quantity can be."
}

// parameterSymbols name the fields of a study that have a symbol.
var parameterSymbols = map[string]string{
	"network.alpha":    "residual exponent $α$",
	"initial.hurst":    "Hurst exponent $H$ of the initial weights",
	"initial.exponent": "exponent of the initial weights",
	"train.step.value": "step size $η_0$",
	"depth":            "depth $L$",
}

func parameterLabel(name string) string {
	return cmp.Or(parameterSymbols[name], strings.ReplaceAll(name, "$", ""))
}

// plainNames returns values as labels, without what mathText would read as markup.
func plainNames(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = minus(strings.ReplaceAll(v, "$", ""))
	}
	return out
}

// stride returns how many names apart labels stand, for them to take no more than room
// characters of a row.
func stride(names []string, room int) int {
	longest := 0
	for _, name := range names {
		longest = max(longest, len([]rune(name)))
	}
	fit := max(1, room/(longest+2))
	return (len(names) + fit - 1) / fit
}

// edges returns the n + 1 edges of cells around 0 … n − 1.
func edges(n int) []float64 {
	out := make([]float64, n+1)
	for i := range out {
		out[i] = float64(i) - 0.5
	}
	return out
}

// shortNumber writes v in a cell: three digits, or one and a power of ten.
func shortNumber(v float64) string {
	if v != 0 && (math.Abs(v) < 0.01 || math.Abs(v) >= 1000) {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', 0, 64), "e")
		e, _ := strconv.Atoi(exponent)
		return minus(mantissa) + "e" + minus(strconv.Itoa(e))
	}
	if v == 0 {
		return "0"
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	return minus(strconv.FormatFloat(v, 'f', min(max(0, digits), 3), 64))
}

// plainText returns mathText without its markup.
func plainText(text string) string { return strings.NewReplacer("$", "", "_", "").Replace(text) }

func upperFirst(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// lastKey returns the last key of a path: alpha of network.alpha.
func lastKey(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// blank writes x exactly, or nothing where there is none.
func blank(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return exact(x)
}
