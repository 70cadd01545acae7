package train

import (
	"cmp"
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/field"
)

// Schedules are the names that train.step.schedule takes: constant (η = η₀), cosine and linear
// (from η₀ down to minimum·η₀ over stop.iterations), decay (η₀·factor^⌊t/every⌋), and
// warmup-stable-decay (η₀ but for the warm-up and the last cooldown iterations, over which η goes
// linearly down to minimum·η₀).
var Schedules = []string{"constant", "cosine", "linear", "decay", stableDecay}

const stableDecay = "warmup-stable-decay"

// A Schedule is the name of one; "" stands for constant.
type Schedule string

// IsZero says whether s is the default, which has no part in JSON.
func (s Schedule) IsZero() bool { return s.name() == "constant" }

func (s Schedule) name() string { return cmp.Or(string(s), "constant") }

// Falls says whether η goes down to a minimum by the last iteration.
func (s Schedule) Falls() bool { return s == "cosine" || s == "linear" || s == stableDecay }

// setTimes fills in the iterations of the schedule.
func (s *Step) setTimes(iterations int) {
	switch s.Schedule {
	case "decay":
		s.Every = cmp.Or(s.Every, max(1, iterations/3))
	case stableDecay:
		s.Warmup = cmp.Or(s.Warmup, max(1, iterations/20))
		s.Cooldown = cmp.Or(s.Cooldown, max(1, iterations/5))
	}
}

// checkTimes refuses iterations that the schedule has no use for or that do not fit into the run.
func (s Step) checkTimes(iterations int) error {
	for _, c := range []struct {
		path     string
		value    int
		used     bool
		schedule string
	}{
		{"every", s.Every, s.Schedule == "decay", "decay"},
		{"cooldown", s.Cooldown, s.Schedule == stableDecay, stableDecay},
		{"warmup", s.Warmup, s.Warmup != 0, ""},
	} {
		switch {
		case !c.used && c.value != 0:
			return &field.Error{Path: c.path, Got: c.value, Want: "it left out, or schedule: " + c.schedule}
		case c.used && c.value < 1:
			return &field.Error{Path: c.path, Got: c.value, Want: "a whole number ≥ 1"}
		}
	}
	switch {
	case s.Schedule == stableDecay && iterations < 2: // its defaults need one for each
	case s.Warmup > iterations-s.Cooldown && s.Cooldown > 0:
		return &field.Error{Path: "warmup", Got: s.Warmup, Want: fmt.Sprintf("at most %d, what stop.iterations (%d) leave before a cooldown of %d", max(0, iterations-s.Cooldown), iterations, s.Cooldown)}
	case s.Warmup > iterations:
		return &field.Error{Path: "warmup", Got: s.Warmup, Want: fmt.Sprintf("at most %d, as many as stop.iterations", iterations)}
	}
	return nil
}

// factor returns the schedule's part of η at iteration t: 1 at t = 0 without a warm-up.
func (r rule) factor(t int) float64 {
	if t < r.Warmup {
		return float64(t+1) / float64(r.Warmup)
	}
	since := t - r.Warmup
	part := min(1, float64(since)/float64(max(1, r.iterations-r.Warmup)))
	switch r.Schedule {
	case "cosine":
		return r.Minimum + (1-r.Minimum)*(1+math.Cos(math.Pi*part))/2
	case "linear":
		return 1 - (1-r.Minimum)*part
	case "decay":
		return math.Pow(r.Factor, float64(since/r.Every))
	case stableDecay:
		left := max(0, r.iterations-t)
		return r.Minimum + (1-r.Minimum)*min(1, float64(left)/float64(r.Cooldown))
	}
	return 1
}
