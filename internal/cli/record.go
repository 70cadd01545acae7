package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/execute/lease"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/importer"
	"github.com/deeplimit/deeplimit/runfolder"
)

func newRecord() *cobra.Command {
	cmd, f := importCommand()
	var seed uint64
	cmd.Use, cmd.Short, cmd.Hidden = "record FOLDER --out DIR", "Follow a training that another program records", true
	cmd.Long = `record shows the training that the Python package records while it goes on: FOLDER gets the
checkpoints stepN.safetensors, and standard input the number N of each, one a line, then
"end". The run folder that it writes in DIR has the trace so far, for status and serve. If the
input ends without "end", the trainer has crashed, and the run is failed with that reason.
The Python package starts it; there is nothing to type here.`
	cmd.Example = ""
	cmd.Flags().Uint64Var(&seed, "seed", 1, "seed of the run")
	cmd.Args = arguments("FOLDER")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if term.IsTerminal(int(os.Stdin.Fd())) {
			return errors.New("record: standard input: got a terminal, want the pipe of a program")
		}
		options, err := f.optionsOf(cmd)
		if err != nil {
			return err
		}
		if options.Out == "" || options.Name == "" {
			return fmt.Errorf("record: %w", &field.Error{Path: "out", Got: options.Out, Want: "a folder, and a --name"})
		}
		r := recording{folder: args[0], options: options, seed: seed, last: -1}
		return r.follow(cmd.Context(), os.Stdin, cmd.OutOrStdout())
	}
	return cmd
}

// A recording is a training that another program records.
type recording struct {
	folder   string // of the checkpoints
	options  importer.Options
	seed     uint64
	follower *importer.Follower
	dir      string // of the run
	last     int    // step that was measured
	held     *lease.Held
}

// follow measures the checkpoints that in names, and writes the ID of the run to out after the first one.
func (r *recording) follow(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	if err := importer.CreateStudy(r.options.Out, r.options.Name); err != nil {
		return err
	}
	fmt.Fprintln(out, "ready")
	manager := lease.NewManager(0, "")
	defer manager.Close() // releases the run
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if lines.Text() == "end" {
			return nil
		}
		step, err := strconv.Atoi(lines.Text())
		if err != nil || step < 0 {
			return fmt.Errorf("record: standard input: got %q, want the number of a step, or end", plain.Text(lines.Text()))
		}
		if r.follower == nil {
			if ctx, err = r.begin(ctx, manager); err != nil {
				return err
			}
			fmt.Fprintln(out, r.follower.Meta.ID)
		}
		if err := r.measure(step); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("record: standard input: %w", err)
	}
	return r.crashed()
}

// begin makes the run folder.
func (r *recording) begin(ctx context.Context, manager *lease.Manager) (context.Context, error) {
	var err error
	if r.follower, err = importer.Follow(r.file(0), r.seed, r.options); err != nil {
		return ctx, err
	}
	meta := r.follower.Meta
	r.dir = runfolder.RunDir(r.options.Out, meta.ID)
	if r.held, ctx, err = manager.Acquire(ctx, r.dir); err != nil {
		return ctx, err
	}
	if err := runfolder.Create(r.dir, meta); err != nil {
		return ctx, err
	}
	return ctx, runfolder.RewriteLive(r.dir, nil)
}

// measure adds the row of a checkpoint to the trace; before the first one, those of earlier steps that are there, as a
// trainer may go on with a recording.
func (r *recording) measure(step int) error {
	steps := []int{step}
	if r.last < 0 {
		files, err := os.ReadDir(r.folder)
		if err != nil {
			return fmt.Errorf("record: %w", err)
		}
		for _, file := range files {
			text, ok := strings.CutPrefix(strings.TrimSuffix(file.Name(), checkpointSuffix), checkpointPrefix)
			if n, err := strconv.Atoi(text); ok && err == nil && n < step {
				steps = append(steps, n)
			}
		}
		slices.Sort(steps)
	}
	var rows []runfolder.Row
	for _, n := range steps {
		row, err := r.follower.Measure(r.file(n), n)
		if err != nil {
			return err
		}
		loss := cmp.Or(row.Loss, row.BatchLoss)
		if loss == nil {
			loss = new(math.NaN())
		}
		r.held.Progress(n, *loss)
		rows = append(rows, row)
	}
	r.last = step
	return runfolder.AppendLive(r.dir, rows)
}

// crashed says in the run folder that the trainer ended in the middle.
func (r *recording) crashed() error {
	if r.follower == nil {
		return nil
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return runfolder.WriteFailure(r.dir, runfolder.Failure{
		Error: fmt.Sprintf("the trainer ended without a word after step %d was recorded; deeplimit.recorded(%q) in Python makes a run of what there is", r.last, r.options.Out),
		Time:  time.Now().UTC(), Host: host, Attempts: r.held.Attempt(),
	})
}

// The names of checkpoints have a step between them.
const checkpointPrefix, checkpointSuffix = "step", ".safetensors"

// file returns the path of a checkpoint.
func (r *recording) file(step int) string {
	return filepath.Join(r.folder, checkpointPrefix+strconv.Itoa(step)+checkpointSuffix)
}
