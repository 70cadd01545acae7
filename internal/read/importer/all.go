package importer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/network"
	"github.com/deeplimit/deeplimit/layerorder"
	"github.com/deeplimit/deeplimit/runfolder"
)

// ImportAll measures every family of the checkpoints and writes families.json into the folder of the options; the weights
// stay where they are. Which checkpoints are seeds, steps of one training or copies is decided as by Import.
func ImportAll(ctx context.Context, paths []string, o Options) ([]Run, *network.Measurement, error) {
	found, several, err := o.find(paths)
	if err != nil {
		return nil, nil, err
	}
	if o.Out == "" {
		return nil, nil, fmt.Errorf("importer: %w", &field.Error{Path: "out", Got: o.Out, Want: "a folder"})
	}
	if err := checkSteps(o.Steps); err != nil {
		return nil, nil, fmt.Errorf("importer: %w", err)
	}
	if o.Steps == SeriesSteps {
		return nil, nil, fmt.Errorf("importer: %w", &field.Error{Path: "steps", Got: o.Steps, Want: "last, all or the number of a step beside --all; a series is of one pattern or preset"})
	}
	if err := refusePieces(found, &o); err != nil {
		return nil, nil, err
	}
	o.All = true
	o.Name = cmp.Or(o.Name, plain.Text(filepath.Base(filepath.Clean(o.Out))))
	if !several {
		o.Name = plain.Text(stem(found[0].path))
	}
	plans, err := newPlans(ctx, found, &o)
	if err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(plans, func(a, b *plan) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), cmp.Compare(a.seed, b.seed), cmp.Compare(a.time, b.time))
	})
	m := &network.Measurement{}
	var runs []Run
	tell := o.progress(plans)
	for _, p := range plans {
		run, err := p.measureAll(ctx, &o, m, tell)
		if err != nil {
			return nil, nil, err
		}
		runs = append(runs, run)
	}
	return runs, m, storeFamilies(o.Out, m)
}

// storeFamilies writes the measurement, unless the folder holds that of other networks.
func storeFamilies(dir string, m *network.Measurement) error {
	if err := disk.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("importer: %w", err)
	}
	old, err := network.Read(dir)
	if err != nil {
		return err
	}
	if old == nil {
		return m.Write(dir)
	}
	if runs := old.Runs(); len(runs) > 0 && !slices.Equal(runs, m.Runs()) {
		return fmt.Errorf("importer: %s: got a folder with the families of %s, want one without those of other networks; choose another folder", plain.Text(dir), plain.Text(runs[0]))
	}
	return m.Write(dir)
}

// progress returns a function that is told how many numbers were read, and tells the observer the share of
// all that there are, in millions.
func (o *Options) progress(plans []*plan) func(entries int) {
	if o.Observe == nil {
		return nil
	}
	total, done := 0, 0
	for _, p := range plans {
		r, _, err := o.reading(&p.checkpoint, p.families, nil)
		if err != nil {
			continue // measureAll says so
		}
		total += r.Numbers(p.families)
	}
	const million = 1_000_000
	return func(entries int) {
		done += entries
		o.Observe(done/million, max(1, total/million))
	}
}

// listFamilies fills in the plan of a checkpoint of which all families are taken.
func (p *plan) listFamilies(o *Options) error {
	l, err := p.list(o)
	if err != nil {
		return err
	}
	p.families, p.depth, p.others = l.Families, l.Depth, l.Others
	p.notes = append(p.notes, l.Notes...)
	p.shapes = map[string][]int{}
	for i := range l.Families {
		kind := kindOf(&l.Families[i])
		p.shapes[kind] = append(p.shapes[kind], l.Families[i].Layers)
	}
	for _, layers := range p.shapes {
		slices.Sort(layers)
	}
	return nil
}

// measureAll measures the families of a plan and the invariants of its blocks.
func (p *plan) measureAll(ctx context.Context, o *Options, m *network.Measurement, tell func(int)) (Run, error) {
	run := Run{
		Dir: o.Out, Source: p.path, Depth: p.depth, Seed: p.seed, Step: p.step, Others: p.others, LeftOut: p.leftOut, Notes: p.notes,
	}
	own, err := p.measure(ctx, o, &run, tell)
	if err != nil {
		return run, err
	}
	origin := network.Origin{Source: filepath.Base(p.path), Depth: p.depth, Seed: p.seed, Step: p.stepNumber(), Settings: p.otherSettings()}
	sum := sha256.New()
	if err := json.NewEncoder(sum).Encode(own); err != nil {
		return run, fmt.Errorf("importer: %w", err)
	}
	origin.Run = fmt.Sprintf("%s-L%04d-s%d-%.8x", o.Name, p.depth, p.seed, sum.Sum(nil))
	own.SetOrigin(origin)
	for i := range own.Families {
		run.Families = append(run.Families, own.Families[i].Family)
	}
	run.ID = origin.Run
	for _, note := range run.Notes {
		own.Notes = append(own.Notes, network.Note{File: filepath.Base(p.path), Text: note})
	}
	m.Join(own)
	return run, nil
}

// measure measures the families of a plan, as the options ask, and notes at the run which are too deep, and what was decided.
func (p *plan) measure(ctx context.Context, o *Options, run *Run, tell func(int)) (*network.Measurement, error) {
	families := slices.DeleteFunc(slices.Clone(p.families), func(f network.Family) bool {
		deep := f.Layers > layerorder.MaxLayers
		if deep {
			run.Notes = append(run.Notes, fmt.Sprintf("not measured: %s: got %d layers, want at most %d", plain.Text(f.Pattern), f.Layers, layerorder.MaxLayers))
		}
		return deep
	})
	reading, notes, err := o.reading(&p.checkpoint, families, tell)
	if err != nil {
		return nil, err
	}
	run.Notes = append(run.Notes, notes...)
	m := &network.Measurement{}
	return m, p.use(func(f *opened) error { return m.Add(ctx, f, families, reading) })
}

// stepNumber is the step of the training, nil where the name tells none.
func (p *plan) stepNumber() *float64 {
	if p.step == "" {
		return nil
	}
	return &p.time
}

// mostBytes bounds the inner products of all runs of an import; the rest of the file is for their names.
const mostBytes = runfolder.MaxFamilies * 7 / 8

// otherSettings are those beside the step, which Options.Steps AllSteps makes one.
func (p *plan) otherSettings() map[string]string {
	settings := maps.Clone(p.settings)
	delete(settings, "step")
	return settings
}

// measureParts measures the maps of the runs that Import wrote, each a family, and what they leave unchanged, beside the
// families of other runs in the folder. A note says which are too deep, or too many for one file.
func measureParts(ctx context.Context, plans []*plan, runs []Run, o *Options) (*network.Measurement, error) {
	m, err := network.Read(o.Out)
	if err != nil {
		return nil, err
	}
	if m == nil {
		m = &network.Measurement{}
	}
	for _, run := range runs {
		m.Remove([]string{run.ID})
	}
	for i, p := range plans {
		origin := network.Origin{Run: runs[i].ID, Source: filepath.Base(p.path), Depth: p.depth, Seed: p.seed, Step: p.stepNumber(), Settings: p.otherSettings()}
		own, err := p.measure(ctx, o, &runs[i], nil)
		if err != nil {
			return nil, err
		}
		if m.Bytes()+own.Bytes() > mostBytes {
			runs[i].Notes = append(runs[i].Notes, fmt.Sprintf("left out of %s.json, which has no room for its %d layers beside those of the other runs", runfolder.Families, p.depth))
			continue
		}
		own.SetOrigin(origin)
		m.Join(own)
	}
	return m, nil
}

// family describes a part as a family.
func (s *stack) family(roles Roles) network.Family {
	axes := len(s.shape)
	f := network.Family{
		Pattern: s.form, Layers: s.depth, Shape: s.shape, DType: trimQuotes(s.dtype), Tensors: s.names,
		Rows: s.rows, Columns: s.cols, Orientation: string(ColumnVectors), Why: s.why,
	}
	if s.transposed {
		f.Orientation = string(RowVectors)
	}
	if s.stacked() {
		axis := s.axis
		f.Axis = &axis
		axes--
	} else {
		f.Indices, f.First = indexText(s.indices, s.unnumbered), s.indices[0]
	}
	f.Role = roles.of(numberedName(s.form), axes)
	return f
}
