package study

import (
	"maps"
	"strings"

	"github.com/deeplimit/deeplimit/resnet"
)

// without returns the point with the expressions of depth in initial and train left out, nil
// where there are none, or where the rest cannot stand alone: runs then have a group for each depth.
func (r *resolver) without(p *point, formulas []formula, depth int) (*point, map[string]string) {
	texts := map[string]string{}
	var left []formula
	for _, f := range formulas {
		if section, _, _ := strings.Cut(f.path, "."); f.Uses("depth") && (section == "initial" || section == "train") {
			texts[f.path] = f.String()
			left = append(left, f)
		}
	}
	if len(left) == 0 {
		return nil, nil
	}
	base := *p
	base.tree = without(p.tree, left)
	var d decoder
	base.decode(&d)
	alone := resolver{study: r.study, dimensions: r.dimensions, digests: r.digests, hashes: map[string]string{}, names: map[string]string{}}
	if len(d.list) > 0 || !alone.sections(&base) {
		return nil, nil
	}
	return &base, texts
}

// patternOf returns the pattern with the groups that the run takes from the section's file besides.
func (p *point) patternOf(run *Run) resnet.Initial {
	pattern := p.pattern
	for name := range run.Initial.Parts {
		if part, ok := pattern.Parts[name]; !ok || part.Path == "" && run.Initial.Parts[name].Path != "" {
			pattern.Parts = maps.Clone(pattern.Parts)
			pattern.Parts[name] = resnet.Initial{Kind: "file", Path: p.doc.Initial.Path}
		}
	}
	return pattern
}

// group returns the run's Group: where initial and train depend on depth, with the texts of the
// expressions in the place of their numbers.
func (r *resolver) group(p *point, run *Run) string {
	seeded := p.data.Seed != nil
	if p.base == nil {
		return run.group(seeded, p.patternOf(run), nil)
	}
	same := *run
	same.Train = p.base.run.Train
	initial, err := p.base.initial(run.Depth)
	if err == nil {
		initial, err = p.base.doc.Initial.WithFile(initial, run.Network, run.Depth, run.Base)
	}
	if err != nil {
		return run.group(seeded, p.patternOf(run), nil)
	}
	same.Initial = initial
	return same.group(seeded, p.base.patternOf(&same), p.texts)
}
