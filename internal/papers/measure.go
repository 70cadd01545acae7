package papers

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/analyze"
	"github.com/deeplimit/deeplimit/scaling"
)

// eachGroup returns a Measure that takes one number from every group of a study.
func eachGroup(study string, of func(analyze.Group) Measurement) func(*Bench) ([]Measurement, error) {
	return func(b *Bench) ([]Measurement, error) {
		result, err := b.Result(study)
		if err != nil {
			return nil, err
		}
		var found []Measurement
		for _, g := range byCase(result) {
			m := of(g)
			m.Case = caseOf(result, g)
			found = append(found, m)
		}
		return found, nil
	}
}

// linearFall measures the smallest R² of log J against the iteration among the runs of
// every group, beside what the loss of that run does. Where a run has no rate there is no
// number but the reason.
func linearFall(study string) func(*Bench) ([]Measurement, error) {
	return func(b *Bench) ([]Measurement, error) {
		result, err := b.Result(study)
		if err != nil {
			return nil, err
		}
		var found []Measurement
		for _, g := range byCase(result) {
			m := smallestR2(result.Runs, g.Group)
			m.Case = caseOf(result, g)
			found = append(found, m)
		}
		return found, nil
	}
}

// smallestR2 returns that of the runs of a group.
func smallestR2(all []analyze.Run, group string) Measurement {
	var worst *analyze.Run
	runs, without, reason := 0, 0, ""
	for i := range all {
		r := &all[i]
		if r.Group != group {
			continue
		}
		runs++
		switch {
		case r.Rate == nil:
			without, reason = without+1, r.RateReason
		case worst == nil || r.Rate.R2 < worst.Rate.R2:
			worst = r
		}
	}
	if without > 0 {
		return missing(fmt.Sprintf("no rate in %d of %d runs: %s", without, runs, reason))
	}
	return Exactly("", worst.Rate.R2, fmt.Sprintf("worst of %d runs: %s", runs, fallText(worst)))
}

// fallText says how far the loss of a run fell and how many recorded steps raised it.
func fallText(r *analyze.Run) string {
	rises := 0
	for i := range len(r.LossTrace) - 1 {
		if r.LossTrace[i+1] > r.LossTrace[i] {
			rises++
		}
	}
	return fmt.Sprintf("L = %d, seed %d, J from %.2g to %.2g, raised by %d of %d steps", r.Depth, r.Seed, r.LossTrace[0], r.Loss, rises, len(r.LossTrace)-1)
}

// byCase returns the groups of a result in the order of their names.
func byCase(result *analyze.Result) []analyze.Group {
	groups := slices.Clone(result.Groups)
	slices.SortStableFunc(groups, func(a, b analyze.Group) int {
		return strings.Compare(caseOf(result, a), caseOf(result, b))
	})
	return groups
}

// caseOf names a group by what the study varies: the data set, when there are several,
// and the last word of every setting.
func caseOf(result *analyze.Result, g analyze.Group) string {
	var words []string
	if slices.ContainsFunc(result.Groups, func(other analyze.Group) bool { return other.Data != g.Data }) {
		words = append(words, g.Data)
	}
	if settings := settingsText(g.Settings); settings != "" {
		words = append(words, settings)
	}
	return strings.Join(words, ", ")
}

// settingsText names what a grid varies by the last word of every path.
func settingsText(settings map[string]string) string {
	var words []string
	for _, path := range slices.Sorted(maps.Keys(settings)) {
		words = append(words, path[strings.LastIndexByte(path, '.')+1:]+" "+settings[path])
	}
	return strings.Join(words, ", ")
}

// ofSlope returns an exponent with its interval, both moved by shift; no interval where
// the fit has none.
func ofSlope(s *analyze.Slope, shift float64) Measurement {
	if s == nil || s.Method == "" {
		return missing("no slope")
	}
	return Measurement{Value: s.Slope + shift, Low: s.Low + shift, High: s.High + shift}
}

// named returns a slope of a map, nil if it is not there.
func named(slopes map[string]analyze.Slope, key string) *analyze.Slope {
	if s, ok := slopes[key]; ok {
		return &s
	}
	return nil
}

// ofIndex returns a variation index with its interval.
func ofIndex(x *analyze.Index) Measurement {
	if x == nil {
		return missing("no index")
	}
	return Measurement{Value: x.Index, Low: x.Low, High: x.High}
}

// ofRegime returns 1 if the verdict is the wanted kind, 0 if it is another.
func ofRegime(r *analyze.Regime, want scaling.Kind) Measurement {
	if r == nil {
		return missing("no verdict")
	}
	is := 0.0
	if r.Verdict == want {
		is = 1
	}
	return Exactly("", is, string(r.Verdict)+": "+r.Reason)
}

// missing is a number that could not be measured.
func missing(why string) Measurement {
	nan := math.NaN()
	return Measurement{Value: nan, Low: nan, High: nan, Note: why}
}
