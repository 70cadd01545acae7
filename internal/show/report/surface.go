package report

import (
	"cmp"
	"fmt"
	"image/color"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/read/surface"
)

// Surfaces draws every fit in fields of runs: the values against the first field with the fit, one curve for each value
// of the others, and the values against what the fit says, where all curves fall on the diagonal if it holds.
func Surfaces(fits []surface.Fit) []*Figure {
	var figures []*Figure
	seen := map[string]bool{}
	for _, fit := range fits {
		name := fit.Quantity
		if fit.Part != "" {
			name += "-" + fit.Part
		}
		for _, key := range slices.Sorted(maps.Keys(fit.At)) {
			name += "-" + lastKey(key) + fit.At[key]
		}
		name = slug("fit-" + name)
		if seen[name] || len(fit.Places) == 0 { // a power law has a fit for each field
			continue
		}
		seen[name] = true
		figures = append(figures, surfaceFigure(fit, name, fieldsOf(fit, fits)))
	}
	return figures
}

// fieldsOf returns the fields that the places of a fit have.
func fieldsOf(fit surface.Fit, fits []surface.Fit) []string {
	if fit.Exponent == nil {
		return strings.Split(fit.In, ",")
	}
	var fields []string
	for _, other := range fits {
		if other.Quantity == fit.Quantity && other.Part == fit.Part && fmt.Sprint(other.At) == fmt.Sprint(fit.At) {
			fields = append(fields, other.In)
		}
	}
	return fields
}

func surfaceFigure(fit surface.Fit, name string, fields []string) *Figure {
	style := Paper
	s := style.sizes()
	f := &Figure{
		Kind: "fit", Name: name, Title: fit.Quantity + " against " + strings.Join(fields, " and "), style: style, wide: true,
		Data: Table{Header: append(slices.Clone(fields), "seeds", "value", "fitted_value")},
	}
	places := slices.Clone(fit.Places)
	slices.SortStableFunc(places, func(a, b surface.Place) int {
		return cmp.Or(slices.Compare(a.X[1:], b.X[1:]), cmp.Compare(a.X[0], b.X[0]))
	})
	curves := panel{x: axis{label: parameterLabel(fields[0]), log: true, margin: 0.05}, y: axis{label: fit.Quantity, log: true, margin: 0.06}}
	collapsed := panel{x: axis{label: "fitted " + fit.Quantity, log: true, margin: 0.06}, y: axis{label: fit.Quantity, log: true, margin: 0.06}}
	var groups [][]surface.Place
	least, most := math.Inf(1), 0.0
	for i, p := range places {
		var row []string
		for _, x := range p.X {
			row = append(row, exact(x))
		}
		f.Data.Rows = append(f.Data.Rows, append(row, strings.Trim(fmt.Sprint(p.Seeds), "[]"), exact(p.Value), exact(p.Fitted)))
		if i == 0 || !slices.Equal(p.X[1:], places[i-1].X[1:]) {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], p)
		least, most = min(least, p.Fitted), max(most, p.Fitted)
	}
	for i, group := range groups {
		look := categories[i%len(categories)]
		var shade color.Color = look.color
		if len(groups) > 1 {
			shade = ramp(plasma, float64(i)/float64(len(groups)-1))
		}
		points := mark{color: shade, shape: look.shape, radius: s.marker}
		line := mark{color: shade, width: s.line}
		across := points
		for _, p := range group {
			points.x, points.y = append(points.x, p.X[0]), append(points.y, p.Value)
			line.x, line.y = append(line.x, p.X[0]), append(line.y, p.Fitted)
			across.x, across.y = append(across.x, p.Fitted), append(across.y, p.Value)
		}
		curves.marks = append(curves.marks, line, points)
		collapsed.marks = append(collapsed.marks, across)
		text := "all"
		for j, field := range fields[1:] {
			if j == 0 {
				text = ""
			}
			text = strings.TrimSpace(text + " " + lastKey(field) + " " + minus(exact(group[0].X[j+1])))
		}
		if len(fields) > 1 && len(groups) <= 12 {
			f.legend = append(f.legend, entry{text: text, mark: &points})
		}
	}
	collapsed.marks = append(collapsed.marks, mark{x: []float64{least, most}, y: []float64{least, most}, color: color.Gray{0x80}, width: s.line})
	f.panels = [][]panel{{curves, collapsed}}
	law := "power law"
	if fit.Model != "" {
		law = "model " + fit.Model
	}
	f.Caption = fmt.Sprintf("Left: %s against %s with the %s. Right: against the fitted value; the line is equality, on which all curves fall where the fit holds.", fit.Quantity, fields[0], strings.ReplaceAll(law, "$", ""))
	f.Alt = fmt.Sprintf("%d values on %d curves against the fit.", len(places), len(groups))
	return f
}
