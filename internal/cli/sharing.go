package cli

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/execute/lease"
	"github.com/deeplimit/deeplimit/internal/execute/sweep"
	"github.com/deeplimit/deeplimit/internal/filter"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/runfolder"
)

// shareOptions are the flags of `deeplimit run` that choose runs and say how processes
// share them.
type shareOptions struct {
	only      []string
	rerun     string
	keepGoing bool
	failFast  bool
	noWait    bool
	store     string
	heartbeat time.Duration
}

// add defines the flags.
func (o *shareOptions) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	onlyFlag(cmd, &o.only)
	flags.StringVar(&o.rerun, "rerun", "", "start these runs over: failed (also those that broke a promise), diverged (those too), all")
	flags.BoolVar(&o.keepGoing, "keep-going", true, "go on with the other runs when one fails")
	flags.BoolVar(&o.failFast, "fail-fast", false, "stop the other runs, with checkpoints, when one fails")
	cmd.MarkFlagsMutuallyExclusive("keep-going", "fail-fast")
	flags.BoolVar(&o.noWait, "no-wait", false, "do not wait for runs that other processes are at")
	flags.StringVar(&o.store, "store", "", "keep run folders here, by hash, for several studies to share")
	flags.DurationVar(&o.heartbeat, "heartbeat", lease.Heartbeat, fmt.Sprintf("time between heartbeats; after %d missed ones another process takes a run over", runfolder.MissedBeats))
}

// check refuses values that mean nothing.
func (o *shareOptions) check() error {
	if !slices.Contains([]string{"", sweep.RerunFailed, sweep.RerunDiverged, sweep.RerunAll}, o.rerun) {
		return fmt.Errorf("run: --rerun: got %q, want failed, diverged or all%s", o.rerun, field.Mean(o.rerun, []string{sweep.RerunFailed, sweep.RerunDiverged, sweep.RerunAll}))
	}
	if o.heartbeat < 10*time.Millisecond {
		return fmt.Errorf("run: --heartbeat: got %s, want a time such as 5s, at least 10ms", o.heartbeat)
	}
	return nil
}

// fill puts the flags into the options of a sweep.
func (o *shareOptions) fill(plan *plan.Plan, options *sweep.Options) error {
	options.Rerun, options.FailFast, options.Leave = o.rerun, o.failFast || !o.keepGoing, o.noWait
	options.Store, options.Heartbeat = o.store, o.heartbeat
	wanted, err := chosen(plan, o.only)
	if err != nil {
		return fmt.Errorf("run: --only: %w", err)
	}
	options.Only = func(run *study.Run) bool { return wanted[run.ID] }
	return nil
}

// onlyFlag defines --only.
func onlyFlag(cmd *cobra.Command, conditions *[]string) {
	cmd.Flags().StringArrayVar(conditions, "only", nil, "choose runs by a condition, as in 'depth >= 256 and network.alpha < 1'; may be repeated")
}

// chosen returns the IDs of the runs for which all conditions hold. None is an error.
func chosen(plan *plan.Plan, conditions []string) (map[string]bool, error) {
	wanted := map[string]bool{}
	var f *filter.Filter
	for i := range plan.Runs {
		run := &plan.Runs[i]
		if len(conditions) == 0 {
			wanted[run.ID] = true
			continue
		}
		fields, err := run.Fields(), error(nil)
		if f == nil {
			if f, err = filter.New(conditions, fields); err != nil {
				return nil, err
			}
		}
		holds, err := f.Match(fields)
		if err != nil {
			return nil, err
		}
		if holds {
			wanted[run.ID] = true
		}
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("got %q, which holds for none of %d runs, want one that holds for some", conditions, len(plan.Runs))
	}
	return wanted, nil
}
