package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/deeplimit/deeplimit/internal/execute/slurm"
	"github.com/deeplimit/deeplimit/internal/execute/sweep"
	"github.com/deeplimit/deeplimit/internal/field"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/engine"
	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

// engineFlags are the flags of `deeplimit run` that the section engine has keys for.
type engineFlags struct {
	spec engine.Spec
	wait bool
}

// add registers the flags.
func (e *engineFlags) add(flags *pflag.FlagSet) {
	s := &e.spec
	flags.StringVar(&s.Kind, "engine", "", "where to compute: local, or slurm for job arrays on a cluster (default the study's section engine, else local)")
	flags.StringVar(&s.Partition, "partition", "", "slurm: partition")
	flags.StringVar(&s.Account, "account", "", "slurm: account")
	flags.StringVar(&s.QOS, "qos", "", "slurm: quality of service")
	flags.StringVar(&s.Time, "time", "", "slurm: time limit of a task, which continues after it, as in 2:00:00")
	flags.StringVar(&s.Mem, "mem", "", "slurm: memory of a task, as in 4G")
	flags.IntVar(&s.CPUs, "cpus", 0, "slurm: cores of a task (default 1)")
	flags.IntVar(&s.PerTask, "per-task", 0, "slurm: runs of a task (default by estimated time)")
	flags.IntVar(&s.ArrayLimit, "array-limit", 0, "slurm: tasks that run at once (default as many as the cluster lets)")
	flags.IntVar(&s.Notice, "notice", 0, "slurm: seconds before the limit at which a task writes checkpoints and requeues itself")
	flags.StringArrayVar(&s.SbatchArgs, "sbatch-arg", nil, "slurm: one more option of sbatch, as in --sbatch-arg=--nice=100; may be repeated")
	flags.BoolVar(&e.wait, "wait", false, "slurm: wait for the cluster, then analyse and report")
}

// resolve returns the engine: the study's section with what the flags say in its place.
func (e *engineFlags) resolve(section engine.Spec, flags *pflag.FlagSet) (engine.Options, error) {
	spec := section
	var given []string // flags of a cluster
	for _, f := range []struct {
		name string
		take func()
	}{
		{"engine", func() { spec.Kind = e.spec.Kind }},
		{"partition", func() { spec.Partition = e.spec.Partition }},
		{"account", func() { spec.Account = e.spec.Account }},
		{"qos", func() { spec.QOS = e.spec.QOS }},
		{"time", func() { spec.Time = e.spec.Time }},
		{"mem", func() { spec.Mem = e.spec.Mem }},
		{"cpus", func() { spec.CPUs = e.spec.CPUs }},
		{"per-task", func() { spec.PerTask = e.spec.PerTask }},
		{"array-limit", func() { spec.ArrayLimit = e.spec.ArrayLimit }},
		{"notice", func() { spec.Notice = e.spec.Notice }},
		{"sbatch-arg", func() {
			spec.SbatchArgs = append(spec.SbatchArgs[:len(spec.SbatchArgs):len(spec.SbatchArgs)], e.spec.SbatchArgs...)
		}},
		{"wait", func() {}},
	} {
		if flags.Changed(f.name) {
			f.take()
			if f.name != "engine" {
				given = append(given, "--"+f.name)
			}
		}
	}
	options, err := spec.Resolve()
	if wrong, ok := errors.AsType[*field.Error](err); ok {
		switch key, _, _ := strings.Cut(wrong.Path, "."); key {
		case "kind":
			wrong.Path = "engine"
		case "sbatch-args":
			wrong.Path = "sbatch-arg"
		}
		return options, fmt.Errorf("run: --%w", wrong)
	}
	if err != nil {
		return options, err
	}
	if options.Kind == engine.Local && len(given) > 0 {
		return options, fmt.Errorf("run: got %s without a cluster, want --engine slurm beside it", strings.Join(given, ", "))
	}
	return options, nil
}

// errQueued ends a command that has submitted what there was to do.
var errQueued = errors.New("submitted")

// The time between two looks at the queue, at first and later on: many users ask it.
const (
	firstPoll = 2 * time.Second
	lastPoll  = 30 * time.Second
)

// submit hands the runs that are neither done nor in the queue nor worked on to the
// cluster. It returns errQueued when runs are left for the cluster, and nil when all
// are done: with --wait it returns only then.
func (o *runOptions) submit(ctx context.Context, plan *plan.Plan, options engine.Options, stdout, stderr io.Writer) error {
	dir, err := filepath.Abs(o.out)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	file, err := filepath.Abs(plan.Study.File)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("run: the program's own path, which the cluster starts: %w", err)
	}
	s := &slurm.Submitter{
		Dir: dir, Program: program, Options: options,
		Study: slurm.Study{Name: plan.Study.Name, File: file, Text: string(plan.Study.Text), Set: plan.Study.Set},
		Task:  []string{"--checkpoint", o.checkpoint.String(), "--heartbeat", o.share.heartbeat.String()},
	}
	if err := s.Client.Check(ctx); err != nil { // before the folder is made
		return err
	}
	prepare := sweep.Options{Out: dir, Workers: options.CPUs}
	if err := o.share.fill(plan, &prepare); err != nil {
		return err
	}
	if prepare.Rerun != "" || prepare.FailFast || prepare.Leave {
		return errors.New("run: got --rerun, --fail-fast or --no-wait with --engine slurm, want them with the engine local alone: tasks start again and would start over")
	}
	if err := sweep.Prepare(plan, prepare); err != nil {
		return err
	}
	var wanted []slurm.Run
	for i := range plan.Runs {
		if run := &plan.Runs[i]; prepare.Only(run) {
			wanted = append(wanted, slurm.Run{ID: run.ID, Time: plan.Duration(run)})
		}
	}
	left, running, err := unfinished(wanted, dir)
	if err != nil {
		return err
	}
	if len(left)+running == 0 {
		return nil
	}
	if o.json {
		stdout = stderr // the analysis alone is JSON
	}
	submitted, err := s.Submit(ctx, left)
	for _, one := range submitted {
		fmt.Fprintf(stdout, "submitted job %s: %s\n", one.Job, describe(one))
	}
	if err != nil {
		return err
	}
	if len(submitted) == 0 {
		fmt.Fprintln(stdout, "nothing to submit: every run that is not done is in the queue or at work")
	}
	if !o.engine.wait {
		fmt.Fprintf(stdout, "deeplimit status, logs and cancel take the folder %s; the same command submits again what\nwas lost, and analyses when all is done\n", o.out)
		return errQueued
	}
	return o.await(ctx, s.Client, wanted, dir, stderr)
}

// describe counts the tasks and runs of a submission.
func describe(s runfolder.Submission) string {
	runs := 0
	for _, batch := range s.Batches {
		runs += len(batch)
	}
	return fmt.Sprintf("%d runs in %d tasks", runs, len(s.Batches))
}

// unfinished returns the runs that have no result and that nobody works on, and counts
// those that somebody does.
func unfinished(runs []slurm.Run, dir string) (left []slurm.Run, working int, err error) {
	states, err := survey.Read(dir)
	if err != nil {
		return nil, 0, err
	}
	state := map[string]*survey.Run{}
	for i := range states {
		state[states[i].ID] = &states[i]
	}
	for _, run := range runs {
		switch s := state[run.ID]; {
		case s != nil && s.Stop != "": // with a result, if only one that broke a promise
		case s != nil && s.State == survey.Running:
			working++
		default:
			left = append(left, run)
		}
	}
	return left, working, nil
}

// await returns nil once every run is done, and an error when some are not
// and neither the queue nor a worker has them.
func (o *runOptions) await(ctx context.Context, client slurm.Client, runs []slurm.Run, dir string, stderr io.Writer) error {
	told, lostBefore := "", 0
	for poll := firstPoll; ; poll = min(2*poll, lastPoll) {
		queued, err := client.View(ctx, dir)
		if err != nil {
			return err
		}
		// Looked at after the queue: what has left that is done, or lost.
		left, running, err := unfinished(runs, dir)
		if err != nil {
			return err
		}
		lost := 0
		for _, run := range left {
			if _, ok := queued[run.ID]; !ok {
				lost++
			}
		}
		if text := fmt.Sprintf("%d of %d runs done, %d at work", len(runs)-len(left)-running, len(runs), running); text != told {
			told = text
			fmt.Fprintln(stderr, text)
		}
		switch {
		case len(left)+running == 0:
			return nil
		case lost > 0 && lostBefore > 0: // twice: a file server may show a result late
			return fmt.Errorf("run: %d runs are not done and no longer in the queue, cancelled or failed; deeplimit status %s says why, the same command submits them again", lost, o.out)
		}
		lostBefore = lost
		select {
		case <-ctx.Done():
			fmt.Fprintln(stderr, "interrupted: the cluster goes on; the same command waits again")
			return errInterrupted
		case <-time.After(poll):
		}
	}
}
