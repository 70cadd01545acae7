// Package slurm hands the runs of a study to a Slurm cluster as arrays of batches,
// and finds them again in its queue.
//
// Slurm starts programs; what was computed only result files say. A controller that
// is killed soon after a submission may forget it or start it twice, tasks are
// requeued, nodes vanish. So a task takes nothing for granted: it works through its
// batch under the leases of the run folders, and a second submission holds what
// neither a result nor the queue has.
//
// The package knows runs by name and cost alone; the task itself is the business of
// the command line.
package slurm

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plan/engine"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A Study is what a submission carries of a study file.
type Study struct {
	Name string
	File string   // absolute
	Text string   // of File as it was read
	Set  []string // overrides path=value
}

// A Submitter submits runs of one study folder.
type Submitter struct {
	Client  Client
	Dir     string // study folder, absolute
	Study   Study
	Program string   // deeplimit itself, absolute, as the nodes see it
	Task    []string // flags of its command for a task
	Options engine.Options
}

// Submit submits those of the runs that the queue does not have already, and returns
// what it submitted; nothing when all of them wait or run. After an error, what is
// returned beside it was submitted. Two calls at once may submit a run twice, which costs
// a task that finds nothing to do.
func (s *Submitter) Submit(ctx context.Context, runs []Run) ([]runfolder.Submission, error) {
	limit, err := s.Client.MaxArraySize(ctx) // first: it says where there is no Slurm
	if err != nil {
		return nil, err
	}
	queued, err := s.Client.View(ctx, s.Dir)
	if err != nil {
		return nil, err
	}
	runs = slices.DeleteFunc(slices.Clone(runs), func(r Run) bool { _, ok := queued[r.ID]; return ok })
	batches := Batches(runs, s.Options)
	var done []runfolder.Submission
	for array := range slices.Chunk(batches, limit) {
		after := ""
		if s.Options.ArrayLimit > 0 && len(done) > 0 {
			after = done[len(done)-1].Job // so that the limit holds for all arrays together
		}
		one, err := s.submit(ctx, array, after)
		if err != nil {
			return done, err
		}
		done = append(done, one)
	}
	return done, nil
}

// submit submits one array.
func (s *Submitter) submit(ctx context.Context, batches [][]string, after string) (runfolder.Submission, error) {
	name := jobName(s.Study.Name)
	record := runfolder.Submission{
		Name: name, Time: time.Now().UTC(), File: s.Study.File, Text: s.Study.Text, Set: s.Study.Set, Batches: batches,
	}
	record.Command = append([]string{"sbatch"}, arguments(s.Options, s.Dir, name, len(batches), after)...)
	body := s.script(name)
	// The record comes first: should this program die now, the job is found by its name.
	path, err := runfolder.WriteSubmission(s.Dir, record, body)
	if err != nil {
		return record, err
	}
	if record.Job, err = s.Client.sbatch(ctx, append(record.Command[1:], path)); err != nil {
		// An answer that got lost is no refusal.
		if tasks, lost := s.Client.Queue(ctx, []string{name}); lost == nil && len(tasks) == 0 {
			err = errors.Join(err, runfolder.RemoveSubmission(s.Dir, name))
		}
		return record, err
	}
	_, err = runfolder.WriteSubmission(s.Dir, record, body)
	return record, err
}

// jobName returns a name that no other job has: the study's, and 32 random bits.
func jobName(study string) string {
	random := make([]byte, 4)
	rand.Read(random)
	return study + "-" + hex.EncodeToString(random)
}

// View returns the task that has each run, for the runs of a study folder that wait or
// run in the queue. A run in several tasks has the one that runs, else the last
// submitted. Where nothing was submitted, the queue is not asked.
func (c Client) View(ctx context.Context, studyDir string) (map[string]Task, error) {
	submissions, err := open(studyDir)
	if err != nil || len(submissions) == 0 {
		return nil, err
	}
	slices.SortStableFunc(submissions, func(a, b runfolder.Submission) int { return a.Time.Compare(b.Time) })
	tasks, err := c.Queue(ctx, names(submissions))
	if err != nil {
		return nil, err
	}
	view := map[string]Task{}
	for _, s := range submissions {
		for _, task := range tasks {
			if task.Name != s.Name || task.Index >= len(s.Batches) {
				continue
			}
			for _, id := range s.Batches[task.Index] {
				if before, ok := view[id]; !ok || !before.Running() {
					view[id] = task
				}
			}
		}
	}
	return view, nil
}

// Cancel takes all tasks of a study folder out of the queue, running ones too, which
// leave checkpoints, and returns those there were.
func (c Client) Cancel(ctx context.Context, studyDir string) ([]Task, error) {
	submissions, err := runfolder.Submissions(studyDir)
	if err != nil || len(submissions) == 0 {
		return nil, err
	}
	tasks, err := c.Queue(ctx, names(submissions))
	if err != nil || len(tasks) == 0 {
		return nil, err
	}
	var jobs []string
	for _, task := range tasks {
		jobs = append(jobs, task.Array)
	}
	slices.Sort(jobs)
	return tasks, c.scancel(ctx, slices.Compact(jobs))
}

// A Log is what the tasks of one index of a submission have written, one after the other.
type Log struct {
	Path string
	Job  string // of the queue, such as "12_3"; "?_3" where its answer never came
	Runs []string
}

// Logs returns the logs there are, oldest submission first.
func Logs(studyDir string) ([]Log, error) {
	submissions, err := runfolder.Submissions(studyDir)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(submissions, func(a, b runfolder.Submission) int { return a.Time.Compare(b.Time) })
	var logs []Log
	for _, s := range submissions {
		for i, batch := range s.Batches {
			path := runfolder.SubmissionLog(studyDir, s.Name, i)
			if _, err := disk.Stat(path); err == nil {
				logs = append(logs, Log{path, fmt.Sprintf("%s_%d", cmp.Or(s.Job, "?"), i), batch})
			}
		}
	}
	return logs, nil
}

// open returns the submissions with a run that is not done.
func open(studyDir string) ([]runfolder.Submission, error) {
	submissions, err := runfolder.Submissions(studyDir)
	if err != nil {
		return nil, err
	}
	done := map[string]bool{}
	isDone := func(id string) bool {
		if _, known := done[id]; !known {
			done[id] = runfolder.Done(runfolder.RunDir(studyDir, id))
		}
		return done[id]
	}
	return slices.DeleteFunc(submissions, func(s runfolder.Submission) bool {
		for _, batch := range s.Batches {
			if !all(batch, isDone) {
				return false
			}
		}
		return true
	}), nil
}

// all reports whether every element satisfies f.
func all[T any](list []T, f func(T) bool) bool {
	return !slices.ContainsFunc(list, func(x T) bool { return !f(x) })
}

// names returns the job names of submissions.
func names(submissions []runfolder.Submission) []string {
	list := make([]string, len(submissions))
	for i, s := range submissions {
		list[i] = s.Name
	}
	return list
}
