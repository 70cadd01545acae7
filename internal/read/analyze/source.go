package analyze

import "github.com/deeplimit/deeplimit/runfolder"

// The weights and the displacement from the start have the same statistics. What one code finds of the weights it
// finds of the displacement when it is given a view of the runs in which the displacement stands in their place.

// Of returns the numbers of a source, nil where they are not known.
func (n *PathNumbers) Of(source runfolder.Source) *PathNumbers {
	if source == runfolder.FromDisplacement {
		return n.DisplacementPath
	}
	return n
}

// Of returns what depth says of a source, nil where it is not known.
func (g *GroupPath) Of(source runfolder.Source) *GroupPath {
	if source == runfolder.FromDisplacement {
		return g.Displacement
	}
	return g
}

// Of returns a view of the run in which the numbers of a source stand in the place of those of the weights: parts
// without them are left out.
func (r Run) Of(source runfolder.Source) Run {
	if source == runfolder.FromWeights {
		return r
	}
	all, primary := r.Parts, r.PathNumbers.Of(source)
	r.Parts, r.PathNumbers = map[string]PathNumbers{}, PathNumbers{}
	if primary != nil {
		r.PathNumbers = *primary
	}
	for part, numbers := range all {
		if n := numbers.Of(source); n != nil {
			r.Parts[part] = *n
		}
	}
	return r
}

// Of returns a view of the group likewise. Its distances, losses and rates are those of the runs.
func (g Group) Of(source runfolder.Source) Group {
	if source == runfolder.FromWeights {
		return g
	}
	limit, all := g.Limit, g.Parts
	g.Parts, g.GroupPath = map[string]GroupPath{}, GroupPath{Missing: g.Missing}
	for part, path := range all {
		if moved := path.Of(source); moved != nil {
			g.Parts[part] = *moved
		}
	}
	if moved, ok := g.Parts[g.part()]; ok {
		g.GroupPath = moved
	}
	g.Limit, g.AlphaPlusBeta = limit, nil
	return g
}

// displaced returns views of the runs for the displacement of a part, nil unless all of them have one that is not zero.
func displaced(runs []Run, part string) []Run {
	views := make([]Run, len(runs))
	for i := range runs {
		views[i] = runs[i].Of(runfolder.FromDisplacement)
		if n, ok := views[i].Parts[part]; !ok || !(n.MaxFrobenius > 0) {
			return nil
		}
	}
	return views
}

// aside is the group as it looks at displacements: what it says of the weights, such as notes on runs that are left
// out, is said already.
func (g *Group) aside() *Group {
	scratch := *g
	scratch.Notes, scratch.Next = nil, nil
	return &scratch
}

// displacementExponents fills in the slopes of the displacement of one part.
func (g *Group) displacementExponents(path *GroupPath, runs []Run, part string) {
	views := displaced(runs, part)
	if len(views) == 0 {
		return
	}
	moved := g.aside().exponents(views, part, true)
	for _, own := range []string{"displacement", "displacement_variation"} {
		delete(moved.Missing, own) // of a displacement
	}
	path.Displacement = &moved
}
