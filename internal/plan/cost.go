package plan

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/internal/machine"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/resnet"
)

// Flops returns the floating-point operations of one step of run.
func (p *Plan) Flops(run *study.Run) float64 { return run.Flops(p.Set(run).Samples) }

// Bytes returns an estimate of the memory of run with that many workers.
func (p *Plan) Bytes(run *study.Run, workers int) float64 {
	_, most := p.parallelism(run)
	return run.Bytes(p.Set(run).Samples, min(workers, most))
}

// LeastBytes returns an estimate of the memory of run on one core, with no hidden states kept.
func (p *Plan) LeastBytes(run *study.Run) float64 { return run.LeastBytes(p.Set(run).Samples) }

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

// Memory returns the bytes that the hidden states of a run on some of the cores may take,
// 0 for no limit: runs at work share the limit as they share the cores.
func Memory(run *study.Run, workers, cores int) (int64, error) {
	limit, err := run.Train.MemoryBytes()
	if err != nil || limit == 0 {
		return 0, err
	}
	return max(1, int64(float64(limit)*float64(workers)/float64(cores))), nil
}

// CheckMemory returns an error for the first run that does not fit into the memory that
// this process may take, even with no hidden states kept. A nil only takes all runs.
func (p *Plan) CheckMemory(only func(*study.Run) bool) error {
	for i := range p.Runs {
		run := &p.Runs[i]
		if only != nil && !only(run) {
			continue
		}
		if err := p.fits(run); err != nil {
			return fmt.Errorf("plan: run %s: %w; choose a smaller depth or width, dtype float32, or a machine with more", run.ID, err)
		}
	}
	return nil
}

// fits returns a *machine.MemoryError for a run that cannot fit into the memory that this
// process may take, even with no hidden states kept.
func (p *Plan) fits(run *study.Run) error { return machine.Fits(p.LeastBytes(run)) }
