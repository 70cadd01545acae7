package compare

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/filter"
	"github.com/deeplimit/deeplimit/internal/grouped"
)

// A couple is two members to compare.
type couple struct{ a, b *member }

// pairs returns the members to compare: all pairs that differ in Between alone, or each member and its reference.
func (c *comparison) pairs() ([]couple, error) {
	if c.network() {
		if err := c.sameInputs(); err != nil {
			return nil, err
		}
	}
	if c.reference != nil {
		return c.toElsewhere()
	}
	mean := strings.HasSuffix(c.options.To, "mean")
	var pairs []couple
	for _, cell := range c.cells() {
		if c.options.To == "" {
			for i, a := range cell {
				for _, b := range cell[i+1:] {
					pairs = append(pairs, couple{a, b})
				}
			}
			continue
		}
		chosen, err := c.chosen(cell)
		if err != nil {
			return nil, err
		}
		reference := chosen[0]
		if mean {
			if reference, err = meanMember(chosen); err != nil {
				return nil, err
			}
		}
		for _, m := range cell {
			if c.options.To == "mean" && len(chosen) > 1 || !slices.Contains(chosen, m) {
				pairs = append(pairs, couple{m, reference})
			}
		}
	}
	return pairs, nil
}

// cellOf names what members must have in common to be compared.
func (c *comparison) cellOf(m *member) string {
	seed := strconv.FormatUint(m.seeds[0], 10)
	if c.options.To == "deepest-mean" || c.options.To == "widest-mean" {
		seed = "" // the reference is of all seeds
	}
	switch c.options.Between {
	case "all":
		return ""
	case "depths":
		return m.group + " " + seed
	case "seeds":
		return m.group + " " + strconv.Itoa(m.depth)
	}
	return m.fields["data"] + " " + strconv.Itoa(m.depth) + " " + seed
}

// cells returns the members that are compared with each other.
func (c *comparison) cells() [][]*member { return grouped.By(c.members, c.cellOf) }

// chosen returns the reference of a cell: one member, or those whose mean it is.
func (c *comparison) chosen(cell []*member) ([]*member, error) {
	size := func(*member) int { return 0 }
	switch strings.TrimSuffix(c.options.To, "-mean") {
	case "deepest":
		size = func(m *member) int { return m.depth }
	case "widest":
		size = func(m *member) int { return m.width }
	}
	var best []*member
	for _, m := range cell {
		if len(best) > 0 && size(m) > size(best[0]) {
			best = nil
		}
		if len(best) == 0 || size(m) == size(best[0]) {
			best = append(best, m)
		}
	}
	first := best[0]
	for _, m := range best[1:] {
		if m.group != first.group || m.depth != first.depth || !strings.HasSuffix(c.options.To, "mean") {
			return nil, fmt.Errorf("--to %s: got %s and %s, which are alike in that, want one of them: choose runs with --only, or compare --between others", c.options.To, first.id, m.id)
		}
	}
	return best, nil
}

// toElsewhere pairs every member with the reference of the folder To; with Between it would not mean more.
func (c *comparison) toElsewhere() ([]couple, error) {
	reference := c.reference[0]
	if len(c.reference) > 1 {
		var err error
		if reference, err = meanMember(c.reference); err != nil {
			return nil, fmt.Errorf("--to %s: %w", c.options.To, err)
		}
	}
	var pairs []couple
	for _, m := range c.members {
		if m.run.Meta.Hash == c.reference[0].run.Meta.Hash && len(c.reference) == 1 {
			continue // itself
		}
		pairs = append(pairs, couple{m, reference})
	}
	return pairs, nil
}

// meanMember returns the mean of members that differ in seed alone.
func meanMember(members []*member) (*member, error) {
	first := members[0]
	if len(members) == 1 {
		return first, nil
	}
	mean := *first
	mean.run, mean.seeds = nil, nil
	var profiles []*profile
	var names []string
	for _, m := range members {
		mean.seeds = append(mean.seeds, m.seeds...)
		profiles = append(profiles, m.profile)
		names = append(names, m.id)
	}
	var err error
	if mean.profile, err = meanOf(profiles); err != nil {
		return nil, err
	}
	mean.id = "mean of " + strings.Join(names, ", ")
	return &mean, nil
}

// sameInputs returns an error where networks to be compared were evaluated on samples of their own.
func (c *comparison) sameInputs() error {
	if c.options.Inputs != "train" && c.options.Inputs != "test" {
		return nil
	}
	check := func(cell []*member) error {
		for _, m := range cell[1:] {
			if m.samples != cell[0].samples {
				return fmt.Errorf("got runs with inputs of their own, such as %s and %s, want the same for both: --inputs X.npy evaluates all on given ones (data.seed in a study gives all seeds one data set)", cell[0].id, m.id)
			}
		}
		return nil
	}
	if c.reference != nil {
		return check(slices.Concat(c.members, c.reference))
	}
	for _, cell := range c.cells() {
		if err := check(cell); err != nil {
			return err
		}
	}
	return nil
}

// filterFields returns what --only can be about, sections as maps of their own.
func filterFields(m *member) filter.Fields {
	meta := &m.run.Meta
	fields := filter.Fields{"id": m.id, "depth": m.depth, "seed": meta.Seed, "data": filter.Fields{"name": meta.Data}}
	for path, text := range m.fields {
		section, name, ok := strings.Cut(path, ".")
		if !ok {
			continue
		}
		inner, ok := fields[section].(filter.Fields)
		if !ok {
			inner = filter.Fields{}
			fields[section] = inner
		}
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			inner[name] = v
		} else {
			inner[name] = text
		}
	}
	return fields
}

var errNoField = errors.New("the runs compared differ in no numeric field, so that there is no exponent")
