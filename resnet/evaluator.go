package resnet

import (
	"fmt"
	"sync/atomic"

	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/machine"
)

// Samples is a supervised-learning problem: inputs X (N,inputs), targets Y
// (N,outputs), row-major, and for a classification the class of each sample.
type Samples struct {
	X, Y   []float64
	Labels []int
}

// Options says with what an Evaluator computes; Workers and Memory change no result.
type Options struct {
	Workers int   // goroutines; at least 1
	Memory  int64 // bytes for hidden states over all workers; 0 for no limit
	Batch   int   // most samples that Choose is given, the first ones being chosen; 0 for all
}

// Evaluation is what a look at the samples gives.
type Evaluation struct {
	Loss    float64 // J, the mean over the samples
	Correct int     // samples whose largest output is their class; 0 for a regression
}

// An Evaluator computes J(θ), ∇J(θ) and ∇²J(θ)·v for one network and one set of
// samples. It owns workers and memory that every call reuses; Close frees the
// workers. It is not safe for concurrent use.
//
// Tiles of samples are dealt to a fixed number of shards, the tiles of a shard add
// their gradients in order, and shards are added in order: results are the same bits
// for any number of workers and any memory limit.
type Evaluator[T Float] struct {
	net     *Network
	ops     *kernel.Ops[T]
	samples Samples
	classes bool // whether samples have them
	total   int  // N of the chosen samples
	width   int  // most samples of a tile
	columns int  // most columns of a tile, what a worker's memory is made for
	workers int  // of the team
	tiles   []tile[T]
	losses  []Evaluation // of each tile: sum of losses
	marks   []mark       // how far each tile's backward pass is
	shards  []shard
	count   int            // shards in use
	partial [][]T          // gradients of shards 1, 2, …; shard 0 writes the result
	passes  []*pass[T]     // of the workers that take tiles
	sums    []*gradient[T] // of the same
	second  []*tangent[T]  // made by the first HessianVector
	options Options
	team    *team
	normed  int         // entries of a norm block
	squares []float64   // ‖·‖² of each norm block of the last gradient
	inPlace *descent[T] // nil where Descend is not for this problem

	next               atomic.Int64
	theta, grad, along []T // arguments of the call under way
	evaluatePhase, gradientPhase,
	hessianPhase, reducePhase, splitPhase func(worker int)
	split func(worker, begin, end int) // arguments of Split
	size  int
	part  int
}

// NewEvaluator returns an evaluator of net on the samples, all of them chosen
// unless options.Batch says otherwise.
func NewEvaluator[T Float](net *Network, samples Samples, options Options) (*Evaluator[T], error) {
	n := len(samples.X) / net.Inputs
	if n < 1 || len(samples.X) != n*net.Inputs || len(samples.Y) != n*net.Outputs || (samples.Labels != nil && len(samples.Labels) != n) {
		return nil, fmt.Errorf("resnet: NewEvaluator: got %d input and %d target entries, want N×%d and N×%d for one N ≥ 1", len(samples.X), len(samples.Y), net.Inputs, net.Outputs)
	}
	if options.Workers < 1 {
		return nil, fmt.Errorf("resnet: NewEvaluator: got %d workers, want at least 1", options.Workers)
	}
	if err := net.CheckTargets(samples.Y); err != nil {
		return nil, err
	}
	if err := fitsEntries[T](float64(net.Layout.Trained), 0); err != nil {
		return nil, fmt.Errorf("resnet: gradient at depth %d, width %d: %w", net.Depth, net.Width, err)
	}
	e := newEvaluator[T](&alloc.Account{}, net, n, samples.Labels != nil, options)
	e.samples = samples
	rows := make([]int, e.total)
	for i := range rows {
		rows[i] = i
	}
	e.Choose(rows)
	e.team = newTeam(e.workers)
	e.evaluatePhase, e.gradientPhase, e.hessianPhase = e.evaluateTiles, e.gradientTiles, e.hessianTiles
	e.reducePhase, e.splitPhase = e.reduceChunks, e.splitChunks
	return e, nil
}

// newEvaluator returns one for n samples, with classes or not, that has neither samples nor
// a team yet.
func newEvaluator[T Float](mem *alloc.Account, net *Network, n int, classes bool, options Options) *Evaluator[T] {
	if options.Memory == 0 { // states are computed again rather than fill the machine
		options.Memory = machine.Memory() / 2
	}
	e := &Evaluator[T]{net: net, ops: kernel.For[T](), classes: classes, options: options}
	if options.Batch > 0 {
		n = min(n, options.Batch)
	}
	e.arrange(mem, n)
	tiles := tileCount(n, e.width)
	e.workers = min(options.Workers, mostWorkers[T](net, tiles))
	passes := min(e.workers, tiles)
	memory := int64(1) << 62
	if options.Memory > 0 {
		memory = options.Memory / int64(passes)
	}
	e.columns = pad(min(n, e.width)) // of the largest batch, which is chosen first
	for range passes {
		e.passes = append(e.passes, newPass(mem, net, e.ops, e.columns, newEngine[T](mem, net, e.ops, e.columns, passes, memory)))
		e.sums = append(e.sums, newGradient(mem, net, e.ops, e.columns))
	}
	for range e.count - 1 {
		e.partial = append(e.partial, alloc.Make[T](mem, net.Layout.Trained))
	}
	_, e.normed = nearLayers(net)
	e.squares = alloc.Make[float64](mem, (net.Layout.Trained+e.normed-1)/e.normed)
	if options.Batch == 0 && tiles == 1 {
		e.inPlace = newDescent(mem, e)
	}
	return e
}

// Close ends the workers; the evaluator may not be used afterwards.
func (e *Evaluator[T]) Close() { e.team.close() }

// Len returns the number of samples the evaluator was made with.
func (e *Evaluator[T]) Len() int { return len(e.samples.X) / e.net.Inputs }

// Choose makes the evaluator look at the samples with these indices alone, in this
// order, until the next call: a mini-batch of at least one sample and at most
// Options.Batch; another number, or an index that no sample has, is a fault of the
// caller and panics. It allocates nothing once it has seen the largest batch.
func (e *Evaluator[T]) Choose(rows []int) {
	e.arrange(&alloc.Account{}, len(rows))
	for i := range e.tiles {
		chosen := rows[i*e.width : min((i+1)*e.width, len(rows))]
		e.tiles[i].pack(e.samples.X, e.samples.Y, e.samples.Labels, chosen, e.net.Inputs, e.net.Outputs)
	}
}

// arrange deals n samples to tiles, which take their memory when they are packed, and tiles to
// shards.
func (e *Evaluator[T]) arrange(mem *alloc.Account, n int) {
	e.total = n
	e.width = tileWidth[T](e.net, n)
	count := tileCount(n, e.width)
	e.tiles = alloc.Resize(mem, e.tiles, count)
	e.losses = alloc.Resize(mem, e.losses, count)
	e.marks = alloc.Resize(mem, e.marks, count)
	e.count = shardCount[T](e.net.Layout.Trained, count)
	e.shards = alloc.Resize(mem, e.shards, e.count)
	if mem.Dry {
		for i := range count {
			var spare tile[T] // as packed
			spare.reserve(mem, min(e.width, n-i*e.width), e.net.Inputs, e.net.Outputs, e.classes)
		}
		return
	}
	for i := range e.shards {
		e.shards[i].first, e.shards[i].last = i*count/e.count, (i+1)*count/e.count
	}
}

// Loss returns J(θ) on the chosen samples.
func (e *Evaluator[T]) Loss(theta []T) Evaluation {
	e.theta = theta
	e.dealTiles(e.evaluatePhase)
	return e.collect()
}

// Gradient returns J(θ) and writes ∇J(θ), of the trained parameters, to grad of
// length Layout.Trained.
func (e *Evaluator[T]) Gradient(theta, grad []T) Evaluation {
	e.theta, e.grad = theta, grad
	e.dealTiles(e.gradientPhase)
	e.deal(e.reducePhase)
	return e.collect()
}

// deal runs a phase whose workers take chunks.
func (e *Evaluator[T]) deal(phase func(worker int)) {
	e.next.Store(0)
	e.team.do(e.team.workers, phase)
}

// dealTiles runs a phase whose workers take tiles.
func (e *Evaluator[T]) dealTiles(phase func(worker int)) {
	e.next.Store(0)
	for i := range e.shards {
		e.shards[i].next.Store(int64(e.shards[i].first))
	}
	for i := range e.marks {
		e.marks[i].Store(0)
	}
	e.team.do(len(e.passes), phase)
}

// tile returns a tile that nobody has taken.
func (e *Evaluator[T]) tile() (i int, ok bool) {
	i = int(e.next.Add(1)) - 1
	return i, i < len(e.tiles)
}

// collect adds the tiles' losses in order.
func (e *Evaluator[T]) collect() Evaluation {
	var all Evaluation
	for _, part := range e.losses {
		all.Loss += part.Loss
		all.Correct += part.Correct
	}
	all.Loss /= float64(e.total)
	return all
}

func (e *Evaluator[T]) evaluateTiles(worker int) {
	for i, ok := e.tile(); ok; i, ok = e.tile() {
		e.losses[i] = e.passes[worker].evaluate(e.theta, &e.tiles[i], e.total, false)
	}
}

// follow calls f for tiles that nobody has taken, with the gradient that they add to
// and the gate of their backward pass: those of a shard that no other worker has begun
// while there is one, then of those that others have.
func (e *Evaluator[T]) follow(f func(i int, grad []T, fresh bool, turn gate) Evaluation) {
	for done := 0; done < len(e.shards); {
		number := int(e.next.Add(1)) - 1
		if number >= len(e.shards) { // all are begun
			number, done = done, done+1
		}
		s := &e.shards[number]
		for i, ok := s.take(); ok; i, ok = s.take() {
			g := gate{own: &e.marks[i]}
			if i > s.first {
				g.before = &e.marks[i-1]
			}
			e.losses[i] = f(i, e.result(number, i == s.first), i == s.first, g)
			g.reach(finished)
		}
	}
}

func (e *Evaluator[T]) gradientTiles(worker int) {
	e.follow(func(i int, grad []T, fresh bool, turn gate) Evaluation {
		sum := e.passes[worker].evaluate(e.theta, &e.tiles[i], e.total, true)
		e.differentiate(worker, i, e.theta, grad, fresh, turn)
		return sum
	})
}

// differentiate adds the part of tile i, which the worker has just evaluated, to grad.
func (e *Evaluator[T]) differentiate(worker, i int, theta, grad []T, fresh bool, turn gate) {
	t, g := &e.tiles[i], e.sums[worker]
	g.begin(grad, t.n, fresh, turn)
	e.passes[worker].differentiate(theta, t, g)
}

// result returns where the shard of that number writes. For its first tile the groups
// that a pass adds to from the start (δ, E, C) are set to zero.
func (e *Evaluator[T]) result(number int, fresh bool) []T {
	grad := e.grad
	if number > 0 {
		grad = e.partial[number-1]
	}
	if fresh {
		for _, name := range [...]string{"delta", "E", "C"} {
			clear(View(e.net.Layout, grad, name))
		}
	}
	return grad
}

// chunk is about the number of entries that a worker takes at a time.
const chunk = 1 << 15

// reduceChunks adds the shards' gradients to the first, in order of their number,
// and sums the squares of the result.
func (e *Evaluator[T]) reduceChunks(int) {
	blocks := max(1, chunk/e.normed)
	for {
		first, last := e.nextChunk(blocks, len(e.squares))
		if first >= last {
			return
		}
		for b := first; b < last; b++ {
			begin, end := b*e.normed, min((b+1)*e.normed, len(e.grad))
			all := e.grad[begin:end]
			for _, part := range e.partial[:e.count-1] {
				e.ops.AddScaled(all, 1, part[begin:end])
			}
			e.squares[b] = e.ops.SumSquares(all)
		}
	}
}

// nextChunk returns the bounds of the next chunk of that length out of size that nobody
// has taken, with begin ≥ end when there is none.
func (e *Evaluator[T]) nextChunk(length, size int) (begin, end int) {
	number := int(e.next.Add(1)) - 1
	return number * length, min((number+1)*length, size)
}

// Workers returns how many goroutines Split calls its argument from.
func (e *Evaluator[T]) Workers() int { return e.workers }

// Split calls f for parts of [0, size) of that length (the last may be shorter) that cover it
// once, on all workers 0, 1, … at the same time: for what is done to each entry of a long
// vector, or to each matrix of many, on its own.
func (e *Evaluator[T]) Split(size, part int, f func(worker, begin, end int)) {
	e.size, e.part, e.split = size, part, f
	e.deal(e.splitPhase)
}

func (e *Evaluator[T]) splitChunks(worker int) {
	for {
		begin, end := e.nextChunk(e.part, e.size)
		if begin >= end {
			return
		}
		e.split(worker, begin, end)
	}
}

// GradientSquare returns ‖∇J‖² of the last Gradient.
func (e *Evaluator[T]) GradientSquare() float64 {
	sum := 0.0
	for _, square := range e.squares {
		sum += square
	}
	return sum
}

// Classifies says whether the samples have classes.
func (e *Evaluator[T]) Classifies() bool { return e.classes }
