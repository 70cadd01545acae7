package compare

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/read/surface"
)

// reach is how many times as deep, or wide, a reference among the runs is at least as the runs whose distances to it
// enter an exponent: nearer ones hold the reference's own error.
const reach = 8

// fit fills in the exponents of the distances and the fits of the model.
func (c *comparison) fit() error {
	if c.options.Between == "all" {
		return nil // no field is all that varies
	}
	observations := c.observations()
	in := c.options.In
	if len(in) == 0 {
		in = surface.Varied(observations)
		if c.options.Between == "depths" || c.options.Between == "seeds" {
			in = slices.DeleteFunc(in, func(name string) bool { return name != "depth" })
		}
		in = free(observations, in)
	} else if err := surface.Check(observations, in); err != nil {
		return err
	}
	if len(in) == 0 {
		if c.options.Model != nil {
			return errNoField
		}
		c.result.Notes = append(c.result.Notes, errNoField.Error())
		return nil
	}
	fits, skipped := surface.Fits("distance", observations, in, nil)
	c.result.Powers = fits
	for _, f := range fits {
		c.result.Exponents = append(c.result.Exponents, Exponent{
			In: f.In, Exponent: *f.Exponent, Low: f.Low, High: f.High, At: f.At, Along: f.Along, R2: f.R2, Method: f.Method,
			Points: f.Points, Seeds: f.Seeds, Warning: f.Warning,
		})
	}
	c.result.Notes = append(c.result.Notes, skipped...)
	if c.options.Model != nil {
		if c.result.Fits, skipped = surface.Fits("distance", observations, in, c.options.Model); len(c.result.Fits) == 0 {
			return fmt.Errorf("--model: %s", strings.Join(skipped, "; "))
		}
		c.result.Notes = append(c.result.Notes, skipped...)
	}
	return nil
}

// free leaves out fields that follow from those before them, which have no exponents of their own.
func free(observations []surface.Observation, in []string) []string {
	var left []string
	for _, name := range in {
		if len(left) == 0 || !surface.Follows(observations, left, name) {
			left = append(left, name)
		}
	}
	return left
}

// observations returns the distances that enter exponents, each with the fields of the run that varies: of all pairs
// between depths or groups those of neighbours, with the smaller's.
func (c *comparison) observations() []surface.Observation {
	var all []surface.Observation
	near, far := c.neighbours(), c.farEnough()
	left := 0
	for i, p := range c.compared {
		a := p.a
		if c.options.To == "" && c.options.Between != "seeds" {
			if !near[i] {
				continue
			}
			if c.smaller(p.b, p.a) {
				a = p.b
			}
		}
		if !far(p) {
			left++
			continue
		}
		seeds := a.seeds
		if c.options.Between == "seeds" && c.options.To == "" {
			seeds = []uint64{p.a.seeds[0], p.b.seeds[0]}
		}
		all = append(all, surface.Observation{Run: a.id, Fields: a.fields, Seeds: seeds, Value: c.result.Pairs[i].Distance})
	}
	if left > 0 {
		c.result.Notes = append(c.result.Notes, fmt.Sprintf("exponents: left out %d of %d distances, of runs more than an eighth as deep or wide as the reference, whose own error they hold", left, len(c.compared)))
	}
	return all
}

// smaller compares in what varies: depth, or the first numeric field of the groups.
func (c *comparison) smaller(a, b *member) bool {
	if c.options.Between == "depths" {
		return a.depth < b.depth
	}
	name := c.groupField()
	x, _ := strconv.ParseFloat(a.fields[name], 64)
	y, _ := strconv.ParseFloat(b.fields[name], 64)
	return x < y
}

// groupField returns the one numeric field that tells groups apart, "" where there are several or none.
func (c *comparison) groupField() string {
	var observations []surface.Observation
	for _, m := range c.members {
		observations = append(observations, surface.Observation{Fields: m.fields})
	}
	varied := slices.DeleteFunc(surface.Varied(observations), func(name string) bool { return name == "depth" })
	varied = free(observations, varied)
	if len(varied) != 1 {
		return ""
	}
	return varied[0]
}

// neighbours marks the pairs that no other member of their cell stands between.
func (c *comparison) neighbours() []bool {
	near := make([]bool, len(c.compared))
	if c.options.Between == "groups" && c.groupField() == "" {
		return near
	}
	next := map[*member]*member{}
	for _, cell := range c.cells() {
		sorted := slices.Clone(cell)
		sort.SliceStable(sorted, func(i, j int) bool { return c.smaller(sorted[i], sorted[j]) })
		for i := range sorted[:len(sorted)-1] {
			next[sorted[i]] = sorted[i+1]
		}
	}
	for i, p := range c.compared {
		near[i] = next[p.a] == p.b || next[p.b] == p.a
	}
	return near
}

// farEnough returns which distances to a deepest or widest reference enter exponents: those of runs an eighth as deep
// or wide at most, if two sizes are left, else all.
func (c *comparison) farEnough() func(couple) bool {
	size := func(m *member) int { return m.depth }
	switch strings.TrimSuffix(c.options.To, "-mean") {
	case "widest":
		size = func(m *member) int { return m.width }
	case "deepest":
	default:
		return func(couple) bool { return true }
	}
	sizes := map[int]bool{}
	for _, p := range c.compared {
		if reach*size(p.a) <= size(p.b) {
			sizes[size(p.a)] = true
		}
	}
	if len(sizes) < 2 {
		c.result.Notes = append(c.result.Notes, "exponents: the reference is less than eight times as large as the second smallest runs, so that distances hold its own error")
		return func(couple) bool { return true }
	}
	return func(p couple) bool { return reach*size(p.a) <= size(p.b) }
}

// label fills in what tells the runs apart.
func (c *comparison) label() {
	values := map[string]map[string]bool{}
	seeds := map[uint64]bool{}
	for _, m := range c.members {
		seeds[m.seeds[0]] = true
		for name, value := range m.fields {
			if values[name] == nil {
				values[name] = map[string]bool{}
			}
			values[name][value] = true
		}
	}
	for _, m := range c.members {
		var words []string
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if len(values[name]) > 1 && (name == "depth" || name == "data" || m.run.Meta.Settings[name] != "") {
				words = append(words, name[strings.LastIndexByte(name, '.')+1:]+" "+m.fields[name])
			}
		}
		if len(seeds) > 1 || len(words) == 0 {
			words = append(words, "seed "+strconv.FormatUint(m.seeds[0], 10))
		}
		c.result.Runs = append(c.result.Runs, Labelled{m.id, strings.Join(words, ", ")})
	}
}
