package train

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/prolong"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Deeper is the Stop of an outcome of a level after which the run goes on at the next one.
const Deeper = "deeper"

// Next is the level of a cascade that follows on a descent.
type Next[T kernel.Float] struct {
	Depth int
	// Loss returns J of the network of the next level from these weights of this one.
	Loss func(theta []T) (float64, error)
}

// cascadeState is what a descent knows of the levels of its run; a run at one depth has one.
type cascadeState struct {
	Levels []runfolder.Level `json:"levels,omitempty"` // those that have ended
	First  int               `json:"first"`            // iteration of this level's first iterate
	Begun  *float64          `json:"begun"`            // J there
	Since  float64           `json:"since"`            // seconds at its start
	// Evaluations is the sum of depth times evaluations of the loss without a step.
	Evaluations int `json:"evaluations"`
	// Losses are the means of J over the steps or epochs at this level up to 1, 2, 4 …, each from the one before, and Sum and
	// Count those of the next: a mean, as J may swing from step to step.
	Losses []float64 `json:"losses,omitempty"`
	Sum    float64   `json:"sum,omitempty"`
	Count  int       `json:"count,omitempty"`
	// Reached says whether J has been at train.stop.loss, and Wanted at which J to look at the next level again then.
	Reached bool    `json:"reached,omitempty"`
	Wanted  float64 `json:"wanted,omitempty"`
	Why     string  `json:"why,omitempty"` // the level was left for
}

// Follow makes d, which has the weights of the level before it taken to its depth, go on from where that one has ended.
func (d *Descent[T]) Follow(before *Descent[T]) { d.before = before }

// follow takes over what the level before has left: counts, trace, and what the optimiser remembers.
func (d *Descent[T]) follow() error {
	b := d.before
	d.before = nil
	d.t, d.seconds, d.rows = b.t, b.elapsed(), b.rows
	d.first, d.lastEta, d.levels = b.first, b.lastEta, b.levels
	if b.rule.first > 0 {
		d.lastEta *= d.rule.first / b.rule.first
	}
	d.stepper.count = b.stepper.count
	d.cascade = cascadeState{
		Levels: b.endedLevels(b.cascade.Why), First: b.t, Since: d.seconds, Evaluations: b.cascade.Evaluations,
	}
	if d.certify != nil {
		history := &d.certify.record.History
		history.Refused = fmt.Sprintf("the run is a cascade, whose way from iteration 0 to iteration %d leads through networks of other depths", d.t)
		history.RefusedVariation = history.Refused
	}
	return prolongMoments(d.stepper.update.moments(), b.stepper.update.moments(), d, b)
}

// prolongMoments takes what the optimiser remembers to the depth of d, each as a power of the gradient. Means of squares are
// stretched, as a line through them may be negative beyond the last layer.
func prolongMoments[T kernel.Float](dst, src map[string][]T, d, before *Descent[T]) error {
	along := prolong.Of(d.Spec.Cascade.Prolong)
	for name, values := range src {
		if name == "damping" {
			// K, to which it is added, is a sum over the layers of squares of gradients.
			ratio := float64(d.Network.Depth) / float64(before.Network.Depth)
			dst[name][0] = T(float64(values[0]) * math.Pow(ratio, 1-2**d.Network.Alpha))
			continue
		}
		power, path := 1.0, along
		if name == "second" {
			power, path = 2, prolong.Stretch
		}
		from, to := make([]T, before.Network.Layout.Trained), make([]T, d.Network.Layout.Trained)
		copy(momentEntries(from, name, len(values)), values)
		if err := prolong.GradientsTo(to, d.Network, from, before.Network, path, power); err != nil {
			return err
		}
		copy(dst[name], momentEntries(to, name, len(dst[name])))
	}
	return nil
}

// momentEntries returns the entries of the trained parameters that n numbers of an optimiser belong to: the last ones, but for
// the velocity of muon, which has those of the matrices alone.
func momentEntries[T kernel.Float](trained []T, name string, n int) []T {
	if name == "velocity" {
		return trained[:n]
	}
	return trained[len(trained)-n:]
}

// evaluated counts n evaluations of the loss without a step, over all samples of a kind.
func (d *Descent[T]) evaluated(n int) { d.cascade.Evaluations += n * d.Network.Depth }

// counted counts the evaluations of a look at an iterate: that of all samples between steps of mini-batches, and any that no
// step comes from.
func (d *Descent[T]) counted(row runfolder.Row, stop string, deeper bool) {
	d.lastLoss = lossOf(row)
	if d.t == d.cascade.First {
		d.cascade.Begun = finiteOrNil(d.lastLoss)
	}
	if stop != "" || deeper || d.Batch != nil && row.Loss != nil {
		d.evaluated(1)
	}
}

// setLevel fills in the depth of the network that a row of a cascade is about.
func (d *Descent[T]) setLevel(row *runfolder.Row) {
	if d.Next != nil || len(d.cascade.Levels) > 0 {
		row.Level = new(float64(d.Network.Depth))
	}
}

// leaves says whether the run goes on at the next level, and with which stop otherwise: the end of a run at a level that is
// not its last one is the beginning of the next level, unless the run has diverged.
func (d *Descent[T]) leaves(row runfolder.Row, stop string) (bool, string, error) {
	if d.Next == nil || stop == StopDiverged {
		return false, stop, nil
	}
	// That J is at stop.loss, which ends no level by itself, is told before these ends of the run are.
	switch rules := d.Spec.Stop; {
	case stop != StopLoss:
	case d.t >= *rules.Iterations:
		stop = StopIterations
	case rules.Seconds > 0 && d.elapsed() >= rules.Seconds:
		stop = StopTime
	}
	if stop != "" && stop != StopLoss {
		d.cascade.Why = stop
		return true, "", nil
	}
	if row.Loss == nil {
		return false, "", nil
	}
	c, loss := &d.cascade, *row.Loss
	steps := (d.t - c.First) / d.perEpoch()
	double := steps > 0 && bits.OnesCount(uint(steps)) == 1 && (d.t-c.First)%d.perEpoch() == 0
	if steps > 0 {
		c.Sum, c.Count = c.Sum+loss, c.Count+1
	}
	if double {
		c.Losses = append(c.Losses, c.Sum/float64(c.Count))
		c.Sum, c.Count = 0, 0
	}
	if most := d.Spec.Cascade.Stop.Iterations; most > 0 && d.t-c.First >= most {
		c.Why = StopIterations
		return true, "", nil
	}
	reached := stop == StopLoss && (!c.Reached || loss <= c.Wanted)
	if !double && !reached {
		return false, "", nil
	}
	deeper, err := d.prolongs(loss, reached)
	return deeper, "", err
}

// prolongs evaluates the network of the next level and says whether to go on there: when it has the loss that is wanted, or
// when it is by as much from the loss of this level as more training could still gain.
func (d *Descent[T]) prolongs(loss float64, reached bool) (bool, error) {
	c, wanted := &d.cascade, d.Spec.Stop.Loss
	next, err := d.Next.Loss(d.Theta)
	if err != nil {
		return false, fmt.Errorf("train: depth %d, iteration %d: network of depth %d: %w", d.Network.Depth, d.t, d.Next.Depth, err)
	}
	c.Evaluations += d.Next.Depth
	change := math.Abs(next - loss)
	switch {
	case math.IsNaN(change) || math.IsInf(change, 0):
		return false, nil
	case wanted > 0 && next <= wanted:
		c.Why = StopLoss
		return true, nil
	case change >= d.Spec.Cascade.Stop.Ratio*gain(loss, c.Losses, d.Batch != nil):
		c.Why = runfolder.Discretisation
		return true, nil
	}
	if reached {
		c.Reached, c.Wanted = true, wanted-(next-wanted)
	}
	return false, nil
}

// gain returns what more training at a level can lower the loss by at most: J itself, as no loss is negative, and less where
// the falls of its means over the last two doublings of the steps, f and g, shrink by q = g/f < 1. If they go on to do so, what
// is left is their sum g·q/(1 − q): J falls to its limit like a power of the steps, or faster. It is nothing where the two
// together are no fall. Below 16 steps, or 4 epochs, it is J, as a plateau at the start is no end.
func gain(loss float64, losses []float64, epochs bool) float64 {
	n := len(losses)
	if n < 3 || n < 5 && !epochs {
		return loss
	}
	f, g := losses[n-3]-losses[n-2], losses[n-2]-losses[n-1]
	switch {
	case f+g <= 0:
		return 0
	case g > 0 && g < f:
		return min(loss, g*g/(f-g))
	}
	return loss
}

// endedLevels returns the levels up to this one, which ends here.
func (d *Descent[T]) endedLevels(why string) []runfolder.Level {
	c := &d.cascade
	if d.Next == nil && len(c.Levels) == 0 {
		return nil
	}
	return append(slices.Clone(c.Levels), runfolder.Level{
		Depth: d.Network.Depth, First: c.First, Iterations: d.t - c.First, Begun: c.Begun, Loss: finiteOrNil(d.lastLoss), Why: why,
		Seconds: d.elapsed() - c.Since,
	})
}

// layerIterations returns the sum of depth times steps.
func (d *Descent[T]) layerIterations() int {
	sum := d.Network.Depth * (d.t - d.cascade.First)
	for _, level := range d.cascade.Levels {
		sum += level.Depth * level.Iterations
	}
	return sum
}

// cascadeStream is the name of the state in a checkpoint.
const cascadeStream = "cascade"

func (d *Descent[T]) saveCascade(to *runfolder.Checkpoint) error {
	state, err := json.Marshal(d.cascade)
	if err != nil {
		return err
	}
	to.Values["depth"] = float64(d.Network.Depth)
	to.Streams[cascadeStream] = state
	return nil
}

func (d *Descent[T]) restoreCascade(from *runfolder.Checkpoint) error {
	if err := json.Unmarshal(from.Streams[cascadeStream], &d.cascade); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrCheckpoint, cascadeStream, err)
	}
	return nil
}

// LevelOf returns the depth of the level that a checkpoint is of.
func LevelOf(c *runfolder.Checkpoint) int { return int(c.Values["depth"]) }

// finiteOrNil returns a pointer to v, nil where it is no number that JSON can hold.
func finiteOrNil(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
