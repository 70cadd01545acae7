// Package transfer estimates the limit of trained weight paths as depth grows,
// rebuilds the network from it at depths that were never trained, and evaluates its
// loss there.
//
// # The estimate
//
// A run of depth L leaves a rescaled path L^β A_k, k = 1..L, read as values at the
// layers' midpoints s = (k − ½)/L, so that (1/L) Σ_k is a midpoint rule: what the
// layers add up to then changes with L by O(L^−2) alone. Two limits are estimated
// for the groups of parameters that have an entry for each layer:
//
//   - the trend: the smooth part of the trained path (scaling.Split), without layer
//     noise. The smoothing keeps what the noise adds up to over many layers, which
//     descent has balanced; it leaves out what averages away.
//   - the displacement: L^β (A(T) − A(0)), as it is. The network rebuilt from it has
//     initial weights of its own depth: for coupled noise those refine the same
//     noise path, otherwise they are a fresh draw of the same law.
//
// With runs of one seed at two depths L₁ < L₂, the estimate X is extrapolated in
// 1/L: descent fits a network with L steps, so that the path which fits it differs
// from the limit by the discretisation error of L steps, of first order,
//
//	X = X₂ + (X₂ − X₁) · L₁/(L₂ − L₁).
//
// That holds when descent has converged at both depths and ended near the same
// solution; otherwise it enlarges their difference. So both the extrapolation and the
// path of the deepest run are tried at the greatest depth asked for, and the one whose
// trend has the lower loss there, in the mean of its logarithm over the seeds of a group, is the
// estimate of all of them (Result.Sources says which). With one depth it is the path of that depth. Between midpoints paths are linear.
package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/grouped"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// Options of Study. The zero value is the default.
type Options struct {
	// Depths are those to rebuild networks at; default 2, 4 and 8 times the deepest of
	// each seed.
	Depths []int
	// Base is the folder that relative names of data files start from; default: the one
	// recorded when the run was made.
	Base string
	// Workers is how many seeds, and draws of all of them, are worked on at a time; default 1. Results do not depend on it.
	Workers int
	// Deepest uses the path of the deepest run without extrapolation.
	Deepest bool
	// Train trains the network of every depth as the runs were trained, once from the rebuilt
	// trend and once from initial weights of its own (runfolder.TransferTarget.Training).
	Train bool
	// Reference is a depth whose network the outputs of the others are compared with; 0 for none. Draws is how many
	// initial weights are drawn for that; 1 when 0.
	Reference, Draws int
	// Note, if not nil, is called with each run that a limit cannot come from.
	Note func(Omitted)

	each int // how many draws of one seed are worked on at a time

	// Observe, if not nil, is told how many seeds are done of how many; it may be called from several goroutines.
	Observe func(done, total int)
}

// A Result is what was found for the deepest run of one group and seed.
type Result struct {
	Run       string                     `json:"run"` // folder name
	Group     string                     `json:"group"`
	Data      string                     `json:"data"`
	Settings  map[string]string          `json:"settings,omitempty"`
	Seed      uint64                     `json:"seed"`
	Loss      float64                    `json:"loss"`       // as trained
	TrendLoss float64                    `json:"trend_loss"` // of its trend alone
	Sources   []int                      `json:"sources"`
	Targets   []runfolder.TransferTarget `json:"targets"`
	// LossLimit is what the loss of the trend goes to as depth grows; null for fewer than two targets.
	LossLimit *runfolder.LossLimit `json:"loss_limit"`
	// Orders are those of the group, the same for all its seeds.
	Orders []runfolder.TransferOrder `json:"orders"`
	Notes  []string                  `json:"notes,omitempty"` // on orders that there are not
	Limit  string                    `json:"limit"`           // the file of the limit path
	// Omitted are the depths of this group and seed that had no part in it, ascending.
	Omitted []Omitted `json:"omitted,omitempty"`
}

// An Omitted is a run that a limit cannot come from, and why.
type Omitted struct {
	Depth  int    `json:"depth"`
	Run    string `json:"run"`
	Reason string `json:"reason"`
}

// String returns the run and the reason.
func (o Omitted) String() string { return o.Run + ": " + o.Reason }

// MinDepth is the least depth that a limit comes from: fewer layers do not separate trend and
// noise.
const MinDepth = scaling.MinSplit

// Study transfers every group and seed of the study folder (or the one run folder)
// dir, and writes what it finds into the run folders (runfolder.Transfer): in each
// finished run the loss of its trend, and in the deepest of each seed the limit path
// and the losses at the other depths. Results are sorted by data, group and seed.
//
// Runs that are unfinished, missing, diverged, damaged or below MinDepth are left out, and named in
// Result.Omitted and to Options.Note. It is an error if no run is left at all. A seed that fails
// does not stop the others; its errors are joined.
func Study(ctx context.Context, dir string, options Options) ([]Result, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	chains, err := find(dir)
	if err != nil {
		return nil, err
	}
	if options.Note != nil {
		for _, c := range chains {
			for _, run := range c.omitted {
				options.Note(run)
			}
		}
	}
	if chains, err = withRuns(chains); err != nil {
		return nil, fmt.Errorf("transfer: %s: %w", dir, err)
	}
	cores := max(1, options.Workers)
	options.Workers = min(cores, len(chains))
	options.each = cores / options.Workers
	each(chains, options.Workers, func(c *chain) error { return c.prepare(ctx, options) })
	choose(slices.DeleteFunc(slices.Clone(chains), func(c *chain) bool { return c.err != nil }))
	if options.Observe == nil {
		options.Observe = func(int, int) {}
	}
	options.Observe(0, len(chains))
	var done atomic.Int64
	each(chains, options.Workers, func(c *chain) error {
		defer func() { options.Observe(int(done.Add(1)), len(chains)) }()
		return c.transfer(ctx, options)
	})
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("transfer: %s: %w", dir, err)
	}
	results, failures := finish(chains, options)
	return results, errors.Join(failures...)
}

// finish writes what was found, with the orders of each group, and returns it sorted, and the errors of chains that failed.
func finish(chains []*chain, options Options) (results []Result, failures []error) {
	for _, group := range grouped.By(chains, func(c *chain) string { return c.group }) {
		var done []*chain
		for _, c := range group {
			if c.err != nil {
				failures = append(failures, c.err)
			} else {
				done = append(done, c)
			}
		}
		if len(done) == 0 {
			continue
		}
		slices.SortFunc(done, func(a, b *chain) int { return cmp.Compare(a.seed, b.seed) })
		found, notes := orders(done, options.Reference)
		for _, c := range done {
			c.record.Orders = found
			result, err := c.result()
			result.Notes = notes
			if err != nil {
				failures = append(failures, err)
				continue
			}
			results = append(results, result)
		}
	}
	slices.SortFunc(results, func(a, b Result) int {
		return cmp.Or(cmp.Compare(a.Data, b.Data), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Seed, b.Seed))
	})
	slices.SortFunc(failures, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return results, failures
}

// check refuses options that mean nothing, as *field.Error, and fills in Draws.
func (o *Options) check() error {
	for _, depth := range o.Depths {
		if depth < 1 {
			return &field.Error{Path: "depth", Got: depth, Want: "at least 1"}
		}
		if o.Reference > 0 && depth >= o.Reference {
			return &field.Error{Path: "depth", Got: depth, Want: fmt.Sprintf("less than the reference depth %d", o.Reference)}
		}
	}
	switch {
	case o.Reference < 0 || o.Reference > 0 && o.Reference < reach:
		return &field.Error{Path: "reference", Got: o.Reference, Want: fmt.Sprintf("a depth of %d or more", reach)}
	case o.Draws < 0:
		return &field.Error{Path: "draws", Got: o.Draws, Want: "at least 1"}
	case o.Draws > 0 && o.Reference == 0:
		return &field.Error{Path: "draws", Got: o.Draws, Want: "it with --reference, the depth that outputs are compared with"}
	}
	o.Draws = max(1, o.Draws)
	return nil
}

// A chain holds the runs of one group and seed that a limit may come from, by ascending
// depth, and those that it may not.
type chain struct {
	group   string
	seed    uint64
	runs    []*runfolder.Run
	omitted []Omitted

	problem      *problem
	trendLoss    float64 // of the deepest run, at its own depth
	gain         float64 // log loss at the greatest depth with extrapolation, less that without; +Inf for one depth
	extrapolated bool
	record       runfolder.Transfer
	weights      runfolder.Weights
	sums         [][]sums // of simulated draws, by block and target
	err          error
}

// unfit returns why no limit may come from a run, "" if one may.
func unfit(run *runfolder.Run) string {
	switch {
	case !run.Done():
		return "not finished"
	case run.Summary.Stop == runfolder.Diverged:
		return "diverged"
	case run.Meta.Depth < MinDepth:
		return fmt.Sprintf("fewer than %d layers", MinDepth)
	}
	return ""
}

// damage returns why the weights of a finished run cannot be trusted, "" if they can. They are
// read for that alone, so that a limit is known to have its runs before work begins.
func damage(run *runfolder.Run) (string, error) {
	_, err := run.Weights()
	if _, damaged := errors.AsType[*runfolder.DamagedError](err); damaged {
		return "damaged: " + err.Error(), nil
	}
	return "", err
}

// find returns the chains of a study folder, or that of a run folder.
func find(dir string) ([]*chain, error) {
	dirs, err := runfolder.List(dir)
	if err != nil {
		return nil, err
	}
	if len(dirs) == 0 {
		if _, err := os.Stat(filepath.Join(dir, "run.json")); err != nil {
			return nil, fmt.Errorf("transfer: %s: got a folder without runs, want that of a study or of a run: %w", dir, err)
		}
		dirs = []string{dir}
	}
	var chains []*chain
	of := func(group string, seed uint64) *chain {
		for _, c := range chains {
			if c.group == group && c.seed == seed {
				return c
			}
		}
		chains = append(chains, &chain{group: group, seed: seed})
		return chains[len(chains)-1]
	}
	planned := map[string]runfolder.Planned{} // by ID; none in a folder without a list
	if manifest, err := runfolder.ReadManifest(dir); err == nil {
		for _, run := range manifest.Runs {
			planned[run.ID] = run
		}
	}
	done := 0
	for _, dir := range dirs {
		run, err := runfolder.Open(dir)
		id := filepath.Base(dir)
		if known, ok := planned[id]; err != nil && ok {
			c, reason := of(known.Group, known.Seed), "damaged: "+err.Error()
			if _, damaged := errors.AsType[*runfolder.DamagedError](err); errors.Is(err, fs.ErrNotExist) && !damaged {
				reason = "not begun"
			} else if !damaged {
				return nil, err
			}
			c.omitted = append(c.omitted, Omitted{known.Depth, id, reason})
			delete(planned, id)
			continue
		}
		if _, damaged := errors.AsType[*runfolder.DamagedError](err); errors.Is(err, fs.ErrNotExist) && !damaged {
			continue // made, and not yet filled, by a run that has just begun
		}
		if err != nil {
			return nil, err
		}
		delete(planned, id)
		c := of(run.Meta.Group, run.Meta.Seed)
		if run.Done() {
			done++
		}
		reason := unfit(run)
		if reason == "" {
			if reason, err = damage(run); err != nil {
				return nil, err
			}
		}
		if reason != "" {
			c.omitted = append(c.omitted, Omitted{run.Meta.Depth, run.Meta.ID, reason})
		} else {
			c.runs = append(c.runs, run)
		}
	}
	if done == 0 {
		return nil, fmt.Errorf("transfer: %s: got no finished run, want at least one", dir)
	}
	for _, run := range planned {
		c := of(run.Group, run.Seed)
		c.omitted = append(c.omitted, Omitted{run.Depth, run.ID, "no folder"})
	}
	for _, c := range chains {
		slices.SortFunc(c.runs, func(a, b *runfolder.Run) int { return a.Meta.Depth - b.Meta.Depth })
		slices.SortFunc(c.omitted, func(a, b Omitted) int { return cmp.Compare(a.Depth, b.Depth) })
	}
	return chains, nil
}

// withRuns returns the chains that have runs, an error if none has.
func withRuns(chains []*chain) ([]*chain, error) {
	var list []string
	var left []*chain
	for _, c := range chains {
		if len(c.runs) > 0 {
			left = append(left, c)
		}
		for _, o := range c.omitted {
			list = append(list, o.String())
		}
	}
	if len(left) > 0 {
		return left, nil
	}
	const most = 4
	if more := len(list) - most; more > 0 {
		list = append(list[:most], fmt.Sprintf("and %d more", more))
	}
	return nil, fmt.Errorf("got no run that a limit can come from, want at least 1 that is finished, not diverged and of depth %d or more (left out: %s)", MinDepth, strings.Join(list, "; "))
}

// deepest returns the deepest run.
func (c *chain) deepest() *runfolder.Run { return c.runs[len(c.runs)-1] }

// result writes what was found for a chain, and returns it.
func (c *chain) result() (Result, error) {
	deepest := c.deepest()
	if err := deepest.WriteTransfer(c.record, &c.weights); err != nil {
		return Result{}, err
	}
	meta := &deepest.Meta
	return Result{
		Run: meta.ID, Group: meta.Group, Data: meta.Data, Settings: meta.Settings, Seed: meta.Seed,
		Loss: deepest.Summary.Loss, TrendLoss: c.trendLoss, Sources: c.record.Sources, Targets: c.record.Targets,
		LossLimit: c.record.LossLimit, Orders: c.record.Orders, Limit: deepest.LimitFile(), Omitted: c.omitted,
	}, nil
}

// depths returns the depths to rebuild at, ascending and each once.
func (o Options) depths(deepest int) []int {
	depths := slices.Clone(o.Depths)
	switch {
	case len(depths) > 0:
	case o.Reference > 0:
		for depth := o.Reference / reach; depth > 0 && depth >= o.Reference/(reach<<4); depth /= 2 {
			depths = append(depths, depth)
		}
	default:
		return []int{2 * deepest, 4 * deepest, 8 * deepest}
	}
	slices.Sort(depths)
	return slices.Compact(depths)
}
