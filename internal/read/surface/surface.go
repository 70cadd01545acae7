// Package surface fits how a quantity of runs depends on numeric fields of theirs, such as depth and
// network.hidden: exponents, or the coefficients of a model.
package surface

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/formula"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// An Observation is a value of a run, or of a pair of runs.
type Observation struct {
	Run    string            // that it is of, for messages
	Fields map[string]string // as FieldsOf
	Seeds  []uint64
	Value  float64
}

// A Fit is how a quantity depends on the fields of In, among runs that are equal in all else but the seed.
type Fit struct {
	Quantity string            `json:"quantity"`
	Part     string            `json:"part,omitempty"` // of a weight path; empty for a number of the run
	In       string            `json:"in"`             // one field; all of them, by commas, of a model
	At       map[string]string `json:"at,omitempty"`   // what the runs have in common, where others differ
	Along    []string          `json:"along,omitempty"`
	// Exponent is d log y/d log x at fixed other fields of In; null of a model.
	Exponent *float64 `json:"exponent"`
	Low      *float64 `json:"low"`
	High     *float64 `json:"high"`
	// Limit is the exponent of the limit, where one field is varied over whole numbers, three of them or more.
	Limit *scaling.LimitExponent `json:"limit"`
	// Coefficients are those of the model, or the exponents by field and log y at 1 as "intercept".
	Coefficients map[string]scaling.Interval `json:"coefficients"`
	Model        string                      `json:"model,omitempty"`
	R2           float64                     `json:"r2"`
	LackOfFit    *scaling.LackOfFit          `json:"lack_of_fit"` // null without seeds that all have every place
	Method       string                      `json:"method"`
	Points       int                         `json:"points"`
	Seeds        []uint64                    `json:"seeds"`
	// Averages says what is drawn anew between seeds, so that the interval is over it; absent of distances.
	Averages []string `json:"averages_over,omitempty"`
	Warning  string   `json:"warning,omitempty"`

	Places []Place `json:"-"` // for figures
}

// A Place is where a fit has a value.
type Place struct {
	X             []float64
	Seeds         []uint64
	Value, Fitted float64
}

// Model is what to fit in the place of a power law; nil for a power law.
type Model struct {
	Text    string
	Squares bool // as of scaling.Model
	*formula.Formula
}

// FieldsOf returns what tells runs apart: the fields that the study varies, and depth, data, network.width,
// network.hidden, network.alpha and data.samples.
func FieldsOf(meta *runfolder.Meta) map[string]string {
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	fields := map[string]string{
		"depth": strconv.Itoa(meta.Depth), "data": meta.Data, "network.width": strconv.Itoa(meta.Width),
		"network.alpha": number(meta.Alpha), "data.samples": strconv.Itoa(meta.Samples),
	}
	if meta.Hidden > 0 {
		fields["network.hidden"] = strconv.Itoa(meta.Hidden)
	}
	maps.Copy(fields, meta.Settings)
	return fields
}

// Text writes fields as a=1 b=2.
func Text(fields map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		words = append(words, name+"="+fields[name])
	}
	return strings.Join(words, " ")
}

// Varied returns the numeric fields with two values or more, sorted, depth first.
func Varied(observations []Observation) []string {
	names := map[string]bool{}
	for _, o := range observations {
		for name := range o.Fields {
			names[name] = true
		}
	}
	var varied []string
	for name := range names {
		numeric, values := true, map[string]bool{}
		for _, o := range observations {
			_, err := number(o.Fields[name])
			numeric = numeric && err == nil
			values[o.Fields[name]] = true
		}
		if numeric && len(values) > 1 {
			varied = append(varied, name)
		}
	}
	slices.Sort(varied)
	if i := slices.Index(varied, "depth"); i >= 0 {
		varied = slices.Insert(slices.Delete(varied, i, i+1), 0, "depth")
	}
	return varied
}

func number(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err == nil && !(v > 0 && !math.IsInf(v, 0)) {
		err = fmt.Errorf("got %s, want a positive number", text)
	}
	return v, err
}

// Check returns a *field.Error unless the fields are numeric and vary.
func Check(observations []Observation, in []string) error {
	known := Varied(observations)
	for i, name := range in {
		if !slices.Contains(known, name) {
			want := "a numeric field of which the runs have two values or more"
			if len(known) > 0 {
				want += ": " + strings.Join(known, ", ") + field.Mean(name, known)
			}
			return &field.Error{Path: "in", Got: name, Want: want}
		}
		if slices.Contains(in[:i], name) {
			return &field.Error{Path: "in", Got: name, Want: "each field once"}
		}
	}
	return nil
}

// Fits returns a fit of the quantity, for each set of runs that are equal in all fields but those of in, those that
// vary along with them, and the seed. Observations without a positive finite value are left out. skipped says what has no fit, and
// why.
func Fits(quantity string, observations []Observation, in []string, model *Model) (fits []Fit, skipped []string) {
	along, held := Split(observations, in)
	sets := map[string][]Observation{}
	var order []string
	for _, o := range observations {
		key := ""
		for _, name := range held {
			key += name + "=" + o.Fields[name] + " "
		}
		if sets[key] == nil {
			order = append(order, key)
		}
		sets[key] = append(sets[key], o)
	}
	for _, key := range order {
		fit := Fit{Quantity: quantity, In: strings.Join(in, ","), Along: along}
		for _, name := range held {
			if fit.At == nil {
				fit.At = map[string]string{}
			}
			fit.At[name] = sets[key][0].Fields[name]
		}
		made, err := fit.of(sets[key], in, model)
		if err != nil {
			where := quantity
			if key != "" {
				where += " at " + strings.TrimSpace(key)
			}
			skipped = append(skipped, fmt.Sprintf("%s: %v", where, err))
			continue
		}
		fits = append(fits, made...)
	}
	return fits, skipped
}

// Split returns the fields, beside in, whose values follow from those of in and the fields held, and the fields held,
// of which runs differ freely.
func Split(observations []Observation, in []string) (along, held []string) {
	values := map[string]map[string]bool{}
	for _, o := range observations {
		for name, value := range o.Fields {
			if values[name] == nil {
				values[name] = map[string]bool{}
			}
			values[name][value] = true
		}
	}
	var rest []string
	for name, all := range values {
		some := slices.ContainsFunc(observations, func(o Observation) bool { _, ok := o.Fields[name]; return !ok })
		if !slices.Contains(in, name) && (len(all) > 1 || some) {
			rest = append(rest, name)
		}
	}
	slices.SortFunc(rest, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(values[a]), len(values[b])), cmp.Compare(a, b))
	})
	for _, name := range rest {
		if Follows(observations, slices.Concat(in, held), name) {
			along = append(along, name)
		} else {
			held = append(held, name)
		}
	}
	slices.Sort(held)
	return along, held
}

// Differing returns the fields with two values or more, sorted.
func Differing(observations []Observation) []string {
	_, held := Split(observations, nil)
	return held
}

// Follows reports whether a field has one value wherever the others have one.
func Follows(observations []Observation, from []string, name string) bool {
	known := map[string]string{}
	for _, o := range observations {
		key := ""
		for _, f := range from {
			key += o.Fields[f] + "\x00"
		}
		if value, ok := known[key]; ok && value != o.Fields[name] {
			return false
		}
		known[key] = o.Fields[name]
	}
	return true
}

// of fills in the fit of one set: one Fit for each field of a power law, one for a model.
func (f Fit) of(set []Observation, in []string, model *Model) ([]Fit, error) {
	var points []scaling.Point
	seen := map[string]string{}
	for _, o := range set {
		if !(o.Value > 0) || math.IsInf(o.Value, 0) {
			continue
		}
		p := scaling.Point{Seeds: o.Seeds, Value: o.Value}
		for _, name := range in {
			v, err := number(o.Fields[name])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			p.X = append(p.X, v)
		}
		key := fmt.Sprint(p.X, p.Seeds)
		if other, ok := seen[key]; ok {
			return nil, fmt.Errorf("got two values at %s = %v, seeds %v (%s and %s), want one: the runs differ in a field that the study does not vary", strings.Join(in, ", "), p.X, p.Seeds, other, o.Run)
		}
		seen[key] = o.Run
		points = append(points, p)
	}
	if len(points) == 0 {
		return nil, errors.New("got no positive value, want one or more")
	}
	if model != nil {
		return f.ofModel(points, model)
	}
	return f.ofPowers(points, in)
}

func (f Fit) ofModel(points []scaling.Point, model *Model) ([]Fit, error) {
	m, err := scaling.FitModel(points, scaling.Model{Names: model.Coefficients, At: model.At, Squares: model.Squares})
	if err != nil {
		return nil, err
	}
	f.Coefficients, f.Model, f.R2, f.LackOfFit, f.Method = m.Coefficients, model.Text, m.R2, m.LackOfFit, m.Method
	f.Points, f.Seeds, f.Warning = m.Points, m.Seeds, m.Warning
	if m.LackOfFit != nil && m.LackOfFit.P < 0.05 {
		f.warn("the model does not fit: its lack of fit has p = %.2g", m.LackOfFit.P)
	}
	for i, p := range points {
		f.Places = append(f.Places, Place{p.X, p.Seeds, p.Value, m.Fitted[i]})
	}
	return []Fit{f}, nil
}

func (f Fit) ofPowers(points []scaling.Point, in []string) ([]Fit, error) {
	p, err := scaling.FitPowers(points)
	if err != nil {
		return nil, err
	}
	f.R2, f.LackOfFit, f.Method, f.Points, f.Seeds, f.Warning = p.R2, p.LackOfFit, p.Method, p.Points, p.Seeds, p.Warning
	f.Coefficients = map[string]scaling.Interval{"intercept": {Value: p.Intercept, Low: math.NaN(), High: math.NaN()}}
	for j, name := range in {
		f.Coefficients[name] = p.Exponents[j]
	}
	for _, point := range points {
		y := p.Intercept
		for j, x := range point.X {
			y += p.Exponents[j].Value * math.Log(x)
		}
		f.Places = append(f.Places, Place{point.X, point.Seeds, point.Value, math.Exp(y)})
	}
	if p.LackOfFit != nil && p.LackOfFit.P < 0.05 {
		f.warn("the plot on logarithmic axes is no plane: the lack of fit has p = %.2g", p.LackOfFit.P)
	}
	var fits []Fit
	for j, name := range in {
		one := f
		one.In, one.Exponent = name, &p.Exponents[j].Value
		one.Low, one.High = finite(p.Exponents[j].Low), finite(p.Exponents[j].High)
		least, most := math.Inf(1), 0.0
		for _, point := range points {
			least, most = min(least, point.X[j]), max(most, point.X[j])
		}
		if most < 10*least {
			one.warn("%s spans a factor %.3g, less than a decade", name, most/least)
		}
		if len(in) == 1 {
			one.Limit = limitOf(points)
		}
		fits = append(fits, one)
	}
	return fits, nil
}

func (f *Fit) warn(format string, args ...any) {
	if f.Warning != "" {
		f.Warning += "; "
	}
	f.Warning += fmt.Sprintf(format, args...)
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// limitOf returns the exponent as the field grows, nil where it has fewer than three values, or other than whole ones.
func limitOf(points []scaling.Point) *scaling.LimitExponent {
	var samples []scaling.Sample
	values := map[int]bool{}
	for _, p := range points {
		x := p.X[0]
		if len(p.Seeds) != 1 || x != math.Trunc(x) || x > 1<<40 {
			return nil
		}
		values[int(x)] = true
		samples = append(samples, scaling.Sample{Depth: int(x), Seed: p.Seeds[0], Value: p.Value})
	}
	if len(values) < 3 {
		return nil
	}
	limit, err := scaling.AverageExponent(samples, math.NaN())
	if err != nil {
		return nil
	}
	limit.Correction = strings.ReplaceAll(limit.Correction, "L", "x")
	return limit
}
