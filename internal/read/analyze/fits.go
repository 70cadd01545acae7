package analyze

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/read/surface"
	"github.com/deeplimit/deeplimit/runfolder"
)

// fitFields adds the fits of Options.In: of every quantity of the runs, and of every part's numbers.
func (p *pass) fitFields(result *Result) error {
	var runs []*outcome
	for _, o := range p.outcomes {
		if o.err == nil && !o.unfinished && o.run.CopyOf == "" && !o.run.Diverged() {
			runs = append(runs, o)
		}
	}
	whole := func(o *outcome) map[string]string { return surface.FieldsOf(o.meta()) }
	if err := surface.Check(observe(runs, whole, func(*Run) float64 { return 1 }), p.options.In); err != nil {
		return err
	}
	result.Fits = []surface.Fit{}
	var skipped []string
	var failed error
	found := 0
	add := func(key, part string, value func(*Run) float64) {
		if p.options.Of != "" && p.options.Of != key || failed != nil {
			return
		}
		found++
		chosen, fields := runs, whole
		if p.options.Best != "" {
			chosen, fields, failed = p.atBest(result, runs, contrasted{key: key, part: part, value: value})
		}
		observations := observe(chosen, fields, value)
		varies := slices.ContainsFunc(observations, func(o surface.Observation) bool { return o.Value > 0 && o.Value != observations[0].Value })
		if !varies && p.options.Of == "" || failed != nil {
			return // it is the same for all runs, or none has it
		}
		fits, missing := surface.Fits(key, observations, p.options.In, p.options.Model)
		for _, f := range fits {
			f.Part, f.Averages = part, averagesOver(runsAt(chosen, f.At))
			result.Fits = append(result.Fits, f)
		}
		for _, why := range missing {
			skipped = append(skipped, strings.TrimSpace(part+" "+why))
		}
	}
	for _, q := range ofRun {
		add(q.key, "", q.value)
	}
	for _, part := range partsOf(runs) {
		for _, q := range ofPath {
			add(q.key, part, func(r *Run) float64 { return q.value(r.Parts[part]) })
		}
		for _, q := range p.ofSources() {
			add(q.key, part, func(r *Run) float64 { return q.value(r.Parts[part]) })
		}
	}
	if found == 0 || failed != nil {
		return cmp.Or(failed, p.unknownQuantity())
	}
	if len(result.Fits) == 0 && len(skipped) > 0 {
		return fmt.Errorf("analyze: --in %s: got no quantity that a fit can be had of: %s", strings.Join(p.options.In, ","), skipped[0])
	}
	result.Unfitted = skipped
	return nil
}

// observe returns a number of every run, with the fields that tell it apart.
func observe(runs []*outcome, fields func(*outcome) map[string]string, value func(*Run) float64) []surface.Observation {
	var all []surface.Observation
	for _, o := range runs {
		all = append(all, surface.Observation{Run: o.run.ID, Fields: fields(o), Seeds: []uint64{o.run.Seed}, Value: value(&o.run)})
	}
	return all
}

// unknownQuantity is the error for an Options.Of that no run has.
func (p *pass) unknownQuantity() error {
	return fmt.Errorf("analyze: --of: got %q, want one of %s", p.options.Of, strings.Join(p.quantities(), ", "))
}

// quantities lists what fits may be of.
func (p *pass) quantities() []string {
	var keys []string
	for _, q := range ofRun {
		keys = append(keys, q.key)
	}
	for _, q := range ofPath {
		keys = append(keys, q.key)
	}
	for _, q := range p.ofSources() {
		keys = append(keys, q.key)
	}
	return keys
}

// ofSources are V_p, and the statistics of the displacement that ofPath has not; 0 where a run has none.
func (p *pass) ofSources() []pathQuantity {
	var list []pathQuantity
	add := func(source runfolder.Source, statistic string, value func(PathNumbers) float64) {
		list = append(list, pathQuantity{source.Key(statistic), func(n PathNumbers) float64 {
			if own := n.Of(source); own != nil {
				return value(*own)
			}
			return 0
		}})
	}
	for _, source := range runfolder.Sources {
		if source == runfolder.FromDisplacement {
			for _, q := range ofPath {
				if q.key == "max_increment" || q.key == "root_sum_squares" {
					add(source, q.key, q.value)
				}
			}
		}
		for _, exponent := range p.options.Exponents {
			text := exponentText(exponent)
			add(source, "v_"+text, func(n PathNumbers) float64 { return n.PVariation[text] })
		}
	}
	return list
}

// ofRun are the numbers of a run that no path has.
var ofRun = []struct {
	key   string
	value func(*Run) float64
}{
	{"loss", func(r *Run) float64 { return r.Loss }},
	{"test_loss", func(r *Run) float64 { return valueOf(r.TestLoss) }},
	{"accuracy", func(r *Run) float64 { return valueOf(r.Accuracy) }},
	{"test_accuracy", func(r *Run) float64 { return valueOf(r.TestAcc) }},
	{"rate", func(r *Run) float64 {
		if r.Rate == nil || !r.Rate.Linear || !(r.Rate.Rho > 0) {
			return 0
		}
		return -math.Log(r.Rate.Rho)
	}},
	{"iterations", func(r *Run) float64 { return float64(r.Iterations) }},
	{"layer_iterations", func(r *Run) float64 { return float64(r.LayerIterations) }},
	{"delta", func(r *Run) float64 { return valueOf(r.MeanDelta) }},
}

// valueOf returns a number, 0 where there is none, which no fit takes.
func valueOf(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}

// partsOf returns the parts of the runs, in the order of the first that has them.
func partsOf(runs []*outcome) []string {
	var list []string
	for _, o := range runs {
		for _, part := range parts(o.meta(), o.run.Parts) {
			if _, ok := o.run.Parts[part]; ok && !slices.Contains(list, part) {
				list = append(list, part)
			}
		}
	}
	return list
}
