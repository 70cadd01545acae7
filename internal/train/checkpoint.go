package train

import (
	"fmt"

	"github.com/deeplimit/deeplimit/runfolder"
)

// save hands the complete state at iteration t to Save.
func (d *Descent[T]) save() error {
	if d.Save == nil {
		return nil
	}
	c, err := d.state()
	if err == nil && d.certify != nil {
		err = c.SetCertification(&d.certify.record)
	}
	if err == nil {
		c.Rows = d.rows
		c.Tensors[thetaTensor] = tensor(d.Theta[:d.Network.Layout.Trained], d.Network.Layout.Trained)
		if d.norms != nil {
			setNorms(c, d.norms)
		}
		err = d.Save(c)
	}
	if err != nil {
		return fmt.Errorf("train: depth %d, iteration %d: checkpoint: %w", d.Network.Depth, d.t, err)
	}
	return nil
}

// thetaTensor is the name of the trained parameters in a checkpoint.
const thetaTensor = "theta"

// state returns the state at iteration t as far as a finished run has it in no other file: without
// weights, rows, norms and measurements.
func (d *Descent[T]) state() (*runfolder.Checkpoint, error) {
	c := &runfolder.Checkpoint{
		Iteration: d.t,
		Seconds:   d.elapsed(),
		Tensors:   map[string]runfolder.Tensor{},
		Streams:   map[string][]byte{},
		Values: map[string]float64{
			"steps": float64(d.stepper.count), "last_step_size": d.lastEta,
			"first_loss": d.first, "best_loss": d.best, "best_iteration": float64(d.bestAt),
		},
	}
	for name, values := range d.stepper.update.moments() {
		c.Tensors["moment."+name] = tensor(values, len(values))
	}
	if err := d.saveCascade(c); err != nil {
		return nil, err
	}
	if d.certify == nil {
		return c, nil
	}
	return c, d.certify.save(c)
}

// restore sets the state that save wrote.
func (d *Descent[T]) restore(c *runfolder.Checkpoint) error {
	moments := d.stepper.update.moments()
	fill := func(dst []T, name string) error {
		tensor, ok := c.Tensors[name]
		if !ok || len(tensor.Data) != len(dst) {
			return fmt.Errorf("train: depth %d: %w: tensor %s has %d entries, want %d", d.Network.Depth, ErrCheckpoint, name, len(tensor.Data), len(dst))
		}
		for i, v := range tensor.Data {
			dst[i] = T(v)
		}
		return nil
	}
	if err := fill(d.Theta[:d.Network.Layout.Trained], thetaTensor); err != nil {
		return err
	}
	for name, values := range moments {
		if err := fill(values, "moment."+name); err != nil {
			return err
		}
	}
	for _, name := range []string{"steps", "last_step_size", "first_loss", "best_loss", "best_iteration"} {
		if _, ok := c.Values[name]; !ok {
			return fmt.Errorf("train: depth %d: %w: value %s is missing", d.Network.Depth, ErrCheckpoint, name)
		}
	}
	d.stepper.count = int(c.Values["steps"])
	d.lastEta, d.first = c.Values["last_step_size"], c.Values["first_loss"]
	d.best, d.bestAt = c.Values["best_loss"], int(c.Values["best_iteration"])
	d.t, d.seconds, d.rows = c.Iteration, c.Seconds, c.Rows
	for i := range d.rows {
		d.crosses(d.rows[i].Loss) // where a level is crossed there is a row
	}
	if err := d.restoreCascade(c); err != nil {
		return fmt.Errorf("train: depth %d: %w", d.Network.Depth, err)
	}
	if d.norms != nil {
		if err := d.restoreNorms(c); err != nil {
			return fmt.Errorf("train: depth %d: %w", d.Network.Depth, err)
		}
	}
	if d.certify != nil {
		if err := d.certify.restore(c); err != nil {
			return fmt.Errorf("train: depth %d: %w", d.Network.Depth, err)
		}
	}
	return nil
}
