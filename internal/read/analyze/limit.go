package analyze

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// regimeDepth is the smallest depth that scaling.Infer takes.
const regimeDepth = scaling.MinSplit

// compareDepths adds what needs the paths of several depths side by side, and what
// `deeplimit transfer` left in the run folders: regime, limit and transfer. members are the
// runs of the group, sorted by seed and then depth; note says whose layers were not kept.
func (g *Group) compareDepths(members []*outcome, note string) error {
	members = slices.DeleteFunc(slices.Clone(members), func(o *outcome) bool { return o.err != nil || o.run.CopyOf != "" })
	g.Transfer = g.transfer(members)
	members = slices.DeleteFunc(members, func(o *outcome) bool { return o.run.Diverged() })
	if !severalDepths(members) {
		return nil
	}
	if note != "" {
		g.Notes = append(g.Notes, note)
	}
	members = slices.DeleteFunc(members, func(o *outcome) bool { return o.layers == nil })
	if len(members) == 0 {
		return nil
	}
	parts := parts(members[0].meta(), g.Parts)
	paths := map[string]partPaths{}
	distances := map[string][]LimitDistance{}
	var before *layers // the weights of the run before in this loop
	for _, o := range members {
		now := o.layers
		for _, part := range parts {
			if _, ok := now.paths[part]; !ok {
				_, err := runfolder.Weights{}.Path(part)
				return fmt.Errorf("run %s: %w", o.run.ID, err)
			}
			paths[part] = paths[part].with(now, part)
			if before == nil || before.seed != now.seed {
				continue
			}
			d, err := distance(before, now, part)
			if err != nil {
				g.Notes = append(g.Notes, fmt.Sprintf("limit: %s: run %s: %v", part, o.run.ID, err))
				continue
			}
			distances[part] = append(distances[part], d)
		}
		before = now
	}
	for _, part := range parts {
		path := g.Parts[part]
		if missing := g.comparable(paths[part].weights); missing != "" {
			path.unsettled(missing)
			path.Regime.measure(deepEnough(paths[part].weights))
			if path.Displacement != nil {
				path.Displacement.unsettled(missing)
				path.Displacement.Regime.measure(deepEnough(paths[part].moved))
			}
		} else {
			g.infer(&path, part, paths[part].deepEnough(), members[0].meta().Beta(), runsOf(members))
		}
		path.Limit = g.limit(part, distances[part])
		if path.Limit != nil && g.Coupled {
			g.deepest(part, path.Limit, paths[part].weights)
		}
		g.Parts[part] = path
	}
	primary := g.Parts[members[0].meta().Part()]
	g.Regime, g.Limit, g.Mixture = primary.Regime, primary.Limit, primary.Mixture
	g.LimitExponents, g.VariationIndex = primary.LimitExponents, primary.VariationIndex
	if missing, ok := primary.Missing["variation_index"]; ok {
		g.Missing["variation_index"] = missing // the maps may be two
	} else {
		delete(g.Missing, "variation_index")
	}
	for _, part := range parts {
		if path := g.Parts[part]; path.Regime.told() {
			path.Regime.Why = g.why("", &path).words
			if moved := path.Displacement; moved != nil && moved.Regime.told() {
				moved.Regime.Why = g.why("", moved).words
			}
		}
	}
	return nil
}

// severalDepths reports whether runs are of more than one depth, as their run.json say.
func severalDepths(members []*outcome) bool {
	return slices.ContainsFunc(members, func(o *outcome) bool { return o.meta().Depth != members[0].meta().Depth })
}

// keepLayers marks those of members, sorted by seed and depth, whose paths are kept to be
// compared: as many seeds, from the first, as fit into memory. It returns the bytes that they
// take and a note that names the rest, "" without any.
func keepLayers(members []*outcome, memory int64) (bytes int64, note string) {
	var sound []*outcome
	for _, o := range members {
		if !o.diverged() {
			sound = append(sound, o)
		}
	}
	if len(sound) == 0 || !severalDepths(sound) {
		return 0, ""
	}
	fit := len(sound)
	for i, o := range sound {
		if bytes += pathBytes(o.meta()); bytes <= memory {
			continue
		}
		seed := o.meta().Seed
		for fit = i; fit > 0 && sound[fit-1].meta().Seed == seed; {
			fit--
		}
		note = fmt.Sprintf("regime and limit: left out from seed %d on: the weight paths take more than the %.3g GB kept in memory", seed, float64(memory)/1e9)
		break
	}
	bytes = 0
	for _, o := range sound[:fit] {
		bytes += pathBytes(o.meta())
		o.keep = true
	}
	return bytes, note
}

// pathBytes returns the memory that the weight paths of a run take, with its displacements
// where the run was trained here.
func pathBytes(meta *runfolder.Meta) int64 {
	width, hidden, kept := int64(meta.Width), int64(meta.Width), int64(2)
	if meta.Block == "mlp" {
		hidden = 2 * int64(meta.Hidden) // V and W
	}
	if meta.Method == runfolder.Imported {
		kept = 1
	}
	return 8 * kept * int64(meta.Depth) * width * hidden
}

// layers are the rescaled paths of a run by part, and its displacements, where known.
type layers struct {
	depth         int
	seed          uint64
	paths         map[string]pvar.Points
	displacements map[string]pvar.Points
	rounding      map[string]float64
}

// newLayers returns the rescaled paths of a run.
func newLayers(meta *runfolder.Meta, weights runfolder.Weights) (*layers, error) {
	l := &layers{
		depth: meta.Depth, seed: meta.Seed,
		paths: map[string]pvar.Points{}, displacements: map[string]pvar.Points{}, rounding: map[string]float64{},
	}
	factor := math.Pow(float64(l.depth), meta.Beta())
	for _, part := range parts(meta, weights.Tensors) {
		path, err := weights.Path(part)
		if err != nil {
			return nil, err
		}
		l.rounding[part] = rounding(path.Data)
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

// with adds the paths of one run.
func (p partPaths) with(l *layers, part string) partPaths {
	p.weights = append(p.weights, scaling.DepthPath{Depth: l.depth, Seed: l.seed, Path: l.paths[part]})
	if moved, known := l.displacements[part]; known && len(p.moved) == len(p.weights)-1 {
		p.moved = append(p.moved, scaling.DepthPath{Depth: l.depth, Seed: l.seed, Path: moved})
	}
	p.rounding = max(p.rounding, l.rounding[part])
	return p
}

// deepEnough returns the paths that scaling.Infer takes.
func (p partPaths) deepEnough() partPaths {
	if len(p.moved) < len(p.weights) {
		p.moved = nil
	}
	p.weights, p.moved = deepEnough(p.weights), deepEnough(p.moved)
	return p
}

// deepEnough returns the paths that scaling.Infer takes.
func deepEnough(paths []scaling.DepthPath) []scaling.DepthPath {
	return slices.DeleteFunc(slices.Clone(paths), func(p scaling.DepthPath) bool { return p.Depth < regimeDepth })
}

// comparable says why the paths of one part are too few for a regime, "" where they are not.
func (g *Group) comparable(paths []scaling.DepthPath) string {
	depths, seeds := map[int]bool{}, map[uint64]bool{}
	for _, p := range deepEnough(paths) {
		depths[p.Depth], seeds[p.Seed] = true, true
	}
	if len(depths) < 3 || len(seeds) < 2 {
		return fmt.Sprintf("%s of %d layers or more and %s, and a limit needs three and two", plain.Count(len(depths), "depth"), regimeDepth, plain.Count(len(seeds), "seed"))
	}
	return ""
}

// runsOf returns the runs of members.
func runsOf(members []*outcome) []Run {
	runs := make([]Run, len(members))
	for i, o := range members {
		runs[i] = o.run
	}
	return runs
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
func (g *Group) transfer(members []*outcome) *Transfer {
	t := &Transfer{Losses: []TransferLoss{}}
	var trend, redrawn, own []sample
	found := false
	for _, o := range members {
		stored, run := o.transfer, &o.run
		if stored == nil {
			continue
		}
		found = true
		excess := func(depth int, loss float64) sample {
			return sample{scaling.Sample{Depth: depth, Seed: run.Seed, Value: loss - run.Loss}, fmt.Sprintf("%s, rebuilt at depth %d,", run.ID, depth)}
		}
		own = append(own, excess(run.Depth, stored.TrendLoss))
		if len(stored.Orders) > 0 {
			t.Orders = stored.Orders
		}
		for _, target := range stored.Targets {
			loss := TransferLoss{Depth: target.Depth, Seed: run.Seed, Sources: stored.Sources, Trained: run.Loss, Trend: finite(target.Trend), Training: target.Training, LossLimit: stored.LossLimit, Errors: target.Errors}
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
	t.LimitExponents = map[string]scaling.LimitExponent{}
	fit := func(key, name string, samples []sample) (window *Slope) {
		if window, _ = g.slope("transfer: excess loss "+name, samples); window != nil {
			if x := averaged(samples, math.NaN()); x != nil {
				t.LimitExponents[key] = *x
			}
		}
		return window
	}
	t.Trend = fit("trend", "of the trend", trend)
	t.Redrawn = fit("redrawn", "with redrawn initial weights", redrawn)
	t.TrendOnly = fit("trend_only", "of a run's own trend", own)
	return t
}
