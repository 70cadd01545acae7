package analyze

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/read/network"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A pass reads the folder of a study, or of one run, in two steps: run.json and result.json
// of every run, and then, group by group, the other files of those that are finished. A
// worker holds the weights of one run and drops them; of a group the paths that are compared
// over depth stay until its last run is read.
type pass struct {
	dir      string
	options  Options
	detailed bool // Read, and not Study

	study    string
	notes    runfolder.Notes
	listing  *runfolder.Listing // nil for the folder of one run
	outcomes []*outcome         // in the order of their folders
	groups   []*gathering
	read     atomic.Int64    // runs so far
	families *network.Result // of imported networks; nil for none
}

// A gathering is the finished runs of one group while they are read.
type gathering struct {
	members []*outcome // by seed, then depth
	bytes   int64      // of the layers that are kept
	note    string     // on those that are not
	next    bool       // Options.Next

	mu    sync.Mutex
	left  int // to be read
	group *Group
}

// newPass reads the study.
func newPass(ctx context.Context, dir string, options Options, detailed bool) (*pass, error) {
	options, err := options.resolve()
	if err != nil {
		return nil, err
	}
	p := &pass{dir: dir, options: options, detailed: detailed}
	if err := p.open(); err != nil {
		return nil, err
	}
	p.gather()
	if err := p.readGroups(ctx); err != nil {
		return nil, fmt.Errorf("analyze: %s: %w", dir, err)
	}
	return p, nil
}

// open opens the runs of the study, or the one run.
func (p *pass) open() (err error) {
	now := time.Now()
	if err := p.openFamilies(); err != nil {
		return err
	}
	p.study, err = runfolder.StudyName(p.dir)
	var mu sync.Mutex
	details := map[string]*Detail{}
	if err == nil {
		if p.notes, err = runfolder.ReadNotes(p.dir); err != nil {
			return err
		}
		p.listing, err = runfolder.OpenStudy(p.dir, nil, func(m *runfolder.Member) {
			if !p.detailed {
				return
			}
			d := newDetail(m, now)
			mu.Lock()
			defer mu.Unlock()
			details[m.ID] = d
		})
		if err != nil {
			return err
		}
		for _, m := range p.listing.Members {
			p.outcomes = append(p.outcomes, &outcome{Member: m, detail: details[m.ID]})
		}
	} else if errors.Is(err, fs.ErrNotExist) {
		if _, err := disk.Stat(filepath.Join(p.dir, "run.json")); err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("analyze: %w", err)
			}
			if p.families != nil {
				p.study = filepath.Base(filepath.Clean(p.dir))
				return nil // families alone, of deeplimit import --all
			}
			return fmt.Errorf("analyze: %s: got a folder with neither study.yaml nor run.json, want that of a study or of a run", p.dir)
		}
		o := &outcome{Member: runfolder.Member{ID: filepath.Base(filepath.Clean(p.dir)), Dir: p.dir}}
		if o.Run, o.Err = runfolder.Open(p.dir); p.detailed {
			o.detail = &Detail{}
		}
		p.outcomes = append(p.outcomes, o)
	} else {
		return err
	}
	for _, o := range p.outcomes {
		_, damaged := errors.AsType[*runfolder.DamagedError](o.Err)
		switch {
		case errors.Is(o.Err, fs.ErrNotExist) && !damaged:
			o.unfinished = true // made, and not yet filled, by a run that has just begun
		case o.Err != nil:
			o.err = o.Err
		case !o.Run.Done():
			o.unfinished = true
		}
	}
	return nil
}

// gather puts the finished runs into groups, and drops what is most of ten thousand run.json
// but for one run of each group.
func (p *pass) gather() {
	type key struct {
		data, group string
		alpha       float64
	}
	index := map[key]*gathering{}
	first := map[string]*outcome{} // of each group, with unfinished runs
	for _, o := range p.outcomes {
		if o.Run == nil {
			continue
		}
		m := o.meta()
		if f := first[m.Group]; f == nil || cmp.Or(cmp.Compare(m.Depth, f.meta().Depth), cmp.Compare(m.Seed, f.meta().Seed), cmp.Compare(o.ID, f.ID)) < 0 {
			first[m.Group] = o
		}
		if o.unfinished {
			continue
		}
		k := key{m.Data, m.Group, m.Alpha}
		g := index[k]
		if g == nil {
			g = &gathering{next: p.options.Next}
			index[k] = g
			p.groups = append(p.groups, g)
		}
		g.members = append(g.members, o)
	}
	epochs := slices.ContainsFunc(p.options.At, func(at Point) bool { return at.Of == AtEpochs }) // the configuration says what one is
	for _, o := range p.outcomes {
		if o.Run == nil {
			continue
		}
		o.prolong = prolongOf(o.Run)
		if p.detailed && first[o.meta().Group] == o {
			continue
		}
		o.meta().Environment = nil
		if !epochs {
			o.meta().Config = nil
		}
	}
	for _, g := range p.groups {
		slices.SortStableFunc(g.members, func(a, b *outcome) int {
			return cmp.Or(cmp.Compare(a.meta().Seed, b.meta().Seed), cmp.Compare(a.meta().Depth, b.meta().Depth))
		})
		g.left = len(g.members)
		g.bytes, g.note = keepLayers(g.members, p.options.PathMemory)
		if p.detailed {
			chooseShown(g.members)
		}
	}
}

// readGroups reads the finished runs. A group is begun when its layers fit beside those of
// the groups before.
func (p *pass) readGroups(ctx context.Context) error {
	total := 0
	for _, g := range p.groups {
		total += len(g.members)
	}
	if p.options.Observe != nil {
		p.options.Observe(0, total)
	}
	room := semaphore.NewWeighted(p.options.PathMemory)
	workers, working := errgroup.WithContext(ctx)
	workers.SetLimit(p.options.Workers)
	for _, g := range p.groups {
		if room.Acquire(working, g.bytes) != nil {
			break // a worker failed, or ctx is done
		}
		for _, o := range g.members {
			workers.Go(func() error {
				if err := working.Err(); err != nil {
					return err
				}
				p.readRun(o)
				if p.options.Observe != nil {
					p.options.Observe(int(p.read.Add(1)), total)
				}
				if !g.last() {
					return nil
				}
				defer room.Release(g.bytes)
				return g.compare()
			})
		}
	}
	return cmp.Or(workers.Wait(), ctx.Err())
}

// last counts down, and reports whether that was the last run of the group.
func (g *gathering) last() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left--
	return g.left == 0
}

// compare makes the group of its runs and drops their layers.
func (g *gathering) compare() error {
	markCopies(g.members)
	var runs []Run
	var last *outcome // by folder
	for _, o := range g.members {
		if o.err == nil {
			runs = append(runs, o.run)
			if last == nil || o.Dir > last.Dir {
				last = o
			}
		}
	}
	if len(runs) == 0 {
		return nil
	}
	slices.SortStableFunc(runs, compareRuns)
	group := newGroup(*last.meta(), runs)
	g.group = &group
	if g.next {
		g.group.Next = []Next{}
	}
	err := g.group.compareDepths(g.members, g.note)
	if g.next && err == nil {
		g.group.leastNext()
	}
	for _, o := range g.members {
		o.layers = nil
	}
	return err
}

// order returns the place of every group in the study as it was last started; 0 for all where none was.
func (p *pass) order() map[string]int {
	order := map[string]int{}
	if p.listing == nil || p.listing.Manifest == nil {
		return order
	}
	for i, run := range p.listing.Manifest.Runs {
		if _, ok := order[run.Group]; !ok {
			order[run.Group] = i
		}
	}
	return order
}

// planned returns how many runs of each group the study has, as it was last started.
func (p *pass) planned() map[string]int {
	planned := map[string]int{}
	if p.listing != nil && p.listing.Manifest != nil {
		for _, run := range p.listing.Manifest.Runs {
			planned[run.Group]++
		}
	}
	return planned
}

// compareRuns is the order of the runs of a group, and of runs of no study.
func compareRuns(a, b Run) int {
	return cmp.Or(
		cmp.Compare(a.Data, b.Data), cmp.Compare(a.Alpha, b.Alpha), cmp.Compare(a.Group, b.Group),
		cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.ID, b.ID),
	)
}

// result puts the outcomes of all runs into one result. The error names every damaged file.
func (p *pass) result() (*Result, error) {
	result := &Result{Study: p.study, Notes: p.notes, Runs: []Run{}, Groups: []Group{}}
	p.addFamilies(result)
	var failures []error
	for _, o := range p.outcomes {
		switch {
		case o.err != nil:
			result.Damaged = append(result.Damaged, Damage{o.ID, o.err.Error()})
			failures = append(failures, o.err)
		case o.unfinished:
			result.Unfinished = append(result.Unfinished, o.ID)
		default:
			result.Runs = append(result.Runs, o.run)
		}
		if result.Study == "" && o.Run != nil {
			result.Study = o.meta().Study
		}
	}
	order := p.order()
	slices.SortStableFunc(result.Runs, func(a, b Run) int {
		return cmp.Or(cmp.Compare(order[a.Group], order[b.Group]), compareRuns(a, b))
	})
	for _, g := range p.groups {
		if g.group != nil {
			result.Groups = append(result.Groups, *g.group)
		}
	}
	slices.SortStableFunc(result.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(order[a.Group], order[b.Group]), cmp.Compare(a.Data, b.Data), cmp.Compare(a.Alpha, b.Alpha), cmp.Compare(a.Group, b.Group))
	})
	result.Overview = overview(result.Groups, result.Runs, p.planned())
	result.Moments = p.moments(result.Groups)
	result.Coordinates = coordinatesOf(p.study, result.Runs)
	if p.options.Next {
		failures = append(failures, p.setCommands(result.Groups))
	}
	if len(p.options.In) > 0 {
		if err := p.fitFields(result); err != nil {
			return nil, errors.Join(append(failures, err)...)
		}
	}
	if p.options.Best != "" && p.options.Contrast == "" && len(p.options.In) == 0 {
		if err := p.bestValues(result); err != nil {
			return nil, errors.Join(append(failures, err)...)
		}
	}
	if p.options.Contrast != "" {
		if err := p.contrast(result); err != nil {
			return nil, errors.Join(append(failures, err)...)
		}
	}
	return result, errors.Join(failures...)
}
