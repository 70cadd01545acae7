package pipe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/glossary"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/read/proof"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A place is the folder of a study or of a run, and the run that is asked for.
type place struct {
	Dir string `json:"dir"`
	Run string `json:"run"`
}

// studyValues are those of the call "study".
type studyValues struct {
	Dir string `json:"dir"`
}

// iterationsValues are those of the call "iterations".
type iterationsValues struct {
	Dir  string   `json:"dir"`
	Runs []string `json:"runs"`
}

// weightsValues are those of the call "weights".
type weightsValues struct {
	place
	Part     string `json:"part"`
	Rescaled bool   `json:"rescaled"`
}

// open opens the run.
func (p place) open() (*runfolder.Run, error) {
	run, err := runfolder.Open(p.Dir)
	if err == nil && run.Meta.ID == p.Run {
		return run, nil
	}
	if p.Run != filepath.Base(p.Run) {
		return nil, fmt.Errorf("run: got %q, want the name of a folder", p.Run)
	}
	if run, err = runfolder.Open(runfolder.RunDir(p.Dir, p.Run)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: got no run %q, want an id of the table of runs", p.Dir, p.Run)
	}
	return run, err
}

// study answers with what `deeplimit analyze --json` prints and the tables of `deeplimit export`. Damaged
// runs are left out, and named in the result.
func study(ctx context.Context, values studyValues, _ []Array) (any, []Array, error) {
	result, err := analyze.Study(ctx, values.Dir, analyze.Options{})
	if result == nil {
		return nil, nil, err
	}
	runs, err := result.RunTable()
	if err != nil {
		return nil, nil, err
	}
	exponents, err := result.ExponentTable()
	if err != nil {
		return nil, nil, err
	}
	table, arrays := send("runs", runs, nil)
	more, arrays := send("exponents", exponents, arrays)
	return map[string]any{"result": result, "runs": table, "exponents": more}, arrays, nil
}

// iterations answers with the traces of runs, in the order of their ids.
func iterations(ctx context.Context, values iterationsValues, _ []Array) (any, []Array, error) {
	columns, err := analyze.IterationTable(ctx, values.Dir, values.Runs)
	if err != nil {
		return nil, nil, err
	}
	table, arrays := send("iterations", columns, nil)
	return table, arrays, nil
}

// A sent column is in the array of its place, or in Values.
type sent struct {
	Name   string `json:"name"`
	Array  *int   `json:"array,omitempty"`
	Values any    `json:"values,omitempty"`
}

// send appends columns of numbers to arrays and puts the others into the list of columns.
func send(table string, columns []analyze.Column, arrays []Array) ([]sent, []Array) {
	out := make([]sent, len(columns))
	for i, c := range columns {
		out[i] = sent{Name: c.Name, Values: c.Values}
		if c.Values == nil {
			at := len(arrays)
			out[i].Array = &at
			arrays = append(arrays, Array{Name: table + "." + c.Name, Shape: []int{max(len(c.Floats), len(c.Ints))}, Floats: c.Floats, Ints: c.Ints})
		}
	}
	return out, arrays
}

// certificates answers with what `deeplimit certify --json` prints of a run.
func certificates(_ context.Context, values place, _ []Array) (any, []Array, error) {
	run, err := values.open()
	if err != nil {
		return nil, nil, err
	}
	report, err := proof.Read(run)
	if err != nil {
		return nil, nil, fmt.Errorf("certify: %s: %w", values.Run, err)
	}
	return report, nil, nil
}

// weights answers with one part of the weights of a run, (L), (L,r) or (L,r,c), times L^β where
// that is asked for, and with its name.
func weights(_ context.Context, values weightsValues, _ []Array) (any, []Array, error) {
	run, err := values.open()
	if err != nil {
		return nil, nil, err
	}
	stored, err := run.Weights()
	if err != nil {
		return nil, nil, err
	}
	if values.Part == "" {
		values.Part = "A"
		if run.Meta.Block == "mlp" {
			values.Part = "V"
		}
	}
	path, err := stored.Path(values.Part)
	if err != nil {
		return nil, nil, &field.Error{Path: "part", Got: values.Part, Want: "a part of the weights: " + err.Error()}
	}
	factor := 1.0
	if values.Rescaled {
		factor = math.Pow(float64(run.Meta.Depth), run.Meta.Beta())
		path = path.Rescaled(factor)
	}
	return map[string]any{"part": values.Part, "factor": factor}, []Array{{Name: values.Part, Shape: stored.Tensors[values.Part].Shape, Floats: path.Data}}, nil
}

// norms answers with the norms of all layers of a run along training; without arrays where it recorded none.
func norms(_ context.Context, values place, _ []Array) (any, []Array, error) {
	run, err := values.open()
	if err != nil {
		return nil, nil, err
	}
	recorded, err := run.Norms()
	if err != nil || recorded == nil {
		return nil, nil, err
	}
	var arrays []Array
	for name, tensor := range recorded.Tensors() {
		arrays = append(arrays, Array{Name: name, Shape: tensor.Shape, Floats: tensor.Data})
	}
	return nil, arrays, nil
}

// words answers with the entries of the glossary.
func words(context.Context, struct{}, []Array) (any, []Array, error) {
	var out []map[string]any
	for _, e := range glossary.Entries() {
		out = append(out, map[string]any{
			"term": e.Term, "section": e.Section, "also": e.Also, "meaning": e.Meaning,
			"formula": e.Formula, "range": e.Range, "read": e.Read,
		})
	}
	return out, nil, nil
}
