package importer

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/grouped"
	"github.com/deeplimit/deeplimit/internal/plain"
)

// The values of Options.Steps, beside the number of a step.
const (
	LastStep = "last" // of each training
	AllSteps = "all"  // each step a setting, so that the runs of one step are a group
	// SeriesSteps makes one run of each training, whose trace and norms are those of its steps.
	SeriesSteps = "series"
)

// checkSteps refuses what --steps cannot be.
func checkSteps(steps string) error {
	if _, err := strconv.ParseUint(steps, 10, 64); err == nil || steps == "" || steps == LastStep || steps == AllSteps || steps == SeriesSteps {
		return nil
	}
	return &field.Error{Path: "steps", Got: steps, Want: "last, all, series or the number of a step"}
}

// moment are words for a time of a training: two names that differ in one may well be
// one training.
var moment = regexp.MustCompile(`(?i)(^|[^a-z])(final|last|latest|best|init|initial|start|begin|end|ema|swa|avg|before|after|pretrained|finetuned)([^a-z]|$)`)

// arrange decides what the checkpoints are to each other: depths, seeds, steps of one
// training, copies. It returns those to import, with seeds and settings, and what was left
// out for each. Where the names do not tell, it is an error that asks.
func arrange(plans []*plan, o *Options) ([]*plan, error) {
	depths := make([]int, len(plans))
	for i, p := range plans {
		depths[i] = p.depth
	}
	namings := make([]naming, len(plans))
	for i, p := range plans {
		namings[i] = p.naming
	}
	settleUnknown(namings, depths)
	for i, p := range plans {
		p.naming = namings[i]
		if note := p.naming.depthNote(p.depth); note != "" {
			if p.naming.given {
				return nil, fmt.Errorf("importer: %s: %s: want a name of that depth, or * in the place of {depth} in --names", plain.Text(p.path), note)
			}
			p.notes = append(p.notes, note)
		}
	}
	numberSeeds(plans)
	var kept []*plan
	for _, alike := range ofOneShape(plans) {
		chosen, err := sortOut(alike, o)
		if err != nil {
			return nil, err
		}
		kept = append(kept, chosen...)
	}
	slices.SortStableFunc(kept, func(a, b *plan) int { return cmp.Compare(a.order, b.order) })
	noteSteps(kept)
	return kept, nil
}

// ofOneShape returns the plans by depth and shapes: only within one can two be seeds,
// steps or copies.
func ofOneShape(plans []*plan) [][]*plan {
	return grouped.By(plans, func(p *plan) string { return fmt.Sprint(p.depth, p.shapes) })
}

// numberSeeds gives every plan the seed of its name, 1 where that names none. Seeds that
// --names finds as text are numbered in their order.
func numberSeeds(plans []*plan) {
	var texts []string
	numbers := true
	for _, p := range plans {
		if p.naming.seed != "" {
			_, ok := p.naming.seedNumber()
			numbers = numbers && ok
			texts = append(texts, p.naming.seed)
		}
	}
	slices.Sort(texts)
	texts = slices.Compact(texts)
	for _, p := range plans {
		p.seed = 1
		if seed, ok := p.naming.seedNumber(); ok && numbers {
			p.seed = seed
		} else if i, found := slices.BinarySearch(texts, p.naming.seed); found {
			p.seed = uint64(i + 1)
		}
		p.settings = maps.Clone(p.naming.settings)
	}
}

// sortOut decides what checkpoints of one depth and one shape are to each other.
func sortOut(plans []*plan, o *Options) ([]*plan, error) {
	if len(plans) > 1 {
		if err := fingerprints(plans, o); err != nil {
			return nil, err
		}
	}
	plans = joinCopies(plans, func(p *plan) string { return p.stepText() })
	if err := tellApart(plans); err != nil {
		return nil, err
	}
	var kept []*plan
	for _, series := range trainings(plans) {
		chosen, err := chooseSteps(series, cmp.Or(o.Steps, LastStep), o)
		if err != nil {
			return nil, err
		}
		kept = append(kept, chosen...)
	}
	kept = joinCopies(kept, func(*plan) string { return "" })
	noteNear(kept)
	return kept, nil
}

// tellApart holds the names against each other: what differs must be a seed, a step or a
// setting. Names that differ in words alone are seeds in their order when their weights
// have nothing in common.
func tellApart(plans []*plan) error {
	forms := map[string]*plan{}
	open := map[string]bool{}
	told, unknownNumbers := false, false
	for _, p := range plans {
		form := p.naming.template(false)
		if forms[form] == nil {
			forms[form] = p
			unknownNumbers = unknownNumbers || open[p.naming.template(true)]
			open[p.naming.template(true)] = true
		}
		told = told || p.naming.first(isSeed) != nil || p.naming.first(isStep) != nil || moment.MatchString(p.naming.name)
	}
	switch {
	case len(forms) > 1 && (told || unknownNumbers || related(plans)):
		return ask(plans)
	case len(forms) > 1:
		for i, p := range plans {
			p.seed = uint64(i + 1)
			p.notes = append(p.notes, fmt.Sprintf("seed %d by the order of the files, as names and weights have nothing in common with the others of this depth", p.seed))
		}
	}
	return nil
}

// ask is the error for names that do not tell.
func ask(plans []*plan) error {
	names := make([]string, 0, 4)
	for _, p := range plans[:min(len(plans), 4)] {
		names = append(names, plain.Text(p.naming.name))
	}
	if more := len(plans) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	mend := fmt.Sprintf("say what they are with --names '%s' or --names '%s'", namesExample(plans, "{seed}"), namesExample(plans, "{step}"))
	if odd := unlike(plans); odd != nil {
		mend = fmt.Sprintf("%s and %s have no form in common that --names could give, so rename one or give the files of one form", plain.Text(plans[0].naming.name), plain.Text(odd.naming.name))
	}
	return fmt.Errorf("importer: got %d checkpoints of depth %d, %s, want names that tell seeds from steps of one training; %s",
		len(plans), plans[0].depth, strings.Join(names, ", "), mend)
}

// unlike returns the first plan that the example of --names does not fit, nil for none.
func unlike(plans []*plan) *plan {
	expression, err := compileNames(namesExample(plans, "{seed}"))
	i := slices.IndexFunc(plans, func(p *plan) bool { return err == nil && !expression.MatchString("/"+p.naming.name) })
	if i < 0 {
		return nil
	}
	return plans[i]
}

// namesExample returns a pattern of names in which m stands where the plans differ.
func namesExample(plans []*plan, m string) string {
	n := plans[0].naming
	differ := func(k int) bool {
		return slices.ContainsFunc(plans, func(p *plan) bool {
			return len(p.naming.numbers) > k && p.naming.numbers[k].text != n.numbers[k].text
		})
	}
	var text strings.Builder
	at, done := 0, false
	for k, x := range n.numbers {
		text.WriteString(n.name[at:x.from])
		switch {
		case x.role == isDepth && !strings.Contains(text.String(), "{depth}"):
			text.WriteString("{depth}")
		case !differ(k):
			text.WriteString(x.text)
		case done:
			text.WriteString("*")
		default:
			text.WriteString(m)
			done = true
		}
		at = x.to
	}
	if !done {
		return m + ".*"
	}
	extension := filepath.Ext(n.name)
	text.WriteString(n.name[at : len(n.name)-len(extension)])
	if slices.ContainsFunc(plans, func(p *plan) bool { return filepath.Ext(p.naming.name) != extension }) {
		extension = ".*"
	}
	return plain.Text(text.String() + extension)
}

// noteSteps notes on the first plan that others are of other steps of their trainings, unless
// each step is a setting.
func noteSteps(plans []*plan) {
	var steps []string
	for _, p := range plans {
		if p.settings["step"] == "" && !slices.Contains(steps, p.step) {
			steps = append(steps, p.step)
		}
	}
	if len(steps) > 1 {
		for i := range steps {
			steps[i] = cmp.Or(steps[i], "unknown")
		}
		plans[0].notes = append(plans[0].notes, fmt.Sprintf("the runs are of different steps, %s: depths and seeds are compared at different times of training; --steps takes one step of all", strings.Join(steps, ", ")))
	}
}

// trainings returns the plans by seed and settings: each is the checkpoints of one
// training.
func trainings(plans []*plan) [][]*plan {
	return grouped.By(plans, func(p *plan) string { return fmt.Sprint(p.seed, p.settings) })
}

// chooseSteps returns the checkpoints of one training to import.
func chooseSteps(series []*plan, steps string, o *Options) ([]*plan, error) {
	if err := orderSteps(series); err != nil {
		return nil, err
	}
	last := series[len(series)-1]
	switch {
	case steps == SeriesSteps:
		run, err := recordable(series, o)
		return []*plan{run}, err
	case steps == AllSteps && last.step != "":
		for _, p := range series {
			if p.settings == nil {
				p.settings = map[string]string{}
			}
			p.settings["step"] = p.step
		}
		return series, nil
	case steps == AllSteps || steps == LastStep:
	default:
		want, err := strconv.ParseFloat(steps, 64)
		i := slices.IndexFunc(series, func(p *plan) bool { return p.step != "" && p.time == want })
		if err != nil || i < 0 {
			return nil, fmt.Errorf("importer: %s: got steps %s, want step %s, as --steps says", plain.Text(last.path), stepList(series), steps)
		}
		last = series[i]
	}
	same := map[string]string{last.weights: last.step}
	for _, p := range series {
		if p == last {
			continue
		}
		why := fmt.Sprintf("step %s of the training of which step %s is taken", p.step, last.step)
		if step, met := same[p.weights]; met {
			why += ", with the same weights as step " + step
		} else {
			same[p.weights] = p.step
		}
		last.leave(p, why)
	}
	return []*plan{last}, nil
}

// orderSteps puts the checkpoints of one training in the order of time, by the word that
// gives each a number of its own: steps before epochs.
func orderSteps(series []*plan) error {
	first := series[0].naming.steps()
	words := slices.SortedFunc(maps.Keys(first), func(a, b string) int {
		late := func(word string) int { return strings.Count(word, "ep") - strings.Count(word, "step") } // 1 of epochs
		return cmp.Or(cmp.Compare(late(a), late(b)), cmp.Compare(first[a].from, first[b].from))
	})
	for _, word := range words {
		seen := map[float64]bool{}
		for _, p := range series {
			if x, ok := p.naming.steps()[word]; ok {
				seen[x.value] = true
				p.time, p.step = x.value, trimZeros(x.text)
			}
		}
		if len(seen) == len(series) {
			slices.SortStableFunc(series, func(a, b *plan) int { return cmp.Compare(a.time, b.time) })
			return nil
		}
	}
	if len(series) > 1 {
		return fmt.Errorf("importer: got %s and %s for depth %d and seed %d, want one, or names that tell seeds and steps apart; say how they are to be read with --names, as '%s' or '%s'",
			plain.Text(series[0].path), plain.Text(series[1].path), series[0].depth, series[0].seed, namesExample(series, "{seed}"), namesExample(series, "{step}"))
	}
	return nil
}

// trimZeros returns 500 for 0000500.
func trimZeros(text string) string { return cmp.Or(strings.TrimLeft(text, "0"), "0") }

func stepList(series []*plan) string {
	var steps []string
	for _, p := range series {
		steps = append(steps, cmp.Or(p.step, "unknown"))
	}
	return strings.Join(steps, ", ")
}

// stepText returns the numbers of the name that count time, as text.
func (p *plan) stepText() string {
	steps := p.naming.steps()
	var text strings.Builder
	for _, word := range slices.Sorted(maps.Keys(steps)) {
		fmt.Fprintf(&text, "%s %v;", word, steps[word].value)
	}
	return text.String()
}

// leave notes on p that another checkpoint was left out for it, with what that one had
// left out.
func (p *plan) leave(other *plan, why string) {
	p.leftOut = append(p.leftOut, LeftOut{filepath.ToSlash(other.path), why})
	p.leftOut = append(p.leftOut, other.leftOut...)
}
