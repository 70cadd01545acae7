package train

import (
	"fmt"
	"strings"

	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// newNorms returns the memory for the norms of that many iterations, by part.
func newNorms(mem *alloc.Account, net *resnet.Network, iterations int) map[string]runfolder.LayerNorms {
	parts := map[string]runfolder.LayerNorms{}
	most := countNorms(iterations) * net.Depth
	for _, part := range net.Parts() {
		parts[part] = runfolder.LayerNorms{
			Frobenius: alloc.Make[float64](mem, most)[:0], Displacement: alloc.Make[float64](mem, most)[:0],
		}
	}
	return parts
}

// recordNorms adds ‖A_k‖_F and ‖A_k − A_k(0)‖_F of every layer and part.
func (d *Descent[T]) recordNorms() {
	if n := len(d.norms.Iterations); n > 0 && d.norms.Iterations[n-1] == int64(d.t) {
		return // the last iterate is one of the others
	}
	d.norms.Iterations = append(d.norms.Iterations, int64(d.t))
	for _, part := range d.Network.Parts() {
		norms, moved := resnet.LayerNorms(d.Network, part, d.Theta, d.Initial)
		all, begun := d.norms.Parts[part]
		if !begun {
			all = d.blank[part]
		}
		for k := range norms {
			all.Frobenius = append(all.Frobenius, float64(float32(norms[k])))
			all.Displacement = append(all.Displacement, float64(float32(moved[k])))
		}
		d.norms.Parts[part] = all
	}
}

// normsPrefix stands before the names of runfolder.Norms in a checkpoint.
const normsPrefix = "norms."

func setNorms(c *runfolder.Checkpoint, norms *runfolder.Norms) {
	for name, tensor := range norms.Tensors() {
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
