package study

import (
	"fmt"
	"strconv"
)

// zips reads the section zip: one group of paths that vary together, or a list of groups, over which the runs are a
// product. A group is a list of mappings path → value, in which a path that a mapping leaves out keeps the value of the
// rest of the file, {} all of them, or a mapping path → list with lists of one length.
func (d *decoder) zips(zip *node) []Axis {
	groups, paths := []*node{zip}, []string{"zip"}
	if severalZips(zip) {
		groups, paths = zip.items, nil
		for i := range groups {
			paths = append(paths, join("zip", strconv.Itoa(i)))
		}
	}
	var axes []Axis
	for i, group := range groups {
		axis := Axis{key: paths[i]}
		ok := false
		switch {
		case group.kind == sequence:
			ok = d.zipRows(group, &axis)
		case group.kind == mapping && len(group.entries) > 0:
			ok = d.zipColumns(group, &axis)
		default:
			d.add(group.wrong(paths[i], group.got(), "a list of mappings path: value, or a mapping path: list"))
		}
		if ok {
			axes = append(axes, axis)
		}
	}
	return axes
}

// severalZips reports whether a list is one of groups: of lists, or of mappings path → list without a path in common,
// as the mappings of one group have all paths in common, or leave some out of them.
func severalZips(zip *node) bool {
	if zip.kind != sequence || len(zip.items) == 0 {
		return false
	}
	seen := map[string]bool{}
	lists := 0
	for _, item := range zip.items {
		if item.kind == sequence {
			lists++
			continue
		}
		if item.kind != mapping || len(item.entries) == 0 {
			return lists > 0
		}
		for _, e := range item.entries {
			if e.value.kind != sequence || seen[e.key] {
				return lists > 0
			}
			seen[e.key] = true
		}
	}
	return lists > 0 || len(zip.items) > 1
}

// zipRows reads a list of mappings path → value.
func (d *decoder) zipRows(zip *node, axis *Axis) bool {
	rows := d.nonEmpty(axis.key, zip)
	index := map[string]int{}
	for i, row := range rows {
		if row.kind != mapping {
			d.add(row.wrong(join(axis.key, strconv.Itoa(i)), row.got(), "a mapping path: value"))
			return false
		}
		for _, e := range row.entries {
			if _, ok := index[e.key]; !ok {
				index[e.key] = len(axis.Paths)
				axis.Paths = append(axis.Paths, e.key)
				axis.places = append(axis.places, e.place)
			}
		}
	}
	if rows != nil && len(axis.Paths) == 0 {
		d.add(rows[0].wrong(join(axis.key, "0"), rows[0].got(), "a mapping path: value, here or in another row"))
		return false
	}
	for _, row := range rows {
		point := make([]*node, len(axis.Paths)) // nil for a path that is left out
		for _, e := range row.entries {
			point[index[e.key]] = e.value
		}
		axis.points = append(axis.points, point)
	}
	return rows != nil
}

// zipColumns reads a mapping path → list.
func (d *decoder) zipColumns(zip *node, axis *Axis) bool {
	for j, e := range zip.entries {
		path := axis.key + "." + e.key
		list := d.nonEmpty(path, e.value)
		if list == nil {
			return false
		}
		if j == 0 {
			axis.points = make([][]*node, len(list))
		}
		if len(list) != len(axis.points) {
			d.add(e.value.wrong(path, phrase(fmt.Sprintf("a list of %d", len(list))), fmt.Sprintf("a list of %d, as many as %s.%s has", len(axis.points), axis.key, axis.Paths[0])))
			return false
		}
		axis.Paths = append(axis.Paths, e.key)
		axis.places = append(axis.places, e.place)
		for i, v := range list {
			axis.points[i] = append(axis.points[i], v)
		}
	}
	return true
}

// variedKeys returns the paths below grid or zip, wherever they stand.
func variedKeys(n *node) (keys []string) {
	switch n.kind {
	case sequence:
		for _, item := range n.items {
			keys = append(keys, variedKeys(item)...)
		}
	case mapping:
		for _, e := range n.entries {
			keys = append(keys, e.key)
		}
	}
	return keys
}
