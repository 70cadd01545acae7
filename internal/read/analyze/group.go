package analyze

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// A pathQuantity is a number of a path by its key.
type pathQuantity struct {
	key   string
	value func(PathNumbers) float64
}

// ofPath are the quantities of a weight path whose exponents over depth a group has.
var ofPath = []pathQuantity{
	{"max_frobenius", func(n PathNumbers) float64 { return n.MaxFrobenius }},
	{"displacement", func(n PathNumbers) float64 { return n.Displacement }},
	{"max_increment", func(n PathNumbers) float64 { return n.MaxIncrement }},
	{"root_sum_squares", func(n PathNumbers) float64 { return n.RootSumSquares }},
	{"displacement_variation", func(n PathNumbers) float64 { return n.DisplacementVariation }},
}

// newGroup returns what runs that differ in depth and seed alone have in common, as
// far as their own numbers say it; meta is that of one of them.
func newGroup(meta runfolder.Meta, runs []Run) Group {
	group := Group{
		Group: meta.Group, Settings: meta.Settings, Data: meta.Data, Block: meta.Block, Normalise: meta.Normalise,
		Activation: meta.Activation, Alpha: meta.Alpha, Coupled: meta.Coupled,
		Residual: meta.Residual, Imported: meta.Method == runfolder.Imported, Parts: map[string]GroupPath{},
	}
	var sound []Run
	group.noteCopies(runs)
	for _, run := range runs {
		if run.CopyOf != "" {
			continue
		}
		group.Runs++
		group.Depths = append(group.Depths, run.Depth)
		group.Seeds = append(group.Seeds, run.Seed)
		if run.Diverged() {
			group.Diverged++
		} else {
			sound = append(sound, run)
		}
	}
	slices.Sort(group.Depths)
	group.Depths = slices.Compact(group.Depths)
	slices.Sort(group.Seeds)
	group.Seeds = slices.Compact(group.Seeds)
	group.Rate = rateRange(sound)
	group.Notes = append(group.Notes, precisionNotes(meta.DType, runs)...)
	group.Notes = append(group.Notes, cascadeNotes(runs)...)
	if meta.AlphaAssumed && len(group.Depths) > 1 {
		group.Notes = append(group.Notes, fmt.Sprintf(
			"alpha: not stated when the weights were imported, so %g is assumed; with another, a, every exponent of L^β·A is larger by %g − a: import with --alpha, 0 for a network without a factor L^−α before its blocks", meta.Alpha, meta.Alpha))
	}

	for _, part := range parts(&meta, runs[0].Parts) {
		if _, ok := runs[0].Parts[part]; !ok {
			continue // of W at a point of training
		}
		path := group.exponents(sound, part, part == meta.Part())
		group.displacementExponents(&path, sound, part)
		group.Parts[part] = path
	}
	group.GroupPath = group.Parts[meta.Part()]
	if group.Trained() {
		group.Exponents, group.Missing = maps.Clone(group.Exponents), maps.Clone(group.Missing)
		group.fit(&group.GroupPath, "delta", "delta", samplesOf(sound, meanDelta))
		group.fit(&group.GroupPath, "delta_max_frobenius", "delta_max_frobenius", samplesOf(sound, func(r *Run) float64 { return r.DeltaMaxFrobenius }))
	}
	group.AlphaPlusBeta = group.sum()
	if group.Rate == nil {
		group.Missing = maps.Clone(group.Missing)
		group.Missing["rate"] = noRate(runs)
	}
	return group
}

// noRate says why none of the runs has a fit of its loss.
func noRate(runs []Run) string {
	var reasons []string
	for _, run := range runs {
		if !slices.Contains(reasons, run.RateReason) {
			reasons = append(reasons, run.RateReason)
		}
	}
	if len(reasons) == 1 {
		return reasons[0]
	}
	return fmt.Sprintf("%s, and other reasons that the runs give", reasons[0])
}

// Trained reports whether the residual scale δ is trained.
func (g *Group) Trained() bool { return g.Residual != "" && g.Residual != "fixed" }

// sum returns α + β̂, or α̂ + β̂ where δ is trained, which is minus the exponent of their
// product; nil without it.
func (g *Group) sum() *Estimate {
	key, alpha := "max_frobenius", g.Alpha
	if g.Trained() {
		key, alpha = "delta_max_frobenius", 0
	}
	slope, ok := g.Exponents[key]
	if !ok {
		return nil
	}
	e := slope.Estimate()
	e.Value, e.Low, e.High = alpha-e.Value, alpha-e.High, alpha-e.Low
	return &e
}

// exponents returns the slopes and the variation index of one part. Notes name the
// part unless it is the primary one.
func (g *Group) exponents(runs []Run, part string, primary bool) GroupPath {
	path := GroupPath{Exponents: map[string]Slope{}, VariationSlope: map[string]Slope{}, Missing: map[string]string{}, LimitExponents: map[string]scaling.LimitExponent{}}
	path.unsettled("the paths of several depths were not compared")
	prefix := ""
	if !primary {
		prefix = part + ": "
	}
	of := func(value func(PathNumbers) float64) []sample {
		return samplesOf(runs, func(r *Run) float64 { return value(r.Parts[part]) })
	}
	for _, q := range ofPath {
		g.fit(&path, q.key, prefix+q.key, of(q.value))
	}
	if len(runs) == 0 {
		path.unsettled(g.tooFew(nil, 0))
		return path
	}
	for text := range runs[0].Parts[part].PVariation {
		p := exponentOf(text)
		scale := commonScale(runs, part, text, p)
		samples := of(func(n PathNumbers) float64 { return n.scaledVariation(text, p, scale) })
		if slope, missing := g.slope(prefix+"V_"+text, samples); slope != nil {
			slope.Intercept += p * scale * math.Ln2
			path.VariationSlope[text] = *slope
		} else {
			path.Missing["v_"+text] = missing
		}
	}
	if distinctDepths(runs) < 2 {
		path.unsettled(g.tooFew(samplesUsed(of(func(PathNumbers) float64 { return 1 })), 0))
	}
	slices.Sort(g.Notes) // the loop over a map has shuffled them
	return path
}

// commonScale returns the e for which V_p of all runs are powers of roots near 2^e: 0 unless float64 cannot hold
// one of them. A common scale changes no slope.
func commonScale(runs []Run, part, text string, p float64) float64 {
	sum, count, beyond := 0.0, 0.0, false
	for i := range runs {
		root, outside := runs[i].Parts[part].root(text, p)
		beyond = beyond || outside
		if root > 0 && !math.IsInf(root, 0) {
			sum, count = sum+math.Log2(root), count+1
		}
	}
	if !beyond || count == 0 {
		return 0
	}
	return math.Round(sum / count)
}

// root returns V_p^(1/p), and whether float64 cannot hold V_p.
func (n PathNumbers) root(text string, p float64) (root float64, outside bool) {
	if root, ok := n.PVariationRoots[text]; ok {
		return root, true
	}
	return math.Pow(n.PVariation[text], 1/p), false
}

// scaledVariation returns V_p of the path times 2^−e.
func (n PathNumbers) scaledVariation(text string, p, e float64) float64 {
	root, outside := n.root(text, p)
	if e == 0 && !outside {
		return n.PVariation[text]
	}
	return math.Pow(math.Ldexp(root, -int(e)), p)
}

// A sample is a value of a run, which may be one that no logarithm takes.
type sample struct {
	scaling.Sample
	run string
}

func (s sample) usable() bool { return s.Value > 0 && !math.IsInf(s.Value, 0) }

// samplesOf returns one value of every run.
func samplesOf(runs []Run, value func(*Run) float64) []sample {
	samples := make([]sample, len(runs))
	for i := range runs {
		r := &runs[i]
		samples[i] = sample{scaling.Sample{Depth: r.Depth, Seed: r.Seed, Value: value(r)}, r.ID}
	}
	return samples
}

// samplesUsed returns those that a logarithm takes.
func samplesUsed(samples []sample) (used []scaling.Sample) {
	for _, s := range samples {
		if s.usable() {
			used = append(used, s.Sample)
		}
	}
	return used
}

func distinctDepths(runs []Run) int {
	depths := map[int]bool{}
	for i := range runs {
		depths[runs[i].Depth] = true
	}
	return len(depths)
}

// fit puts the slope of one quantity against depth into path, or why there is none.
func (g *Group) fit(path *GroupPath, key, name string, samples []sample) {
	if slope, missing := g.slope(name, samples); slope != nil {
		path.Exponents[key] = *slope
	} else {
		path.Missing[key] = missing
	}
}

// slope returns the slope of a quantity against depth, or why there is none. Runs without a
// positive value are left out with a note.
func (g *Group) slope(name string, samples []sample) (slope *Slope, missing string) {
	var used []scaling.Sample
	left := map[string][]string{} // runs left out, by the reason
	for _, s := range samples {
		if !s.usable() {
			left[s.why()] = append(left[s.why()], s.run)
			continue
		}
		used = append(used, s.Sample)
	}
	for _, why := range slices.Sorted(maps.Keys(left)) {
		g.Notes = append(g.Notes, fmt.Sprintf("%s: left out, as %s: %s", name, why, several(left[why])))
	}
	if !slices.ContainsFunc(used, func(s scaling.Sample) bool { return s.Depth != used[0].Depth }) {
		return nil, g.tooFew(used, len(samples)-len(used))
	}
	fitted, err := scaling.Fit(used)
	if err != nil {
		return nil, err.Error()
	}
	return &fitted, ""
}

// why says why no logarithm takes the value of a sample.
func (s sample) why() string {
	switch {
	case math.IsNaN(s.Value):
		return "the value is not known"
	case math.IsInf(s.Value, 0):
		return "the value is too large for a float64"
	case s.Value == 0:
		return "the value is 0"
	}
	return "the value is negative"
}

// several names runs: "run a", or "9 runs, a, b, c and others".
func several(runs []string) string {
	const most = 3
	if len(runs) == 1 {
		return "run " + runs[0]
	}
	text := fmt.Sprintf("%d runs, ", len(runs))
	if len(runs) <= most {
		return text + enumerate(runs)
	}
	return text + strings.Join(runs[:most], ", ") + " and others"
}

// tooFew says why samples of fewer than two depths are all that there is; without is the
// number of runs that did not diverge and have no positive value.
func (g *Group) tooFew(used []scaling.Sample, without int) string {
	if g.Runs == g.Diverged {
		return everyRun(g.Runs) + " diverged"
	}
	var lost []string
	if g.Diverged > 0 {
		lost = append(lost, fmt.Sprintf("%d of %s diverged", g.Diverged, plain.Count(g.Runs, "run")))
	}
	if without > 0 {
		lost = append(lost, fmt.Sprintf("the value of %s is 0, negative or not known", plain.Count(without, "run")))
	}
	if len(used) == 0 {
		return strings.Join(lost, " and ")
	}
	text := fmt.Sprintf("depth %d is the only one, and an exponent needs two", used[0].Depth)
	if len(lost) > 0 {
		text += ": " + strings.Join(lost, " and ")
	}
	return text
}

// everyRun writes "all 4 runs", "the one run".
func everyRun(n int) string {
	if n == 1 {
		return "the one run"
	}
	return fmt.Sprintf("all %d runs", n)
}

// meanDelta returns Run.MeanDelta, NaN where it is not known.
func meanDelta(r *Run) float64 { return orNaN(r.MeanDelta) }

// rateRange returns the spread of the fits over the runs that have one, nil if none has.
func rateRange(runs []Run) *RateRange {
	spread := &RateRange{MinR2: math.Inf(1), Runs: len(runs)}
	for _, run := range runs {
		rate := run.Rate
		if rate == nil {
			continue
		}
		spread.Fitted++
		spread.MinR2 = min(spread.MinR2, rate.R2)
		if !rate.Linear {
			continue
		}
		if spread.Linear++; spread.Linear == 1 {
			low, high := rate.Rho, rate.Rho
			spread.MinRho, spread.MaxRho = &low, &high
		}
		*spread.MinRho = min(*spread.MinRho, rate.Rho)
		*spread.MaxRho = max(*spread.MaxRho, rate.Rho)
	}
	if spread.Fitted == 0 {
		return nil
	}
	return spread
}
