package compare

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/deeplimit/deeplimit/internal/filter"
	"github.com/deeplimit/deeplimit/internal/machine"
	"github.com/deeplimit/deeplimit/internal/npy"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/read/surface"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A member is a run that is compared, or a mean over seeds of several.
type member struct {
	id      string
	run     *runfolder.Run // nil of a mean
	group   string
	depth   int
	width   int
	seeds   []uint64
	fields  map[string]string
	profile *profile
	samples [sha256.Size]byte // checksum of the inputs
}

// A comparison is what Study works on.
type comparison struct {
	options   Options
	recorder  *plan.Recorder
	memory    int64     // of hidden states, a worker
	inputs    []float64 // given ones
	columns   int       // of them
	members   []*member // of the study, in its order
	reference []*member // of the folder To
	compared  []couple
	result    *Result
}

// open opens the runs of the study, and those of the reference.
func (c *comparison) open(dir string) (err error) {
	c.recorder = &plan.Recorder{Base: c.options.Base}
	memory, err := train.Spec{}.MemoryBytes()
	if err != nil {
		return err
	}
	c.memory = memory / int64(c.options.Workers)
	if name := c.options.Inputs; name != "train" && name != "test" {
		if err := c.readInputs(name); err != nil {
			return err
		}
	}
	if c.members, err = c.openRuns(dir, c.options.Only); err != nil {
		return err
	}
	switch c.options.To {
	case "", "deepest", "widest", "mean", "deepest-mean", "widest-mean":
		return nil
	}
	if c.reference, err = c.openRuns(c.options.To, nil); err != nil {
		return fmt.Errorf("--to %s: %w (want deepest, widest, mean, deepest-mean, widest-mean, or the folder of a study or a run)", c.options.To, err)
	}
	for _, m := range c.reference {
		c.result.Reference = append(c.result.Reference, m.id)
		if first := c.reference[0]; m.group != first.group || m.depth != first.depth {
			return fmt.Errorf("--to %s: got runs that differ in more than the seed, such as %s and %s, want one run, or runs of one group and depth for their mean", c.options.To, first.id, m.id)
		}
	}
	if len(c.reference) > 1 && c.options.Permute {
		return fmt.Errorf("--to %s: got %d runs, want one with --permute, as a mean over seeds whose units have orders of their own means nothing", c.options.To, len(c.reference))
	}
	return nil
}

// openRuns returns the finished runs of a folder for which the conditions hold, in the order of the study.
func (c *comparison) openRuns(dir string, only []string) ([]*member, error) {
	listing, err := runfolder.OpenStudy(dir, nil, nil)
	if err != nil {
		return nil, err
	}
	found := listing.Members
	if len(found) == 0 {
		m := runfolder.Member{ID: filepath.Base(filepath.Clean(dir)), Dir: dir}
		if m.Run, err = runfolder.Open(dir); err != nil {
			return nil, fmt.Errorf("%s: got a folder without runs, want that of a study or of a run: %w", dir, err)
		}
		found = append(found, m)
	}
	if listing.Manifest != nil {
		order := map[string]int{}
		for i, run := range listing.Manifest.Runs {
			order[run.ID] = i
		}
		slices.SortStableFunc(found, func(a, b runfolder.Member) int { return order[a.ID] - order[b.ID] })
	}
	var members []*member
	for _, m := range found {
		reason := ""
		_, damaged := errors.AsType[*runfolder.DamagedError](m.Err)
		switch {
		case errors.Is(m.Err, fs.ErrNotExist) && !damaged:
			reason = "not finished"
		case damaged:
			reason = "damaged: " + m.Err.Error()
		case m.Err != nil:
			return nil, m.Err
		case !m.Run.Done():
			reason = "not finished"
		case m.Run.Summary.Stop == runfolder.Diverged:
			reason = "diverged"
		}
		if reason != "" {
			c.result.Notes = append(c.result.Notes, fmt.Sprintf("left out %s: %s", m.ID, reason))
			continue
		}
		meta := &m.Run.Meta
		members = append(members, &member{
			id: m.ID, run: m.Run, group: meta.Group, depth: meta.Depth, width: max(meta.Width, meta.Hidden),
			seeds: []uint64{meta.Seed}, fields: surface.FieldsOf(meta),
		})
	}
	if members, err = matching(members, only); err != nil {
		return nil, err
	}
	if len(members) == 0 {
		return nil, fmt.Errorf("%s: got no finished run, want some", dir)
	}
	return members, nil
}

// matching returns the members for which all conditions hold.
func matching(members []*member, conditions []string) ([]*member, error) {
	if len(conditions) == 0 || len(members) == 0 {
		return members, nil
	}
	var left []*member
	var f *filter.Filter
	for _, m := range members {
		fields := filterFields(m)
		var err error
		if f == nil {
			if f, err = filter.New(conditions, fields); err != nil {
				return nil, fmt.Errorf("--only: %w", err)
			}
		}
		holds, err := f.Match(fields)
		if err != nil {
			return nil, fmt.Errorf("--only: %w", err)
		}
		if holds {
			left = append(left, m)
		}
	}
	if len(left) == 0 {
		return nil, fmt.Errorf("--only: got %q, which holds for none of %d finished runs, want one that holds for some", strings.Join(conditions, " and "), len(members))
	}
	return left, nil
}

// readInputs reads the inputs that all networks are evaluated on.
func (c *comparison) readInputs(path string) error {
	if !strings.HasSuffix(path, ".npy") {
		return fmt.Errorf("--inputs: got %q, want train, test or a .npy file of shape (N,inputs)", path)
	}
	shape, data, err := npy.Read(path)
	if err != nil {
		return fmt.Errorf("--inputs: %s: %w", path, err)
	}
	if len(shape) != 2 {
		return fmt.Errorf("--inputs: %s: got shape %v, want (N,inputs)", path, shape)
	}
	c.inputs, c.columns = data, shape[1]
	return nil
}

// read reads the weights of all members and evaluates their networks.
func (c *comparison) read(ctx context.Context) error {
	all := slices.Concat(c.members, c.reference)
	bytes := 0.0
	for _, m := range all {
		bytes += c.bytesOf(m)
	}
	if err := machine.Fits(bytes); err != nil {
		return fmt.Errorf("%d runs at a time: %w; choose fewer with --only", len(all), err)
	}
	if c.options.Observe != nil {
		c.options.Observe(0, len(all))
	}
	var done atomic.Int64
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(c.options.Workers)
	for _, m := range all {
		workers.Go(func() (err error) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if m.profile, err = c.profileOf(m); err != nil {
				return fmt.Errorf("run %s: %w", m.id, err)
			}
			if c.options.Observe != nil {
				c.options.Observe(int(done.Add(1)), len(all))
			}
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		return err
	}
	first := all[0]
	c.result.Parts = first.profile.parts
	if c.network() {
		c.result.Inputs, c.result.Samples = c.options.Inputs, first.profile.samples
	}
	return nil
}

// bytesOf returns about what the profile of a member takes.
func (c *comparison) bytesOf(m *member) float64 {
	meta := &m.run.Meta
	switch c.options.Of {
	case "outputs":
		return 8 * float64(meta.Samples) * float64(meta.Outputs)
	case "states":
		return 16 * float64(meta.Samples) * float64(meta.Depth+1) * float64(meta.Width)
	}
	return 8 * 2 * float64(meta.Depth) * float64(meta.Width) * float64(max(meta.Width, meta.Hidden))
}

// network reports whether what is compared needs the network.
func (c *comparison) network() bool { return c.options.Of == "outputs" || c.options.Of == "states" }

// checksum returns that of numbers.
func checksum(data []float64) (sum [sha256.Size]byte) {
	h := sha256.New()
	var text [8]byte
	for _, v := range data {
		binary.LittleEndian.PutUint64(text[:], math.Float64bits(v))
		h.Write(text[:])
	}
	h.Sum(sum[:0])
	return sum
}
