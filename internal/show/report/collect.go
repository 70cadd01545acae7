package report

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

// overlaid is how many depths the figure of weights shows.
const overlaid = 5

// collect reads from the run folders of dir what result does not hold: traces,
// configurations, and the weight paths of one seed at a few depths of each group. A
// folder that cannot be read becomes a note of its group, as a report on what is left is
// worth more than none. Runs that result does not list are added; folders that do not tell
// which run they hold are returned as notes of the study, with the number of runs that
// nobody has begun. The error names every file that could not be read or is damaged; the
// groups hold the rest then, unless they are nil.
func collect(ctx context.Context, dir string, result *analyze.Result) (groups []group, notes []string, pending int, err error) {
	unlisted, notes, unread := unlistedRuns(dir, result)
	standing, err := standings(dir)
	if err != nil {
		return nil, nil, 0, errors.Join(unread, err)
	}
	failures := []error{unread}
	unreadable := func(err error) {
		if runfolder.Unreadable(err) {
			failures = append(failures, err)
		}
	}
	for _, r := range standing {
		if r.State == survey.Pending {
			pending++
		}
		unreadable(r.Err)
	}
	all := *result
	all.Runs = slices.Concat(result.Runs, unlisted)
	groups = newGroups(&all)
	for i := range groups {
		g := &groups[i]
		for j := range g.runs {
			if err := ctx.Err(); err != nil {
				return nil, nil, 0, fmt.Errorf("report: reading %s: %w", dir, err)
			}
			if s, ok := standing[g.runs[j].ID]; ok {
				g.runs[j].state, g.runs[j].reason = s.State, s.Reason
			}
			if err := g.runs[j].read(dir); err != nil {
				unreadable(err)
				g.unread(fmt.Sprintf("Run %s: %v", g.runs[j].ID, err))
			}
			if err := g.runs[j].readProof(dir); err != nil {
				unreadable(err)
				g.unread(fmt.Sprintf("Run %s: no certificates: %v", g.runs[j].ID, err))
			}
		}
		if err := g.readPaths(ctx, dir, unreadable); err != nil {
			return nil, nil, 0, err
		}
	}
	return groups, notes, pending, named(failures)
}

// named joins errors, of which several may say the same of one file.
func named(failures []error) error {
	seen := map[string]bool{}
	return errors.Join(slices.DeleteFunc(failures, func(err error) bool {
		if err == nil || seen[err.Error()] {
			return true
		}
		seen[err.Error()] = true
		return false
	})...)
}

// standings returns how the runs of a study folder stand, by ID; nil for the folder of a run.
func standings(dir string) (map[string]survey.Run, error) {
	if _, err := runfolder.StudyName(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	runs, err := survey.Read(dir)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	out := make(map[string]survey.Run, len(runs))
	for _, r := range runs {
		out[r.ID] = r
	}
	return out, nil
}

// unlistedRuns returns the runs in dir that result does not hold, with what their
// run.json says, and a note for each folder that is damaged or has no readable one. The
// error names those folders too, but not one that a run has just begun.
func unlistedRuns(dir string, result *analyze.Result) (runs []analyze.Run, notes []string, err error) {
	folders, err := runfolder.List(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("report: %w", err)
	}
	listed, noted := map[string]bool{}, map[string]bool{}
	for _, d := range result.Damaged {
		noted[d.ID] = true
		notes = append(notes, fmt.Sprintf("Folder %s: %s", d.ID, d.Error))
	}
	var failures []error
	for _, r := range result.Runs {
		listed[r.ID] = true
	}
	for _, folder := range folders {
		if listed[filepath.Base(folder)] {
			continue
		}
		opened, err := runfolder.Open(folder)
		if err != nil {
			if id := filepath.Base(folder); !noted[id] {
				notes = append(notes, fmt.Sprintf("Folder %s: %v", id, err))
			}
			if runfolder.Unreadable(err) {
				failures = append(failures, err)
			}
			continue
		}
		m := opened.Meta
		r := analyze.Run{
			ID: filepath.Base(folder), Group: m.Group, Settings: m.Settings, Data: m.Data, Alpha: m.Alpha,
			Depth: m.Depth, Seed: m.Seed, Loss: math.NaN(),
		}
		if s := opened.Summary; s != nil {
			r.Stop, r.Iterations, r.Loss = s.Stop, s.Iterations, s.Loss
		}
		runs = append(runs, r)
	}
	return runs, notes, errors.Join(failures...)
}

// open opens the run's folder: dir itself, when that is the folder of one run, or
// one below. An ID comes from a file and may be anything.
func (r *run) open(dir string) (*runfolder.Run, error) {
	if r.ID == "" || r.ID != filepath.Base(r.ID) || !filepath.IsLocal(r.ID) {
		return nil, fmt.Errorf("id: got %q, want the name of a run folder", r.ID)
	}
	alone, err := runfolder.Open(dir)
	if err == nil && alone.Meta.ID == r.ID {
		return alone, nil
	}
	if runfolder.Unreadable(err) {
		return nil, err
	}
	return runfolder.Open(runfolder.RunDir(dir, r.ID))
}

// read fills in configuration and losses; of an unfinished run, those that its
// last checkpoint holds.
func (r *run) read(dir string) error {
	opened, err := r.open(dir)
	if err != nil {
		return err
	}
	r.meta = &opened.Meta
	rows, err := recorded(opened)
	if err != nil {
		return err
	}
	iterations, losses := runfolder.Losses(rows)
	r.loss, r.variation = losses, variationSeries(rows)
	for _, t := range iterations {
		r.iteration = append(r.iteration, float64(t))
	}
	if !opened.Done() && len(losses) > 0 {
		r.Iterations, r.Loss = iterations[len(iterations)-1], losses[len(losses)-1]
	}
	return nil
}

func recorded(opened *runfolder.Run) ([]runfolder.Row, error) {
	if opened.Done() {
		return opened.Trace()
	}
	checkpoint, err := runfolder.ReadCheckpoint(opened.Dir)
	if errors.Is(err, runfolder.ErrNoCheckpoint) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return checkpoint.Rows, nil
}

// readPaths samples the weight paths of the seed that finished at most depths, at
// some of them spread from the smallest to the largest, and tells unread of those that
// it cannot read.
func (g *group) readPaths(ctx context.Context, dir string, unread func(error)) error {
	depths := map[uint64][]int{}
	index := map[[2]uint64]*run{}
	var best uint64
	for i := range g.runs {
		r := &g.runs[i]
		key := [2]uint64{r.Seed, uint64(r.Depth)}
		if r.trouble() != "" || r.meta == nil || index[key] != nil {
			continue
		}
		index[key] = r
		depths[r.Seed] = append(depths[r.Seed], r.Depth)
		if n, most := len(depths[r.Seed]), len(depths[best]); n > most || n == most && r.Seed < best {
			best = r.Seed
		}
	}
	shown := spread(depths[best], overlaid)
	for i, depth := range shown {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("report: reading %s: %w", dir, err)
		}
		r := index[[2]uint64{best, uint64(depth)}]
		// The deepest that is not too deep, else the shallowest.
		divided := depth <= partitionDepth && (i+1 == len(shown) || shown[i+1] > partitionDepth) || i == 0 && depth > partitionDepth
		curve, err := r.readPath(dir, divided)
		if err != nil {
			unread(err)
			g.unread(fmt.Sprintf("Run %s: weights left out of the figure: %v", r.ID, err))
			continue
		}
		if len(g.paths) > 0 && !curve.comparable(g.paths[0]) {
			g.unread(fmt.Sprintf("Run %s: weights left out of the figure: their shape is not that of depth %d", r.ID, g.paths[0].depth))
			continue
		}
		g.paths = append(g.paths, curve)
	}
	return nil
}

// readPath samples the run's rescaled weights, with the displacement when the file
// holds the initial ones, the norms and hidden states that it kept, and, if divided, the
// partitions of its p-variations.
func (r *run) readPath(dir string, divided bool) (pathCurve, error) {
	opened, err := r.open(dir)
	if err != nil {
		return pathCurve{}, err
	}
	weights, err := opened.Weights()
	if err != nil {
		return pathCurve{}, err
	}
	part := r.meta.Part()
	trained, err := weights.Path(part)
	if err != nil {
		return pathCurve{}, err
	}
	var initial *runfolder.Path
	if _, ok := weights.Tensors[part+"_initial"]; ok {
		p, err := weights.Path(part + "_initial")
		if err != nil {
			return pathCurve{}, err
		}
		initial = &p
	}
	curve, err := newPathCurve(trained, initial, part, r.Seed, math.Pow(float64(r.Depth), r.meta.Beta()))
	if err != nil {
		return pathCurve{}, err
	}
	if curve.norms, err = opened.Norms(); err != nil {
		return pathCurve{}, err
	}
	states, err := opened.States()
	if err != nil {
		return pathCurve{}, err
	}
	curve.states = sampleStates(states)
	if divided {
		if curve.partition, err = newPartition(trained, curve.factor); err != nil {
			return pathCurve{}, err
		}
	}
	return curve, nil
}

// comparable reports whether c has the panels of d.
func (c pathCurve) comparable(d pathCurve) bool {
	return c.part == d.part && len(c.entries) == len(d.entries) && (c.displacement == nil) == (d.displacement == nil)
}
