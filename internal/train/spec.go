package train

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/machine"
)

// Spec is the `train` section of a study file. Zero values mean the default; the tag zero says what
// they mean once resolved where that is no number, and a study that writes such a zero is refused.
type Spec struct {
	// Method is one of Methods: gd (full-batch gradient descent), sgd (on mini-batches), momentum,
	// nesterov, adam, adamw, sign, lion or muon; or levenberg-marquardt (damped Gauss–Newton by the
	// tangent kernel); default gd.
	Method string `yaml:"method,omitempty" json:"method"`
	// Batch is the number of samples of a mini-batch; 0 for all where the method takes both.
	// Default 32 for sgd (all where there are fewer samples), else 0; not allowed with gd.
	Batch int `yaml:"batch,omitempty" json:"batch,omitempty" zero:"all samples"`
	// Momentum is the factor of methods momentum and nesterov, default 0.9, and muon, default 0.95.
	Momentum float64 `yaml:"momentum,omitempty" json:"momentum,omitempty"`
	// Beta1 and Beta2 are those of adam, adamw and of muon where it is Adam, defaults 0.9 and 0.999,
	// and of lion, defaults 0.9 and 0.99.
	Beta1 float64 `yaml:"beta1,omitempty" json:"beta1,omitempty"`
	Beta2 float64 `yaml:"beta2,omitempty" json:"beta2,omitempty"`
	// Epsilon is Adam's ε, default 1e-8. With step rule depth ε = epsilon·L^−α, as the gradient of
	// the weights scales (Spec.At).
	Epsilon float64 `yaml:"epsilon,omitempty" json:"epsilon,omitempty"`
	// WeightDecay is λ of the decoupled decay w ← w − ηλw of all that is trained, with any
	// method; default 0.01 with adamw, else 0, which is left out of JSON and so of the hash.
	WeightDecay *Decay `yaml:"weight-decay,omitempty" json:"weight_decay,omitzero"`
	// Clip is the largest norm of the gradient that a step is made of: a longer one is cut to
	// it; 0 for none.
	Clip float64 `yaml:"clip,omitempty" json:"clip,omitempty" zero:"no clipping"`
	Step Step    `yaml:"step,omitempty" json:"step"`
	// Parametrisation is one of Parametrisations, or "": that of the study, as it sets the steps.
	Parametrisation string `json:"parametrisation,omitempty"`
	Stop            Stop   `yaml:"stop,omitempty" json:"stop"`
	// Cascade trains shallow networks first; nil for none.
	Cascade *Cascade `yaml:"cascade,omitempty" json:"cascade,omitempty"`
	// Penalty is minimised beside the loss; none by default.
	Penalty Penalty `yaml:"penalty,omitempty" json:"penalty,omitzero"`
	Certify Certify `yaml:"certify,omitempty" json:"certify,omitzero"`
	// Record and Test say when the trace holds statistics of paths, and of held-out samples.
	Record Record `yaml:"record,omitempty" json:"record,omitzero"`
	Test   Test   `yaml:"test,omitempty" json:"test,omitzero"`
	// Coordinates puts into the trace, at each record, what training has changed in the network (internal/coordinates).
	Coordinates bool `yaml:"coordinates,omitempty" json:"coordinates,omitempty"`
	// Variation is Record.Every; 0 for never.
	Variation int `yaml:"variation,omitempty" json:"variation,omitempty" zero:"never"`
	// Norms is geometric (the norm of every layer is recorded at iterations 0 … 8 and four
	// times as often as the iteration doubles, and at the end) or off; default geometric, for
	// which it is left empty.
	Norms string `yaml:"norms,omitempty" json:"norms,omitempty"`
	// Memory is the most that the hidden states of all runs at work may take, such as
	// 2GB; beyond it states are recomputed. Default: a quarter of machine.Memory.
	// It changes no result, so it has no part in the run's hash.
	Memory string `yaml:"memory,omitempty" json:"-"`
	// KeepState keeps the state of a method that has one at the end of a run, so that a run that ends
	// later goes on from there; the others need their weights alone. It changes no result, so it has
	// no part in the run's hash.
	KeepState bool `yaml:"keep-state,omitempty" json:"-"`
}

// Stop says when a run ends; the first condition that holds ends it.
type Stop struct {
	// Loss stops when J ≤ loss; 0 for never.
	Loss float64 `yaml:"loss,omitempty" json:"loss,omitempty" zero:"no such stop"`
	// Iterations is the largest number of steps; default 1000.
	// With 0 the run ends at its initial weights.
	Iterations *int `yaml:"iterations,omitempty" json:"iterations"`
	// Seconds stops after that much training time; 0 for never. The result then
	// depends on the machine.
	Seconds float64 `yaml:"seconds,omitempty" json:"seconds,omitempty" zero:"no limit"`
	// Plateau stops when J has not fallen by a factor 1 − 1e-6 over this many iterations; 0 for never.
	Plateau int `yaml:"plateau,omitempty" json:"plateau,omitempty" zero:"no such stop"`
	// Divergence stops when J exceeds this multiple of J(0), or is not finite; default 1e6.
	Divergence float64 `yaml:"divergence,omitempty" json:"divergence,omitempty"`
}

// Resolve returns s with every default filled in for a data set of the given number
// of samples, 0 when that is not known yet (then a batch is not held against it).
// What the method or the rule does not use stays zero. Resolving a resolved Spec
// changes nothing.
//
// A field that is wrong, or that the method or rule has no use for, is refused with
// a *field.Error whose path is relative to the section.
func (s Spec) Resolve(samples int) (Spec, error) {
	s.Method = cmp.Or(s.Method, "gd")
	if err := field.OneOf("method", s.Method, append(slices.Clone(Methods), LevenbergMarquardt)...); err != nil {
		return Spec{}, err
	}
	s.setMethod(samples)
	if err := s.checkMethod(samples); err != nil {
		return Spec{}, err
	}
	if _, err := s.MemoryBytes(); err != nil {
		return Spec{}, err
	}
	if err := s.resolveRecord(); err != nil {
		return Spec{}, err
	}
	if err := field.OneOf("norms", cmp.Or(s.Norms, "geometric"), "geometric", "off"); err != nil {
		return Spec{}, err
	}
	if s.Norms == "geometric" {
		s.Norms = "" // the default has no part in the hash of a run
	}
	var err error
	if s.Stop, err = s.Stop.resolve(); err != nil {
		return Spec{}, field.Under("stop", err)
	}
	if s.Parametrisation != "" {
		if s.Step.Rule != "" && s.Step.Rule != "constant" {
			return Spec{}, &field.Error{Path: "step.rule", Got: s.Step.Rule, Want: "constant with parametrisation " + s.Parametrisation + ", which sets the step size of every depth itself"}
		}
		s.Step.Rule = "constant"
	}
	if s.Step, err = s.Step.resolve(s.Method, *s.Stop.Iterations, s.Parametrisation != ""); err != nil {
		return Spec{}, field.Under("step", err)
	}
	if err = s.checkAltered(); err != nil {
		return Spec{}, err
	}
	if s.Certify, err = s.Certify.resolve(s.Update()); err != nil {
		return Spec{}, field.Under("certify", err)
	}
	if s.Cascade != nil {
		cascade, err := s.Cascade.resolve()
		if err != nil {
			return Spec{}, field.Under("cascade", err)
		}
		s.Cascade = &cascade
	}
	if err := s.checkCascade(); err != nil {
		return Spec{}, err
	}
	if s.Penalty, err = s.Penalty.resolve(); err != nil {
		return Spec{}, field.Under("penalty", err)
	}
	if err := s.checkPenalty(); err != nil {
		return Spec{}, err
	}
	if s.Step.Rule == "certified" && s.cadence() == "off" {
		return Spec{}, &field.Error{Path: "certify.cadence", Got: "off", Want: "another cadence with step rule certified, which works from what is measured"}
	}
	return s, nil
}

// MemoryBytes returns Memory in bytes, a quarter of machine.Memory when it is not set,
// and 0 (no limit) on a machine that does not say how much it has.
func (s Spec) MemoryBytes() (int64, error) {
	if s.Memory == "" {
		return machine.Memory() / 4, nil
	}
	bytes, err := humanize.ParseBytes(s.Memory)
	if err != nil || bytes < 1 || bytes > 1<<62 {
		return 0, &field.Error{Path: "memory", Got: s.Memory, Want: "a size such as 500MB or 2GB"}
	}
	return int64(bytes), nil
}

// mostIterations keeps the counts of a plan from overflow: all of them are exact in float64.
const mostIterations = 1 << 53

// resolve fills in the defaults and refuses what is wrong.
func (s Stop) resolve() (Stop, error) {
	s.Iterations = cmp.Or(s.Iterations, new(1000))
	s.Divergence = cmp.Or(s.Divergence, 1e6)
	switch {
	case *s.Iterations < 0 || *s.Iterations > mostIterations:
		return Stop{}, &field.Error{Path: "iterations", Got: *s.Iterations, Want: "a whole number from 0 to 2^53"}
	case s.Plateau < 0:
		return Stop{}, &field.Error{Path: "plateau", Got: s.Plateau, Want: "a whole number ≥ 0"}
	}
	return s, firstWrong(
		setting{"loss", s.Loss, true, "", nonNegative},
		setting{"seconds", s.Seconds, true, "", nonNegative},
		setting{"divergence", s.Divergence, true, "", above(1)},
	)
}

// A setting is a number with the range it may be in where it is used; elsewhere it
// must be zero.
type setting struct {
	name  string
	value float64
	used  bool
	needs string // what makes it used
	in    interval
}

// An interval is a set of finite numbers with the words for it.
type interval struct {
	words    string
	contains func(v float64) bool
}

var (
	positive    = interval{"a finite number > 0", func(v float64) bool { return v > 0 }}
	nonNegative = interval{"a finite number ≥ 0", func(v float64) bool { return v >= 0 }}
	share       = interval{"a number in (0, 1] with rule certified", func(v float64) bool { return v > 0 && v <= 1 }}
	fraction    = interval{"a number in [0, 1]", func(v float64) bool { return v >= 0 && v <= 1 }}
)

func open(low, high float64) interval {
	return interval{fmt.Sprintf("a number in (%g, %g)", low, high), func(v float64) bool { return v > low && v < high }}
}

func above(low float64) interval {
	return interval{fmt.Sprintf("a finite number > %g", low), func(v float64) bool { return v > low }}
}

// firstWrong returns a *field.Error about the first setting that is out of its range
// or has no use, nil when there is none.
func firstWrong(settings ...setting) error {
	for _, s := range settings {
		switch {
		case s.used && !(s.in.contains(s.value) && math.Abs(s.value) <= math.MaxFloat64):
			return &field.Error{Path: s.name, Got: s.value, Want: s.in.words}
		case !s.used && s.value != 0:
			return &field.Error{Path: s.name, Got: s.value, Want: "it left out, or " + s.needs}
		}
	}
	return nil
}
