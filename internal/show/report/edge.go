package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// EdgeFigure draws the largest stable step size against depth, one colour for each of the
// groups that `deeplimit edge` found. Without runs it is nil.
func EdgeFigure(e *analyze.Edge, style Style) (*Figure, error) {
	if err := field.OneOf("style", string(style), string(Paper), string(Slides)); err != nil {
		return nil, err
	}
	if len(e.Runs) == 0 {
		return nil, nil
	}
	var depths []int
	var quantities []quantity
	for _, g := range e.Groups {
		name := fmt.Sprintf("%s, α = %g", g.Data, g.Alpha)
		for _, path := range slices.Sorted(maps.Keys(g.Settings)) {
			if path != "network.alpha" {
				name += ", " + path[strings.LastIndexByte(path, '.')+1:] + " " + g.Settings[path]
			}
		}
		q := quantity{column: "edge_" + g.Group[:min(8, len(g.Group))], text: name}
		for i := range e.Runs {
			if r := &e.Runs[i]; r.Group == g.Group {
				depths = append(depths, r.Depth)
				q.points = append(q.points, depthValue{r.Depth, r.Seed, r.Stable, true})
			}
		}
		quantities = append(quantities, q.fit(g.Measured))
	}
	slices.Sort(depths)
	f := depthFigure(style, "largest stable step size $η$", slices.Compact(depths), quantities)
	f.Kind = "edge"
	return f.describe("edge", "Edge of stability",
		"Step size of gradient descent up to which the loss regains at most a tenth of what it has lost, against depth L; one marker per seed. "+
			"Power laws: slope [95 % interval]; theory has 2α − 1."), nil
}
