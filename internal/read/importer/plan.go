package importer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/network"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A plan is a checkpoint whose header has been checked.
type plan struct {
	checkpoint
	order   int
	depth   int
	shapes  map[string][]int // of the parts, a layer
	taken   []Taken
	others  int
	initial *checkpoint // nil for none
	// families are all of the checkpoint, where all are taken; else its maps.
	families []network.Family
	series   []*plan // of the training along time, this one last; nil for its weights alone

	naming   naming
	seed     uint64
	settings map[string]string
	step     string
	time     float64  // the same as a number
	weights  string   // checksum of the weights, "" where there is nothing to compare them with
	rounded  []string // the same of the weights in each of precisions
	sketch   []float64
	leftOut  []LeftOut
	notes    []string
}

// newPlan checks the headers of a checkpoint.
func newPlan(c checkpoint, o *Options) (*plan, error) {
	p := &plan{checkpoint: c, leftOut: c.beside}
	return p, c.use(func(f *opened) error {
		found, err := findParts(f, o.Layout, o.Layers)
		if err != nil {
			return err
		}
		if o.Names == "" && o.Table == "" && o.Layers.all() {
			if err := c.refuseFirst(found.main()); err != nil {
				return err
			}
		}
		p.depth, p.shapes, p.taken = found.main().depth, found.shapes(), found.taken()
		p.others = len(f.names)
		for _, s := range found {
			p.others -= len(s.names)
		}
		for _, name := range []string{"A", "V", "W"} {
			if s := found[name]; s != nil && s.depth > 1 {
				p.families = append(p.families, s.family(o.roles()))
			}
		}
		return nil
	})
}

// findInitial checks the headers of the initial weights, which are read as the trained ones.
func (p *plan) findInitial(o *Options) error {
	if o.Initial == "" {
		return nil
	}
	path := strings.NewReplacer("{depth}", strconv.Itoa(p.depth), "{name}", stem(p.path)).Replace(o.Initial)
	c, err := newCheckpoint(path)
	if err != nil {
		return err
	}
	p.initial = &c
	return c.use(func(f *opened) error {
		found, err := findParts(f, p.layout(o), o.Layers)
		if err != nil {
			return err
		}
		if found.main().depth != p.depth {
			return fmt.Errorf("got %d layers, want %d as in %s", found.main().depth, p.depth, plain.Text(p.path))
		}
		for name, shape := range p.shapes {
			if other := found.shapes()[name]; other != nil && !slices.Equal(other, shape) {
				return fmt.Errorf("part %s: got shape %v a layer, want %v as in %s", name, other, shape, plain.Text(p.path))
			}
		}
		return nil
	})
}

// layout is that of the options with what was decided for this checkpoint.
func (p *plan) layout(o *Options) Layout {
	l := o.Layout
	l.Convention, l.LayersAxis = p.taken[0].Convention, p.taken[0].Axis
	return l
}

// config is what run.json says was imported.
type config struct {
	Source  string           `json:"source,omitempty"` // name of the file
	SHA256  string           `json:"sha256,omitempty"`
	Initial string           `json:"initial_sha256,omitempty"`
	Layout  Layout           `json:"layout"`
	Layers  Range            `json:"layers,omitzero"`
	Alpha   float64          `json:"alpha"`
	Shapes  map[string][]int `json:"shapes"`
	// Settings tell groups apart: marks of the names, and the step where all are imported.
	Settings   map[string]string `json:"settings,omitempty"`
	Step       string            `json:"step,omitempty"`
	Taken      []Taken           `json:"taken,omitempty"`
	Depth      int               `json:"depth,omitempty"`
	Seed       uint64            `json:"seed,omitempty"`
	HasInitial bool              `json:"has_initial"`
	Name       string            `json:"name"`
	Series     []string          `json:"series,omitempty"` // the steps of a training along time
}

// meta returns what run.json says of the run.
func (p *plan) meta(o *Options) (runfolder.Meta, error) {
	c := config{Layout: o.Layout, Layers: o.Layers, Alpha: o.Alpha, Shapes: p.shapes, HasInitial: p.initial != nil, Name: o.Name, Settings: p.settings}
	group, _, err := hashOf(c)
	if err != nil {
		return runfolder.Meta{}, err
	}
	c.Source, c.Depth, c.Seed = filepath.Base(p.path), p.depth, p.seed
	c.Step, c.Taken = p.step, p.taken
	for _, step := range p.series {
		c.Series = append(c.Series, step.step)
	}
	if c.SHA256, err = digest(p.files); err != nil {
		return runfolder.Meta{}, err
	}
	if p.initial != nil {
		if c.Initial, err = digest(p.initial.files); err != nil {
			return runfolder.Meta{}, err
		}
	}
	content, text, err := hashOf(c)
	if err != nil {
		return runfolder.Meta{}, err
	}
	now := time.Now().UTC()
	meta := runfolder.Meta{
		ID:   fmt.Sprintf("%s-L%04d-s%d-%.8s", o.Name, p.depth, p.seed, content),
		Hash: content, Group: group, Study: o.Name, Data: o.Name, Settings: p.settings,
		Depth: p.depth, Seed: p.seed, DType: "float64", Block: "linear map",
		Activation: o.Layout.Activation, Residual: "fixed", Loss: "unknown", Method: runfolder.Imported,
		Alpha: o.Alpha, AlphaAssumed: o.AlphaAssumed, Config: text, Version: o.Version,
		Environment: map[string]string{"go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH},
		Start:       now, End: now,
	}
	if meta.Activation == "" {
		meta.Activation = "unknown"
	}
	main, ok := p.shapes["V"]
	if ok {
		meta.Block, meta.Hidden = "mlp", main[1]
	} else {
		main = p.shapes["A"]
	}
	meta.Width = main[0]
	meta.Bias = p.shapes["b"] != nil || p.shapes["c"] != nil
	return meta, nil
}

// hashOf returns the SHA-256 of the JSON of c, and that.
func hashOf(c config) (string, []byte, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", nil, fmt.Errorf("importer: configuration: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), text, nil
}

// digest returns the SHA-256 of files, one behind the other.
func digest(paths []string) (string, error) {
	sum := sha256.New()
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			return "", fmt.Errorf("importer: %w", err)
		}
		_, err = io.Copy(sum, file)
		if err = errors.Join(err, file.Close()); err != nil {
			return "", fmt.Errorf("importer: %w", err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// write reads the checkpoint and writes its run folder.
func (p *plan) write(o *Options, several bool) (Run, error) {
	meta, err := p.meta(o)
	if err != nil {
		return Run{}, err
	}
	run := Run{
		ID: meta.ID, Dir: o.Out, Source: p.path, Depth: p.depth, Seed: p.seed, Step: p.step, Shapes: p.shapes,
		Taken: p.taken, Others: p.others, LeftOut: p.leftOut, Notes: p.notes,
	}
	if several {
		run.Dir = runfolder.RunDir(o.Out, meta.ID)
	}
	err = runfolder.Create(run.Dir, meta)
	if errors.Is(err, runfolder.ErrDone) {
		run.Old = true
		return run, nil
	}
	if err != nil {
		return Run{}, err
	}
	weights, err := p.readWeights(&meta, o)
	if err != nil {
		return Run{}, errors.Join(err, runfolder.Remove(run.Dir))
	}
	summary := runfolder.Summary{Stop: runfolder.Imported, Loss: math.NaN()}
	var rows []runfolder.Row
	if p.series != nil {
		if rows, err = p.finishSeries(run.Dir, &meta, o, weights, &summary); err != nil {
			return Run{}, errors.Join(err, runfolder.Remove(run.Dir))
		}
	}
	return run, runfolder.Finish(run.Dir, meta, rows, weights, summary)
}

// readWeights reads every part, and the initial ones under names with the suffix _initial.
func (p *plan) readWeights(meta *runfolder.Meta, o *Options) (runfolder.Weights, error) {
	w := runfolder.Weights{Tensors: map[string]runfolder.Tensor{}, Metadata: map[string]string{
		"alpha": decimal(meta.Alpha), "beta": decimal(meta.Beta()), "activation": meta.Activation, "block": meta.Block,
		"source": filepath.Base(p.path), "source_convention": string(p.taken[0].Convention),
	}}
	for _, t := range p.taken {
		w.Metadata["source_"+t.Part] = t.Tensor
	}
	if p.step != "" {
		w.Metadata["step"] = p.step
	}
	if len(p.leftOut) > 0 { // not in run.json, whose hash it would change
		text, err := json.Marshal(p.leftOut)
		if err != nil {
			return w, fmt.Errorf("importer: %w", err)
		}
		w.Metadata["left_out"] = string(text)
	}
	read := func(c *checkpoint, suffix string) error {
		return c.use(func(f *opened) error {
			found, err := findParts(f, p.layout(o), o.Layers)
			if err != nil {
				return err
			}
			for name, s := range found {
				if w.Tensors[name+suffix], err = s.read(f); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := read(&p.checkpoint, "")
	if err == nil && p.initial != nil {
		err = read(p.initial, "_initial")
	}
	return w, err
}

// decimal returns the shortest text that reads as v.
func decimal(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
