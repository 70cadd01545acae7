package tune

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/runfolder"
)

// The fields whose number at a depth follows from the rule of the step.
const (
	stepValue = "train.step.value"
	epsilon   = "train.epsilon"
	decay     = "train.weight-decay"
)

// numberAt returns the number at a dotted path of a resolved run, NaN where there is none.
func numberAt(run *study.Run, path string) float64 {
	var at any = run.Fields()
	for segment := range strings.SplitSeq(path, ".") {
		inner, ok := at.(map[string]any)
		if !ok {
			return math.NaN()
		}
		at = inner[segment]
	}
	if v := reflect.ValueOf(at); v.IsValid() && v.CanFloat() && !math.IsNaN(v.Float()) {
		return v.Float()
	}
	if key, ok := strings.CutPrefix(path, "initial."); ok {
		return initialNumber(run, key)
	}
	return math.NaN()
}

// initialNumber returns what all parts of the initial weights that have a number of that name have there, as
// resolving a run hands the section's own to them; NaN where they differ or none has it.
func initialNumber(run *study.Run, key string) float64 {
	found := math.NaN()
	for _, name := range slices.Sorted(maps.Keys(run.Initial.Parts)) {
		text, err := json.Marshal(run.Initial.Parts[name])
		if err != nil {
			return math.NaN()
		}
		var fields map[string]any
		if json.Unmarshal(text, &fields) != nil {
			return math.NaN()
		}
		v, ok := fields[key].(float64)
		switch {
		case !ok || v == 0:
		case math.IsNaN(found):
			found = v
		case v != found:
			return math.NaN()
		}
	}
	return found
}

// checkOver refuses a field that cannot be tuned in a run, and returns its number there.
func checkOver(run *study.Run, over string) (float64, error) {
	if rule := run.Train.Step.Rule; over == stepValue && rule != "depth" && rule != "constant" {
		return 0, &field.Error{Path: "train.step.rule", Got: rule, Want: "depth or constant to tune train.step.value: this rule finds the step size itself"}
	}
	v := numberAt(run, over)
	if math.IsNaN(v) {
		return 0, &field.Error{Path: "over", Got: over, Want: "a field of the study that holds a number with decimals in run " + run.ID + ", such as train.step.value, train.epsilon, network.alpha, initial.amplitude"}
	}
	if !(v > 0) {
		return 0, &field.Error{Path: over, Got: v, Want: "a number > 0 to begin from (write one into the study file, or --set " + over + "=…)"}
	}
	return v, nil
}

// used returns what training makes of a field's number at the run's depth.
func used(step *runfolder.StepLaw, over string, v float64) float64 {
	switch {
	case over == stepValue && step.First != nil:
		return *step.First
	case over == epsilon && step.Epsilon > 0:
		return step.Epsilon
	case over == decay && step.Decay > 0:
		return step.Decay
	}
	return v
}

// law returns the exponent in depth that rule depth has for what training makes of the field; nil for a field
// that the rule says nothing of.
func law(run *study.Run, over string) *float64 {
	if over != stepValue && over != epsilon && over != decay {
		return nil
	}
	if run.Train.Parametrisation != "" { // which scales the groups itself, so that one value serves all depths
		return new(float64)
	}
	at := func(depth int) float64 {
		spec := run.Train
		spec.Step.Rule = "depth"
		step := spec.At(depth, run.Network)
		return used(&step, over, math.NaN())
	}
	const depth = 16
	x := math.Log2(at(2*depth) / at(depth))
	if math.IsNaN(x) {
		return nil
	}
	x = math.Round(x*1e9) / 1e9
	return &x
}

// rules returns the exponents in depth by which a value is moved from one depth to another, by name:
// docs/tune.md has the sources.
func rules(run *study.Run, over string, law *float64) map[string]float64 {
	out := map[string]float64{"constant": 0}
	if law != nil {
		out["law"] = *law
	}
	if run.Train.Parametrisation != "" {
		return out
	}
	alpha := *run.Network.Alpha
	adam := strings.HasPrefix(run.Train.Method, "adam")
	switch {
	case over == stepValue && adam:
		out["complete-p"] = alpha - 1
		if alpha == 0.5 {
			out["depth-mup"] = -0.5
		}
	case over == stepValue && alpha == 0.5 && slices.Contains([]string{"gd", "sgd", "momentum", "nesterov"}, run.Train.Method):
		out["depth-mup"] = 0
	case over == epsilon && adam:
		out["complete-p"] = -alpha
	case over == decay && adam:
		out["complete-p"] = 0
	}
	return out
}

// A lattice is the settings of a search: powers of the precision times the first one, rounded to few digits.
type lattice struct {
	first, precision float64
	digits           int
}

func newLattice(first, precision float64) lattice {
	digits := 4
	for p := precision - 1; p < 0.01 && digits < 15; p *= 10 {
		digits++
	}
	return lattice{first, precision, digits}
}

// text returns the setting at a power as a study file has it.
func (l lattice) text(k int) string {
	if k == 0 {
		return strconv.FormatFloat(l.first, 'g', -1, 64)
	}
	v, err := strconv.ParseFloat(strconv.FormatFloat(l.first*math.Pow(l.precision, float64(k)), 'g', l.digits, 64), 64)
	if err != nil {
		panic(fmt.Sprintf("tune: power %d: %v", k, err)) // a number that was just written
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func (l lattice) at(k int) float64 {
	v, err := strconv.ParseFloat(l.text(k), 64)
	if err != nil {
		panic(fmt.Sprintf("tune: power %d: %v", k, err)) // a number that was just written
	}
	return v
}

// nearest returns the power whose setting is nearest to v.
func (l lattice) nearest(v float64) int {
	return int(math.Round(math.Log(v/l.first) / math.Log(l.precision)))
}

// keyOf names what a group of runs has in common: data set and settings other than those that are tuned.
func keyOf(run *study.Run, over []string) string {
	var b strings.Builder
	b.WriteString(strconv.Quote(run.Data.Name))
	for _, path := range slices.Sorted(maps.Keys(run.Settings)) {
		if !slices.Contains(over, path) {
			fmt.Fprintf(&b, " %s=%q", path, run.Settings[path])
		}
	}
	return b.String()
}
