// Package slurm hands a study to a Slurm cluster as an array of equal tasks, and finds
// them again in its queue.
//
// Slurm starts programs; what was computed only result files say, and who works on what
// the leases of the run folders. So a task has no runs of its own: it takes those that
// nobody is at, until none is left. A controller that is killed soon after a submission
// may forget it or start it twice, tasks are requeued, nodes vanish: all that changes is
// how many tasks there are.
//
// The package counts runs and hours; the task itself is the business of the command line.
package slurm

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plan/engine"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A Submitter submits tasks for one study folder.
type Submitter struct {
	Client  Client
	Dir     string   // study folder, absolute
	Study   string   // name
	Only    []string // conditions on the runs that the tasks take, for the record
	Program string   // deeplimit itself, absolute, as the nodes see it
	Task    []string // its arguments for a task
	Options engine.Options
}

// leastWork is the work of a core that is worth a task: Slurm starts a few tasks a second.
const leastWork = time.Minute

// Tasks returns how many tasks share runs that take about so long on one core each: as
// many as the options and the cluster's limit on an array allow, none without runs, and
// at least a minute's work for each core of a task.
func Tasks(runs []time.Duration, o engine.Options, limit int) int {
	total := 0.0
	for _, run := range runs {
		total += run.Seconds()
	}
	worth := math.Ceil(total / (leastWork.Seconds() * float64(o.CPUs)))
	return min(len(runs), o.ArrayLimit, limit, max(1, int(min(worth, math.MaxInt32))))
}

// Submit submits an array of so many tasks.
func (s *Submitter) Submit(ctx context.Context, tasks int) (runfolder.Submission, error) {
	name := jobName(s.Study)
	record := runfolder.Submission{Name: name, Time: time.Now().UTC(), Tasks: tasks, Only: s.Only}
	record.Command = append([]string{"sbatch"}, arguments(s.Options, s.Dir, name, tasks)...)
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

// An Array is a submission that the queue has tasks of.
type Array struct {
	runfolder.Submission
	Queued []Task // that wait or run
}

// View returns the arrays of a study folder that are in the queue, the oldest first. Where
// nothing was submitted, the queue is not asked.
func (c Client) View(ctx context.Context, studyDir string) ([]Array, error) {
	submissions, err := submissions(studyDir)
	if err != nil || len(submissions) == 0 {
		return nil, err
	}
	names := make([]string, len(submissions))
	for i, s := range submissions {
		names[i] = s.Name
	}
	tasks, err := c.Queue(ctx, names)
	if err != nil {
		return nil, err
	}
	var arrays []Array
	for _, s := range submissions {
		queued := slices.DeleteFunc(slices.Clone(tasks), func(t Task) bool { return t.Name != s.Name })
		if len(queued) > 0 {
			arrays = append(arrays, Array{s, queued})
		}
	}
	return arrays, nil
}

// Cancel takes all tasks of a study folder out of the queue, running ones too, which
// leave checkpoints, and returns those there were.
func (c Client) Cancel(ctx context.Context, studyDir string) ([]Task, error) {
	arrays, err := c.View(ctx, studyDir)
	if err != nil || len(arrays) == 0 {
		return nil, err
	}
	var tasks []Task
	var jobs []string
	for _, a := range arrays {
		tasks = append(tasks, a.Queued...)
		for _, task := range a.Queued {
			jobs = append(jobs, task.Array)
		}
	}
	slices.Sort(jobs)
	return tasks, c.scancel(ctx, slices.Compact(jobs))
}

// A Log is what the tasks of one index of a submission have written, one after the other.
type Log struct {
	Path string
	Job  string // of the queue, such as "12_3"; "?_3" where its answer never came
}

// Logs returns the logs there are, oldest submission first.
func Logs(studyDir string) ([]Log, error) {
	submissions, err := submissions(studyDir)
	if err != nil {
		return nil, err
	}
	var logs []Log
	for _, s := range submissions {
		for i := range s.Tasks {
			path := runfolder.SubmissionLog(studyDir, s.Name, i)
			if _, err := disk.Stat(path); err == nil {
				logs = append(logs, Log{path, fmt.Sprintf("%s_%d", cmp.Or(s.Job, "?"), i)})
			}
		}
	}
	return logs, nil
}

// submissions returns what was submitted for a study folder, oldest first.
func submissions(studyDir string) ([]runfolder.Submission, error) {
	list, err := runfolder.Submissions(studyDir)
	slices.SortStableFunc(list, func(a, b runfolder.Submission) int { return a.Time.Compare(b.Time) })
	return list, err
}
