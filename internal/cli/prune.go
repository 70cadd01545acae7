package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/execute/lease"
	"github.com/deeplimit/deeplimit/internal/execute/sweep"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

// pruneOptions are the flags of `deeplimit prune`.
type pruneOptions struct {
	runs []string
	set  []string
	yes  bool
	dry  bool
	form answer

	members bool // whether runs may go that the study as it was last started has
}

func newPrune() *cobra.Command {
	var o pruneOptions
	cmd := &cobra.Command{
		Use:   "prune DIR | prune STUDY.yaml",
		Short: "Remove runs that a study no longer has, after asking",
		Long: `prune lists the runs in the folder of a study that the study no longer has, as a depth
was taken out or a step size changed, with what they took, and removes them once that
is confirmed. Without a terminal it wants --yes. With a study file, the runs are those
that the file no longer has; its folder must not have been started with other --set.
With --run it removes one run, which may be part of the study; the next deeplimit run
computes it again.

A run that somebody works on is left. A run that is kept in a store stays there: other
studies may use it. Imported runs go by --run alone. Each folder disappears in one step,
so that a kill leaves no part of a run.`,
		Example: `  deeplimit prune runs/depth --dry-run
  deeplimit prune runs/depth
  deeplimit prune runs/depth --run separated-L0064-s1-3f2a9c01 --yes`,
		Args: arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := folder(cmd, args[0], studyAlone)
			if err != nil {
				return err
			}
			if len(o.set) > 0 && dir == args[0] {
				return errors.New("prune: got --set with a folder, want it beside a study file, whose fields it overrides")
			}
			targets, err := o.targets(args[0], dir)
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), dir, targets, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.runs, "run", nil, "remove this run, by its name, rather than those that the study no longer has; may be repeated")
	flags.StringArrayVar(&o.set, "set", nil, "override a field of the study file, as deeplimit run --set did; may be repeated")
	flags.BoolVar(&o.yes, "yes", false, "remove without asking")
	flags.BoolVar(&o.dry, "dry-run", false, "list what would be removed, and remove nothing")
	o.form.add(cmd)
	return cmd
}

// targets returns the runs to remove: those named, or those that the study no longer has.
func (o *pruneOptions) targets(arg, dir string) ([]survey.Run, error) {
	if _, err := runfolder.StudyName(dir); err != nil {
		return nil, fmt.Errorf("prune: %s: got a folder that is not that of a study: %w", dir, err)
	}
	there, others, err := survey.ReadNamed(dir)
	if err != nil {
		return nil, err
	}
	orphans, err := survey.LookOthers(others)
	if err != nil {
		return nil, err
	}
	o.members = len(o.runs) > 0 || arg != dir
	if len(o.runs) > 0 {
		return o.named(dir, append(there, orphans...))
	}
	if arg == dir {
		return orphans, nil
	}
	mine, err := o.planned(arg, dir)
	if err != nil {
		return nil, err
	}
	return orphansOf(slices.Concat(there, orphans), mine), nil
}

// planned returns the runs of a study file that was started without overrides, or with those given.
func (o *pruneOptions) planned(file, dir string) (map[string]bool, error) {
	started, err := runfolder.ReadStarted(dir)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(started.Set, o.set) {
		return nil, fmt.Errorf("prune: %s was started with --set %q, got %q; give the same --set, or deeplimit prune %s for what that start left", dir, started.Set, o.set, plain.ShellWord(dir))
	}
	s, err := study.Load(file, o.set)
	if err != nil {
		return nil, err
	}
	runs, err := s.Runs()
	if err != nil {
		return nil, err
	}
	mine := map[string]bool{}
	for i := range runs {
		mine[runs[i].ID] = true
	}
	return mine, nil
}

// named returns the runs of --run.
func (o *pruneOptions) named(dir string, all []survey.Run) ([]survey.Run, error) {
	var list []survey.Run
	var known []string
	for i := range all {
		if _, err := os.Lstat(all[i].Dir); err == nil {
			known = append(known, all[i].ID)
		}
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(o.runs))) {
		at := slices.IndexFunc(all, func(r survey.Run) bool { return r.ID == id && slices.Contains(known, id) })
		if at < 0 {
			return nil, fmt.Errorf("prune: --run: got %q, want the name of a run in %s (deeplimit status %s --all lists them)%s", id, dir, plain.ShellWord(dir), field.Mean(id, known))
		}
		list = append(list, all[at])
	}
	return list, nil
}

// prunedRun is a run as --json prints it.
type prunedRun struct {
	ID              string       `json:"id"`
	State           survey.State `json:"state"`
	Iteration       int          `json:"iteration"`
	Seconds         float64      `json:"seconds"`
	LayerIterations int          `json:"layer_iterations"`
	Bytes           float64      `json:"bytes"` // on the disk; 0 of one that a store keeps
	Removed         bool         `json:"removed"`
	Reason          string       `json:"reason,omitempty"` // why it is left
}

// run lists the runs, asks, and removes them.
func (o *pruneOptions) run(ctx context.Context, dir string, targets []survey.Run, stdin io.Reader, stdout, stderr io.Writer) error {
	rows := make([]prunedRun, len(targets))
	for i := range targets {
		r := &targets[i]
		rows[i] = prunedRun{ID: r.ID, State: r.State, Iteration: r.Iteration, Seconds: r.Seconds, LayerIterations: r.LayerIterations, Bytes: bytesOf(r.Dir)}
	}
	hidden, err := runfolder.Hidden(dir)
	if err != nil {
		return err
	}
	list := stdout
	if o.form.asked() {
		list = io.Discard
	}
	if err := o.list(list, dir, rows, len(hidden)); err != nil {
		return err
	}
	if !o.dry && len(rows)+len(hidden) > 0 {
		switch ok, err := o.confirmed(stdin, stderr); {
		case err != nil:
			return err
		case !ok:
			_, err := fmt.Fprintln(list, "nothing removed")
			return err
		}
		err = o.remove(ctx, dir, rows, stderr)
	}
	if o.form.asked() {
		return errors.Join(err, o.form.print(stdout, rows))
	}
	if o.dry || len(rows)+len(hidden) == 0 {
		return err
	}
	removed := len(slices.DeleteFunc(slices.Clone(rows), func(r prunedRun) bool { return !r.Removed }))
	_, failed := fmt.Fprintf(stdout, "%s removed\n", plain.Count(removed, "run"))
	return errors.Join(err, failed)
}

// list prints what is to be removed.
func (o *pruneOptions) list(w io.Writer, dir string, rows []prunedRun, hidden int) error {
	if hidden > 0 {
		fmt.Fprintf(w, "%s: the rest of %s whose removal was cut short\n", plain.Text(dir), plain.Count(hidden, "run"))
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintf(w, "%s: no run to remove\n", plain.Text(dir))
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RUN\tSTATE\tITERATION\tTOOK\tSIZE")
	seconds, bytes, layers := 0.0, 0.0, 0
	for _, r := range rows {
		seconds, bytes, layers = seconds+r.Seconds, bytes+r.Bytes, layers+r.LayerIterations
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%.3g MB\n", plain.Text(r.ID), r.State, r.Iteration, readable(r.Seconds), r.Bytes/1e6)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%s of %s: %.3g MB, took %s (%.3g layer-iterations)\n", plain.Count(len(rows), "run"), plain.Text(dir), bytes/1e6, readable(seconds), float64(layers))
	return err
}

// confirmed asks whether to go on, on a terminal.
func (o *pruneOptions) confirmed(stdin io.Reader, stderr io.Writer) (bool, error) {
	if o.yes {
		return true, nil
	}
	file, ok := stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return false, errors.New("prune: got no terminal to ask on, want --yes to remove these runs, or --dry-run to list them")
	}
	fmt.Fprint(stderr, "Remove them? [y/N] ")
	answer, err := bufio.NewReader(file).ReadString('\n')
	if err != nil && err != io.EOF {
		return false, fmt.Errorf("prune: %w", err)
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}

// remove removes the runs and notes which are gone.
func (o *pruneOptions) remove(ctx context.Context, dir string, rows []prunedRun, stderr io.Writer) error {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	failed := sweep.Prune(ctx, dir, ids, sweep.PruneOptions{Members: o.members, Waiting: func(held *lease.HeldError) {
		fmt.Fprintf(stderr, "waiting for a sign of life: %v\n", held)
	}})
	var errs []error
	for i := range rows {
		err := failed[rows[i].ID]
		if rows[i].Removed = err == nil; err != nil {
			rows[i].Reason = err.Error()
			errs = append(errs, fmt.Errorf("prune: run %s is left: %w", rows[i].ID, err))
		}
	}
	if err := failed[""]; err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// bytesOf returns the bytes of the files below a folder, 0 for a link.
func bytesOf(dir string) (bytes float64) {
	filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil // gone meanwhile
		}
		if info, err := entry.Info(); err == nil {
			bytes += float64(info.Size())
		}
		return nil
	})
	return bytes
}
