package analyze

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/scaling"
)

// Slow is the exponent below which growth is called slow, in words that say so.
const Slow = 0.1

// Sentences says what the group shows as text that a paper can take over: what it rests on,
// every exponent with its interval, what is missing and why, and what speaks against it.
func (g *Group) Sentences() []Sentence {
	w := &writer{group: g}
	w.runs()
	w.laws()
	for _, part := range slices.Sorted(maps.Keys(g.Parts)) {
		w.limits(part)
	}
	w.transfer()
	w.rate()
	w.warnings()
	return w.sentences
}

// A writer collects the sentences on a group.
type writer struct {
	group     *Group
	basis     *scaling.Basis // that the sentences on exponents speak of, nil before
	warned    []warned
	sentences []Sentence
}

// warned is an estimate with a warning.
type warned struct{ name, path, warning string }

func (w *writer) add(p phrase) { w.sentences = append(w.sentences, p.sentence()) }

// part returns the name of the primary weights.
func (g *Group) part() string {
	if g.Block == "mlp" {
		return "V"
	}
	return "A"
}

// runs says what there is.
func (w *writer) runs() {
	g := w.group
	what := "%s finished at %s with %s"
	if g.Imported {
		what = "%s with imported weights at %s with %s"
	}
	p := say(what, counted("/runs", g.Runs, "run"), listed("/depths", g.Depths), counted("/seeds/#", len(g.Seeds), "seed"))
	if g.Diverged > 0 {
		p = say("%s; left out as diverged: %s", p, integer("/diverged", g.Diverged))
	}
	w.add(p)
}

// laws says how norms and variations go with depth.
func (w *writer) laws() {
	g := w.group
	if len(g.Exponents)+len(g.VariationSlope) == 0 {
		w.add(say("There are no exponents: %s", quote("/missing/max_frobenius", g.Missing["max_frobenius"])))
		return
	}
	for _, key := range []string{"max_frobenius", "delta", "delta_max_frobenius"} {
		w.law("/exponents/"+key, QuantityOf(key, g.part()), g.Exponents, key, g.Missing[key])
	}
	if sum := g.AlphaPlusBeta; sum != nil {
		p := say("α + β̂ = %s at the fixed α = %s", estimate("/alpha_plus_beta_estimate", "value", *sum), value("/alpha", plainNumber(g.Alpha)))
		if g.Trained() {
			p = say("α̂ + β̂ = %s, minus the exponent of that product", estimate("/alpha_plus_beta_estimate", "value", *sum))
		}
		w.add(p)
	}
	for _, p := range []string{"1", "2"} {
		w.law("/variation_slopes/"+p, QuantityOf("v_"+p, g.part()), g.VariationSlope, p, g.Missing["v_"+p])
	}
}

// law says how a quantity goes with depth, or why that is not known.
func (w *writer) law(path string, q Quantity, slopes map[string]Slope, key, missing string) {
	s, ok := slopes[key]
	switch {
	case ok:
		w.add(say("%s %s%s%s", q.Plain(), trend(path, s.Estimate()), w.from(path, q.Plain(), q.Of, s.Estimate()), w.inLimit(path)))
	case missing != "":
		w.add(say("No exponent of %s: %s", q.Plain(), quote("/missing/"+missingKey(path), missing)))
	}
}

// limitKey is the key in LimitExponents of the exponent at a path.
func limitKey(path string) string {
	if p, ok := strings.CutPrefix(missingKey(path), "v_"); ok {
		return "variation_" + p
	}
	return missingKey(path)
}

// inLimit adds the exponent of the limit to that of the window at a path.
func (w *writer) inLimit(path string) phrase {
	key, at, known := limitKey(path), "/limit_exponents/", w.group.LimitExponents
	if transfer, ok := strings.CutPrefix(path, "/transfer/"); ok {
		key, at, known = transfer, "/transfer/limit_exponents/", w.group.Transfer.LimitExponents
	}
	x, ok := known[key]
	if !ok {
		return phrase{}
	}
	return say("; as L → ∞: %s", estimate(at+key, "exponent", x.Estimate()))
}

// missingKey is the key in Missing of the exponent at a path.
func missingKey(path string) string {
	if p, ok := strings.CutPrefix(path, "/variation_slopes/"); ok {
		return "v_" + p
	}
	return path[strings.LastIndexByte(path, '/')+1:]
}

// trend says how a quantity goes with depth, as the interval of its exponent alone tells: what follows its name.
func trend(path string, e Estimate) phrase {
	exponent := estimate(path, "slope", e)
	switch Reading(e) {
	case Falls:
		return say("falls with depth as L^b, b = %s", exponent)
	case GrowsSlowly:
		return say("grows slowly with depth, as L^b with b below %s: b = %s", fixed(Slow), exponent)
	case Grows:
		return say("grows with depth as L^b, b = %s", exponent)
	case NoTrend:
		return say("shows neither growth nor fall with depth: L^b with b = %s", exponent)
	}
	return say("goes with depth as L^b, b = %s", exponent)
}

// The readings of an exponent.
const (
	Grows       = "grows"
	GrowsSlowly = "grows slowly, exponent below 0.1"
	Falls       = "falls"
	NoTrend     = "no growth or fall seen"
	Unknown     = "cannot tell without an interval"
)

// Reading says what the interval of an exponent, alone, tells about growth with depth.
func Reading(e Estimate) string {
	switch {
	case !e.Known():
		return Unknown
	case e.Low > 0 && e.High < Slow:
		return GrowsSlowly
	case e.Low > 0:
		return Grows
	case e.High < 0:
		return Falls
	}
	return NoTrend
}

// from says what an estimate rests on unless the sentences before have, and keeps its warning.
func (w *writer) from(path, name, noun string, e Estimate) phrase {
	if e.Warning != "" {
		w.warned = append(w.warned, warned{name, path + "/warning", e.Warning})
	}
	if w.basis != nil && slices.Equal(w.basis.Depths, e.Depths) && slices.Equal(w.basis.Seeds, e.Seeds) && w.basis.Runs == e.Runs {
		return phrase{}
	}
	w.basis = &e.Basis
	p := say("from %s at %s (%s)", counted(path+"/runs", e.Runs, noun), listed(path+"/depths", e.Depths), counted(path+"/seeds/#", len(e.Seeds), "seed"))
	switch e.Method {
	case scaling.BySeeds:
		p = say("%s, brackets being the %s %% interval over seeds", p, fixed(95))
	case scaling.ByRegression:
		p = say("%s, brackets being the %s %% interval of the regression", p, fixed(95))
	}
	return say(", %s", p)
}

// limits says what one part shows of a limit.
func (w *writer) limits(part string) {
	g := w.group
	path, at, of := g.Parts[part], "/parts/"+part, ""
	if len(g.Parts) > 1 {
		of = " of " + part
	}
	if part == g.part() {
		path, at = g.GroupPath, ""
	}
	w.kind(&path, at, of, "The variation index"+of+" of the limit")
	if path.Displacement != nil && path.Displacement.Regime.told() { // else the sentences on the weights have the reason
		of := " of the displacement" + of
		w.kind(path.Displacement, at+"/displacement", of, "The variation index of the limit"+of)
	}
	if path.Limit == nil {
		return
	}
	for _, f := range []struct {
		key, quantity string
		slope         *Slope
	}{
		{"integral", "integral", path.Limit.Integral},
		{"displacement", "displacement_distance", path.Limit.Displacement},
		{"to_deepest", "to_deepest", path.Limit.ToDeepest},
	} {
		w.named(at+"/limit/"+f.key, QuantityOf(f.quantity, part), of, f.slope)
	}
}

// kind says which kind of limit a path has, and its index.
func (w *writer) kind(path *GroupPath, at, of, index string) {
	g := w.group
	switch x := path.VariationIndex; {
	case x != nil:
		name := "the variation index" + of
		w.add(say("%s is %s%s", index, estimate(at+"/variation_index", "index", x.Estimate()), w.from(at+"/variation_index", name, "run", x.Estimate())))
	case path.Missing["variation_index"] != "" && len(path.VariationSlope) > 0:
		w.add(say("No variation index%s: %s", of, quote(at+"/missing/variation_index", path.Missing["variation_index"])))
	}
	if r := path.Regime; r.told() { // else the sentence on the index has the reason
		verdict := phrase{words: cmp.Or(string(r.Verdict), "not settled")}
		w.add(say("The limit%s is %s: %s", of, verdict, g.why(at, path)))
	}
}

// transfer says how the losses of rebuilt networks go with depth.
func (w *writer) transfer() {
	t := w.group.Transfer
	if t == nil {
		return
	}
	w.named("/transfer/trend", QuantityOf("excess_trend", ""), ",", t.Trend)
	w.named("/transfer/redrawn", QuantityOf("excess_redrawn", ""), ",", t.Redrawn)
	w.named("/transfer/trend_only", QuantityOf("excess_trend_only", ""), ",", t.TrendOnly)
}

// named says how a quantity, with what follows its name, goes with depth, if that is known.
func (w *writer) named(path string, q Quantity, after string, s *Slope) {
	if s != nil {
		name, limit := "the "+q.Name+strings.TrimSuffix(after, ","), phrase{}
		if strings.HasPrefix(path, "/transfer/") {
			limit = w.inLimit(path)
		}
		w.add(say("%s %s%s%s", "The "+q.Name+after, trend(path, s.Estimate()), w.from(path, name, q.Of, s.Estimate()), limit))
	}
}

// rate says in how many runs the loss falls linearly.
func (w *writer) rate() {
	r := w.group.Rate
	if r == nil {
		if why := w.group.Missing["rate"]; why != "" && w.group.Runs > w.group.Diverged && !w.group.Imported {
			w.add(say("No run has a linear rate: %s", quote("/missing/rate", why)))
		}
		return
	}
	runs, least := counted("/rate/runs", r.Runs, "run"), value("/rate/min_r2", scaling.R2Text(r.MinR2))
	if r.Linear == 0 {
		w.add(say("In none of %s the loss falls linearly: fits J(t) ≈ C ρ^t have R² down to %s, and linear takes %s", runs, least, fixed(LinearR2)))
		return
	}
	low, high := rhoTexts(*r.MinRho, *r.MaxRho)
	rho := say("ρ between %s and %s", value("/rate/min_rho", low), value("/rate/max_rho", high))
	if low == high {
		rho = say("ρ = %s", value("/rate/min_rho", low))
	}
	if r.Linear == r.Runs {
		w.add(say("The loss falls linearly, J(t) ≈ C ρ^t, in %s of %s, with %s and R² of at least %s", integer("/rate/linear", r.Linear), runs, rho, least))
		return
	}
	p := say("The loss falls linearly, J(t) ≈ C ρ^t with R² of at least %s, in %s of %s, with %s", fixed(LinearR2), integer("/rate/linear", r.Linear), runs, rho)
	if r.Fitted > r.Linear {
		p = say("%s; other fits have R² down to %s and give no rate", p, least)
	}
	if r.Fitted < r.Runs {
		p = say("%s; in others no line fits any part of the fall", p)
	}
	w.add(p)
}

// rhoTexts writes two rates to four decimals, or as many as tell them apart, up to eight.
func rhoTexts(low, high float64) (string, string) {
	for decimals := 4; ; decimals++ {
		a, b := strconv.FormatFloat(low, 'f', decimals, 64), strconv.FormatFloat(high, 'f', decimals, 64)
		if a != b || low == high || decimals == 8 {
			return a, b
		}
	}
}

// warnings says each warning once, with all that it is about.
func (w *writer) warnings() {
	var order []string
	about := map[string][]warned{}
	for _, x := range w.warned {
		if about[x.warning] == nil {
			order = append(order, x.warning)
		}
		about[x.warning] = append(about[x.warning], x)
	}
	for _, warning := range order {
		var names []string
		for _, x := range about[warning] {
			names = append(names, x.name)
		}
		w.add(say("Warning about %s: %s", enumerate(names), quote(about[warning][0].path, warning)))
	}
}

// enumerate writes "a, b and c".
func enumerate(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
