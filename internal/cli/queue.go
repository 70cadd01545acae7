package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/execute/slurm"
	"github.com/deeplimit/deeplimit/runfolder"
)

// queueStatus is the task of a cluster's queue that has a run.
type queueStatus struct {
	Task     string `json:"task"`
	State    string `json:"state"` // Slurm's
	Reason   string `json:"reason,omitempty"`
	Node     string `json:"node,omitempty"`
	Restarts int    `json:"restarts,omitempty"`
	text     string
	running  bool
}

// joinQueue adds to the runs of a study the tasks that have them. A queue that does not
// answer is a note: the files have told how the runs stand. A record of a submission that
// cannot be read is an error.
func (s *studyStatus) joinQueue(ctx context.Context) error {
	view, err := slurm.Client{}.View(ctx, s.Dir)
	if err != nil {
		s.QueueError = err.Error()
		if runfolder.Unreadable(err) {
			return err
		}
		return nil
	}
	for i := range s.Runs {
		if task, ok := view[s.Runs[i].ID]; ok {
			s.Runs[i].Queue = &queueStatus{task.ID(), task.State, task.Reason, task.Node, task.Restarts, task.String(), task.Running()}
		}
	}
	return nil
}

// writeQueue prints how many tasks work and wait, and what for; nothing for a study that
// the queue has nothing of.
func (s *studyStatus) writeQueue(w io.Writer) error {
	if s.QueueError != "" {
		_, err := fmt.Fprintf(w, "%s: the cluster's queue is not known: %s\n", s.Dir, s.QueueError)
		return err
	}
	working, waiting, reasons, runs := map[string]bool{}, map[string]bool{}, map[string]bool{}, 0
	for i := range s.Runs {
		q := s.Runs[i].Queue
		switch {
		case q == nil:
			continue
		case q.running:
			working[q.Task] = true
		default:
			waiting[q.Task] = true
			if q.Reason != "" {
				reasons[q.Reason] = true
			}
		}
		runs++
	}
	if runs == 0 {
		return nil
	}
	why := ""
	if len(reasons) > 0 {
		why = " (" + strings.Join(slices.Sorted(maps.Keys(reasons)), ", ") + ")"
	}
	_, err := fmt.Fprintf(w, "%s: the cluster's queue has %d runs in %d tasks at work and %d that wait%s\n", s.Dir, runs, len(working), len(waiting), why)
	return err
}
