package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/plan/engine"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
)

// resolver makes the runs of a study. It goes on after an error, to tell all of them.
type resolver struct {
	faults
	study      *Study
	runs       []Run
	dimensions map[string][2]int // inputs and outputs by data section
	digests    digests
	hashes     map[string]string // hash → the run that has it
	names      map[string]string // data set's name → the path of the set that has it
	doubled    bool              // two runs with one hash were found and told
}

// combine resolves all points of the axes from the given one on for a data set, with
// what the axes before it have put into tree and settings.
func (r *resolver) combine(tree *node, axis, set int, settings map[string]string) {
	if axis == len(r.study.Axes) {
		r.resolve(tree, set, settings)
		return
	}
	a := &r.study.Axes[axis]
	if !a.varies(set) {
		r.combine(tree, axis+1, set, settings)
		return
	}
	for i := range a.points {
		for j, path := range a.Paths {
			if a.applies(j, set) && a.points[i][j] != nil {
				settings[path] = a.Values[i][j]
			} else {
				delete(settings, path)
			}
		}
		r.combine(a.apply(tree, i, set), axis+1, set, settings)
	}
	for _, path := range a.Paths {
		delete(settings, path)
	}
}

// point is one point of the grid for one data set.
type point struct {
	tree    *node
	section string // of the data set: "data" or "data.i"
	data    dataset.Spec
	doc     document
	run     Run            // what is the same for all depths and seeds
	pattern resnet.Initial // the initial section resolved for no depth in particular

	// What the group of runs is known by where initial and train depend on depth: the point with
	// those expressions left out, and their texts by path.
	base  *point
	texts map[string]string
}

// resolve adds the runs of one point, or the errors that stand against them.
func (r *resolver) resolve(tree *node, set int, settings map[string]string) {
	p := point{tree: tree, section: dataPath(tree, set)}
	p.run = Run{Study: r.study.Name, Base: r.study.Base, Settings: clone(settings)}
	d := decoder{formulas: true}
	p.decode(&d)
	if r.take(&d) {
		return
	}
	if !anyUses(d.found, "depth") {
		if len(d.found) > 0 && !r.fill(&p, d.found, r.study.Depths[0]) {
			return
		}
		if r.sections(&p) {
			r.depths(&p, r.study.Depths)
		}
		return
	}
	for _, depth := range r.study.Depths {
		at := p
		if !r.fill(&at, d.found, depth) || !r.sections(&at) {
			continue
		}
		at.base, at.texts = r.without(&at, d.found, depth)
		r.depths(&at, []int{depth})
	}
}

// decode reads the sections of the point's tree.
func (p *point) decode(d *decoder) {
	p.doc, p.data = document{}, dataset.Spec{}
	d.decode("", p.tree, reflect.ValueOf(&p.doc).Elem())
	p.run.DType = d.dtype(p.tree, p.doc.DType)
	d.decode(p.section, p.tree.find(p.section), reflect.ValueOf(&p.data).Elem())
	p.parametrise(d)
}

// fill puts numbers in the place of the point's expressions, and says whether it could.
func (r *resolver) fill(p *point, formulas []formula, depth int) bool {
	tree, good := r.compute(p, formulas, depth)
	if !good {
		return false
	}
	p.tree = tree
	var d decoder
	p.decode(&d)
	return !r.take(&d)
}

// depths adds the runs of a point at those depths.
func (r *resolver) depths(p *point, depths []int) {
	for _, depth := range depths {
		for _, seed := range r.study.Seeds {
			r.add(p, depth, seed)
		}
	}
}

// sections resolves what is the same for all depths and seeds, and says whether
// nothing stands against it.
func (r *resolver) sections(p *point) bool {
	good := true
	refuse := func(section string, err error) {
		r.refuse(p, section, err) // no news if another point has said the same
		good = false
	}
	run := &p.run
	data, err := p.data.Resolve(0)
	if err != nil {
		r.refuse(p, p.section, err)
		return false
	}
	if owner, ok := r.names[data.Name]; ok && owner != p.section {
		path := join(p.section, "name")
		r.faults.add(p.tree.find(path).wrong(path, data.Name, "a name that no other data set has ("+owner+" has it)"))
	}
	r.names[data.Name] = p.section
	if run.Files, err = r.dataFiles(p, data); err == nil {
		run.Inputs, run.Outputs, err = r.measure(data)
	}
	if err != nil {
		if err != errUnreadable {
			r.refuse(p, p.section, err)
		}
		return false
	}
	if run.Network, err = p.doc.Network.Resolve(run.Inputs, run.Outputs); err != nil {
		refuse("network", err)
	} else if err = p.doc.Train.CheckParametrisation(run.Network); err != nil {
		refuse("", err)
	} else if p.pattern, err = p.initial(0); err != nil {
		refuse("initial", err)
	} else {
		r.checkSize(p)
	}
	if run.Train, err = p.doc.Train.Resolve(data.Samples); err != nil {
		refuse("train", err)
	} else if good {
		if err = run.Train.CheckParts(run.Network); err != nil {
			refuse("train", err)
		} else if err = train.CheckNewton(run.Train, run.Network, run.DType, data.Samples, run.Outputs); err != nil {
			refuse("train", err)
		}
	}
	if !good {
		return false
	}
	initial := p.pattern
	initial.Kind, initial.Hurst, initial.Length = "normal", 0.5, 0.1 // what the section's own mean when left out
	var d decoder
	for _, s := range []resolution{
		resolved(p.section, data, func(s dataset.Spec) (dataset.Spec, error) { return s.Resolve(0) }),
		resolved("network", run.Network, func(s resnet.Spec) (resnet.Spec, error) { return s.Resolve(run.Inputs, run.Outputs) }),
		resolved("initial", initial, func(s resnet.Initial) (resnet.Initial, error) { return s.Resolve(run.Network, 0) }),
		resolved("train", run.Train, func(s train.Spec) (train.Spec, error) { return s.Resolve(data.Samples) }),
	} {
		d.zeros(p.tree, s)
	}
	return !r.take(&d)
}

// engine adds what stands against the section engine, of which no run has a part.
func (r *resolver) engine() {
	options, err := r.study.Engine.Resolve()
	if err != nil {
		r.refuse(&point{tree: r.study.tree}, "engine", err)
		return
	}
	var d decoder
	d.zeros(r.study.tree, resolved("engine", options, engine.Spec.Resolve))
	r.take(&d)
}

// take adds the errors that d has found, and says whether there are any.
func (r *resolver) take(d *decoder) bool {
	for _, e := range d.list {
		r.faults.add(e)
	}
	return len(d.list) > 0
}

// refuse adds what the owner of a section says about it, placed where the blamed
// value stands, or the nearest above it when it is not in the file.
func (r *resolver) refuse(p *point, section string, err error) {
	if section != "" {
		err = field.Under(section, err)
	}
	path := section
	var e *field.Error
	if errors.As(err, &e) {
		path = e.Path
	}
	n := p.tree.find(path)
	if e != nil && n.formula != "" {
		err = &field.Error{Path: path, Got: phrase(fmt.Sprintf("%v (%s)", e.Got, n.formula)), Want: e.Want}
	}
	r.faults.add(n.fault(path, err))
}

// dataFiles returns the files of a data set with their hashes.
func (r *resolver) dataFiles(p *point, data dataset.Spec) ([]File, error) {
	paths, err := dataset.Files(data, r.study.Base)
	if err != nil {
		return nil, err
	}
	fields := []string{"path"}
	if data.Kind == "files" {
		fields = []string{"inputs", "targets"}
	}
	var files []File
	for i, path := range paths {
		digest, err := r.digests.of(path)
		if err != nil {
			name := fields[min(i, len(fields)-1)]
			r.unreadable(p, join(p.section, name), path, err)
			continue
		}
		files = append(files, File{Role: "data." + strconv.Itoa(i), Path: below(r.study.Base, path), SHA256: digest})
	}
	if len(files) < len(paths) {
		return nil, errUnreadable
	}
	return files, nil
}

// measure returns the dimensions of a data set, reading each set's files once.
func (r *resolver) measure(data dataset.Spec) (inputs, outputs int, err error) {
	key, err := json.Marshal(data)
	if err != nil {
		return 0, 0, err
	}
	size, ok := r.dimensions[string(key)]
	if !ok {
		if size[0], size[1], err = dataset.Dimensions(data, r.study.Base); err == nil {
			r.dimensions[string(key)] = size
		}
	}
	return size[0], size[1], err
}

// checkSize refuses a network whose parameters no machine can address.
func (r *resolver) checkSize(p *point) {
	run := p.run
	run.Depth = slices.Max(r.study.Depths)
	if n := run.Network.Entries(run.Depth, run.Inputs, run.Outputs); !(n <= resnet.MostEntries) {
		const path = "network.width"
		want := fmt.Sprintf("a width and depths with at most 2^44 parameters in all (depth %d makes %.3g)", run.Depth, n)
		r.faults.add(p.tree.find(path).wrong(path, run.Network.Width, want))
	}
}

// add appends the run of one depth and seed.
func (r *resolver) add(p *point, depth int, seed uint64) {
	run := p.run
	run.Depth, run.Seed = depth, seed
	var err error
	if run.Data, err = p.data.Resolve(seed); err != nil {
		r.refuse(p, p.section, err)
		return
	}
	if run.Initial, err = p.initial(depth); err != nil {
		r.refuse(p, "initial", err)
		return
	}
	if err := r.checkCascade(p, &run); err != nil {
		r.refuse(p, "", err)
		return
	}
	if _, ok := r.initialFiles(p, &run); !ok {
		return // before the groups of a file that is not there are looked for
	}
	if run.Initial, err = p.doc.Initial.WithFile(run.Initial, run.Network, depth, run.Base); err != nil {
		r.refuse(p, "initial", err)
		return
	}
	initial, _ := r.initialFiles(p, &run) // with the further groups of the same file
	run.Files = slices.Concat(run.Files, initial)
	run.Hash = run.digest()
	run.Group = r.group(p, &run)
	run.ID = run.name()
	if other, ok := r.hashes[run.Hash]; ok {
		if r.doubled {
			return // one pair says it all
		}
		r.doubled = true
		at := p.tree
		for _, section := range []string{"data", "grid", "zip"} {
			if n := p.tree.child(section); n != nil {
				at = n
			}
		}
		r.faults.add(at.fault("", fmt.Errorf("the runs %s and %s are the same once resolved, want runs that differ (hash %s)", other, run.describe(), run.Hash[:8])))
		return
	}
	r.hashes[run.Hash] = run.describe()
	r.runs = append(r.runs, run)
}

// initialFiles returns the files that a run's initial weights come from, with their
// hashes, and whether all of them could be read.
func (r *resolver) initialFiles(p *point, run *Run) (files []File, ok bool) {
	ok = true
	for _, name := range sorted(run.Initial.Parts) {
		part := run.Initial.Parts[name]
		if part.Kind != "file" {
			continue
		}
		digest, err := r.digests.of(part.File(run.Depth, run.Base))
		if err != nil {
			path := "initial.path"
			if own := p.doc.Initial.Parts[name]; own.Path != "" {
				path = "initial.parts." + name + ".path"
			} else if name == "b" && p.doc.Initial.Bias != "" {
				path = "initial.bias"
			}
			r.unreadable(p, path, part.Path, err)
			ok = false
			continue
		}
		files = append(files, File{Role: "initial." + name, Path: part.Path, SHA256: digest})
	}
	return files, ok
}

// errUnreadable stands for errors that have been added already.
var errUnreadable = errors.New("a file cannot be read")

// unreadable adds that the file named at path cannot be read.
func (r *resolver) unreadable(p *point, path, file string, err error) {
	r.faults.add(p.tree.find(path).wrong(path, file, "a file that can be read: "+reason(err)))
}

// below returns path relative to base where it lies below it, and path otherwise.
func below(base, path string) string {
	if relative, err := filepath.Rel(base, path); err == nil && filepath.IsLocal(relative) {
		return filepath.ToSlash(relative)
	}
	return path
}
