package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/execute/sweep"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/runfolder"
)

// newTask is what the batch script of a Slurm array calls: it works through the runs of
// one task's batch. Other tasks and `deeplimit run` may work on the same ones; leases
// keep them apart.
func newTask() *cobra.Command {
	var checkpoint, heartbeat time.Duration
	cmd := &cobra.Command{
		Use:    "slurm-task DIR SUBMISSION INDEX",
		Short:  "Train the runs of one task of a submission (for the batch script)",
		Hidden: true,
		Args:   cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			submission, err := runfolder.ReadSubmission(args[0], args[1])
			if err != nil {
				return err
			}
			index, err := strconv.Atoi(args[2])
			if err != nil || index < 0 || index >= len(submission.Batches) {
				return fmt.Errorf("slurm-task: index: got %q, want one of %d tasks", args[2], len(submission.Batches))
			}
			// Slurm's notice, as many times as it likes: a second SIGTERM ends the program.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGUSR1)
			defer stop()
			plan, err := taskPlan(submission)
			if err != nil {
				return err
			}
			batch := submission.Batches[index]
			if err := checkBatch(plan, batch); err != nil {
				return err
			}
			job := jobOfTask()
			out := stamped{cmd.OutOrStdout(), job}
			progress := newProgress(out, plan)
			counts, err := sweep.Run(ctx, plan, sweep.Options{
				Out: args[0], Join: true, Workers: cores(), Checkpoint: checkpoint, Version: thisBuild().String(),
				Only:      func(run *study.Run) bool { return slices.Contains(batch, run.ID) },
				Heartbeat: heartbeat, Job: job, Observe: watching(ctx, progress.observe),
			})
			if ctx.Err() != nil {
				fmt.Fprintf(out, "stopped with checkpoints: %d of %d runs done\n", counts.Done, len(batch))
				return errInterrupted
			}
			return errors.Join(append(counts.Failed, err)...)
		},
	}
	cmd.Flags().DurationVar(&checkpoint, "checkpoint", time.Minute, "time between the checkpoints of a run")
	cmd.Flags().DurationVar(&heartbeat, "heartbeat", runfolder.Heartbeat, "time between signs of life")
	return cmd
}

// taskPlan resolves the study as it was submitted.
func taskPlan(s runfolder.Submission) (*plan.Plan, error) {
	parsed, err := study.ParseWithin(s.File, []byte(s.Text), s.Set, math.MaxInt) // checked when it was submitted
	if err != nil {
		return nil, err
	}
	return plan.New(parsed)
}

// checkBatch returns an error unless the plan has every run of the batch. It has not
// when a file that the study reads was changed, or the program was replaced by one that
// takes the study for another.
func checkBatch(plan *plan.Plan, batch []string) error {
	known := map[string]bool{}
	for i := range plan.Runs {
		known[plan.Runs[i].ID] = true
	}
	for _, id := range batch {
		if !known[id] {
			return fmt.Errorf("slurm-task: run %s: got a study without it, want the one that was submitted: has a data file or the program changed since? deeplimit run --engine slurm submits what the study is now", id)
		}
	}
	return nil
}

// cores returns how many cores Slurm has given this task.
func cores() int {
	if n, err := strconv.Atoi(os.Getenv("SLURM_CPUS_PER_TASK")); err == nil && n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
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
