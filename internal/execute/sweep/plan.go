package sweep

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/resnet"
)

// A Plan is a study whose input has been read and found good: every data set
// loaded, once however many runs use it, every network built and every initial
// weight that comes from a file read.
type Plan struct {
	Study *study.Study
	Runs  []study.Run
	sets  map[string]*dataset.Set // by key
}

// NewPlan reads all that the runs of s need, so that bad input is found before
// anything is written or trained. All faults are reported, not just the first.
func NewPlan(s *study.Study) (*Plan, error) {
	runs, err := s.Runs()
	if err != nil {
		return nil, err
	}
	p := &Plan{Study: s, Runs: runs, sets: map[string]*dataset.Set{}}
	failed := map[string]bool{}
	var faults []error
	for i := range runs {
		run := &runs[i]
		id := key(run)
		if failed[id] {
			continue
		}
		if p.sets[id] == nil {
			set, err := dataset.Load(run.Data, run.Base)
			if err != nil {
				failed[id] = true
				faults = append(faults, err)
				continue
			}
			p.sets[id] = set
		}
		if err := check(run, p.sets[id]); err != nil {
			faults = append(faults, fmt.Errorf("sweep: run %s: %w", run.ID, err))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return p, nil
}

// Flops returns the floating-point operations of one step of run.
func (p *Plan) Flops(run *study.Run) float64 { return run.Flops(p.set(run).Samples) }

// Bytes returns an estimate of the memory of run with that many workers.
func (p *Plan) Bytes(run *study.Run, workers int) float64 {
	_, most := p.parallelism(run)
	return run.Bytes(p.set(run).Samples, min(workers, most))
}

// coresOf returns how many of the cores a run gets that is the given share of what is left
// to do: those that it keeps busy, or its share of all where it can use them, so that
// no core waits for a last long run.
func (p *Plan) coresOf(run *study.Run, share float64, cores int) int {
	busy, most := p.parallelism(run)
	return max(1, min(most, cores, max(busy, int(math.Round(share*float64(cores))))))
}

// key names a data set: equal keys, equal samples.
func key(run *study.Run) string {
	text, err := json.Marshal(run.Data)
	if err != nil {
		panic(fmt.Sprintf("sweep: data section of run %s: %v", run.ID, err)) // plain data always marshal
	}
	return run.Base + "\x00" + string(text)
}

// check builds the network and reads the initial weights of kind file.
func check(run *study.Run, set *dataset.Set) error {
	net, err := resnet.New(run.Network, run.Depth, set.Inputs, set.Outputs)
	if err != nil {
		return err
	}
	if err := net.CheckTargets(set.Y); err != nil {
		return err
	}
	return net.CheckInitial(run.Initial, run.Base)
}

// set returns the samples of a run.
func (p *Plan) set(run *study.Run) *dataset.Set { return p.sets[key(run)] }

// Set returns the samples of a run of the plan. They are the plan's own.
func (p *Plan) Set(run *study.Run) *dataset.Set { return p.set(run) }

// Trained returns the names of the parameter groups that training moves.
func (p *Plan) Trained(run *study.Run) ([]string, error) {
	set := p.set(run)
	net, err := resnet.New(run.Network, run.Depth, set.Inputs, set.Outputs)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, g := range net.Layout.Groups {
		if g.Trained {
			names = append(names, g.Name)
		}
	}
	return names, nil
}

// parallelism returns how many workers a run keeps busy, and how many are of any use.
func (p *Plan) parallelism(run *study.Run) (busy, most int) {
	set := p.set(run)
	net, err := resnet.New(run.Network, run.Depth, set.Inputs, set.Outputs)
	if err != nil {
		return 1, 1 // NewPlan has built it, so this cannot be; one core is always right
	}
	n := set.Samples
	if run.Train.Batch > 0 {
		n = min(n, run.Train.Batch)
	}
	return resnet.Parallelism(net, n, run.DType)
}
