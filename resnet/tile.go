package resnet

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/deeplimit/deeplimit/internal/alloc"
)

// A tile is a group of samples that goes through the whole depth together, one
// column each.
type tile[T Float] struct {
	used int       // columns that hold a sample; the rest repeat the last one
	n    int       // columns, a multiple of kernel.Lanes
	x    []T       // (inputs, n)
	y    []float64 // (used, outputs)
	want []int     // class of each sample, nil for a regression
}

// farWeights is the size of the weights from which each tile reads them from memory: it
// should be as wide as a cache allows then.
const farWeights = 32 << 20

// tileWidth returns the most columns of a tile of n samples, a function of the problem
// alone, because the order in which gradients are summed, and so their last bits,
// depend on it. A column must be wide enough to pay for reading a layer's weights
// and narrow enough that a layer's states stay in the nearest cache. Few samples make
// two tiles for two cores, down to 16 columns, as narrower ones cost as much.
func tileWidth[T Float](net *Network, n int) int {
	var zero T
	width := bestWidth[T](max(net.Width, net.middle()))
	if net.Layout.Trained*int(unsafe.Sizeof(zero)) > farWeights {
		width = max(width, 64)
	}
	return min(width, max(16, pad((n+1)/2)))
}

// bestWidth returns the best width of a tile for layers of that width (the larger of d
// and m): measured on Zen 4, for widths 33 to 64 in float64 on a Xeon with a slow third-level cache, where 48
// columns took (64,1500,128) from 150 to 115 ms and block mlp at (64/64,256,32) from 14.1 to 11.3.
func bestWidth[T Float](width int) int {
	_, single := any(T(0)).(float32)
	switch {
	case width >= 128, !single && width > 64:
		return 128 // the weights of a layer, and their gradient, are what does not fit
	case width <= 16 && single:
		return 64
	case width <= 16:
		return 40
	case width <= 32 && !single:
		return 16
	case !single:
		return 48
	}
	return 32
}

// tileCount returns the number of tiles of n samples.
func tileCount(n, width int) int { return (n + width - 1) / width }

// reserve takes the memory for used samples.
func (t *tile[T]) reserve(mem *alloc.Account, used, inputs, outputs int, classes bool) {
	t.used, t.n = used, pad(used)
	t.x = alloc.Resize(mem, t.x, inputs*t.n)
	t.y = alloc.Resize(mem, t.y, used*outputs)
	if classes {
		t.want = alloc.Resize(mem, t.want, used)
	}
}

// pack fills t with the samples that rows lists, x (N,inputs) and y (N,outputs).
// Columns without a sample repeat the last one: they stay as finite as it does,
// and a zero adjoint keeps them out of every gradient.
func (t *tile[T]) pack(x, y []float64, labels, rows []int, inputs, outputs int) {
	t.reserve(&alloc.Account{}, len(rows), inputs, outputs, labels != nil)
	for c := range t.n {
		row := rows[min(c, t.used-1)]
		for i, v := range x[row*inputs : (row+1)*inputs] {
			t.x[i*t.n+c] = T(v)
		}
	}
	for c, row := range rows {
		copy(t.y[c*outputs:], y[row*outputs:(row+1)*outputs])
	}
	if labels != nil {
		for c, row := range rows {
			t.want[c] = labels[row]
		}
	}
}

// CheckTargets refuses targets that the loss has no meaning for.
func (n *Network) CheckTargets(y []float64) error {
	if n.Loss != "cross-entropy" {
		return nil
	}
	for i := range len(y) / n.Outputs {
		sum, negative := 0.0, false
		for _, v := range y[i*n.Outputs : (i+1)*n.Outputs] {
			sum += v
			negative = negative || v < 0
		}
		if negative || !(math.Abs(sum-1) <= 1e-6) {
			return fmt.Errorf("resnet: targets of sample %d: got entries that sum to %g, want probabilities ≥ 0 that sum to 1 for loss cross-entropy (use loss squared for a regression)", i, sum)
		}
	}
	return nil
}
