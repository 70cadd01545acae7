// Package importer turns checkpoints of other programs into run folders, so that
// analyze and report work on weights that were trained elsewhere.
//
// A checkpoint is a safetensors, .npz or .pt file with one tensor for each layer. A
// Layout says which tensors make the path; they are stacked to A (L,d,d), or V (L,d,m) and
// W (L,m,d), as float64 and for A·x. One file becomes a run folder; several, of several
// depths, a study folder.
//
// What a checkpoint does not tell stays unknown: the run has no trace, its loss is NaN,
// and there is no displacement unless the initial weights are given too.
package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/importer/tensorfile"
	"github.com/deeplimit/deeplimit/internal/field"
	"github.com/deeplimit/deeplimit/weightpath"
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
	// Initial is the path of the initial weights, of the same layout: {depth} stands for the
	// number of layers and {name} for the checkpoint's file name without extension. "" when they
	// are not known.
	Initial string
	Version string // of the program, for run.json
}

// A Run is an imported checkpoint.
type Run struct {
	Dir    string           `json:"dir"`
	Source string           `json:"source"`
	Depth  int              `json:"depth"`
	Seed   uint64           `json:"seed"` // numbers the checkpoints of one depth, in their order
	Shapes map[string][]int `json:"shapes"`
	// Old says that the folder held this import already.
	Old bool `json:"old,omitempty"`
}

// Import writes a run folder for one checkpoint, or a study folder for several. Of a
// folder among paths, its .safetensors, .npz, .pt and .pth files are taken, by name. All headers are
// checked before anything is written. An import that is there already is left as it is.
func Import(ctx context.Context, paths []string, o Options) ([]Run, error) {
	files, several, err := expand(paths)
	if err != nil {
		return nil, err
	}
	if o.Out == "" {
		return nil, fmt.Errorf("importer: %w", &field.Error{Path: "out", Got: o.Out, Want: "a folder"})
	}
	if o.Name == "" {
		o.Name = stem(files[0])
		if several {
			o.Name = filepath.Base(filepath.Clean(o.Out))
		}
	}
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("importer: %w", err)
	}
	if o.Layout.Weight == "" {
		return nil, noPattern(files[0])
	}
	plans := make([]*plan, len(files))
	seeds := map[int]uint64{}
	for i, path := range files {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("importer: %s: %w", path, err)
		}
		if plans[i], err = newPlan(path, &o); err != nil {
			return nil, err
		}
		seeds[plans[i].depth]++
		plans[i].seed = seeds[plans[i].depth]
	}
	if several {
		text := fmt.Sprintf("# Imported weights: deeplimit analyze and report work on this folder, run does not.\nname: %s\n", strconv.Quote(o.Name))
		if err := weightpath.CreateStudy(o.Out, o.Name, text, nil); err != nil {
			return nil, err
		}
	}
	var runs []Run
	for _, p := range plans {
		if err := ctx.Err(); err != nil {
			return runs, fmt.Errorf("importer: %s: %w", p.path, err)
		}
		run, err := p.write(&o, several)
		if err != nil {
			return runs, err
		}
		runs = append(runs, run)
	}
	return runs, nil
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
	return field.OneOf("convention", string(l.Convention), string(ColumnVectors), string(RowVectors))
}

// noPattern is the error of a layout that names no weights: it tells what there is.
func noPattern(path string) error {
	f, err := tensorfile.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return fmt.Errorf("importer: %s: want a pattern or a preset; %s", path, suggestion(f.Names()))
}

// expand replaces folders by the checkpoints in them.
func expand(paths []string) (files []string, several bool, err error) {
	for _, path := range paths {
		status, err := os.Stat(path)
		if err != nil {
			return nil, false, fmt.Errorf("importer: %w", err)
		}
		if !status.IsDir() {
			files = append(files, path)
			continue
		}
		several = true
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, false, fmt.Errorf("importer: %w", err)
		}
		before := len(files)
		for _, entry := range entries {
			if slices.Contains([]string{".safetensors", ".npz", ".pt", ".pth"}, strings.ToLower(filepath.Ext(entry.Name()))) {
				files = append(files, filepath.Join(path, entry.Name()))
			}
		}
		if len(files) == before {
			return nil, false, fmt.Errorf("importer: %s: got a folder without checkpoints, want .safetensors, .npz, .pt or .pth files in it", path)
		}
	}
	if len(files) == 0 {
		return nil, false, errors.New("importer: got no checkpoints, want one file or more")
	}
	return files, several || len(files) > 1, nil
}

// stem returns the name of a file without its extension.
func stem(path string) string {
	base := filepath.Base(path)
	return cmp.Or(strings.TrimSuffix(base, filepath.Ext(base)), base)
}
