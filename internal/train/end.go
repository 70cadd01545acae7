package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Stateful reports whether the method keeps more than the weights from one step to the next.
func (s Spec) Stateful() bool { return s.Method == LevenbergMarquardt || State(s.Method) != "nothing" }

// keepEnd keeps the state before the look at this iterate, which is the last one, for a run that goes
// on from it; evaluations is what was counted by then. There is none of a run that made no step, of the
// levels of a cascade, which go by its end, of a method whose state nobody asked to keep, of one whose search has
// moved that state here, or where a sum has overflowed.
func (d *Descent[T]) keepEnd(stop string, evaluations int) error {
	stateful := d.Spec.Stateful()
	levels := d.Next != nil || len(d.cascade.Levels) > 0
	if d.t == 0 || levels || stateful && (!d.Spec.KeepState || stop == StopFloor) {
		return nil
	}
	now := d.cascade.Evaluations
	d.cascade.Evaluations = evaluations
	var err error
	d.end, err = d.state()
	d.cascade.Evaluations = now
	if d.end != nil {
		d.end.Seconds = 0 // those of the run
	}
	if _, overflowed := errors.AsType[*json.UnsupportedValueError](err); overflowed {
		d.end, err = nil, nil // no file holds it
	}
	if err != nil {
		return fmt.Errorf("train: depth %d, iteration %d: keeping the state: %w", d.Network.Depth, d.t, err)
	}
	return nil
}

// GoOn returns the checkpoint that a run which ends later than the finished run from, and differs in
// nothing else, goes on from: its state before the look at its last iterate. Where that run kept none
// it is nil. The outcome is then that of a run from the start, byte for byte but for seconds. It reads
// the files of the run, each held to its checksum.
func GoOn(net *resnet.Network, from *runfolder.Run) (*runfolder.Checkpoint, error) {
	c, err := from.End()
	if c == nil || err != nil {
		return nil, err
	}
	c.Seconds = from.Summary.Seconds
	weights, err := from.Weights()
	if err != nil {
		return nil, err
	}
	if c.Tensors[thetaTensor], err = trainedOf(net, weights); err != nil {
		return nil, fmt.Errorf("train: %s: %w", from.Dir, err)
	}
	// What the last look has added is looked for anew, as it may be no time for it in a longer run.
	last := int64(c.Iteration)
	rows, err := from.Trace()
	if err != nil {
		return nil, err
	}
	c.Rows = slices.DeleteFunc(rows, func(r runfolder.Row) bool { return r.Iteration >= last })
	norms, err := from.Norms()
	if err != nil {
		return nil, err
	}
	if norms != nil {
		setNorms(c, normsBefore(norms, last))
	}
	return c, goOnProofs(c, from, last)
}

// goOnProofs puts the measurements before the last iterate beside the proofs that c has already.
func goOnProofs(c *runfolder.Checkpoint, from *runfolder.Run, last int64) error {
	record, err := c.Proofs()
	if record == nil || err != nil {
		return err
	}
	whole, err := from.Certification()
	if err != nil {
		return err
	}
	if whole == nil {
		return fmt.Errorf("train: %s: %w: its measurements are missing", from.Dir, ErrCheckpoint)
	}
	record.Measurements = slices.DeleteFunc(whole.Measurements, func(m certify.Measurement) bool { return m.Iteration >= last })
	record.Later = slices.DeleteFunc(whole.Later, func(l certify.Later) bool { return l.Iteration >= last })
	return c.SetCertification(record)
}

// trainedOf returns the trained parameters of a network, in their order, as a weights file has them.
func trainedOf(net *resnet.Network, weights runfolder.Weights) (runfolder.Tensor, error) {
	theta := runfolder.Tensor{DType: "F64", Shape: []int{net.Layout.Trained}, Data: make([]float64, net.Layout.Trained)}
	for _, g := range net.Layout.Groups {
		if !g.Trained {
			continue
		}
		stored := weights.Tensors[g.Name]
		data := stored.Data
		if g.Name == "delta" && g.Len() == 1 && len(data) > 1 {
			data = data[:1] // repeated for every layer
		}
		if len(data) != g.Len() {
			return runfolder.Tensor{}, fmt.Errorf("%w: weights %s have shape %v, want %v", ErrCheckpoint, g.Name, stored.Shape, g.Shape)
		}
		theta.DType = stored.DType
		copy(resnet.View(net.Layout, theta.Data, g.Name), data)
	}
	return theta, nil
}

// normsBefore returns the norms of iterations below last.
func normsBefore(norms *runfolder.Norms, last int64) *runfolder.Norms {
	kept, _ := slices.BinarySearch(norms.Iterations, last)
	before := &runfolder.Norms{Iterations: norms.Iterations[:kept], Parts: map[string]runfolder.LayerNorms{}}
	for part, of := range norms.Parts {
		size := len(of.Frobenius) / max(1, len(norms.Iterations)) * kept
		before.Parts[part] = runfolder.LayerNorms{Frobenius: of.Frobenius[:size], Displacement: of.Displacement[:size]}
	}
	return before
}
