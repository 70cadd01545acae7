// Package importer turns checkpoints of other programs into run folders, so that
// analyze and report work on weights that were trained elsewhere.
//
// A checkpoint is a safetensors, .npz or .pt file, or several in shards, with one tensor for
// each layer or one for all. A Layout says which tensors make the path; they are stacked to
// A (L,d,d), or V (L,d,m) and W (L,m,d), as float64 and for A·x. One checkpoint becomes a run
// folder; several, of several depths and seeds, a study folder.
//
// Nothing is guessed in silence. Which tensors were taken, how they were read and why is in
// the Run and in the folder; where two readings fit, Import asks with an error that names
// the option which decides. The steps are a file each: which files are one network
// (shards.go, pieces.go), what their names say (names.go), which of them are seeds, steps of one
// training or copies (series.go, duplicates.go), which tensors are the layers (pattern.go),
// and how these are read (orientation.go, neighbours.go).
//
// What a checkpoint does not tell stays unknown: the run has no trace, its loss is NaN,
// and there is no displacement unless the initial weights are given too.
package importer

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/network"
)

// Options says how to read checkpoints and where to write.
type Options struct {
	Out    string // run or study folder
	Name   string // label of the data in tables; "" for the name of the file, or of Out for several
	Layout Layout
	Layers Range
	// Alpha is the exponent of the residual scale, h_k = h_{k−1} + L^−α f_k: the analysis
	// rescales weights by L^β, β = 1 − α.
	Alpha float64
	// AlphaAssumed says that nobody stated Alpha: what is compared across depths with it carries a note.
	AlphaAssumed bool
	// Initial is the path of the initial weights, of the same layout: {depth} stands for the
	// number of layers and {name} for the checkpoint's file name without extension. "" when they
	// are not known.
	Initial string
	// Names is how the names of checkpoints are read: {depth}, {seed}, {step}, any other mark
	// for a setting, and * for anything but a slash. "" goes by the words in the names.
	Names string
	// Table is a CSV file with the columns file, depth, seed and step, in the place of paths and names.
	Table string
	rows  []naming // of Table
	// Steps says which checkpoints of one training to take: LastStep (also ""), AllSteps, or
	// the number of one.
	Steps   string
	Version string // of the program, for run.json
	// All measures every family of a checkpoint (ImportAll), in the place of a layout.
	All   bool
	Roles Roles // nil for those that are built in
	// Heads of the attention; zero for those that the config.json beside a checkpoint states, if any.
	Heads network.Heads
	// NoInvariants leaves out what the symmetries of blocks leave unchanged, which takes most of the time.
	NoInvariants bool
	// Align matches the hidden units of the layers, in the families that have some.
	Align bool
	// Observe is called while families are read, with millions of numbers; nil for nobody.
	Observe func(done, total int)
}

// A Run is an imported checkpoint.
type Run struct {
	ID     string           `json:"id"`
	Dir    string           `json:"dir"`
	Source string           `json:"source"`
	Depth  int              `json:"depth"`
	Seed   uint64           `json:"seed"`
	Step   string           `json:"step,omitempty"` // of the training, by the name
	Shapes map[string][]int `json:"shapes,omitempty"`
	Taken  []Taken          `json:"taken,omitempty"`
	// Families are those that were measured, where all were taken.
	Families []network.Family `json:"-"`
	// Others is the number of tensors in the checkpoint that are no part of the path.
	Others int `json:"other_tensors"`
	// LeftOut are the checkpoints for which this one stands: copies and other steps; and
	// files beside it that hold no weights.
	LeftOut []LeftOut `json:"left_out,omitempty"`
	Notes   []string  `json:"notes,omitempty"`
	// Old says that the folder held this import already.
	Old bool `json:"old,omitempty"`
}

// LeftOut is a file that was not imported.
type LeftOut struct {
	Path string `json:"path"`
	Why  string `json:"why"`
}

// Import writes a run folder for one checkpoint, or a study folder for several or for a
// folder of them. All headers are checked before anything is written. An import that is there
// already is left as it is. The families of the maps stand in families.json beside them.
func Import(ctx context.Context, paths []string, o Options) ([]Run, error) {
	found, several, err := o.find(paths)
	if err != nil {
		return nil, err
	}
	if o.Out == "" {
		return nil, fmt.Errorf("importer: %w", &field.Error{Path: "out", Got: o.Out, Want: "a folder"})
	}
	if o.Name == "" {
		o.Name = plain.Text(stem(found[0].path))
		if several {
			o.Name = filepath.Base(filepath.Clean(o.Out))
		}
	}
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("importer: %w", err)
	}
	if o.Layout.Weight == "" {
		return nil, noPattern(&found[0])
	}
	if err := refusePieces(found, &o); err != nil {
		return nil, err
	}
	plans, err := newPlans(ctx, found, &o)
	if err != nil {
		return nil, err
	}
	if several {
		if err := CreateStudy(o.Out, o.Name); err != nil {
			return nil, err
		}
	}
	var runs []Run
	for _, p := range plans {
		if err := ctx.Err(); err != nil {
			return runs, fmt.Errorf("importer: %s: %w", plain.Text(p.path), err)
		}
		run, err := p.write(&o, several)
		if err != nil {
			return runs, err
		}
		runs = append(runs, run)
	}
	m, err := measureParts(ctx, plans, runs, &o)
	if err != nil || len(m.Families) == 0 {
		return runs, err
	}
	return runs, m.Write(o.Out)
}

// newPlans checks the headers of all checkpoints and decides which of them to import.
func newPlans(ctx context.Context, found []checkpoint, o *Options) ([]*plan, error) {
	namings, err := o.namings(found)
	if err != nil {
		return nil, fmt.Errorf("importer: %w", err)
	}
	plans := make([]*plan, len(found))
	for i, c := range found {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("importer: %s: %w", plain.Text(c.path), err)
		}
		if o.All {
			plans[i] = &plan{checkpoint: c, leftOut: c.beside}
			err = plans[i].listFamilies(o)
		} else {
			plans[i], err = newPlan(c, o)
		}
		if err == nil {
			_, _, err = o.reading(&c, plans[i].families, nil)
		}
		if err != nil {
			return nil, err
		}
		plans[i].naming, plans[i].order = namings[i], i
	}
	if plans, err = arrange(plans, o); err != nil {
		return nil, err
	}
	for _, p := range plans {
		if err := p.findInitial(o); err != nil {
			return nil, err
		}
	}
	return plans, nil
}

// check refuses options that do not go together.
func (o *Options) check() error {
	l := &o.Layout
	switch {
	case o.Name != filepath.Base(o.Name) || o.Name[0] == '.':
		return &field.Error{Path: "name", Got: o.Name, Want: "a name that a folder can have"}
	case math.IsNaN(o.Alpha) || math.IsInf(o.Alpha, 0):
		return &field.Error{Path: "alpha", Got: o.Alpha, Want: "a finite number"}
	case l.Inner == "" && l.InnerBias != "":
		return &field.Error{Path: "inner bias", Got: l.InnerBias, Want: "an inner pattern beside it"}
	}
	for _, pattern := range []string{l.Weight, l.Inner, l.Bias, l.InnerBias} {
		if _, err := compile(pattern); err != nil {
			return err
		}
	}
	if l.LayersAxis != nil && *l.LayersAxis < 0 {
		return &field.Error{Path: "layers-axis", Got: *l.LayersAxis, Want: "an axis, counted from 0"}
	}
	if err := checkSteps(o.Steps); err != nil || l.Convention == "" {
		return err
	}
	return field.OneOf("convention", string(l.Convention), string(ColumnVectors), string(RowVectors))
}

// noPattern is the error of a layout that names no weights: it tells what there is.
func noPattern(c *checkpoint) error {
	return c.use(func(f *opened) error {
		return fmt.Errorf("want --all, or a --pattern or --preset beside --out (without --out the families are listed); %s", suggestion(f.names))
	})
}

// stem returns the name of a file without its extension.
func stem(path string) string {
	base := filepath.Base(path)
	return cmp.Or(strings.TrimSuffix(base, filepath.Ext(base)), base)
}
