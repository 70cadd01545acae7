package resnet

import (
	"fmt"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/deeplimit/deeplimit/internal/kernel"
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
// Tiles of samples are dealt to a fixed number of shards, one worker takes a whole
// shard, and shards are added in order: results are the same bits for any number
// of workers and any memory limit.
type Evaluator[T kernel.Float] struct {
	net     *Network
	ops     *kernel.Ops[T]
	samples Samples
	total   int // N of the chosen samples
	width   int // most samples of a tile
	columns int // most columns of a tile, what a worker's memory is made for
	tiles   []tile[T]
	losses  []Evaluation // of each tile: sum of losses
	shards  [][]int      // first and past-last tile of each shard
	partial [][]T        // gradients of shards 1, 2, …; shard 0 writes the result
	passes  []*pass[T]
	second  []*secondPass[T] // made by the first HessianVector
	options Options
	team    *team
	squares []float64 // ‖·‖² of each chunk of the last gradient

	next               atomic.Int64
	theta, grad, along []T // arguments of the call under way
	evaluatePhase, gradientPhase,
	hessianPhase, reducePhase func(worker int)
}

// NewEvaluator returns an evaluator of net on the samples, all of them chosen
// unless options.Batch says otherwise.
func NewEvaluator[T kernel.Float](net *Network, samples Samples, options Options) (*Evaluator[T], error) {
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
	e := &Evaluator[T]{net: net, ops: kernel.For[T](), samples: samples, width: tileWidth[T](max(net.Width, net.middle())), options: options}
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	if options.Batch > 0 {
		rows = rows[:min(n, options.Batch)]
	}
	e.Choose(rows)
	e.team = newTeam(min(options.Workers, len(e.shards)))
	memory := int64(1) << 62
	if options.Memory > 0 {
		memory = options.Memory / int64(e.team.workers)
	}
	e.columns = e.tiles[0].n // of the largest batch, which is chosen first
	for range e.team.workers {
		e.passes = append(e.passes, newPass(net, e.ops, e.columns, segmentLength[T](net, e.columns, memory)))
	}
	for range len(e.shards) - 1 {
		e.partial = append(e.partial, make([]T, net.Layout.Trained))
	}
	e.squares = make([]float64, (net.Layout.Trained+chunk-1)/chunk)
	e.evaluatePhase, e.gradientPhase = e.evaluateShards, e.gradientShards
	e.hessianPhase, e.reducePhase = e.hessianShards, e.reduceChunks
	return e, nil
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
	e.total = len(rows)
	count := (len(rows) + e.width - 1) / e.width
	e.tiles = slices.Grow(e.tiles[:0], count)[:count]
	e.losses = resize(e.losses, count)
	for i := range e.tiles {
		chosen := rows[i*e.width : min((i+1)*e.width, len(rows))]
		e.tiles[i].pack(e.samples.X, e.samples.Y, e.samples.Labels, chosen, e.net.Inputs, e.net.Outputs)
	}
	shards := shardCount[T](e.net.Layout.Trained, len(rows), count)
	e.shards = slices.Grow(e.shards[:0], shards)[:shards]
	for i := range e.shards {
		e.shards[i] = resize(e.shards[i], 2)
		e.shards[i][0], e.shards[i][1] = i*count/shards, (i+1)*count/shards
	}
}

// shardCount returns into how many parts n samples in that many tiles are dealt:
// enough for the workers of a large machine, few enough that adding the parts'
// gradients stays below a tenth of the work (128 samples each) and that they take at
// most 256 MiB. It depends on the problem alone, as the order of summation does on it.
func shardCount[T kernel.Float](trained, n, tiles int) int {
	var zero T
	bytes := max(1, trained*int(unsafe.Sizeof(zero)))
	return max(1, min(tiles, 16, n/128, 256<<20/bytes))
}

// Parallelism returns how many workers one run can keep busy: the shards of n
// samples in a network of that spec, depth and element type.
func Parallelism(net *Network, n int, dtype string) int {
	if dtype == "float32" {
		return shardsOf[float32](net, n)
	}
	return shardsOf[float64](net, n)
}

func shardsOf[T kernel.Float](net *Network, n int) int {
	width := tileWidth[T](max(net.Width, net.middle()))
	return shardCount[T](net.Layout.Trained, n, (n+width-1)/width)
}

// Loss returns J(θ) on the chosen samples.
func (e *Evaluator[T]) Loss(theta []T) Evaluation {
	e.theta = theta
	e.deal(e.evaluatePhase)
	return e.collect()
}

// Gradient returns J(θ) and writes ∇J(θ), of the trained parameters, to grad of
// length Layout.Trained.
func (e *Evaluator[T]) Gradient(theta, grad []T) Evaluation {
	e.theta, e.grad = theta, grad
	e.deal(e.gradientPhase)
	e.deal(e.reducePhase)
	return e.collect()
}

// deal runs a phase whose workers take numbered jobs from e.next.
func (e *Evaluator[T]) deal(phase func(worker int)) {
	e.next.Store(0)
	e.team.do(phase)
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

// shard returns the next shard that nobody has taken and its number.
func (e *Evaluator[T]) shard() (number, first, last int, ok bool) {
	number = int(e.next.Add(1)) - 1
	if number >= len(e.shards) {
		return 0, 0, 0, false
	}
	return number, e.shards[number][0], e.shards[number][1], true
}

func (e *Evaluator[T]) evaluateShards(worker int) {
	for {
		_, first, last, ok := e.shard()
		if !ok {
			return
		}
		for i := first; i < last; i++ {
			sum, correct := e.passes[worker].evaluate(e.theta, &e.tiles[i], e.total)
			e.losses[i] = Evaluation{sum, correct}
		}
	}
}

func (e *Evaluator[T]) gradientShards(worker int) {
	for {
		number, first, last, ok := e.shard()
		if !ok {
			return
		}
		grad := e.result(number)
		for i := first; i < last; i++ {
			sum, correct := e.passes[worker].differentiate(e.theta, grad, &e.tiles[i], e.total, i == first)
			e.losses[i] = Evaluation{sum, correct}
		}
	}
}

// result returns where the shard of that number writes, with the groups that a
// pass adds to from the start (δ, E, C) set to zero.
func (e *Evaluator[T]) result(number int) []T {
	grad := e.grad
	if number > 0 {
		grad = e.partial[number-1]
	}
	for _, name := range [...]string{"delta", "E", "C"} {
		clear(View(e.net.Layout, grad, name))
	}
	return grad
}

// chunk is the number of entries that a worker reduces at a time.
const chunk = 1 << 15

// reduceChunks adds the shards' gradients to the first, in order of their number,
// and sums the squares of the result.
func (e *Evaluator[T]) reduceChunks(int) {
	for {
		number := int(e.next.Add(1)) - 1
		begin := number * chunk
		if begin >= len(e.grad) {
			return
		}
		all := e.grad[begin:min(begin+chunk, len(e.grad))]
		for _, part := range e.partial[:len(e.shards)-1] {
			e.ops.AddScaled(all, 1, part[begin:begin+len(all)])
		}
		e.squares[number] = e.ops.SumSquares(all)
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
func (e *Evaluator[T]) Classifies() bool { return e.samples.Labels != nil }
