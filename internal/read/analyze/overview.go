package analyze

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/scaling"
)

// An Overview is a study at a glance: a row for each group, in the order of Result.Groups.
type Overview struct {
	// Fields are those that tell the groups apart: data, and settings of the study file by their paths.
	Fields []string      `json:"fields"`
	Rows   []OverviewRow `json:"rows"`
}

// An OverviewRow is what a group comes to. Means are over the seeds of Depth, with 95 % intervals; what cannot be had is null.
type OverviewRow struct {
	Number     int               `json:"number"` // place of the group, from 1
	Group      string            `json:"group"`
	Values     map[string]string `json:"values"` // of Overview.Fields; a group that leaves a field out has none
	Runs       int               `json:"runs"`   // finished ones, diverged ones among them
	Diverged   int               `json:"diverged"`
	Unfinished int               `json:"unfinished"` // runs of the study without a result
	// Depth is the greatest of a run that did not diverge; 0 for none.
	Depth        int       `json:"depth"`
	Loss         *Estimate `json:"loss"`      // geometric mean
	TestLoss     *Estimate `json:"test_loss"` // likewise
	Validation   *Estimate `json:"validation_loss"`
	Accuracy     *Estimate `json:"accuracy"`
	TestAccuracy *Estimate `json:"test_accuracy"`
	ValidAcc     *Estimate `json:"validation_accuracy"`
	// Rate is that of the group: the range of ρ over its runs.
	Rate          *RateRange `json:"rate"`
	AlphaPlusBeta *Estimate  `json:"alpha_plus_beta"`
	// Variation1, Variation2 and Index are those of the limit, L → ∞.
	Variation1 *Estimate         `json:"variation_1"`
	Variation2 *Estimate         `json:"variation_2"`
	Index      *Estimate         `json:"index"`
	Verdict    scaling.LimitKind `json:"limit"` // "" where it cannot be told
	// Remarks say what a reader of the row should know: runs that diverged, a seed unlike the others, a slope over the depths
	// there are that is not that of the limit.
	Remarks []string `json:"remarks"`
}

// overview returns the overview of groups, planned being the number of runs of each that the study has.
func overview(groups []Group, runs []Run, planned map[string]int) *Overview {
	shared := make([]Shared, len(groups))
	for i := range groups {
		shared[i] = Shared{groups[i].Data, groups[i].Settings}
	}
	o := &Overview{Fields: Varying(shared), Rows: []OverviewRow{}}
	of := map[string][]Run{}
	for _, r := range runs {
		if r.CopyOf == "" {
			of[r.Group] = append(of[r.Group], r)
		}
	}
	for i := range groups {
		row := newOverviewRow(&groups[i], of[groups[i].Group])
		row.Number, row.Values = i+1, map[string]string{}
		row.Unfinished = max(0, planned[row.Group]-row.Runs)
		for _, name := range o.Fields {
			if value, ok := shared[i].Field(name); ok {
				row.Values[name] = value
			}
		}
		o.Rows = append(o.Rows, row)
	}
	return o
}

// newOverviewRow returns the row of a group of these runs.
func newOverviewRow(g *Group, runs []Run) OverviewRow {
	row := OverviewRow{
		Group: g.Group, Runs: g.Runs, Diverged: g.Diverged, Rate: g.Rate, AlphaPlusBeta: g.AlphaPlusBeta,
		Variation1: g.limitExponent("variation_1"), Variation2: g.limitExponent("variation_2"), Remarks: []string{},
	}
	if g.VariationIndex != nil {
		e := g.VariationIndex.Estimate()
		row.Index = &e
	}
	if g.Regime != nil {
		row.Verdict = g.Regime.Verdict
	}
	sound := slices.DeleteFunc(slices.Clone(runs), func(r Run) bool { return r.Diverged() })
	for i := range sound {
		row.Depth = max(row.Depth, sound[i].Depth)
	}
	deepest := slices.DeleteFunc(slices.Clone(sound), func(r Run) bool { return r.Depth != row.Depth })
	row.Loss = meanLoss(deepest, func(r *Run) *float64 { return finite(r.Loss) })
	row.TestLoss = meanLoss(deepest, func(r *Run) *float64 { return r.TestLoss })
	row.Validation = meanLoss(deepest, func(r *Run) *float64 { return r.Validation })
	row.Accuracy = meanAccuracy(deepest, func(r *Run) *float64 { return r.Accuracy })
	row.TestAccuracy = meanAccuracy(deepest, func(r *Run) *float64 { return r.TestAcc })
	row.ValidAcc = meanAccuracy(deepest, func(r *Run) *float64 { return r.ValidationAcc })
	row.remark(g, runs, sound)
	return row
}

// limitExponent returns the exponent of the limit by its key, nil where there is none.
func (path *GroupPath) limitExponent(key string) *Estimate {
	x, ok := path.LimitExponents[key]
	if !ok {
		return nil
	}
	e := x.Estimate()
	return &e
}

// valuesOf returns the values that runs have.
func valuesOf(runs []Run, value func(*Run) *float64) []float64 {
	var out []float64
	for i := range runs {
		if v := value(&runs[i]); v != nil && finite(*v) != nil {
			out = append(out, *v)
		}
	}
	return out
}

// meanLoss returns the geometric mean of a loss with its interval, the arithmetic one where a loss is 0; nil where no run has it.
func meanLoss(runs []Run, value func(*Run) *float64) *Estimate {
	values := valuesOf(runs, value)
	if len(values) == 0 {
		return nil
	}
	logs := make([]float64, len(values))
	for i, v := range values {
		if !(v > 0) {
			e := sizeOf(values)
			return &e
		}
		logs[i] = math.Log(v)
	}
	e := scaling.MeanOf(logs)
	e.Value, e.Low, e.High = math.Exp(e.Value), math.Exp(e.Low), math.Exp(e.High)
	return &e
}

// meanAccuracy returns the mean of an accuracy with its interval; nil where no run has it.
func meanAccuracy(runs []Run, value func(*Run) *float64) *Estimate {
	values := valuesOf(runs, value)
	if len(values) == 0 {
		return nil
	}
	e := scaling.MeanOf(values).Within(0, 1)
	return &e
}

// outlying is how many times the median of its depth a loss is that is unlike the others.
const outlying = 10

// remark adds what a reader of the row should know.
func (row *OverviewRow) remark(g *Group, runs, sound []Run) {
	add := func(format string, args ...any) { row.Remarks = append(row.Remarks, fmt.Sprintf(format, args...)) }
	if g.Diverged > 0 {
		depths := map[int]bool{}
		for i := range runs {
			if runs[i].Diverged() {
				depths[runs[i].Depth] = true
			}
		}
		noun := "depth"
		if len(depths) > 1 {
			noun = "depths"
		}
		add("%d of %s diverged, at %s %s", g.Diverged, plain.Count(g.Runs, "run"), noun, numbers(depthsOf(depths)))
	}
	for _, depth := range g.Depths {
		members := slices.DeleteFunc(slices.Clone(sound), func(r Run) bool { return r.Depth != depth || !(r.Loss > 0) })
		if len(members) < 3 {
			continue
		}
		slices.SortStableFunc(members, func(a, b Run) int { return cmp.Compare(a.Loss, b.Loss) })
		median := members[(len(members)-1)/2].Loss
		for _, r := range members {
			if r.Loss > outlying*median {
				add("seed %d at depth %d ends at loss %s, %.0f times the median of its depth", r.Seed, depth, short(r.Loss), r.Loss/median)
			}
		}
	}
	for _, p := range []string{"1", "2"} {
		slope, limit := g.VariationSlope[p], g.limitExponent("variation_"+p)
		window := slope.Estimate()
		if limit == nil || !window.Known() || !limit.Known() || window.Low <= limit.High && limit.Low <= window.High {
			continue
		}
		add("V_%s goes as L^b with b = %s over these depths, which are too small to show the limit's %s", p, window.String(), limit.String())
	}
	if g.Regime != nil && g.Regime.Verdict == "" && len(g.Regime.Probability) > 0 {
		add("the kind of limit is not settled: %s", g.Regime.Why)
	}
}

// remarkNumbers are the numbers in a remark.
var remarkNumbers = regexp.MustCompile(`[-−]?[0-9][0-9.,e+−-]*`)

// mostAlike is the number of groups up to which each is told a remark of one kind.
const mostAlike = 3

// AllRemarks returns the remarks of all rows with the groups that they are about, in the order of the rows. Remarks of more than
// three groups that differ in numbers alone are one, with the numbers of the first.
func (o *Overview) AllRemarks() []string {
	kind := func(text string) string { return remarkNumbers.ReplaceAllString(text, "#") }
	alike := map[string][]int{} // groups by kind
	for i := range o.Rows {
		for _, text := range o.Rows[i].Remarks {
			if k := kind(text); !slices.Contains(alike[k], o.Rows[i].Number) {
				alike[k] = append(alike[k], o.Rows[i].Number)
			}
		}
	}
	var texts []string
	told := map[string]bool{}
	for i := range o.Rows {
		for _, text := range o.Rows[i].Remarks {
			k := kind(text)
			remark := fmt.Sprintf("group %d: %s", o.Rows[i].Number, text)
			switch many := len(alike[k]) > mostAlike; {
			case many && told[k]:
				continue
			case many:
				told[k] = true
				remark += "; alike, with other numbers: groups " + numbers(alike[k][1:])
			}
			texts = append(texts, remark)
		}
	}
	return texts
}
