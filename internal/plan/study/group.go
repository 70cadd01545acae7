package study

import (
	"maps"

	"github.com/deeplimit/deeplimit/resnet"
)

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
	if p.base == nil {
		return run.group(p.data.Seed != nil, p.patternOf(run), nil)
	}
	same := *run
	same.Train = p.base.run.Train
	initial, err := p.base.doc.Initial.Resolve(run.Network, run.Depth)
	if err != nil {
		return run.group(p.data.Seed != nil, p.patternOf(run), nil)
	}
	same.Initial = initial
	return same.group(p.data.Seed != nil, p.base.patternOf(run), p.texts)
}
