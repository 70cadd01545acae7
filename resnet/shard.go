package resnet

import (
	"sync/atomic"
	"unsafe"
)

// A shard is a run of tiles whose gradients are added in the order of the tiles, each
// layer's to the same memory. Several workers may take its tiles: the backward
// pass of a tile follows that of the one before at a distance of a few layers.
type shard struct {
	first, last int          // first and past-last tile
	next        atomic.Int64 // the next tile that nobody has taken
	_           [64]byte     // a cache line of its own
}

// take returns the shard's next tile that nobody has taken. As tiles are taken in
// order, the worker of the tile before is always under way or done.
func (s *shard) take() (tile int, ok bool) {
	tile = int(s.next.Add(1)) - 1
	return tile, tile < s.last
}

// A mark says how far the backward pass of a tile has come: 1 when the readout is
// behind it, 1 + j when the last j layers are, and past all of them at the end.
type mark struct {
	atomic.Int64
	_ [56]byte
}

const finished = 1 << 40

// A gate keeps the backward pass of a tile behind that of the one before.
type gate struct {
	before, own *mark // before is nil for the first tile of a shard
	ahead       int   // the tile before is done with this layer and later ones
}

// enter returns when the tile before is done with the layers first to end−1 out of depth.
func (g *gate) enter(first, end, depth int) {
	if first >= g.ahead {
		return
	}
	g.ahead = max(0, min(first, end-lag(depth)))
	g.reach(1 + depth - end)
	g.wait(1 + depth - g.ahead)
}

// wait returns when the tile before is at least so far.
func (g *gate) wait(far int) {
	if g.before == nil {
		return
	}
	for spins := 0; g.before.Load() < int64(far); spins++ {
		pause(spins)
	}
}

// reach says that this tile is so far.
func (g *gate) reach(far int) { g.own.Store(int64(far)) }

// lag returns how many layers a tile goes back between two looks at the gate: few
// enough that the next tile is not far behind, enough that looking costs nothing.
func lag(depth int) int { return (depth + 31) / 32 }

// shardCount returns into how many shards that many tiles are dealt: two for the
// smallest machines, as the caches of two cores may be far apart, and more only where
// clearing and adding another gradient is an eighth of the work at most. More workers than
// shards still find work, as they share one.
// It depends on the problem alone, as the order of summation does on it; the partial
// gradients take at most 256 MiB.
func shardCount[T Float](trained, tiles int) int {
	var zero T
	bytes := max(1, trained*int(unsafe.Sizeof(zero)))
	return max(1, min(tiles, max(2, min(tiles/8, 4), min(tiles/128, 16)), 256<<20/bytes))
}

// Parallelism returns how many workers the n samples of a network of that spec, depth and
// element type keep busy, and how many can do anything at all: beyond the former
// they wait for each other, so that other runs make more of the cores, if there are any.
func Parallelism(net *Network, n int, dtype string) (busy, useful int) {
	width, most := tileWidth[float64], mostWorkers[float64]
	if dtype == "float32" {
		width, most = tileWidth[float32], mostWorkers[float32]
	}
	tiles := tileCount(n, width(net, n))
	return max(1, min(tiles/2, n/128)), most(net, tiles)
}

// splitBytes is the size of a gradient from which its norm and the step gain from more
// workers than have tiles: it comes from memory then, not from the cache of one of them.
const splitBytes = 8 << 20

// mostWorkers returns how many workers can do anything.
func mostWorkers[T Float](net *Network, tiles int) int {
	var zero T
	return max(tiles, net.Layout.Trained*int(unsafe.Sizeof(zero))/splitBytes)
}
