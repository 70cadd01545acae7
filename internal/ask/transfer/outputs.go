package transfer

import (
	"context"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// blocks is how many parts the draws of a simulation are divided into, whose estimates without one of them give
// intervals.
const blocks = 20

// sums are what errors of outputs are computed from, over draws of the initial weights: D = ŷ_L − ŷ_ref of one draw, and
// S = (‖ŷ_L‖² − ‖ŷ_ref‖²)/N, both over all N samples.
type sums struct {
	draws       float64
	difference  []float64 // Σ D (N·outputs)
	squares     float64   // Σ ‖D‖²/N
	square      float64   // Σ S
	squaredings float64   // Σ S²
}

// add adds other sums.
func (s *sums) add(o *sums) {
	if s.difference == nil {
		s.difference = make([]float64, len(o.difference))
	}
	s.draws += o.draws
	for i, v := range o.difference {
		s.difference[i] += v
	}
	s.squares += o.squares
	s.square += o.square
	s.squaredings += o.squaredings
}

// strong returns E ‖D‖²/N.
func (s *sums) strong() float64 { return s.squares / s.draws }

// weak returns ‖E D‖²/N, less what the chance of the draws adds to it on average; NaN for one draw.
func (s *sums) weak(samples int) float64 {
	square := 0.0
	for _, v := range s.difference {
		square += v / s.draws * v / s.draws
	}
	square /= float64(samples)
	return square - (s.strong()-square)/(s.draws-1)
}

// weakSquare returns (E S)², likewise.
func (s *sums) weakSquare() float64 {
	mean := s.square / s.draws
	return mean*mean - (s.squaredings/s.draws-mean*mean)/(s.draws-1)
}

// simulate fills in the errors of outputs against the network at the reference depth.
func (c *chain) simulate(ctx context.Context, limit *estimate, options Options) error {
	p := c.problem
	n := len(p.Samples.X) / p.Network.Inputs
	outputs := func(depth int) ([]float64, error) {
		at, theta, err := p.rebuilt(limit, depth)
		if err != nil {
			return nil, err
		}
		return p.outputs(at, theta, options.each)
	}
	reference, err := outputs(options.Reference)
	if err != nil {
		return err
	}
	for i := range c.record.Targets {
		t := &c.record.Targets[i]
		got, err := outputs(t.Depth)
		if err != nil {
			return err
		}
		t.Errors = &runfolder.TransferErrors{Reference: options.Reference, Trend: rootMeanSquare(got, reference, n)}
	}
	if p.fromFiles() {
		return nil
	}
	if c.sums, err = p.draw(ctx, limit, options); err != nil {
		return err
	}
	for i := range c.record.Targets {
		var all sums
		for b := range c.sums {
			all.add(&c.sums[b][i])
		}
		e := c.record.Targets[i].Errors
		e.Draws = int(all.draws)
		if resnet.Coupled(p.Run.Initial) {
			e.Strong = finite(math.Sqrt(all.strong()))
		}
		e.Weak, e.WeakSquare = finite(math.Sqrt(all.weak(n))), finite(math.Sqrt(all.weakSquare()))
	}
	return nil
}

// draw returns the sums of every block of draws, at every target depth. Draw r has the initial weights of the run of seed
// seed + r·2^32: those of the run itself, and none of another seed of the study.
func (p *problem) draw(ctx context.Context, limit *estimate, options Options) ([][]sums, error) {
	depths := options.depths(0)
	out := make([][]sums, min(blocks, options.Draws))
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(options.each)
	for b := range out {
		workers.Go(func() (err error) {
			out[b], err = p.block(ctx, limit, append(slices.Clone(depths), options.Reference), b, len(out), options.Draws)
			return err
		})
	}
	return out, workers.Wait()
}

// block returns the sums of draws first, first + stride, … below draws, at all depths but the last, the reference.
func (p *problem) block(ctx context.Context, limit *estimate, depths []int, first, stride, draws int) ([]sums, error) {
	networks := make([]*simulated, len(depths))
	for i, depth := range depths {
		s, err := p.simulated(limit, depth, p.memory/int64(len(depths)))
		if err != nil {
			return nil, err
		}
		defer s.evaluator.Close()
		networks[i] = s
	}
	reference := networks[len(networks)-1]
	out := make([]sums, len(depths)-1)
	for i := range out {
		out[i].difference = make([]float64, len(reference.outputs))
	}
	n := float64(reference.evaluator.Len())
	for r := first; r < draws; r += stride {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		seed := p.Run.Seed + uint64(r)<<32
		for _, s := range networks {
			if err := s.evaluate(seed); err != nil {
				return nil, err
			}
		}
		size := ops.SumSquares(reference.outputs)
		for i := range out {
			got, s := networks[i].outputs, &out[i]
			s.draws++
			s.squares += ops.SumSquaredDifferences(got, reference.outputs) / n
			square := (ops.SumSquares(got) - size) / n
			s.square += square
			s.squaredings += square * square
			for j, v := range got {
				s.difference[j] += v - reference.outputs[j]
			}
		}
	}
	return out, nil
}

// ops are the vector operations of the machine.
var ops = kernel.For[float64]()

// A simulated network has the limit of the displacement on initial weights that are drawn again and again.
type simulated struct {
	problem   *plan.Problem
	evaluator *resnet.Evaluator[float64]
	moved     []float64 // the displacement, as parameters
	outputs   []float64
}

func (p *problem) simulated(limit *estimate, depth int, memory int64) (*simulated, error) {
	at, err := p.At(depth)
	if err != nil {
		return nil, err
	}
	if _, err := at.Run.Initial.Resolve(at.Run.Network, depth); err != nil {
		return nil, err
	}
	s := &simulated{problem: at, moved: make([]float64, at.Network.Layout.Size)}
	limit.move(at.Network, s.moved)
	if s.evaluator, err = resnet.NewEvaluator[float64](at.Network, p.Samples, resnet.Options{Workers: 1, Memory: memory}); err != nil {
		return nil, err
	}
	s.outputs = make([]float64, s.evaluator.Len()*at.Network.Outputs)
	return s, nil
}

// evaluate sets outputs to those with the initial weights of a seed.
func (s *simulated) evaluate(seed uint64) error {
	run := s.problem.Run
	theta, err := resnet.Parameters[float64](s.problem.Network, run.Initial, seed, run.Base)
	if err != nil {
		return err
	}
	for i, v := range s.moved {
		theta[i] += v
	}
	return s.evaluator.Outputs(theta, s.outputs)
}

// outputs returns those of a network on the samples.
func (p *problem) outputs(at *plan.Problem, theta []float64, workers int) ([]float64, error) {
	e, err := resnet.NewEvaluator[float64](at.Network, p.Samples, resnet.Options{Workers: workers, Memory: p.memory})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	out := make([]float64, e.Len()*at.Network.Outputs)
	return out, e.Outputs(theta, out)
}

// rootMeanSquare returns ((1/N) Σ_i ‖x_i − y_i‖²)^½.
func rootMeanSquare(x, y []float64, samples int) float64 {
	return math.Sqrt(ops.SumSquaredDifferences(x, y) / float64(samples))
}
