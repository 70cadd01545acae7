package papers

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/scaling"
)

// eachGroup returns a Measure that takes one number from every group of a study.
func eachGroup(study string, of func(analyze.Group) Measurement) func(*Bench) ([]Measurement, error) {
	return eachCase(study, func(_ *Bench, _ *analyze.Result, g analyze.Group) (Measurement, error) { return of(g), nil })
}

// eachCase is eachGroup for what a group alone does not tell.
func eachCase(study string, of func(*Bench, *analyze.Result, analyze.Group) (Measurement, error)) func(*Bench) ([]Measurement, error) {
	return func(b *Bench) ([]Measurement, error) {
		result, err := b.Result(study)
		if err != nil {
			return nil, err
		}
		var found []Measurement
		for _, g := range byCase(result) {
			m, err := of(b, result, g)
			if err != nil {
				return nil, err
			}
			m.Case = caseOf(result, g)
			found = append(found, m)
		}
		return found, nil
	}
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

// ofLimit returns an exponent of the limit with its interval, both moved by shift, and notes the slope over the depths there
// are; that slope, with a note, where depths or seeds are too few for a limit.
func ofLimit(x *scaling.LimitExponent, window *analyze.Slope, shift float64) Measurement {
	m := ofSlope(window, shift)
	if x == nil {
		if m.Note == "" {
			m.Note = "slope over these depths, as there is no exponent of the limit"
		}
		return m
	}
	out := Measurement{Value: x.Exponent + shift, Low: x.Low + shift, High: x.High + shift}
	if m.Note == "" {
		out.Note = "over these depths " + slopeText(window)
		if shift != 0 {
			out.Note += fmt.Sprintf(", plus %.3g", shift)
		}
	}
	return out
}

// limitOf is ofLimit of an exponent of a path by its key in the limit.
func limitOf(path analyze.GroupPath, key string, shift float64) Measurement {
	window := named(path.Exponents, key)
	if p, ok := strings.CutPrefix(key, "variation_"); ok {
		window = named(path.VariationSlope, p)
	}
	if x, ok := path.LimitExponents[key]; ok {
		return ofLimit(&x, window, shift)
	}
	return ofLimit(nil, window, shift)
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

// ofRegime returns 1 if the verdict is the wanted kind, 0 if it is another, nothing where it cannot be told.
func ofRegime(r *analyze.Regime, want scaling.LimitKind) Measurement {
	switch {
	case r.Verdict == "":
		return missing("not settled: " + r.Why)
	case r.Verdict == want:
		return Exactly("", 1, string(r.Verdict)+": "+r.Why)
	}
	return Exactly("", 0, string(r.Verdict)+": "+r.Why)
}

// missing is a number that could not be measured.
func missing(why string) Measurement {
	nan := math.NaN()
	return Measurement{Value: nan, Low: nan, High: nan, Note: why}
}
