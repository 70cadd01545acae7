package plan

import (
	"math"

	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
)

// Flops returns the floating-point operations of one step of run.
func (p *Plan) Flops(run *study.Run) float64 { return run.Flops(p.Set(run).Samples) }

// FlopsOf returns those of all steps of a run that ended, at every level of a cascade.
func (p *Plan) FlopsOf(run *study.Run, outcome train.Outcome) float64 {
	if len(outcome.Levels) == 0 {
		return float64(outcome.Iterations) * p.Flops(run)
	}
	sum := 0.0
	for _, level := range outcome.Levels {
		at := *run
		at.Depth = level.Depth
		sum += float64(level.Iterations) * at.Flops(p.Set(run).Samples)
	}
	return sum
}

// Cores returns how many of the cores a run gets that is the given share of what is left
// to do: those that it keeps busy, or its share of all where it can use them, so that
// no core waits for a last long run.
func (p *Plan) Cores(run *study.Run, share float64, cores int) int {
	busy, most := p.parallelism(run)
	return max(1, min(most, cores, max(busy, int(math.Round(share*float64(cores))))))
}

// parallelism returns how many workers a run keeps busy, and how many are of any use.
func (p *Plan) parallelism(run *study.Run) (busy, most int) {
	n := p.Set(run).Samples
	if run.Train.Batch > 0 {
		n = min(n, run.Train.Batch)
	}
	return resnet.Parallelism(p.Problem(run).Network, n, run.DType)
}
