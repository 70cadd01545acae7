package report

import (
	"cmp"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
)

// of returns a view of the group in which the displacement stands in the place of the weights, for figures of paths.
func (g group) of(source runfolder.Source) group {
	if source != runfolder.FromDisplacement {
		return g
	}
	g.source, g.Group = source, g.Group.Of(source)
	runs := g.runs
	g.runs = nil
	for _, r := range runs {
		r.Run = r.Run.Of(source)
		g.runs = append(g.runs, r)
	}
	curves := g.paths
	g.paths = nil
	for _, c := range curves {
		if c.displacement == nil {
			continue
		}
		if c.norms != nil {
			moved := c.norms.Parts[c.part].Displacement
			c.norms = &runfolder.Norms{
				Iterations: c.norms.Iterations,
				Parts:      map[string]runfolder.LayerNorms{analyze.Displaced: {Frobenius: moved, Displacement: moved}},
			}
		}
		c.part, c.trained, c.displacement, c.partition = analyze.Displaced, c.displacement, nil, c.moved
		g.paths = append(g.paths, c)
	}
	return g
}

// along returns V_p of a run along training, for p as text.
func (g group) along(r run, p string) (series, bool) {
	c, ok := r.variation[cmp.Or(g.source, runfolder.FromWeights).Key("v_"+p)]
	return c, ok
}

// says tells in a figure of displacements what it is of.
func (f *Figure) says(g group) {
	if g.source != runfolder.FromDisplacement {
		return
	}
	g.source = ""
	part := primaryPart(g)
	f.Name, f.Title = f.Kind+"-displacement-"+g.slug, f.Title+" of the displacement"
	f.Caption += " Here U = " + part + "(T) − " + part + "(0), what training has added to the weights."
}
