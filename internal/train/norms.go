package train

import (
	"fmt"
	"math"
	"strings"

	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// normsTime says whether the norms of all layers are recorded at this iterate: up to
// iteration 8, and then four times as often as it doubles.
func (d *Descent[T]) normsTime() bool {
	if d.t < 8 {
		return true
	}
	j := math.Round(4 * math.Log2(float64(d.t)))
	return float64(d.t) == math.Round(math.Exp2(j/4))
}

// recordNorms adds ‖A_k‖_F and ‖A_k − A_k(0)‖_F of every layer and part.
func (d *Descent[T]) recordNorms() {
	if n := len(d.norms.Iterations); n > 0 && d.norms.Iterations[n-1] == int64(d.t) {
		return // the last iterate is one of the others
	}
	d.norms.Iterations = append(d.norms.Iterations, int64(d.t))
	for _, part := range d.Network.Parts() {
		norms, moved := resnet.LayerNorms(d.Network, part, d.Theta, d.Initial)
		all := d.norms.Parts[part]
		for k := range norms {
			all.Frobenius = append(all.Frobenius, float64(float32(norms[k])))
			all.Displacement = append(all.Displacement, float64(float32(moved[k])))
		}
		d.norms.Parts[part] = all
	}
}

// normsPrefix stands before the names of runfolder.Norms in a checkpoint.
const normsPrefix = "norms."

func (d *Descent[T]) saveNorms(c *runfolder.Checkpoint) {
	for name, tensor := range d.norms.Tensors() {
		c.Tensors[normsPrefix+name] = tensor
	}
}

func (d *Descent[T]) restoreNorms(c *runfolder.Checkpoint) error {
	tensors := map[string]runfolder.Tensor{}
	for name, tensor := range c.Tensors {
		if name, ok := strings.CutPrefix(name, normsPrefix); ok {
			tensors[name] = tensor
		}
	}
	norms, err := runfolder.NormsFrom(tensors, d.Network.Depth)
	if err != nil {
		return fmt.Errorf("%w: norms: %w", ErrCheckpoint, err)
	}
	d.norms = norms
	return nil
}
