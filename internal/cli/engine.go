package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/execute/slurm"
	"github.com/deeplimit/deeplimit/internal/execute/sweep"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/engine"
)

// engineFlags are the flags of `deeplimit run` that the section engine has keys for.
type engineFlags struct {
	spec engine.Spec
	wait bool
}

// add registers the flags.
func (e *engineFlags) add(flags *pflag.FlagSet) {
	s := &e.spec
	flags.StringVar(&s.Kind, "engine", "", "where to compute: local, or slurm for a job array on a cluster (default the study's section engine, else local)")
	flags.StringVar(&s.Partition, "partition", "", "slurm: partition")
	flags.StringVar(&s.Account, "account", "", "slurm: account")
	flags.StringVar(&s.QOS, "qos", "", "slurm: quality of service")
	flags.StringVar(&s.Time, "time", "", "slurm: time limit of a task, which continues after it, as in 2:00:00")
	flags.StringVar(&s.Mem, "mem", "", "slurm: memory of a task, as in 4G")
	flags.IntVar(&s.CPUs, "cpus", 0, "slurm: cores of a task (default 1)")
	flags.IntVar(&s.ArrayLimit, "array-limit", 0, "slurm: tasks at most (default 100)")
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

// errQueued ends a command that leaves the study to the cluster.
var errQueued = errors.New("submitted")

// The time between two looks at the queue, at first and later on: many users ask it.
const (
	firstPoll = 2 * time.Second
	lastPoll  = 30 * time.Second
)

// submit hands the study to the cluster: tasks that share the runs that are not done, less
// those tasks that the queue has. It returns errQueued when runs are left for the
// cluster, and nil when all are done: with --wait it returns only then.
func (o *runOptions) submit(ctx context.Context, plan *plan.Plan, options engine.Options, stdout, stderr io.Writer) error {
	dir, err := filepath.Abs(o.out)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("run: the program's own path, which the cluster starts: %w", err)
	}
	s := &slurm.Submitter{
		Dir: dir, Study: plan.Study.Name, Only: o.share.only, Program: program, Options: options, Task: o.task(dir, options.CPUs),
	}
	limit, err := s.Client.MaxArraySize(ctx) // before the folder is made
	if err != nil {
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
	left, err := o.left(ctx, s.Client, plan, dir)
	if err != nil || left.all() {
		return err
	}
	if o.form.asked() {
		stdout = stderr // the analysis alone is for other programs
	}
	if err := left.tryAgain(dir); err != nil {
		return err
	}
	if tasks := slurm.Tasks(left.times(plan), options, limit) - left.tasks; tasks > 0 {
		submitted, err := s.Submit(ctx, tasks)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "submitted job %s: %d tasks for %d runs\n", submitted.Job, tasks, len(left.open))
		if options.Mem == "" {
			fmt.Fprintf(stdout, "a run takes up to %.3g MB; without --mem a task has the cluster's default\n", left.bytes(plan, options.CPUs)/1e6)
		}
	} else {
		fmt.Fprintln(stdout, "nothing to submit: the queue has tasks enough for every run that is not done or at work")
	}
	if !o.engine.wait {
		fmt.Fprintf(stdout, "deeplimit status, logs and cancel take the folder %s; the same command submits again what\nwas lost, and analyses when all is done\n", o.out)
		return errQueued
	}
	return o.await(ctx, s.Client, plan, dir, stderr)
}

// task returns the arguments of the program for a task.
func (o *runOptions) task(dir string, cores int) []string {
	args := []string{
		"run", "--join", "--jobs", strconv.Itoa(cores), "--checkpoint", o.checkpoint.String(), "--heartbeat", o.share.heartbeat.String(),
	}
	for _, condition := range o.share.only {
		args = append(args, "--only", condition)
	}
	return append(args, "--", dir)
}

// await returns nil once every run is done, and an error when some are not
// and neither the queue nor a worker has them.
func (o *runOptions) await(ctx context.Context, client slurm.Client, plan *plan.Plan, dir string, stderr io.Writer) error {
	told, lostBefore := "", false
	for poll := firstPoll; ; poll = min(2*poll, lastPoll) {
		left, err := o.left(ctx, client, plan, dir)
		if err != nil {
			return err
		}
		if text := fmt.Sprintf("%d of %d runs done, %d at work", left.done, left.total, left.working); text != told {
			told = text
			fmt.Fprintln(stderr, text)
		}
		lost := left.tasks == 0 && len(left.open) > 0
		switch {
		case left.all():
			return nil
		case lost && lostBefore: // twice: a file server may show a result late
			return fmt.Errorf("run: %d runs are not done and no longer in the queue, cancelled or failed; deeplimit status %s says why, the same command submits them again", len(left.open), o.out)
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
