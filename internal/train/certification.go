package train

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A certification goes along with a descent: it measures iterates at the cadence,
// asks for a certificate of convergence until there is one, holds every recorded
// iterate after that against it, and sums what bounds the way in between.
type certification[T kernel.Float] struct {
	d       *Descent[T]
	cadence string
	record  runfolder.Certification
	certificationState
	current *certify.Iterate // the last measurement, nil when there is none
	issued  []T              // θ at the certificate's iteration, nil without a certificate
	place   []T              // where it will stand: no certificate late in a run asks for more memory
	norms   []float64        // ‖∂J/∂θ_k‖_F of the step under way, where descends says so
	full    []T              // gradient over all samples, of a mini-batch run

	violation error // the first broken promise
}

// certificationState is what a checkpoint needs beside the record.
type certificationState struct {
	Stretch certify.Stretch `json:"stretch"` // since the last measurement
	Later   certify.Later   `json:"later"`   // since the certificate
	Step    float64         `json:"step"`    // η of the last step
	// Try is the loss from which on to ask for a certificate again; 0 for not at all.
	Try  float64 `json:"try"`
	Lost bool    `json:"lost"` // whether the last iterate that was due could not be measured
}

// newCertification returns nil when nothing is to be measured.
func newCertification[T kernel.Float](mem *alloc.Account, d *Descent[T]) *certification[T] {
	c := &certification[T]{d: d, cadence: d.Spec.cadence()}
	if c.cadence == "off" {
		return nil
	}
	c.record.Cadence = c.cadence
	c.Stretch.Lengths = alloc.Make[float64](mem, d.Network.Depth)
	c.norms = alloc.Make[float64](mem, d.Network.Depth)
	c.place = alloc.Make[T](mem, d.Network.Layout.Trained)
	if d.Spec.Batch > 0 {
		c.full = alloc.Make[T](mem, d.Network.Layout.Trained)
	}
	return c
}

// look is told every iterate before the step that leaves it, with its loss (NaN where
// a mini-batch run does not know it), and whether it is the last.
func (c *certification[T]) look(loss float64, last bool) error {
	d := c.d
	if d.Batch == nil && (math.IsNaN(loss) || math.IsInf(loss, 0)) {
		c.lose(fmt.Sprintf("the loss is %v", loss))
		return nil
	}
	if n := len(c.record.Measurements); n > 0 && c.descends() {
		if m := &c.record.Measurements[n-1]; m.Iteration == int64(d.t-1) {
			m.StepSize, m.NextLoss = new(c.Step), new(loss)
		}
	}
	if c.issued != nil && (last || recorded(d.t) && !c.exceeded()) {
		c.check(loss)
	}
	if !c.due(loss, last) {
		return nil
	}
	return c.measure(loss)
}

// descends says whether steps are those of full-batch gradient descent.
func (c *certification[T]) descends() bool { return c.d.Spec.Update() == "gd" }

// due says whether to measure here.
func (c *certification[T]) due(loss float64, last bool) bool {
	t := c.d.t
	if c.d.Batch != nil {
		if !last && !c.d.epochStart() {
			return false
		}
		t /= c.d.perEpoch()
	}
	switch {
	case last || c.d.t == c.d.cascade.First:
		return true
	case c.cadence == "all":
		return recorded(c.d.t)
	case c.cadence == "ends":
		return false
	}
	// Powers of four: a measurement costs as much as a dozen steps at (d,N,L) = (10,8,1000).
	return t&(t-1) == 0 && bits.TrailingZeros(uint(t))%2 == 0 || c.issued == nil && c.Try > 0 && loss <= c.Try
}

// lose notes that this iterate cannot be measured, which ends the bounds of the way.
func (c *certification[T]) lose(why string) {
	c.note(fmt.Sprintf("iteration %d was not measured: %s", c.d.t, why))
	if c.record.History.Refused == "" {
		c.record.History.Refused = fmt.Sprintf("iteration %d could not be measured: %s", c.d.t, why)
		c.record.History.RefusedVariation = c.record.History.Refused
	}
	c.current, c.Lost = nil, true
}

// measure measures this iterate and closes the stretch that ends here.
func (c *certification[T]) measure(loss float64) error {
	d := c.d
	grad := d.grad
	if d.Batch != nil {
		grad = c.full
		loss = d.Full.Gradient(d.Theta, grad).Loss
	}
	m, err := d.Full.Measure(d.Theta, grad, loss, d.Cores)
	if err != nil {
		c.lose(err.Error())
		return nil
	}
	m.Iteration = int64(d.t)
	it, err := certify.New(c.record.Problem, m)
	if err != nil {
		c.lose(err.Error())
		return nil
	}
	if c.current != nil && c.Stretch.Steps > 0 {
		if err := c.record.History.Add(c.current, c.Stretch); err != nil { // a sum of lengths overflowed
			c.lose(err.Error())
			return nil
		}
		limit(&c.record.History)
	}
	c.record.Measurements = append(c.record.Measurements, m)
	c.current, c.Lost = it, false
	c.Stretch = certify.Stretch{Lengths: make([]float64, d.Network.Depth)}
	if err := c.curve(); err != nil {
		return err
	}
	if c.issued == nil && (d.t == d.cascade.First || c.Try > 0) {
		return c.ask(loss)
	}
	return nil
}

// limit gives up bounds that overflow, which no file can hold.
func limit(h *certify.History) {
	if math.IsInf(h.Displacement+h.Rounding, 0) {
		h.Displacement, h.Rounding, h.Refused = 0, 0, "the bound overflows"
	}
	if h.Refused != "" || math.IsInf(h.Variation, 0) {
		h.Variation, h.RefusedVariation = 0, cmp.Or(h.RefusedVariation, "the bound overflows")
	}
}

// ask asks for a certificate of convergence. After a refusal it says at which loss
// to ask again: the closure 2g√(2J)/μ̄ ≤ w is refused by the factor Closure, and g
// and μ̄ change little while √J falls by it; where it is not known, or large, the loss
// falls by 100 at most in between, and by 2 at least.
func (c *certification[T]) ask(loss float64) error {
	certificate, err := c.current.Converge()
	if err == nil {
		c.record.Certificates = []certify.Certificate{*certificate}
		c.issue()
		c.Later = certify.Later{Iteration: certificate.Iteration}
		return nil
	}
	refusal, ok := errors.AsType[*certify.Refusal](err)
	if !ok {
		return fmt.Errorf("train: depth %d, iteration %d: %w", c.d.Network.Depth, c.d.t, err)
	}
	entry := runfolder.Refusal{Iteration: refusal.Iteration, Reason: refusal.Reason}
	if !math.IsInf(refusal.Closure, 0) {
		entry.Closure = &refusal.Closure
	}
	c.record.Refusals = append(c.record.Refusals, entry)
	c.Try = 0
	if !refusal.Hypothesis {
		c.Try = loss / min(max(refusal.Closure*refusal.Closure, 2), 100)
	}
	return nil
}

// issue keeps the iterate that the certificate speaks of.
func (c *certification[T]) issue() {
	c.issued = c.place
	copy(c.issued, c.d.Theta)
}

// exceeded says whether a checked iterate came after a step larger than the certificate's,
// from which on its promises do not apply: of the iterates that follow only the last
// one is looked at, which costs as much as moving the weights.
func (c *certification[T]) exceeded() bool {
	n := len(c.record.Later)
	return n > 0 && c.record.Later[n-1].MaxStep > c.record.Certificates[0].StepSize
}

// check holds this iterate against the certificate.
func (c *certification[T]) check(loss float64) {
	later := c.Later
	later.Iteration, later.Loss = int64(c.d.t), loss
	later.Movement = resnet.LayerDistance(c.d.Network, c.d.Theta, c.issued)
	if later.Iteration == c.record.Certificates[0].Iteration {
		return
	}
	c.record.Later = append(c.record.Later, later)
	_, err := c.record.Certificates[0].Check(later)
	if err != nil && c.violation == nil {
		c.violation = err
		c.record.Violation = err.Error()
	}
}

// step is told every step, of size eta from an iterate of that loss, once it is made.
func (c *certification[T]) step(eta, loss float64) {
	c.Step = eta
	if n := len(c.record.Curvatures); n > 0 && c.record.Curvatures[n-1].Iteration == int64(c.d.t) {
		c.record.Curvatures[n-1].StepSize = &eta
	}
	c.Stretch.Steps++
	if c.descends() {
		for k, norm := range c.norms {
			c.Stretch.Lengths[k] += eta * norm
		}
		c.Stretch.RootLoss += eta * math.Sqrt(2*loss)
	}
	if c.issued == nil {
		return
	}
	if c.Later.StepSum == 0 {
		c.Later.MinStep, c.Later.MaxStep = eta, eta
	}
	c.Later.StepSum += eta
	c.Later.MinStep, c.Later.MaxStep = min(c.Later.MinStep, eta), max(c.Later.MaxStep, eta)
}

// stepSize returns the certified η at this iterate: that of the certificate once it is
// issued, as its promises are for such steps, and else one under which this step must
// descend. The norms of the weights are those of the last measurement enlarged by the
// length of the way since, so that no singular values are needed.
func (c *certification[T]) stepSize(loss float64) (float64, error) {
	if c.issued != nil {
		return c.record.Certificates[0].StepSize, nil
	}
	if c.current == nil || len(c.record.Measurements) == 0 {
		return 0, errors.New("the iterate could not be measured")
	}
	it := c.current
	if c.Stretch.Steps > 0 {
		m := c.record.Measurements[len(c.record.Measurements)-1]
		near := certify.Measurement{Iteration: int64(c.d.t), Loss: loss, GradientNorm: math.Sqrt(c.d.Full.GradientSquare()), Delta: m.Delta}
		// Each of s steps is rounded, and so is each sum.
		grown := func(norms []float64) []float64 {
			out := slices.Clone(norms)
			for k := range out {
				out[k] = (out[k] + c.Stretch.Lengths[k]) * (1 + 4*float64(c.Stretch.Steps+1)*c.record.Problem.UnitRoundoff)
			}
			return out
		}
		near.Weights, near.InnerWeights = grown(m.Weights), grown(m.InnerWeights)
		near.Biases, near.OuterBiases = grown(m.Biases), grown(m.OuterBiases)
		near.Gradients = make([]float64, c.d.Network.Depth)
		resnet.LayerNormsTo(near.Gradients, c.d.Network, c.d.grad)
		near.Hidden = c.d.Full.HiddenNorms(c.d.Theta)
		var err error
		if it, err = certify.New(c.record.Problem, near); err != nil {
			return 0, err
		}
	}
	return it.CertifiedStepSize()
}

// Names in a checkpoint.
const (
	certificationStream = "certification/state"
	certificationTensor = "certification/theta"
)

// save puts everything but the tables of the record into a checkpoint.
func (c *certification[T]) save(to *runfolder.Checkpoint) error {
	state, err := json.Marshal(c.certificationState)
	if err != nil {
		return err
	}
	if err := to.SetProofs(&c.record); err != nil {
		return err
	}
	to.Streams[certificationStream] = state
	if c.issued != nil {
		to.Tensors[certificationTensor] = frozen(c.issued, len(c.issued))
	}
	return nil
}

// restore sets what save put there.
func (c *certification[T]) restore(from *runfolder.Checkpoint) error {
	record, err := from.Certification()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	if err := json.Unmarshal(from.Streams[certificationStream], &c.certificationState); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrCheckpoint, certificationStream, err)
	}
	c.record = *record
	if c.record.Violation != "" {
		c.violation = errors.New(c.record.Violation)
	}
	if len(c.Stretch.Lengths) != c.d.Network.Depth {
		return fmt.Errorf("%w: %d lengths of a stretch, want %d", ErrCheckpoint, len(c.Stretch.Lengths), c.d.Network.Depth)
	}
	if n := len(c.record.Measurements); n > 0 && !c.Lost {
		if c.current, err = certify.New(c.record.Problem, c.record.Measurements[n-1]); err != nil {
			return fmt.Errorf("%w: %w", ErrCheckpoint, err)
		}
	}
	if len(c.record.Certificates) > 0 {
		theta, ok := from.Tensors[certificationTensor]
		if !ok || len(theta.Data) != c.d.Network.Layout.Trained {
			return fmt.Errorf("%w: tensor %s has %d entries, want %d", ErrCheckpoint, certificationTensor, len(theta.Data), c.d.Network.Layout.Trained)
		}
		c.issue() // for its length
		for i, v := range theta.Data {
			c.issued[i] = T(v)
		}
	}
	return nil
}
