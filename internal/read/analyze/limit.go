package analyze

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// regimeDepth is the smallest depth that scaling.Regime takes.
const regimeDepth = 8

// compareDepths adds what needs the paths of several depths side by side, and what
// `deeplimit transfer` left in the run folders: regime, limit and transfer. Files are
// read once more, seed after seed, as all paths of a study need not fit into memory.
// The error is that of ctx, or of a file that has become unreadable since.
func (g *Group) compareDepths(ctx context.Context, dirs []string, outcomes []outcome, memory int64) error {
	members := g.members(dirs, outcomes)
	g.Transfer = g.transfer(members)
	members = slices.DeleteFunc(members, func(m member) bool { return m.outcome.run.Diverged() })
	if !severalDepths(members) {
		return nil // nothing to compare: no need to read the weights again
	}
	members = g.fitting(members, memory)
	if len(members) == 0 {
		return nil
	}
	parts := parts(&members[0].outcome.meta, g.Parts)
	paths := map[string][]scaling.DepthPath{}
	distances := map[string][]LimitDistance{}
	var before *layers // the weights of the run before in this loop
	for _, m := range members {
		if err := ctx.Err(); err != nil {
			return err
		}
		now, err := m.read(parts)
		if err != nil {
			return err
		}
		for _, part := range parts {
			paths[part] = append(paths[part], scaling.DepthPath{Depth: now.depth, Seed: now.seed, Path: now.paths[part]})
			if before == nil || before.seed != now.seed {
				continue
			}
			d, err := distance(before, now, part)
			if err != nil {
				g.Notes = append(g.Notes, fmt.Sprintf("limit: %s: run %s: %v", part, m.outcome.run.ID, err))
				continue
			}
			distances[part] = append(distances[part], d)
		}
		before = now
	}
	for _, part := range parts {
		path := g.Parts[part]
		var missing string
		if path.Regime, missing = g.regime(paths[part]); missing != "" {
			path.Missing["regime"] = missing
		} else {
			path.Regime.Reason, path.Regime.Warning = path.Regime.reason("").words, path.Regime.warning("", path.VariationIndex).words
		}
		path.Limit = g.limit(part, distances[part])
		if path.Limit != nil && g.Coupled {
			g.deepest(part, path.Limit, paths[part])
		}
		g.Parts[part] = path
	}
	primary := g.Parts[members[0].outcome.meta.Part()]
	g.Regime, g.Limit = primary.Regime, primary.Limit
	if missing, ok := primary.Missing["regime"]; ok {
		g.Missing["regime"] = missing // the maps are two where δ is trained
	}
	return nil
}

// A member is a run of the group with its folder.
type member struct {
	dir     string
	outcome *outcome
}

// members returns the finished runs of the group that count, by seed and then depth.
func (g *Group) members(dirs []string, outcomes []outcome) []member {
	var members []member
	for i := range outcomes {
		if o := &outcomes[i]; o.err == nil && !o.unfinished && o.run.Group == g.Group && o.run.CopyOf == "" {
			members = append(members, member{dirs[i], o})
		}
	}
	slices.SortStableFunc(members, func(a, b member) int {
		return cmp.Or(cmp.Compare(a.outcome.run.Seed, b.outcome.run.Seed), cmp.Compare(a.outcome.run.Depth, b.outcome.run.Depth))
	})
	return members
}

func severalDepths(members []member) bool {
	return slices.ContainsFunc(members, func(m member) bool { return m.outcome.run.Depth != members[0].outcome.run.Depth })
}

// fitting returns the members of as many seeds, from the first, as have paths that
// fit into memory; a note names the rest.
func (g *Group) fitting(members []member, memory int64) []member {
	bytes := int64(0)
	for i, m := range members {
		bytes += pathBytes(&m.outcome.meta)
		if bytes <= memory {
			continue
		}
		seed := m.outcome.run.Seed
		for i > 0 && members[i-1].outcome.run.Seed == seed {
			i--
		}
		g.Notes = append(g.Notes, fmt.Sprintf("regime and limit: left out from seed %d on: the weight paths take more than the %.3g GB kept in memory", seed, float64(memory)/1e9))
		return members[:i]
	}
	return members
}

// pathBytes returns the memory that the weight paths of a run take.
func pathBytes(meta *runfolder.Meta) int64 {
	width, hidden := int64(meta.Width), int64(meta.Width)
	if meta.Block == "mlp" {
		hidden = 2 * int64(meta.Hidden) // V and W
	}
	return 8 * int64(meta.Depth) * width * hidden
}

// layers are the rescaled paths of a run by part, and its displacements, where known.
type layers struct {
	depth         int
	seed          uint64
	paths         map[string]pvar.Points
	displacements map[string]pvar.Points
}

// read reads the weights of a run again.
func (m member) read(parts []string) (*layers, error) {
	folder, err := runfolder.Open(m.dir)
	if err != nil {
		return nil, err
	}
	weights, err := folder.Weights()
	if err != nil {
		return nil, err
	}
	l := &layers{
		depth: folder.Meta.Depth, seed: folder.Meta.Seed,
		paths: map[string]pvar.Points{}, displacements: map[string]pvar.Points{},
	}
	factor := math.Pow(float64(l.depth), folder.Meta.Beta())
	for _, part := range parts {
		path, err := weights.Path(part)
		if err != nil {
			return nil, err
		}
		l.paths[part] = points(path.Rescaled(factor))
		initial, err := weights.Path(part + initialSuffix)
		if err != nil {
			continue // the run's notes say so
		}
		if displacement, err := path.Sub(initial); err == nil {
			l.displacements[part] = points(displacement.Rescaled(factor))
		}
	}
	return l, nil
}

// distance returns how far the paths of one part are apart at two depths.
func distance(coarse, fine *layers, part string) (LimitDistance, error) {
	d := LimitDistance{Depth: coarse.depth, Next: fine.depth, Seed: coarse.seed}
	var err error
	if d.Integral, err = scaling.IntegralDistance(coarse.paths[part], fine.paths[part]); err != nil {
		return d, err
	}
	if finite(d.Integral) == nil {
		return d, fmt.Errorf("the integral distance is %v: the weights are too large", d.Integral)
	}
	a, known := coarse.displacements[part]
	b, also := fine.displacements[part]
	if known && also {
		l2, err := scaling.L2Distance(a, b)
		if err != nil {
			return d, err
		}
		d.Displacement = finite(l2)
	}
	return d, nil
}

// regime returns the verdict on the paths of one part, or why there is none.
func (g *Group) regime(paths []scaling.DepthPath) (regime *Regime, missing string) {
	depths := map[int]bool{}
	paths = slices.DeleteFunc(slices.Clone(paths), func(p scaling.DepthPath) bool { return p.Depth < regimeDepth })
	for _, p := range paths {
		depths[p.Depth] = true
	}
	if len(depths) < 2 {
		return nil, fmt.Sprintf("%s of %d layers or more, and a regime needs two", countOf(len(depths), "depth"), regimeDepth)
	}
	v, err := scaling.Regime(paths)
	if err != nil {
		return nil, err.Error()
	}
	r := &Regime{Verdict: v.Kind, Rule: v.Rule, Doubts: v.Doubts, Evidence: v.Evidence}
	for _, known := range evidenceNames {
		r.slope(known.statistic).Residuals = nil // of numbers that the result does not hold
	}
	return r, ""
}

// limit fits the distances of one part; nil when there are none.
func (g *Group) limit(part string, distances []LimitDistance) *Limit {
	if len(distances) == 0 {
		return nil
	}
	slices.SortStableFunc(distances, func(a, b LimitDistance) int {
		return cmp.Or(cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Seed, b.Seed))
	})
	limit := &Limit{Distances: distances}
	if !g.Coupled {
		return limit
	}
	var integrals, displacements []sample
	for _, d := range distances {
		at := func(v float64) sample {
			return sample{scaling.Sample{Depth: d.Depth, Seed: d.Seed, Value: v}, fmt.Sprintf("of depths %d and %d, seed %d,", d.Depth, d.Next, d.Seed)}
		}
		integrals = append(integrals, at(d.Integral))
		if d.Displacement != nil {
			displacements = append(displacements, at(*d.Displacement))
		}
	}
	limit.Integral, _ = g.slope("limit: "+part+": integral distance", integrals)
	limit.Displacement, _ = g.slope("limit: "+part+": distance of displacements", displacements)
	return limit
}

// deepest fills in the distances to the deepest run of each seed.
func (g *Group) deepest(part string, limit *Limit, paths []scaling.DepthPath) {
	samples, err := scaling.DeepestDistances(paths, scaling.L2Distance)
	if err != nil {
		g.Notes = append(g.Notes, fmt.Sprintf("limit: %s: %v", part, err))
		return
	}
	slices.SortStableFunc(samples, func(a, b scaling.Sample) int {
		return cmp.Or(cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Seed, b.Seed))
	})
	most := slices.MaxFunc(paths, func(a, b scaling.DepthPath) int { return cmp.Compare(a.Depth, b.Depth) }).Depth
	var fitted []sample
	for _, s := range samples {
		if finite(s.Value) == nil {
			g.Notes = append(g.Notes, fmt.Sprintf("limit: %s: depth %d, seed %d: the L² distance to the deepest run is %v: the weights are too large", part, s.Depth, s.Seed, s.Value))
			continue
		}
		limit.Deepest = append(limit.Deepest, DeepestDistance{s.Depth, s.Seed, s.Value})
		if 8*s.Depth <= most {
			fitted = append(fitted, sample{s, fmt.Sprintf("of depth %d, seed %d,", s.Depth, s.Seed)})
		}
	}
	limit.ToDeepest, _ = g.slope("limit: "+part+": distance to the deepest run", fitted)
}

// transfer gathers the losses of rebuilt networks; nil when there are none.
func (g *Group) transfer(members []member) *Transfer {
	t := &Transfer{Losses: []TransferLoss{}}
	var trend, redrawn, own []sample
	found := false
	for _, m := range members {
		stored, run := m.outcome.transfer, &m.outcome.run
		if stored == nil {
			continue
		}
		found = true
		excess := func(depth int, loss float64) sample {
			return sample{scaling.Sample{Depth: depth, Seed: run.Seed, Value: loss - run.Loss}, fmt.Sprintf("%s, rebuilt at depth %d,", run.ID, depth)}
		}
		own = append(own, excess(run.Depth, stored.TrendLoss))
		for _, target := range stored.Targets {
			loss := TransferLoss{Depth: target.Depth, Seed: run.Seed, Sources: stored.Sources, Trained: run.Loss, Trend: finite(target.Trend), Training: target.Training}
			trend = append(trend, excess(target.Depth, target.Trend))
			if target.Redrawn != nil {
				loss.Redrawn = finite(*target.Redrawn)
				redrawn = append(redrawn, excess(target.Depth, *target.Redrawn))
			}
			t.Losses = append(t.Losses, loss)
		}
	}
	if !found {
		return nil
	}
	slices.SortStableFunc(t.Losses, func(a, b TransferLoss) int {
		return cmp.Or(cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Seed, b.Seed))
	})
	t.Trend, _ = g.slope("transfer: excess loss of the trend", trend)
	t.Redrawn, _ = g.slope("transfer: excess loss with redrawn initial weights", redrawn)
	t.TrendOnly, _ = g.slope("transfer: excess loss of a run's own trend", own)
	return t
}
