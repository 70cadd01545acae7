package network

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/deeplimit/deeplimit/internal/assignment"
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// mostMatched bounds the numbers that are held at a time for pairs of layers at work.
const mostMatched = 48 << 20

// match returns orders[k][i], the hidden unit of layer k that stands in place i.
//
// Two layers are matched by the permutation of units with the largest sum of inner products over all maps of the group, each of norm 1. All layers
// are joined by the tree of pairs of the largest such sums (a maximum spanning tree, by the method of Prim), along which the units keep their places. The
// layers of a path that is smooth are joined as they follow each other, but the tree does not look at their order: shuffled layers would
// be matched in the same way, so that what chance makes of the order of the matched layers is what it makes of any.
func (g *unitGroup) match(ctx context.Context, load func(f *Family, k int) ([]float64, error), observe func(entries int)) ([][]int, error) {
	layers := g.sides[0].family.Layers
	orders := make([][]int, layers) // of layers in the tree; of the others, by their best match in it so far
	best := make([]float64, layers)
	outside := make([]int, 0, layers) // the layers that are not in the tree
	for k := range layers {
		best[k] = math.Inf(-1)
		outside = append(outside, k)
	}
	orders[0] = make([]int, g.hidden())
	for i := range orders[0] {
		orders[0][i] = i
	}
	for last := 0; ; {
		outside = slices.DeleteFunc(outside, func(k int) bool { return k == last })
		if len(outside) == 0 {
			return orders, nil
		}
		if err := g.matchTo(ctx, last, outside, load, observe, orders, best); err != nil {
			return nil, err
		}
		last = outside[0]
		for _, k := range outside {
			if best[k] > best[last] {
				last = k
			}
		}
	}
}

// matchTo matches layers to a layer of the tree, and keeps what is better than before.
func (g *unitGroup) matchTo(ctx context.Context, to int, layers []int, load func(f *Family, k int) ([]float64, error), observe func(int), orders [][]int, best []float64) error {
	fixed, err := g.table(load, to, 1)
	if err != nil {
		return err
	}
	var reading sync.Mutex // a source is read by one at a time
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(max(1, min(runtime.GOMAXPROCS(0), mostMatched/(len(fixed.data)+fixed.units*fixed.units))))
	for _, k := range layers {
		work.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			reading.Lock()
			t, err := g.table(load, k, -1)
			observe(g.entries())
			reading.Unlock()
			if err != nil {
				return err
			}
			partner, sum := g.matchPair(fixed, t)
			if sum > best[k] {
				best[k], orders[k] = sum, make([]int, fixed.units)
				for i, unit := range orders[to] {
					orders[k][i] = partner[unit]
				}
			}
			return nil
		})
	}
	return work.Wait()
}

// matchPair returns for each unit of a layer that of another one, whose weights have the other sign, and the sum of the inner products of
// the pairs. Units of one head keep together, so that heads are matched by what their units give, and then units.
func (g *unitGroup) matchPair(a, b *unitTable) (partner []int, sum float64) {
	n := a.units
	cost := costs(a, b)
	if g.heads == 1 {
		partner = assignment.Solve(cost, n)
	} else {
		partner = matchHeads(cost, n, g.heads)
	}
	for i, j := range partner {
		sum -= cost[i*n+j]
	}
	return partner, sum
}

// matchHeads returns the assignment of least cost that takes the units of each head to those of one head.
func matchHeads(cost []float64, n, heads int) []int {
	size := n / heads
	between, own := make([]float64, heads*heads), make([][]int, heads*heads)
	block := make([]float64, size*size)
	for pair := range own {
		row, column := pair/heads*size, pair%heads*size
		for i := range size {
			copy(block[i*size:(i+1)*size], cost[(row+i)*n+column:])
		}
		own[pair] = assignment.Solve(block, size)
		for i, j := range own[pair] {
			between[pair] += block[i*size+j]
		}
	}
	partner := make([]int, n)
	for h, to := range assignment.Solve(between, heads) {
		for i, j := range own[h*heads+to] {
			partner[h*size+i] = to*size + j
		}
	}
	return partner
}

// costs returns the inner products of the units of two layers, (units, units).
func costs(a, b *unitTable) []float64 {
	const columns = 64 // of the product at a time, whose entries and those of a tile of b stay in the cache
	n := a.units
	out, panel := make([]float64, n*n), make([]float64, n*columns)
	scratch := make([]float64, kernel.OuterScratch(n, columns, unitTile))
	ops := kernel.For[float64]()
	for from := 0; from < n; from += columns {
		count := min(columns, n-from)
		clear(panel)
		for tile := range a.tiles {
			ops.AddOuter(panel, a.tile(tile, 0, n), b.tile(tile, from, from+count), n, count, unitTile, scratch)
		}
		for i := range n {
			copy(out[i*n+from:], panel[i*count:(i+1)*count])
		}
	}
	return out
}
