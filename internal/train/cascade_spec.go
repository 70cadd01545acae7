package train

import (
	"cmp"
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/prolong"
)

// Cascade is the `cascade` section: a run trains a shallow network first, takes its weights to factor times as many layers as
// a function of k/L, and so on until the depth of the run.
type Cascade struct {
	// From is the depth of the first level. The depth of the run must be from·factorⁿ. By default the depth of each level is that of
	// the next one divided by factor, to the nearest whole number, as long as that leaves at least leastLevel layers.
	From int `yaml:"from,omitempty" json:"from,omitempty" zero:"the least that the depth of the run comes from"`
	// Factor is that between two levels; default 4.
	Factor int `yaml:"factor,omitempty" json:"factor"`
	// Prolong is stretch (each layer is repeated; default), linear (weights are linear in k/L between the layers) or limit
	// (initial weights are drawn at each level, and what training has added to them is taken on linearly).
	Prolong string `yaml:"prolong,omitempty" json:"prolong"`
	// Stop says when a level is left.
	Stop CascadeStop `yaml:"stop,omitempty" json:"stop"`
}

// CascadeStop says when a level of a cascade is left; the first condition that holds ends it.
type CascadeStop struct {
	// Ratio r leaves a level when going to the next one changes the loss by at least r times what more training at this
	// level may still gain (gain); default 1.
	Ratio float64 `yaml:"ratio,omitempty" json:"ratio"`
	// Iterations is the largest number of steps at each level but the last; 0 for no such bound.
	Iterations int `yaml:"iterations,omitempty" json:"iterations,omitempty" zero:"no bound"`
}

// leastLevel is the least depth that a cascade starts from by itself: fewer layers than scaling.MinSplit tell no trend, and
// steps at them cost next to nothing beside those of the last level.
const leastLevel = 8

// resolve fills in the defaults and refuses what is wrong.
func (c Cascade) resolve() (Cascade, error) {
	c.Factor, c.Prolong, c.Stop.Ratio = cmp.Or(c.Factor, 4), cmp.Or(c.Prolong, prolong.ByStretch), cmp.Or(c.Stop.Ratio, 1)
	switch {
	case c.From < 0:
		return c, &field.Error{Path: "from", Got: c.From, Want: "a depth ≥ 1"}
	case c.Factor < 2 || c.Factor > 1<<20:
		return c, &field.Error{Path: "factor", Got: c.Factor, Want: "a whole number from 2 to 2^20"}
	case !(c.Stop.Ratio > 0) || math.IsInf(c.Stop.Ratio, 1):
		return c, &field.Error{Path: "stop.ratio", Got: c.Stop.Ratio, Want: positive.words}
	case c.Stop.Iterations < 0:
		return c, &field.Error{Path: "stop.iterations", Got: c.Stop.Iterations, Want: "a whole number ≥ 1"}
	}
	return c, field.OneOf("prolong", c.Prolong, prolong.ByStretch, prolong.ByLinear, prolong.ByLimit)
}

// Levels returns the depths of the networks that a run of that depth trains, ascending: the depth alone without a cascade.
func (s Spec) Levels(depth int) []int {
	levels := []int{depth}
	c := s.Cascade
	if c == nil {
		return levels
	}
	least := cmp.Or(c.From, leastLevel)
	for {
		next := (levels[0] + c.Factor/2) / c.Factor
		if next < least || c.From > 0 && next*c.Factor != levels[0] {
			return levels
		}
		levels = append([]int{next}, levels...)
	}
}

// CheckDepth refuses a depth that the section's cascade does not come to, with a *field.Error whose path is relative to the
// section.
func (s Spec) CheckDepth(depth int) error {
	c := s.Cascade
	if c == nil || c.From == 0 {
		return nil
	}
	if from := s.Levels(depth)[0]; from != c.From {
		want := fmt.Sprintf("a depth of which %d is a multiple by a power of factor %d (such as %d), or it left out", depth, c.Factor, from)
		return &field.Error{Path: "cascade.from", Got: c.From, Want: want}
	}
	return nil
}

// checkCascade refuses what does not go with a cascade.
func (s Spec) checkCascade() error {
	if s.Cascade == nil {
		return nil
	}
	if s.Step.Rule == "certified" {
		return &field.Error{Path: "step.rule", Got: s.Step.Rule, Want: "depth, constant or armijo with a cascade, as certified steps are made from what is known of one network"}
	}
	return nil
}
