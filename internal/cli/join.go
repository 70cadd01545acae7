package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/deeplimit/deeplimit/internal/execute/sweep"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/runfolder"
)

// joinFlags are the flags of `deeplimit run` that mean something beside --join.
var joinFlags = []string{"join", "only", "jobs", "checkpoint", "heartbeat"}

// checkJoin refuses the others.
func checkJoin(flags *pflag.FlagSet) error {
	var err error
	flags.Visit(func(f *pflag.Flag) {
		if !slices.Contains(joinFlags, f.Name) {
			err = fmt.Errorf("run: got --%s with --join, want no more than --only, --jobs, --checkpoint and --heartbeat beside it: the folder says what the study is, and deeplimit run STUDY.yaml what becomes of it", f.Name)
		}
	})
	return err
}

// joinStudy works on the runs of the study that was started in dir until nothing is left
// for it to begin. A study that has grown meanwhile has more. SIGUSR1 ends it as SIGTERM
// does, as often as it comes: it is a queue's notice of a time limit.
func (o *runOptions) joinStudy(ctx context.Context, dir string, stdout, stderr io.Writer) error {
	ctx, stop := untilNotice(ctx)
	defer stop()
	job, out := jobOfTask(), stderr
	if job != "" {
		out = stamped{stdout, job}
	}
	var failed []error
	for {
		started, plan, err := readStarted(ctx, dir)
		if err != nil {
			return err
		}
		options := sweep.Options{
			Out: dir, Join: true, Workers: o.jobs, Checkpoint: o.checkpoint, Version: thisBuild().String(), Job: job,
		}
		if err := o.share.fill(plan, &options); err != nil {
			return err
		}
		progress := newProgress(out, plan, options.Only)
		options.Observe = watching(ctx, ownEvents(progress.observe))
		counts, err := sweep.Run(ctx, plan, options)
		progress.close()
		failed = append(failed, counts.Failed...)
		if ctx.Err() != nil {
			fmt.Fprintln(out, "stopped with checkpoints")
			return errInterrupted
		}
		if err != nil {
			return errors.Join(append(failed, err)...)
		}
		fmt.Fprintf(out, "nothing left to begin: %d runs done, %d at work elsewhere or failed\n", counts.Done, counts.Left)
		now, err := runfolder.ReadStarted(dir)
		if err == nil && reflect.DeepEqual(now, started) {
			return errors.Join(failed...)
		}
	}
}

// ownEvents returns observe without what others have done: in a study of many workers
// each would tell of every run.
func ownEvents(observe func(sweep.Event)) func(sweep.Event) {
	return func(e sweep.Event) {
		if e.Kind != sweep.Skipped && e.Kind != sweep.Elsewhere {
			observe(e)
		}
	}
}

// The looks at a study that is being started anew, and the time between two of them.
const (
	startedLooks = 5
	startedPause = time.Second
)

// readStarted returns the study that was last started in dir, and its plan.
func readStarted(ctx context.Context, dir string) (started runfolder.Started, plan *plan.Plan, err error) {
	for look := 1; ; look++ {
		if started, err = runfolder.ReadStarted(dir); err == nil {
			if plan, err = planStarted(dir, started); err == nil {
				return started, plan, nil
			}
		}
		if look == startedLooks || !changing(dir, started, err) {
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
				err = fmt.Errorf("run: --join: got %s, want the folder of a study that was started (deeplimit run STUDY.yaml starts one): %w", dir, err)
			}
			return started, nil, err
		}
		select {
		case <-ctx.Done():
			return started, nil, errInterrupted
		case <-time.After(startedPause):
		}
	}
}

// changing reports whether what was read of a study may be of two starts.
func changing(dir string, read runfolder.Started, err error) bool {
	if _, damaged := errors.AsType[*runfolder.DamagedError](err); damaged {
		return true
	}
	now, again := runfolder.ReadStarted(dir)
	return again == nil && !reflect.DeepEqual(now, read)
}

// planStarted resolves a study as it was started. Its runs are those of runs.json unless a
// file that it reads has changed since, or the program was replaced by one that takes the
// study for another.
func planStarted(dir string, s runfolder.Started) (*plan.Plan, error) {
	if s.File == "" {
		return nil, fmt.Errorf("run: --join: %s: got runs of several studies brought together, want a study that was started here: deeplimit run STUDY.yaml --out %s", dir, dir)
	}
	parsed, err := study.ParseWithin(s.File, s.Text, s.Set, math.MaxInt) // checked when it was started
	if err != nil {
		return nil, err
	}
	plan, err := plan.New(parsed)
	if err != nil {
		return nil, err
	}
	wanted := map[string]string{}
	for _, run := range s.Runs {
		wanted[run.ID] = run.Hash
	}
	for i := range plan.Runs {
		if run := &plan.Runs[i]; wanted[run.ID] != run.Hash {
			return nil, fmt.Errorf("run: --join: %s: run %s: got a study that has it and runs.json that has not, want the study that was started: has a data file or the program changed since? deeplimit run %s --out %s starts what the study is now", dir, run.ID, s.File, dir)
		}
	}
	return plan, nil
}

// jobOfTask returns this process's task in the queue, such as "12_3", "" outside one.
func jobOfTask() string {
	array, task := os.Getenv("SLURM_ARRAY_JOB_ID"), os.Getenv("SLURM_ARRAY_TASK_ID")
	if array == "" || task == "" {
		return os.Getenv("SLURM_JOB_ID")
	}
	return array + "_" + task
}

// stamped puts the time, the task and the node before each line: logs of a task that
// was requeued go on in one file, and logs of a study are read together.
type stamped struct {
	io.Writer
	job string
}

// Write takes whole lines.
func (s stamped) Write(text []byte) (int, error) {
	host := cmp.Or(os.Getenv("SLURMD_NODENAME"), "localhost")
	line := slices.Concat([]byte(time.Now().UTC().Format("2006-01-02T15:04:05.000Z")+" "+s.job+" "+host+" "), text)
	if _, err := s.Writer.Write(line); err != nil {
		return 0, err
	}
	return len(text), nil
}

// runsBegun returns the runs that a log of stamped lines tells the start of.
func runsBegun(log []byte) []string {
	var runs []string
	for line := range strings.Lines(string(log)) {
		if words := strings.Fields(line); len(words) == 5 && words[3] == "start" && !slices.Contains(runs, words[4]) {
			runs = append(runs, words[4])
		}
	}
	return runs
}
