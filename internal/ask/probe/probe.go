// Package probe measures untrained networks: it draws the initial weights of a study's runs many
// times, makes a forward and a backward pass through each network, and writes how hidden states
// and adjoints change their length as runfolder.Ensembles. It trains nothing and stores no weights.
//
// Draw s of an ensemble is the network that the run of seed s starts from, on the data of
// that seed.
package probe

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/grouped"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/machine"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Options of Study; nothing in it changes a draw.
type Options struct {
	Out     string // study folder, made when missing
	Workers int    // draws made at a time; default 1
	Version string // of the program
	// Observe, if not nil, is called with every ensemble after it is written or found done; the
	// calls do not overlap.
	Observe func(e runfolder.Ensemble, skipped bool)
}

// Study draws the network of every depth and grid point once for each seed of s and writes one
// ensemble for each into the study folder. It does not repeat an ensemble that exists with the
// same seeds, so a new call continues an interrupted one.
//
// Study does not change the runs of s. The training section only enters the names of the ensembles.
func Study(ctx context.Context, s *study.Study, options Options) error {
	if len(s.Seeds) < 2 {
		return &field.Error{Path: "seeds", Got: len(s.Seeds), Want: "at least 2, as each is a draw"}
	}
	p, err := plan.New(s)
	if err != nil {
		return err
	}
	ensembles := ensemblesOf(p.Runs)
	for _, draws := range ensembles {
		if n := p.Set(&draws[0]).Samples; n > resnet.MaxStartSamples {
			return fmt.Errorf("probe: %s: data.samples: got %d, want at most %d for a probe: the mean is over draws of the weights", draws[0].Ensemble(), n, resnet.MaxStartSamples)
		}
	}
	if err := runfolder.KeepStudy(options.Out, s.Name, string(s.Text), s.Set); err != nil {
		return err
	}
	for _, draws := range ensembles {
		if done, ok := finished(options.Out, draws); ok {
			options.tell(done, true)
			continue
		}
		draw := ensemble[float64]
		if draws[0].DType == "float32" {
			draw = ensemble[float32]
		}
		e, err := draw(ctx, p, draws, max(1, options.Workers))
		if err != nil {
			return fmt.Errorf("probe: %s: %w", draws[0].Ensemble(), err)
		}
		e.Version = options.Version
		if err := runfolder.WriteEnsemble(options.Out, e); err != nil {
			return err
		}
		options.tell(e, false)
	}
	return nil
}

func (o *Options) tell(e runfolder.Ensemble, skipped bool) {
	if o.Observe != nil {
		o.Observe(e, skipped)
	}
}

// ensemblesOf groups the runs that differ only in seed, in the order of the runs.
func ensemblesOf(runs []study.Run) [][]study.Run {
	return grouped.By(runs, func(r study.Run) string { return fmt.Sprint(r.Group, r.Depth) })
}

// finished returns the ensemble of the draws if it was written before.
func finished(dir string, draws []study.Run) (runfolder.Ensemble, bool) {
	e, err := runfolder.ReadEnsemble(dir, draws[0].Ensemble())
	if err != nil { // missing, or damaged and so to be drawn again
		return runfolder.Ensemble{}, false
	}
	same := slices.EqualFunc(e.Draws, draws, func(d runfolder.Draw, r study.Run) bool { return d.Seed == r.Seed })
	return e, same && e.Group == draws[0].Group
}

// ensemble makes the draws, as many at a time as there are workers. A draw does not depend on the
// worker that makes it.
func ensemble[T kernel.Float](ctx context.Context, p *plan.Plan, draws []study.Run, workers int) (runfolder.Ensemble, error) {
	run := &draws[0]
	set, net := p.Set(run), p.Problem(run).Network
	e := runfolder.Ensemble{
		ID: run.Ensemble(), Group: run.Group, Study: run.Study, Data: run.Data.Name, Settings: run.Settings,
		Depth: run.Depth, Width: net.Width, Hidden: net.Hidden, Samples: set.Samples, DType: run.DType,
		Block: net.Block, Activation: net.Spec.Activation, Alpha: *net.Alpha,
		Config: run.Config(), Draws: make([]runfolder.Draw, len(draws)),
	}
	e.ExpectedForward, e.ExpectedBackward = net.ExpectedStart(run.Initial)
	var next atomic.Int64
	team, working := errgroup.WithContext(ctx)
	workers = fitting(min(workers, len(draws)), resnet.NewStarter[T](net, run.Initial, run.Base).Bytes(set.Samples))
	for range workers {
		team.Go(func() error {
			starter := resnet.NewStarter[T](net, run.Initial, run.Base)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(draws) {
					return nil
				}
				if err := working.Err(); err != nil {
					return err
				}
				start, err := starter.Draw(p.Problem(&draws[i]).Samples, draws[i].Seed)
				if err != nil {
					return fmt.Errorf("seed %d: %w", draws[i].Seed, err)
				}
				e.Draws[i] = runfolder.Draw{
					Seed: draws[i].Seed, Forward: start.Forward, Change: start.Change,
					Backward: start.Backward, BackwardChange: start.BackwardChange,
				}
			}
		})
	}
	return e, team.Wait()
}

// fitting returns how many of the workers, but at least one, fit into memory if each takes that
// many bytes. If one does not fit alone, its first draw returns the error.
func fitting(workers int, bytes float64) int {
	for workers > 1 && machine.Fits(float64(workers)*bytes) != nil {
		workers--
	}
	return workers
}
