package study

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/dataset"
)

// An Axis is one direction in which a study varies: a key of its grid, with one path,
// or a group of its zip, whose paths vary together. The runs are the product over all axes.
type Axis struct {
	Paths  []string   // dotted, such as "network.alpha"
	Values [][]string // for each point the value at each path, as text; "" where it is left out

	key    string    // of the study file: "grid", "zip", or "zip.1" of several
	points [][]*node // nil where a path is left out
	places []place   // of the paths
}

// axes reads the sections grid (path → list of values) and zip.
func (d *decoder) axes(grid, zip *node) []Axis {
	var axes []Axis
	if grid != nil && !grid.isNull() {
		if grid.kind != mapping {
			d.add(grid.wrong("grid", grid.got(), "a mapping path: list, such as {network.alpha: [0.5, 1]}"))
			return nil
		}
		for _, e := range grid.entries {
			if list := d.nonEmpty("grid."+e.key, e.value); list != nil {
				axis := Axis{key: "grid", Paths: []string{e.key}, places: []place{e.place}}
				for _, v := range list {
					axis.points = append(axis.points, []*node{v})
				}
				axes = append(axes, axis)
			}
		}
	}
	if zip != nil && !zip.isNull() {
		axes = append(axes, d.zips(zip)...)
	}
	for i := range axes {
		for _, point := range axes[i].points {
			labels := make([]string, len(point))
			for j, n := range point {
				if n != nil {
					labels[j] = n.label()
				}
			}
			axes[i].Values = append(axes[i].Values, labels)
		}
	}
	return axes
}

// nonEmpty returns the items of n, which must be a list of at least one value.
func (d *decoder) nonEmpty(path string, n *node) []*node {
	switch {
	case n.kind != sequence:
		d.add(n.wrong(path, n.got(), "a list of values"))
	case len(n.items) == 0:
		d.add(n.wrong(path, phrase("an empty list"), "at least one value"))
	default:
		return n.items
	}
	return nil
}

// checkAxes refuses paths that do not exist or overlap, values of the wrong type, and
// values that stand twice on one axis.
func (d *decoder) checkAxes(s *Study) {
	var all []string
	for _, axis := range s.Axes {
		for j, path := range axis.Paths {
			at := axis.places[j]
			name := join(axis.key, path)
			if err := at.checkPath(axis.key, path, dataCount(s.tree)); err != nil {
				d.add(err)
				return
			}
			for _, other := range all {
				if overlap(path, other) {
					d.add(at.wrong(name, phrase("a field that is varied already"), "it varied once (by "+other+" alone)"))
					return
				}
			}
			all = append(all, path)
		}
		first := make(map[string]int, len(axis.Values))
		for i, labels := range axis.Values {
			value := strings.Join(labels, "\x00")
			if k, ok := first[value]; ok {
				j := slices.IndexFunc(axis.points[i], func(n *node) bool { return n != nil })
				n := axis.points[i][j]
				d.add(n.wrong(join(axis.key, axis.Paths[j]), n.got(), fmt.Sprintf("each value once (value %d of the list has it already)", k+1)))
				return
			}
			first[value] = i
		}
	}
	for _, axis := range s.Axes {
		for i := range axis.points {
			for set := range dataCount(s.tree) {
				if !axis.varies(set) {
					continue
				}
				d.decode("", axis.apply(s.tree, i, set), reflect.ValueOf(new(document)).Elem())
			}
		}
	}
}

// overlap says whether one path is the other or stands above it. data.samples stands
// for data.0.samples, data.1.samples and so on.
func overlap(a, b string) bool {
	if indexed(a) != indexed(b) {
		a, b = withoutIndex(a), withoutIndex(b)
	}
	return a == b || strings.HasPrefix(a, b+".") || strings.HasPrefix(b, a+".")
}

// indexed says whether path is about one data set, as data.1.samples is.
func indexed(path string) bool { return withoutIndex(path) != path }

// withoutIndex returns data.samples for data.1.samples, and any other path itself.
func withoutIndex(path string) string {
	segments := strings.Split(path, ".")
	if segments[0] != "data" || len(segments) < 2 {
		return path
	}
	if _, err := strconv.Atoi(segments[1]); err != nil {
		return path
	}
	return strings.Join(slices.Delete(segments, 1, 2), ".")
}

// checkPath refuses a path below key, grid or zip, that names no field, or one that
// has a list of its own in the study file.
func (p place) checkPath(key, path string, sets int) *Error {
	segments := strings.Split(path, ".")
	path = join(key, path)
	switch segments[0] {
	case "name", "depths", "seeds", "grid", "zip", "engine":
		return p.wrong(path, phrase("a field that cannot be varied"), "a path inside data, network, initial or train, or dtype (depths and seeds are lists already)")
	case "data":
		if len(segments) == 1 {
			return p.wrong(path, phrase("all data sets"), "a field of them, such as data.samples (data is a list already)")
		}
		if i, err := strconv.Atoi(segments[1]); err == nil {
			if i < 0 || i >= sets || len(segments) == 2 {
				return p.wrong(path, phrase("data set "+segments[1]), fmt.Sprintf("a field of one of data.0 … data.%d", sets-1))
			}
			segments = slices.Delete(segments, 1, 2)
		}
	}
	return p.checkField(path, segments)
}

// checkField refuses segments that name no field of the study file; path is what
// errors call them.
func (p place) checkField(path string, segments []string) *Error {
	t := reflect.TypeFor[document]()
	at := ""
	for i, segment := range segments {
		at = join(at, segment)
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		switch t.Kind() {
		case reflect.Struct:
			f := fieldIndex(t, segment)
			if f < 0 {
				return p.unknownKey(path, segment, keys(t))
			}
			t = t.Field(f).Type
			if t == reflect.TypeFor[*node]() {
				if segment != "data" {
					return nil
				}
				t = reflect.TypeFor[dataset.Spec]()
			}
		case reflect.Map:
			t = t.Elem()
		default:
			return p.wrong(path, phrase("a path that goes on"), strings.Join(segments[:i], ".")+", which has no fields")
		}
	}
	return nil
}

// applies says whether the axis's path j is about data set i.
func (a *Axis) applies(j, set int) bool {
	segments := strings.Split(a.Paths[j], ".")
	if segments[0] != "data" {
		return true
	}
	i, err := strconv.Atoi(segments[1])
	return err != nil || i == set
}

// varies says whether any of the axis's paths is about data set i: otherwise the set
// has one point there and not the whole axis.
func (a *Axis) varies(set int) bool {
	for j := range a.Paths {
		if a.applies(j, set) {
			return true
		}
	}
	return false
}

// apply returns the tree with the axis's point i put in for the given data set.
func (a *Axis) apply(tree *node, i, set int) *node {
	for j, path := range a.Paths {
		if a.applies(j, set) && a.points[i][j] != nil {
			tree = tree.with(treePath(tree, path, set), a.points[i][j])
		}
	}
	return tree
}

// treePath returns the segments of a path in a tree, where data may be a mapping or a
// list: data.samples and data.1.samples both become the path of the given set's.
func treePath(tree *node, path string, set int) []string {
	if !strings.HasPrefix(path, "data.") {
		return strings.Split(path, ".")
	}
	rest := strings.TrimPrefix(withoutIndex(path), "data.")
	return strings.Split(dataPath(tree, set)+"."+rest, ".")
}
