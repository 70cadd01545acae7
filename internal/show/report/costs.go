package report

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// lossTimeFigure draws the loss against the wall clock; nil without two times.
func lossTimeFigure(g group, style Style) *Figure {
	f := g.lossAgainst(style, axis{label: "wall time [s]"}, "seconds", func(r run) []float64 { return r.seconds })
	return f.name("loss-time-"+g.slug, "Loss against wall time",
		"Loss J against the wall clock since the start of training for %s, one line per run. Times depend on the machine and on what else it did; all else is reproducible.", g)
}

// lossEpochsFigure draws the loss against epochs of runs with mini-batches; nil without any.
func lossEpochsFigure(g group, style Style) *Figure {
	f := g.lossAgainst(style, axis{label: "epoch"}, "epoch", func(r run) []float64 {
		if r.meta == nil || r.meta.Batch == 0 || r.meta.Samples == 0 {
			return nil
		}
		steps := (r.meta.Samples + r.meta.Batch - 1) / r.meta.Batch
		return scaled(r.iteration, 1/float64(steps))
	})
	return f.name("loss-epochs-"+g.slug, "Loss against epochs",
		"Loss J over all training samples against epochs, passes over the samples in mini-batches, for %s, one line per run.", g)
}

// lossLayersFigure draws the loss against layer-iterations, what training to it cost; nil where all runs are of one depth.
func lossLayersFigure(g group, style Style) *Figure {
	if len(g.depths()) < 2 && !slices.ContainsFunc(g.runs, func(r run) bool { return len(r.Levels) > 0 }) {
		return nil
	}
	f := g.lossAgainst(style, axis{label: "layer-iterations", log: true, margin: 0.03}, "layer_iterations", run.layerIterations)
	return f.name("loss-layers-"+g.slug, "Loss against layer-iterations",
		"Loss J against the sum of depth times steps so far, what training to it cost, for %s, one line per run. On a vertical line, runs cost the same.", g)
}

// layerIterations returns the sum of depth times steps up to every recorded loss; that of a cascade is over its levels.
func (r run) layerIterations() []float64 {
	if len(r.Levels) == 0 {
		return scaled(r.iteration, float64(r.Depth))
	}
	out := make([]float64, len(r.iteration))
	for i, t := range r.iteration {
		for _, level := range r.Levels {
			out[i] += float64(level.Depth) * min(max(t-float64(level.First), 0), float64(level.Iterations))
		}
	}
	return out
}

func scaled(values []float64, by float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = by * v
	}
	return out
}

// lossAgainst draws the loss of every run over what at returns for its recorded losses; nil where no run has two of them.
func (g group) lossAgainst(style Style, x axis, column string, at func(run) []float64) *Figure {
	s, depths := style.sizes(), g.depths()
	f := &Figure{style: style, Data: Table{Header: []string{"depth", "seed", "iteration", column, "loss"}}}
	p := panel{x: x, y: axis{label: "loss $J$", log: true}}
	p.y.low, p.y.high = lossRange(g.runs)
	most, shown := 0.0, []int{}
	for _, r := range g.runs {
		places := at(r)
		if len(places) != len(r.loss) || len(places) < 2 {
			continue
		}
		most = max(most, slices.Max(places))
		p.marks = append(p.marks, mark{x: places, y: r.loss, width: s.line, color: depthColor(r.Depth, depths[0], depths[len(depths)-1])})
		if !slices.Contains(shown, r.Depth) {
			shown = append(shown, r.Depth)
		}
		for i, place := range places {
			f.Data.Rows = append(f.Data.Rows, []string{strconv.Itoa(r.Depth), strconv.FormatUint(r.Seed, 10), exact(r.iteration[i]), exact(place), exact(r.loss[i])})
		}
	}
	if !(most > 0) {
		return nil
	}
	if !p.x.log {
		p.x.low, p.x.high = 0, 1.02*most
	}
	f.panels, f.legend = [][]panel{{p}}, depthLegend(analyze.Evenly(shown, 12), depths, s)
	f.Alt = lossAlt(g)
	return f
}

// name names a figure of the loss of a group, whose caption has the place of its depths; nil for none.
func (f *Figure) name(name, title, caption string, g group) *Figure {
	if f != nil {
		f.Name, f.Title, f.Caption = name, title, fmt.Sprintf(caption, depthText(g.depths()))
	}
	return f
}
