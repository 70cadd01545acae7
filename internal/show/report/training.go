package report

import (
	"slices"
)

// trainingFigure draws the iterations that training takes from rebuilt networks and from scratch.
func trainingFigure(g group, style Style) *Figure {
	if g.Transfer == nil {
		return nil
	}
	rebuilt := quantity{column: "rebuilt", text: "from the rebuilt network"}
	scratch := quantity{column: "scratch", text: "from initial weights"}
	var depths []int
	for _, l := range g.Transfer.Losses {
		if l.Training == nil {
			continue
		}
		depths = append(depths, l.Depth)
		rebuilt.points = append(rebuilt.points, depthValue{l.Depth, l.Seed, float64(l.Training.Rebuilt.Iterations), true})
		if s := l.Training.Scratch; s != nil {
			scratch.points = append(scratch.points, depthValue{l.Depth, l.Seed, float64(s.Iterations), true})
		}
	}
	if len(depths) == 0 {
		return nil
	}
	slices.Sort(depths)
	quantities := []quantity{rebuilt}
	if len(scratch.points) > 0 {
		quantities = append(quantities, scratch)
	}
	f := depthFigure(style, "iterations", slices.Compact(depths), quantities)
	return f.describe("training-"+g.slug, "Training from a rebuilt network",
		"Iterations until the run's own stopping rule holds, of networks rebuilt at another depth from the limit of the trend, and of "+
			"networks of that depth trained from scratch; one marker per seed.")
}
