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
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

// statusOptions are the flags of `deeplimit status`.
type statusOptions struct {
	form  answer
	all   bool
	only  []string
	watch time.Duration
	notes notesFlags
	view  analyze.View
}

func newStatus() *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status DIR",
		Short: "Show how the runs of a study, or of all studies in a folder, stand",
		Long: `status reads the folder of a study, or a folder of such folders, and shows how many
runs are done, at work, interrupted, pending, diverged and failed; then those at
work with progress and time left, and those that failed with the reason. It reads
files alone and disturbs nobody. Conditions of --only are about depth, seed, data,
state, iteration, loss and what the grid varies. Of a study on a cluster it also asks
the queue.

--sort, --columns and --group add the overview of deeplimit analyze: a row for each group,
with what varies, losses, accuracies and exponents of the runs that are done, which takes
the time of an analysis.

--note writes a note about one study, in the place of the one before, "" for none and -
for standard input; --tag and --untag add and remove a tag. They are shown here, by
analyze, in the report and on the page of serve, and merge keeps them.

Exit codes: 0 all runs done, 1 some diverged or are not done, 2 some failed or a
study cannot be read.`,
		Example: `  deeplimit status runs/quickstart
  deeplimit status runs --json
  deeplimit status runs/wide --all --only 'state == "failed" or depth >= 256'
  deeplimit status runs/wide --watch 5s
  deeplimit status runs/wide --note 'step 4 diverges at L = 256' --tag paper`,
		Args: arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.watch < 0 {
				return fmt.Errorf("status: --watch: got %s, want a time such as 5s", o.watch)
			}
			if o.form.asked() && (o.view.Columns != nil || o.view.Groups != nil) {
				return errors.New("status: got --columns or --group beside --json or --csv, want them left out, as these have all columns and groups")
			}
			dir, err := folder(cmd, args[0], studyOrStudies)
			if err != nil {
				return err
			}
			if o.notes.given(cmd.Flags()) {
				if err := o.notes.write(cmd.Flags(), dir, cmd.InOrStdin()); err != nil {
					return err
				}
				if err := o.run(cmd.Context(), dir, cmd.OutOrStdout()); !errors.Is(err, errDiverged) && !errors.Is(err, errFailed) {
					return err
				}
				return nil // they are written, however the runs stand
			}
			return o.run(cmd.Context(), dir, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	o.form.add(cmd)
	flags.BoolVar(&o.all, "all", false, "list every run")
	onlyFlag(cmd, &o.only)
	o.notes.add(flags)
	overviewFlags(cmd, &o.view)
	flags.StringSliceVar(&o.view.Groups, "group", nil, "show these groups alone in the overview: numbers, or field=value such as alpha=1")
	flags.DurationVar(&o.watch, "watch", 0, "show it again after this time, until all runs are done")
	return cmd
}

// studyStatus is a study as --json prints it.
type studyStatus struct {
	Study  string               `json:"study"`
	Dir    string               `json:"dir"`
	Total  int                  `json:"total"`
	Counts map[survey.State]int `json:"counts"`
	Others int                  `json:"others"` // run folders that are no part of the study any more
	runfolder.Notes
	Runs []runStatus `json:"runs"`
	// Overview is that of analyze, where --sort, --columns or --group asks for it.
	Overview *analyze.Overview `json:"overview,omitempty"`
	// Error says why the study cannot be read, of one among others.
	Error string `json:"error,omitempty"`
	// Queue holds the tasks of the study that wait or run on a cluster.
	Queue []queuedTask `json:"queue,omitempty"`
	// QueueError says why they are not known.
	QueueError string `json:"queue_error,omitempty"`
}

// runStatus is a run as --json prints it.
type runStatus struct {
	ID         string            `json:"id"`
	State      survey.State      `json:"state"`
	Data       string            `json:"data"`
	Depth      int               `json:"depth"`
	Seed       uint64            `json:"seed"`
	Settings   map[string]string `json:"settings,omitempty"`
	Iteration  int               `json:"iteration"`
	Iterations int               `json:"iterations,omitempty"` // at most
	Loss       *float64          `json:"loss"`
	Stop       string            `json:"stop_reason,omitempty"`
	Start      time.Time         `json:"start,omitzero"`
	Beat       time.Time         `json:"last_sign,omitzero"`
	Seconds    float64           `json:"seconds"`
	ETA        float64           `json:"eta_seconds,omitempty"`
	Host       string            `json:"host,omitempty"`
	Job        string            `json:"job,omitempty"`
	Version    string            `json:"version,omitempty"`
	Attempts   int               `json:"attempts,omitempty"`
	Reason     string            `json:"reason,omitempty"`
	Imported   bool              `json:"imported,omitempty"`
}

// run shows the status once, or until all runs are done.
func (o *statusOptions) run(ctx context.Context, dir string, w io.Writer) error {
	for {
		studies, unread := o.read(dir)
		if len(studies) == 0 && unread != nil {
			return unread
		}
		for i := range studies {
			if studies[i].Error == "" {
				if err := o.addOverview(ctx, &studies[i]); err != nil {
					return err
				}
				unread = errors.Join(unread, studies[i].joinQueue(ctx))
			}
		}
		var err error
		if o.form.asked() {
			err = o.form.print(w, studies, "runs")
		} else {
			err = o.write(w, studies)
		}
		verdict := cmp.Or(unread, verdictOf(studies))
		if err == nil {
			err = outputFailed(w)
		}
		if err != nil || o.watch == 0 || verdict == nil {
			return errors.Join(err, verdict)
		}
		select {
		case <-ctx.Done():
			return errInterrupted
		case <-time.After(o.watch):
		}
	}
}

// read returns the studies in dir: its own, or those of the folders in it. The error names
// those that cannot be read; the others are returned beside it.
func (o *statusOptions) read(dir string) (studies []studyStatus, err error) {
	name, err := runfolder.StudyName(dir)
	if err == nil {
		s, err := o.readStudy(name, dir)
		if err != nil {
			return nil, err
		}
		return []studyStatus{s}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	var failures []error
	for _, entry := range entries {
		inner := filepath.Join(dir, entry.Name())
		name, err := runfolder.StudyName(inner)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue // something else
		}
		var s studyStatus
		if err == nil {
			if s, err = o.readStudy(name, inner); errors.Is(err, errCondition) {
				return nil, err
			}
		}
		if err != nil { // the others are shown all the same
			failures = append(failures, err)
			s = studyStatus{Study: entry.Name(), Dir: inner, Counts: map[survey.State]int{}, Runs: []runStatus{}, Error: err.Error()}
		}
		studies = append(studies, s)
	}
	if len(failures) > 0 {
		return studies, errors.Join(failures...)
	}
	if len(studies) == 0 {
		return nil, fmt.Errorf("status: %s: got a folder without study.yaml, and none in it that has one, want that of a study or of studies", dir)
	}
	return studies, nil
}

// addOverview adds the overview, if it is asked for and a run is done.
func (o *statusOptions) addOverview(ctx context.Context, s *studyStatus) error {
	if o.view.Sort == "" && o.view.Columns == nil && o.view.Groups == nil {
		return nil
	}
	result, err := analyze.Study(ctx, s.Dir, analyze.Options{})
	if result == nil { // runs that are damaged are told by their states
		return err
	}
	if len(result.Groups) == 0 {
		return nil
	}
	only, err := result.Overview.Only(o.view.Groups)
	if err != nil {
		return err
	}
	s.Overview, err = only.Sorted(o.view.Sort)
	return err
}

// errCondition says that a condition on runs is wrong, whatever the study.
var errCondition = errors.New("--only")

// readStudy returns how the study called name in dir stands.
func (o *statusOptions) readStudy(name, dir string) (studyStatus, error) {
	runs, others, err := survey.ReadNamed(dir)
	if err != nil {
		return studyStatus{}, err
	}
	notes, err := runfolder.ReadNotes(dir)
	if err != nil {
		return studyStatus{}, err
	}
	s := studyStatus{Study: name, Dir: dir, Notes: notes, Counts: map[survey.State]int{}, Others: len(others), Runs: []runStatus{}}
	condition := survey.NewConditions(runs)
	if len(runs) > 0 {
		if err := condition.Set(o.only); err != nil {
			return studyStatus{}, fmt.Errorf("status: %w: %w", errCondition, err)
		}
	}
	for i := range runs {
		r := &runs[i]
		if holds, err := condition.Match(r); err != nil {
			return studyStatus{}, fmt.Errorf("status: %w: %w", errCondition, err)
		} else if !holds {
			continue
		}
		s.Total++
		s.Counts[r.State]++
		s.Runs = append(s.Runs, statusOf(r))
	}
	return s, nil
}

func statusOf(r *survey.Run) runStatus {
	s := runStatus{
		ID: r.ID, State: r.State, Data: r.Data, Depth: r.Depth, Seed: r.Seed, Settings: r.Settings,
		Iteration: r.Iteration, Iterations: r.Iterations, Stop: r.Stop, Start: r.Start, Beat: r.Beat,
		Seconds: r.Seconds, ETA: r.ETA.Seconds(), Host: r.Host, Job: r.Job, Version: r.Version,
		Attempts: r.Attempts, Reason: r.Reason, Imported: r.Extra,
	}
	if r.Err != nil {
		s.Reason = withAdvice(r.Err)
	}
	if !math.IsNaN(r.Loss) && !math.IsInf(r.Loss, 0) {
		s.Loss = &r.Loss
	}
	return s
}

// verdictOf returns the error whose exit code says how the studies stand.
func verdictOf(studies []studyStatus) error {
	done, failed := true, 0
	for _, s := range studies {
		failed += s.Counts[survey.Failed]
		if s.Error != "" {
			failed++
		}
		done = done && s.Counts[survey.Done] == s.Total
	}
	switch {
	case failed > 0:
		return errFailed
	case !done:
		return errDiverged
	}
	return nil
}
