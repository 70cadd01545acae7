package papers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/cli"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A Bench is where the claims of an experiment find what its steps left behind.
type Bench struct {
	ctx     context.Context
	runs    string // the folder of the study folders
	outputs [][]byte
	studies map[string]*analyze.Folder
}

// Dir returns the folder of a study below {runs}.
func (b *Bench) Dir(study string) string { return filepath.Join(b.runs, study) }

// Result analyses the folder of a study below {runs}, with loss traces. One without
// groups or with runs that did not finish is an error.
func (b *Bench) Result(study string) (*analyze.Result, error) {
	read, err := b.read(study)
	if err != nil {
		return nil, err
	}
	return read.Result, nil
}

// read reads the folder of a study once.
func (b *Bench) read(study string) (*analyze.Folder, error) {
	if read := b.studies[study]; read != nil {
		return read, nil
	}
	read, err := analyze.Read(b.ctx, b.Dir(study), analyze.Options{Trace: true})
	if err != nil {
		return nil, err
	}
	if r := read.Result; len(r.Groups) == 0 || len(r.Unfinished) > 0 {
		return nil, fmt.Errorf("papers: %s: got %d groups and %d unfinished runs, want a study that ran to its end", b.Dir(study), len(r.Groups), len(r.Unfinished))
	}
	b.studies[study] = read
	return read, nil
}

// Run opens the folder of a run.
func (b *Bench) Run(study, id string) (*runfolder.Run, error) {
	return runfolder.Open(runfolder.RunDir(b.Dir(study), id))
}

// Output decodes the JSON that a step, counted from 0, printed.
func (b *Bench) Output(step int, value any) error {
	if err := json.Unmarshal(b.outputs[step], value); err != nil {
		return fmt.Errorf("papers: output of step %d: %w", step+1, err)
	}
	return nil
}

// Figures returns the figures of a study's report that are named, as for `deeplimit figure`,
// in the order of the report. The study's name goes in front of theirs.
func (b *Bench) Figures(study string, names ...string) ([]*report.Figure, error) {
	read, err := b.read(study)
	if err != nil {
		return nil, err
	}
	figures, _, err := report.Figures(read, report.Options{Names: names})
	if err == nil && len(figures) == 0 {
		err = fmt.Errorf("papers: %s: got no figure of %s", b.Dir(study), strings.Join(names, ", "))
	}
	for _, f := range figures {
		f.Name = study + "-" + f.Name
	}
	return figures, err
}

// only returns the figures whose names end with one of the words.
func only(figures []*report.Figure, ends ...string) []*report.Figure {
	return slices.DeleteFunc(figures, func(f *report.Figure) bool {
		return !slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(f.Name, end) })
	})
}

// do runs the steps of an experiment. Diverged runs are a result, not an error.
func (b *Bench) do(e *Experiment, small bool, log io.Writer) error {
	for _, step := range e.Steps {
		if small && step.FullOnly {
			b.outputs = append(b.outputs, nil) // steps keep their numbers
			continue
		}
		fmt.Fprintf(log, "deeplimit %s\n", step.text(b.runs, small))
		args, err := step.args(b.runs, small)
		if err != nil {
			return fmt.Errorf("papers: %s: %w", e.Name, err)
		}
		var stdout, stderr bytes.Buffer
		if code := cli.Main(args, &stdout, &stderr); code > 1 && !(step.Partial && json.Valid(stdout.Bytes())) {
			return fmt.Errorf("papers: %s: deeplimit %s: exit code %d\n%s", e.Name, strings.Join(args, " "), code, stderr.String())
		}
		if err := b.ctx.Err(); err != nil {
			return err
		}
		b.outputs = append(b.outputs, stdout.Bytes())
	}
	return nil
}

// text returns the command as a reader would type it.
func (s Step) text(runs string, small bool) string {
	command := s.Command + " " + s.Full
	if small {
		command = s.Command + " " + s.Small
	}
	return strings.TrimSpace(strings.ReplaceAll(command, "{runs}", runs))
}

// args splits the command at spaces outside single quotes.
func (s Step) args(runs string, small bool) ([]string, error) {
	var args []string
	quoted, open := false, false
	for _, r := range s.text(runs, small) {
		switch {
		case r == '\'':
			quoted = !quoted
			if !open {
				args, open = append(args, ""), true
			}
		case r == ' ' && !quoted:
			open = false
		default:
			if !open {
				args, open = append(args, ""), true
			}
			args[len(args)-1] += string(r)
		}
	}
	if quoted {
		return nil, errors.New("a quote of the command is not closed")
	}
	return args, nil
}

// clear removes the study folders that the steps name, so that what is measured was
// made by this program.
func (e *Experiment) clear(runs string) error {
	for _, step := range e.Steps {
		args, err := step.args(runs, false)
		if err != nil {
			return err
		}
		for _, arg := range args {
			name, below := strings.CutPrefix(arg, runs+"/")
			if !below {
				continue
			}
			if err := os.RemoveAll(filepath.Join(runs, strings.Split(name, "/")[0])); err != nil {
				return err
			}
		}
	}
	return nil
}

// studies returns the study files among the arguments of the steps.
func (e *Experiment) studies(runs string) ([]string, error) {
	var files []string
	seen := map[string]bool{}
	for _, step := range e.Steps {
		args, err := step.args(runs, false)
		if err != nil {
			return nil, err
		}
		for _, arg := range args {
			if strings.HasSuffix(arg, ".yaml") && !seen[arg] {
				seen[arg] = true
				files = append(files, arg)
			}
		}
	}
	return files, nil
}
