package papers

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// everySeed is what a claim about every seed asks for: the share of seeds of which it is
// true is 0.95 at least. 100 seeds that all do have an interval from 0.964 on; with fewer
// than 72 there is none that can tell.
var everySeed = AtLeast(0.95)

// An answer is what a run says to a question of yes or no.
type answer int

const (
	no answer = iota
	yes
	unknown
)

// answerOf returns yes or no.
func answerOf(is bool) answer {
	if is {
		return yes
	}
	return no
}

// seeds joins the answers of runs: a seed says yes where all its runs do, no where one does.
type seeds map[uint64]answer

func (s seeds) add(seed uint64, a answer) {
	before, seen := s[seed]
	switch {
	case !seen, a == no, before == yes:
		s[seed] = a
	}
}

// share returns the share of seeds that say yes with its interval, and "98 of 100 seeds".
func (s seeds) share() Measurement {
	var count [3]int
	for _, a := range s {
		count[a]++
	}
	return share(count[yes], count[unknown], len(s))
}

// share returns hits/n with the 95 % interval of Clopper and Pearson, which covers at least
// as often as it says, whatever n. What is unknown counts as a miss in the lower end and as a
// hit in the upper one.
func share(hits, unknown, n int) Measurement {
	if n == 0 {
		return missing("no seeds")
	}
	m := Measurement{Value: float64(hits) / float64(n), Low: 0, High: 1, Note: fmt.Sprintf("%d of %d seeds", hits, n)}
	if hits > 0 {
		m.Low = distuv.Beta{Alpha: float64(hits), Beta: float64(n - hits + 1)}.Quantile(0.025)
	}
	if most := hits + unknown; most < n {
		m.High = distuv.Beta{Alpha: float64(most + 1), Beta: float64(n - most)}.Quantile(0.975)
	}
	return m
}

// shareOfSeeds returns a Measure of the share of seeds in every group of a study of
// which a question is answered with yes at all depths. note, unless nil, says more of
// the runs of a group.
func shareOfSeeds(study string, ask func(*Bench, *analyze.Run) (answer, error), note func([]*analyze.Run) string) func(*Bench) ([]Measurement, error) {
	return eachCase(study, func(b *Bench, result *analyze.Result, g analyze.Group) (Measurement, error) {
		answers, runs := seeds{}, runsOf(result, g)
		for _, r := range runs {
			a, err := ask(b, r)
			if err != nil {
				return Measurement{}, err
			}
			answers.add(r.Seed, a)
		}
		m := answers.share()
		if note != nil {
			m.Note = strings.TrimSuffix(m.Note+"; "+note(runs), "; ")
		}
		return m, nil
	})
}

// runsOf returns the runs of a group by depth and seed.
func runsOf(result *analyze.Result, g analyze.Group) []*analyze.Run {
	var runs []*analyze.Run
	for i := range result.Runs {
		if r := &result.Runs[i]; r.Group == g.Group {
			runs = append(runs, r)
		}
	}
	return runs
}

// fallsLinearly is the R² of log J against the iteration from which a fall counts as linear.
const fallsLinearly = 0.99

// linearFall measures the share of seeds whose loss falls linearly at all depths. Without
// a target a run without a rate does not answer: where the loss stops falling early, no linear
// part can be told. One that had a target and did not reach it says no.
func linearFall(study string, target bool) func(*Bench) ([]Measurement, error) {
	ask := func(_ *Bench, r *analyze.Run) (answer, error) {
		switch {
		case target && r.Stop != "loss":
			return no, nil
		case r.Rate == nil:
			return unknown, nil
		}
		return answerOf(r.Rate.R2 >= fallsLinearly), nil
	}
	return shareOfSeeds(study, ask, fallNote)
}

// fallNote names the run with the smallest R² and what its loss did, and why runs have no rate.
func fallNote(runs []*analyze.Run) string {
	var worst *analyze.Run
	without, reason := 0, ""
	for _, r := range runs {
		switch {
		case r.Rate == nil:
			without, reason = without+1, r.RateReason
		case worst == nil || r.Rate.R2 < worst.Rate.R2:
			worst = r
		}
	}
	var notes []string
	if worst != nil {
		notes = append(notes, fmt.Sprintf("smallest R² %s: %s", digits(worst.Rate.R2), fallText(worst)))
	}
	if without > 0 {
		notes = append(notes, fmt.Sprintf("no rate in %d of %d runs: %s", without, len(runs), reason))
	}
	return strings.Join(notes, "; ")
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

// reachesLoss measures the share of seeds that reach train.stop.loss at all depths.
func reachesLoss(study string) func(*Bench) ([]Measurement, error) {
	return shareOfSeeds(study, func(_ *Bench, r *analyze.Run) (answer, error) { return answerOf(r.Stop == "loss"), nil }, slowest)
}

// slowest says how many iterations the runs that reached the loss took, and where the others ended.
func slowest(runs []*analyze.Run) string {
	least, most, left := math.MaxInt, 0, 0
	end := math.Inf(1)
	for _, r := range runs {
		if r.Stop == "loss" {
			least, most = min(least, r.Iterations), max(most, r.Iterations)
		} else if left++; !(r.Loss >= end) {
			end = r.Loss
		}
	}
	var notes []string
	switch {
	case most > least:
		notes = append(notes, fmt.Sprintf("in %d to %d steps", least, most))
	case most > 0:
		notes = append(notes, fmt.Sprintf("in %d steps", most))
	}
	if left > 0 && !math.IsInf(end, 1) {
		notes = append(notes, fmt.Sprintf("the others end at %.2g or above", end))
	}
	return strings.Join(notes, "; ")
}

// cases returns a Measure of those cases of another, in that order.
func cases(measure func(*Bench) ([]Measurement, error), names ...string) func(*Bench) ([]Measurement, error) {
	return func(b *Bench) ([]Measurement, error) {
		all, err := measure(b)
		if err != nil {
			return nil, err
		}
		var found []Measurement
		for _, name := range names {
			i := slices.IndexFunc(all, func(m Measurement) bool { return m.Case == name })
			if i < 0 {
				return nil, fmt.Errorf("papers: got no case %q, want one", name)
			}
			found = append(found, all[i])
		}
		return found, nil
	}
}
