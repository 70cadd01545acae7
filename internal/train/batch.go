package train

import (
	"fmt"
	"math/rand/v2"

	"github.com/deeplimit/deeplimit/internal/random"
)

// perEpoch returns the number of mini-batches of an epoch, of which the last may be smaller, and 1
// without them.
func (d *Descent[T]) perEpoch() int {
	if d.Batch == nil {
		return 1
	}
	return (d.Full.Len() + d.batch - 1) / d.batch
}

func (d *Descent[T]) epochStart() bool { return d.t%d.perEpoch() == 0 }

// chooseBatch gives the batch evaluator the samples of iteration t. The order of an
// epoch comes from a stream of its own, so that resuming needs no generator state.
func (d *Descent[T]) chooseBatch() {
	number, place := d.t/d.perEpoch(), d.t%d.perEpoch()
	if !d.permuted || place == 0 {
		d.permuted = true
		permute(d.epoch, random.New(d.Seed, fmt.Sprintf("batches/epoch=%d", number)))
	}
	d.Batch.Choose(d.epoch[place*d.batch : min((place+1)*d.batch, len(d.epoch))])
}

// permute fills order with a random permutation of its indices.
func permute(order []int, rng *rand.Rand) {
	for i := range order {
		order[i] = i
	}
	rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
}
