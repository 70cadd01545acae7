package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/deeplimit/deeplimit/internal/execute/slurm"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/runfolder"
)

// queuedTask is a task of the study in a cluster's queue, with the runs whose leases it holds.
type queuedTask struct {
	Task     string   `json:"task"`
	State    string   `json:"state"` // Slurm's
	Reason   string   `json:"reason,omitempty"`
	Node     string   `json:"node,omitempty"`
	Restarts int      `json:"restarts,omitempty"`
	Only     []string `json:"only,omitempty"` // conditions on the runs that it takes
	Runs     []string `json:"runs,omitempty"` // that it works on, or has left a checkpoint of
	text     string
	running  bool
}

// joinQueue adds to an unfinished study its tasks in the queue. A queue that does not
// answer is a note: the files have told how the runs stand. A record of a submission that
// cannot be read is an error.
func (s *studyStatus) joinQueue(ctx context.Context) error {
	runs := map[string][]string{} // of each task
	open := false
	for _, r := range s.Runs {
		open = open || r.Stop == ""
		if r.Stop == "" && r.Job != "" {
			runs[r.Job] = append(runs[r.Job], r.ID)
		}
	}
	if !open {
		return nil
	}
	arrays, err := slurm.Client{}.View(ctx, s.Dir)
	if err != nil {
		s.QueueError = err.Error()
		if runfolder.Unreadable(err) {
			return err
		}
		return nil
	}
	for _, a := range arrays {
		for _, t := range a.Queued {
			s.Queue = append(s.Queue, queuedTask{t.ID(), t.State, t.Reason, t.Node, t.Restarts, a.Only, runs[t.ID()], t.String(), t.Running()})
		}
	}
	return nil
}

// writeQueue prints how many tasks work and wait, and what for, and with all each of
// them; nothing for a study that the queue has nothing of.
func (s *studyStatus) writeQueue(w io.Writer, all bool) error {
	if s.QueueError != "" {
		_, err := fmt.Fprintf(w, "%s: the cluster's queue is not known: %s\n", s.Dir, s.QueueError)
		return err
	}
	if len(s.Queue) == 0 {
		return nil
	}
	working, reasons := 0, map[string]bool{}
	for _, t := range s.Queue {
		if t.running {
			working++
		} else if t.Reason != "" {
			reasons[t.Reason] = true
		}
	}
	why := ""
	if len(reasons) > 0 {
		why = " (" + strings.Join(slices.Sorted(maps.Keys(reasons)), ", ") + ")"
	}
	if _, err := fmt.Fprintf(w, "%s: the cluster's queue has %d tasks at work and %d that wait%s\n", s.Dir, working, len(s.Queue)-working, why); err != nil || !all {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nTASK\tSTATE\tRUNS")
	for _, t := range s.Queue {
		fmt.Fprintf(table, "%s\t%s\t%s\n", t.Task, plain.Text(t.text), plain.Text(cmp.Or(strings.Join(t.Runs, " "), "-")))
	}
	return table.Flush()
}
