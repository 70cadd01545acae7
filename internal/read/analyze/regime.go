package analyze

import (
	"math"
	"strconv"

	"github.com/deeplimit/deeplimit/scaling"
)

// evidenceNames are the quantities behind the slopes of scaling.Evidence, by their names in
// JSON and in the order of tables.
var evidenceNames = []struct{ statistic, key string }{
	{"max_increment", "rescaled_increment"},
	{"peak", "peak"},
	{"variation", "mean_increment"},
	{"quadratic_variation", "mean_square"},
	{"noise_variation", "noise_variation"},
}

// slope returns the slope of a statistic by its name in JSON.
func (r *Regime) slope(statistic string) *Slope {
	e := &r.Evidence
	return map[string]*Slope{
		"max_increment": &e.MaxIncrement, "peak": &e.Peak, "variation": &e.Variation,
		"quadratic_variation": &e.QuadraticVariation, "noise_variation": &e.NoiseVariation,
	}[statistic]
}

// reason says which step of scaling.Regime decided, by which numbers; at is the path of the
// regime.
func (r *Regime) reason(at string) phrase {
	of := func(statistic string) phrase {
		return estimate(at+"/evidence/"+statistic, "slope", r.slope(statistic).Estimate())
	}
	name := statisticName
	lag := value(at+"/evidence/accumulation", plainDecimals(r.Evidence.Accumulation))
	switch r.Rule {
	case scaling.AllConstant:
		return say("every path is constant")
	case scaling.IncrementStays:
		return say("the %s does not vanish with depth: its exponent is %s, and vanishing takes one below %s", name("max_increment"), of("max_increment"), fixed(scaling.Vanishing))
	case scaling.IncrementsDominate:
		return say("single increments dominate: the %s has the exponent %s, above %s", name("peak"), of("peak"), fixed(scaling.HeavyPeak))
	case scaling.BoundedVariation:
		return say("%s stays bounded: its exponent is %s, below %s", name("variation"), of("variation"), fixed(scaling.SmoothSlope))
	case scaling.SteadyNoise:
		return say("layers carry independent noise, as second differences grow with the lag by an exponent of %s, below %s, and the %s stays: its exponent is %s, within ±%s",
			lag, fixed(scaling.NoMemory), name("noise_variation"), of("noise_variation"), fixed(scaling.SteadyNoiseSlope))
	case scaling.UnsteadyNoise:
		if r.Evidence.NoiseVariation.Method == "" {
			return say("layers carry independent noise, as second differences grow with the lag by an exponent of %s, below %s, but one path is a straight line", lag, fixed(scaling.NoMemory))
		}
		return say("layers carry independent noise, as second differences grow with the lag by an exponent of %s, below %s, but the %s does not stay: its exponent is %s, outside of ±%s",
			lag, fixed(scaling.NoMemory), name("noise_variation"), of("noise_variation"), fixed(scaling.SteadyNoiseSlope))
	}
	same := "agree to within"
	if r.Rule == scaling.NotSelfSimilar {
		same = "differ by more than"
	}
	text := say("%s has the exponent b = %s, and second differences grow with the lag by an exponent of h = %s; for a rough path that exists at all scales h is one less b, and they %s %s",
		name("variation"), of("variation"), lag, same, fixed(scaling.SelfSimilarGap))
	return text
}

// warning says what speaks against the verdict: intervals that hold a limit that decided, and
// an index that is not that of such a limit. path is that of the weight path.
func (r *Regime) warning(path string, index *Index) phrase {
	var found []phrase
	var before string
	for i, d := range r.Doubts {
		limit := value(path+"/regime/doubts/"+strconv.Itoa(i)+"/limit", plainNumber(d.Limit))
		if d.Statistic == before {
			found[len(found)-1] = say("%s and %s", found[len(found)-1], limit)
			continue
		}
		before = d.Statistic
		slope := estimate(path+"/regime/evidence/"+d.Statistic, "slope", r.slope(d.Statistic).Estimate())
		found = append(found, say("%s %s across %s", statisticName(d.Statistic), slope, limit))
	}
	p := join(found, ", ")
	if len(found) > 0 {
		p = say("these intervals reach across a limit that decides: %s", p)
	}
	if other := r.disagrees(path, index); other.words != "" && len(found) > 0 {
		return say("%s; and %s", p, other)
	} else if other.words != "" {
		return other
	}
	return p
}

// statisticName writes a statistic of scaling.Evidence, by its name in JSON, in words.
func statisticName(statistic string) string {
	for _, e := range evidenceNames {
		if e.statistic == statistic {
			return QuantityOf(e.key, "").Name
		}
	}
	return statistic
}

// disagrees compares the index with that of a diffusive limit, where the verdict is one.
func (r *Regime) disagrees(path string, index *Index) phrase {
	const implied = 2 // of independent layer noise; other limits are told by the slope that gives the index
	if r.Verdict != scaling.Diffusive || index == nil || !index.Estimate().Known() || index.Estimate().Holds(implied) {
		return phrase{}
	}
	p := say("a %s limit has the variation index %s, which the index found, %s, does not hold", string(r.Verdict), fixed(implied), estimate(path+"/variation_index", "index", index.Estimate()))
	if index.High < implied {
		return say("%s: that index is read off increments, to which a smooth trend adds at finite depth and lowers it; the regime is read off second differences, which hardly see the trend", p)
	}
	return p
}

// An EvidenceRow is a line of the table behind a verdict.
type EvidenceRow struct {
	Quantity      Quantity
	Number, Range string
	Rule          string // what scaling.Regime holds it to
	Reading       string // how it comes out
}

// Rows lists the slopes that scaling.Regime looks at, in its order, with their rules.
func (r *Regime) Rows() []EvidenceRow {
	limits := map[string]struct {
		limit float64
		rule  string
	}{
		"max_increment": {scaling.Vanishing, "a continuous limit takes less than"},
		"peak":          {scaling.HeavyPeak, "more than this means that single increments dominate:"},
		"variation":     {scaling.SmoothSlope, "a smooth limit takes less than"},
	}
	var rows []EvidenceRow
	for _, known := range evidenceNames {
		s := r.slope(known.statistic)
		if s.Method == "" {
			continue
		}
		e := s.Estimate()
		row := EvidenceRow{Quantity: QuantityOf(known.key, ""), Number: e.Number(), Range: e.Range()}
		if l, ok := limits[known.statistic]; ok {
			row.Rule, row.Reading = l.rule+" "+typeset(plainNumber(l.limit)), side(e, l.limit)
		}
		if known.statistic == "noise_variation" {
			row.Rule = "steady noise takes ±" + plainNumber(scaling.SteadyNoiseSlope) + " or less"
			row.Reading = within(e, scaling.SteadyNoiseSlope)
		}
		rows = append(rows, row)
	}
	return rows
}

// side says on which side of a limit an estimate is.
func side(e Estimate, limit float64) string {
	switch {
	case e.Holds(limit):
		return "cannot tell: the interval holds it"
	case e.Value < limit && e.Known():
		return "less"
	case e.Known():
		return "more"
	case e.Value < limit:
		return "less, without an interval"
	}
	return "more, without an interval"
}

// within says whether an estimate is at most limit in size.
func within(e Estimate, limit float64) string {
	inside := math.Abs(e.Value) <= limit
	switch {
	case e.Holds(limit) || e.Holds(-limit):
		return "cannot tell: the interval holds an end"
	case inside && e.Known():
		return "inside"
	case e.Known():
		return "outside"
	case inside:
		return "inside, without an interval"
	}
	return "outside, without an interval"
}
