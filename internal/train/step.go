package train

import (
	"cmp"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/field"
)

// Step says what the step size η is: the rule gives η₀ at a depth, the schedule what
// becomes of it from iteration to iteration.
type Step struct {
	// Rule is depth (η₀ = value·L^x, by the law of method and network: DepthExponent), constant
	// (η₀ = value at every depth), armijo (backtracking from the step of rule depth) or
	// certified (value times a step size for which a descent is proved, see
	// docs/certificates.md; value at most 1); default depth. Rules armijo and certified
	// need method gd.
	Rule string `yaml:"rule,omitempty" json:"rule"`
	// Schedule is one of Schedules, by which η goes on from η₀; default constant, which is left
	// out of JSON and so of the hash. Rules armijo and certified, which find η at every iterate,
	// take no other.
	Schedule Schedule `yaml:"schedule,omitempty" json:"schedule,omitzero"`
	// Warmup is the number of first iterations over which η grows in equal steps to η₀, which it
	// has in the last of them; the schedule follows. Default a twentieth of stop.iterations, at
	// least 1, with schedule warmup-stable-decay, else 0.
	Warmup int `yaml:"warmup,omitempty" json:"warmup,omitempty" zero:"no warm-up"`
	// Cooldown is the number of last iterations over which warmup-stable-decay goes down from
	// η₀; default a fifth of stop.iterations, at least 1.
	Cooldown int `yaml:"cooldown,omitempty" json:"cooldown,omitempty"`
	// Value is η₀ at L = 1, or at every L for rule constant; default 0.01 for normalised methods,
	// which move each entry by about η, else 1.
	Value float64 `yaml:"value,omitempty" json:"value"`
	// BaseDepth is the depth L₀ at which η₀ is value, weight decay and ε as they are written, with
	// rules depth and armijo: L/L₀ takes the place of L in the law. Default 1, which is left out of JSON.
	BaseDepth Base `yaml:"base-depth,omitempty" json:"base_depth,omitzero"`
	// BaseWidth is the width, and hidden width, at which a parametrisation leaves values as they are
	// written; default 1, which is left out of JSON.
	BaseWidth Base `yaml:"base-width,omitempty" json:"base_width,omitzero"`
	// Groups is apart (rule depth gives each trained group the law of its own) or together
	// (all have the smallest of their laws). Default together with gd, sgd, momentum and adam, else
	// apart; the default is left empty.
	Groups string `yaml:"groups,omitempty" json:"groups,omitempty"`
	// Parts are values of groups that take the place of Value for them, with rules depth and constant.
	Parts Parts `yaml:"parts,omitempty" json:"parts,omitzero"`
	// Factor is what rule armijo and schedule decay multiply η with; default 1/2.
	Factor float64 `yaml:"factor,omitempty" json:"factor,omitempty"`
	// Slope is the Armijo constant c: accept when J(θ−ηg) < J and ≤ J − cη‖g‖²; default 1e-4.
	Slope float64 `yaml:"slope,omitempty" json:"slope,omitempty"`
	// Every is the number of iterations between decays; default a third of
	// stop.iterations, at least 1.
	Every int `yaml:"every,omitempty" json:"every,omitempty"`
	// Minimum is the last η of schedules cosine, linear and warmup-stable-decay as a fraction of
	// η₀; default 0.
	Minimum float64 `yaml:"minimum,omitempty" json:"minimum,omitempty"`
}

// resolve fills in the defaults of rule and schedule and refuses what is wrong in them.
func (s Step) resolve(method string, iterations int, parametrised bool) (Step, error) {
	if method == LevenbergMarquardt {
		return s.resolveGain()
	}
	s.Rule = cmp.Or(s.Rule, "depth")
	s.Schedule = Schedule(s.Schedule.name())
	if err := s.checkNames(method); err != nil {
		return Step{}, err
	}
	value := 1.0
	if normalised(method) {
		value = 0.01
	}
	s.Value = cmp.Or(s.Value, value)
	armijo, decay := s.Rule == "armijo", s.Schedule == "decay"
	if armijo || decay {
		s.Factor = cmp.Or(s.Factor, 0.5)
	}
	if armijo {
		s.Slope = cmp.Or(s.Slope, 1e-4)
	}
	if s.Groups == defaultGroups(method) {
		s.Groups = ""
	}
	if err := s.checkGroups(parametrised); err != nil {
		return Step{}, err
	}
	s.BaseDepth, s.BaseWidth = cmp.Or(s.BaseDepth, 1), cmp.Or(s.BaseWidth, 1)
	s.setTimes(iterations)
	if err := s.checkTimes(iterations); err != nil {
		return Step{}, err
	}
	values := positive
	if s.Rule == "certified" {
		values = share
	}
	return s, firstWrong(
		setting{"value", s.Value, true, "", values},
		setting{"factor", s.Factor, armijo || decay, "rule: armijo or schedule: decay", open(0, 1)},
		setting{"slope", s.Slope, armijo, "rule: armijo", open(0, 1)},
		setting{"minimum", s.Minimum, s.Schedule.Falls(), "schedule: cosine, linear or warmup-stable-decay", fraction},
	)
}

// resolveGain resolves the step of method levenberg-marquardt, which has nothing to choose.
func (s Step) resolveGain() (Step, error) {
	const want = "it left out with method levenberg-marquardt, whose step rule is its own"
	switch {
	case s.Rule != "" && s.Rule != gainRatio:
		return Step{}, &field.Error{Path: "rule", Got: s.Rule, Want: want + " (" + gainRatio + ")"}
	case s.Schedule.name() != "constant":
		return Step{}, &field.Error{Path: "schedule", Got: string(s.Schedule), Want: want}
	case s.Groups != "":
		return Step{}, &field.Error{Path: "groups", Got: s.Groups, Want: want}
	}
	for _, f := range []setting{
		{name: "every", value: float64(s.Every)},
		{name: "warmup", value: float64(s.Warmup)},
		{name: "cooldown", value: float64(s.Cooldown)},
		{name: "base-depth", value: float64(s.BaseDepth)},
		{name: "base-width", value: float64(s.BaseWidth)},
		{name: "value", value: s.Value},
		{name: "factor", value: s.Factor},
		{name: "slope", value: s.Slope},
		{name: "minimum", value: s.Minimum},
	} {
		if f.value != 0 {
			return Step{}, &field.Error{Path: f.name, Got: f.value, Want: want}
		}
	}
	return Step{Rule: gainRatio}, nil
}

// checkNames refuses a rule or a schedule that there is not, or that does not go with
// the method or with the other.
func (s Step) checkNames(method string) error {
	rules := []string{"depth", "constant", "armijo", "certified"}
	schedules := "one of " + strings.Join(Schedules, ", ")
	searched := s.Rule == "armijo" || s.Rule == "certified"
	switch {
	case slices.Contains(rules, s.Rule):
	case slices.Contains(Schedules, s.Rule):
		return &field.Error{Path: "rule", Got: s.Rule, Want: "one of " + strings.Join(rules, ", ") + " (" + s.Rule + " is a schedule: write schedule: " + s.Rule + ")"}
	default:
		return field.OneOf("rule", s.Rule, rules...)
	}
	switch schedule := string(s.Schedule); {
	case slices.Contains(Schedules, schedule):
	case schedule == "depth" || schedule == "armijo" || schedule == "certified":
		return &field.Error{Path: "schedule", Got: schedule, Want: schedules + " (" + schedule + " is a rule: write rule: " + schedule + ")"}
	default:
		return field.OneOf("schedule", schedule, Schedules...)
	}
	switch {
	case searched && method != "gd":
		return &field.Error{Path: "rule", Got: s.Rule, Want: "depth or constant with method " + method + " (" + s.Rule + " needs method: gd)"}
	case searched && s.Schedule != "constant":
		return &field.Error{Path: "schedule", Got: string(s.Schedule), Want: "constant with rule " + s.Rule + ", which finds the step size at every iterate (use rule: depth or constant)"}
	case searched && s.Warmup != 0:
		return &field.Error{Path: "warmup", Got: s.Warmup, Want: "it left out with rule " + s.Rule + ", which finds the step size at every iterate (use rule: depth or constant)"}
	}
	return nil
}
