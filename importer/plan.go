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

	"github.com/deeplimit/deeplimit/importer/tensorfile"
	"github.com/deeplimit/deeplimit/weightpath"
)

// A plan is a checkpoint whose header has been checked.
type plan struct {
	path    string
	initial string // path of the initial weights, "" for none
	depth   int
	seed    uint64
	shapes  map[string][]int // of the parts, a layer
}

// newPlan checks the headers of a checkpoint and of its initial weights.
func newPlan(path string, o *Options) (*plan, error) {
	p := &plan{path: path}
	err := withParts(path, o, func(_ *tensorfile.File, found parts) error {
		p.depth = found.main().depth
		p.shapes = found.shapes()
		return nil
	})
	if err != nil || o.Initial == "" {
		return p, err
	}
	p.initial = strings.NewReplacer("{depth}", strconv.Itoa(p.depth), "{name}", stem(path)).Replace(o.Initial)
	return p, withParts(p.initial, o, func(_ *tensorfile.File, found parts) error {
		if found.main().depth != p.depth {
			return fmt.Errorf("got %d layers, want %d as in %s", found.main().depth, p.depth, path)
		}
		for name, shape := range p.shapes {
			if other := found.shapes()[name]; other != nil && !slices.Equal(other, shape) {
				return fmt.Errorf("part %s: got shape %v a layer, want %v as in %s", name, other, shape, path)
			}
		}
		return nil
	})
}

// withParts opens a checkpoint and calls use with its parts.
func withParts(path string, o *Options, use func(*tensorfile.File, parts) error) error {
	f, err := tensorfile.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	found, err := findParts(f, o.Layout, o.Layers)
	if err == nil {
		err = use(f, found)
	}
	if _, ok := errors.AsType[*tensorfile.Error](err); ok || err == nil {
		return err // names the file itself
	}
	return fmt.Errorf("importer: %s: %w", path, err)
}

// shapes returns the shape of a layer of every part.
func (p parts) shapes() map[string][]int {
	shapes := map[string][]int{}
	for name, s := range p {
		shapes[name] = []int{s.rows}
		if s.cols > 0 {
			shapes[name] = []int{s.rows, s.cols}
		}
	}
	return shapes
}

// config is what run.json says was imported.
type config struct {
	Source     string           `json:"source,omitempty"` // name of the file
	SHA256     string           `json:"sha256,omitempty"`
	Initial    string           `json:"initial_sha256,omitempty"`
	Layout     Layout           `json:"layout"`
	Layers     Range            `json:"layers,omitzero"`
	Alpha      float64          `json:"alpha"`
	Shapes     map[string][]int `json:"shapes"`
	Depth      int              `json:"depth,omitempty"`
	Seed       uint64           `json:"seed,omitempty"`
	HasInitial bool             `json:"has_initial"`
	Name       string           `json:"name"`
}

// meta returns what run.json says of the run.
func (p *plan) meta(o *Options) (weightpath.Meta, error) {
	c := config{Layout: o.Layout, Layers: o.Layers, Alpha: o.Alpha, Shapes: p.shapes, HasInitial: p.initial != "", Name: o.Name}
	group, _, err := hash(c)
	if err != nil {
		return weightpath.Meta{}, err
	}
	c.Source, c.Depth, c.Seed = filepath.Base(p.path), p.depth, p.seed
	if c.SHA256, err = digest(p.path); err != nil {
		return weightpath.Meta{}, err
	}
	if p.initial != "" {
		if c.Initial, err = digest(p.initial); err != nil {
			return weightpath.Meta{}, err
		}
	}
	content, text, err := hash(c)
	if err != nil {
		return weightpath.Meta{}, err
	}
	now := time.Now().UTC()
	meta := weightpath.Meta{
		ID:   fmt.Sprintf("%s-L%04d-s%d-%.8s", o.Name, p.depth, p.seed, content),
		Hash: content, Group: group, Study: o.Name, Data: o.Name,
		Depth: p.depth, Seed: p.seed, DType: "float64", Block: "linear map",
		Activation: o.Layout.Activation, Residual: "fixed", Loss: "unknown", Method: weightpath.Imported,
		Alpha: o.Alpha, Config: text, Version: o.Version,
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

// hash returns the SHA-256 of the JSON of c, and that.
func hash(c config) (string, []byte, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", nil, fmt.Errorf("importer: configuration: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), text, nil
}

// digest returns the SHA-256 of a file.
func digest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("importer: %w", err)
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("importer: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// write reads the checkpoint and writes its run folder.
func (p *plan) write(o *Options, several bool) (Run, error) {
	meta, err := p.meta(o)
	if err != nil {
		return Run{}, err
	}
	run := Run{Dir: o.Out, Source: p.path, Depth: p.depth, Seed: p.seed, Shapes: p.shapes}
	if several {
		run.Dir = weightpath.RunDir(o.Out, meta.ID)
	}
	err = weightpath.Create(run.Dir, meta)
	if errors.Is(err, weightpath.ErrDone) {
		run.Old = true
		return run, nil
	}
	if err != nil {
		return Run{}, err
	}
	weights, err := p.weights(&meta, o)
	if err != nil {
		return Run{}, errors.Join(err, weightpath.Remove(run.Dir))
	}
	summary := weightpath.Summary{Stop: weightpath.Imported, Loss: math.NaN()}
	return run, weightpath.Finish(run.Dir, meta, nil, weights, summary)
}

// weights reads every part, and the initial ones under names with the suffix _initial.
func (p *plan) weights(meta *weightpath.Meta, o *Options) (weightpath.Weights, error) {
	w := weightpath.Weights{Tensors: map[string]weightpath.Tensor{}, Metadata: map[string]string{
		"alpha": decimal(meta.Alpha), "beta": decimal(meta.Beta()), "activation": meta.Activation, "block": meta.Block,
		"source": filepath.Base(p.path), "source_pattern": o.Layout.Weight, "source_convention": string(o.Layout.Convention),
	}}
	read := func(path, suffix string) error {
		return withParts(path, o, func(f *tensorfile.File, found parts) error {
			for name, s := range found {
				t, err := s.read(f)
				if err != nil {
					return err
				}
				w.Tensors[name+suffix] = t
			}
			return nil
		})
	}
	err := read(p.path, "")
	if err == nil && p.initial != "" {
		err = read(p.initial, "_initial")
	}
	return w, err
}

// decimal returns the shortest text that reads as v.
func decimal(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
