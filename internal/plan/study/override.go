package study

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// override returns the tree with the overrides path=value put in, in order.
func override(tree *node, file string, set []string) (*node, error) {
	for _, s := range set {
		at := place{file: file, set: s}
		path, text, ok := strings.Cut(s, "=")
		if !ok || path == "" {
			return nil, at.fault("", errors.New("got no path=value, want one such as network.alpha=0.75"))
		}
		value, err := parse([]byte(text), at)
		if err != nil {
			return nil, err
		}
		segments, fault := at.overridePath(tree, path)
		if fault != nil {
			return nil, fault
		}
		tree = tree.with(segments, value)
	}
	return tree, nil
}

// overridePath returns the segments of an override's path in the tree. Unlike a grid's
// it may name anything in the file; below grid and zip the rest is one key.
func (p place) overridePath(tree *node, path string) ([]string, *Error) {
	first, rest, below := strings.Cut(path, ".")
	if below && (first == "grid" || first == "zip") {
		if n := tree.child(first); n != nil && n.kind == sequence {
			return nil, p.wrong(path, phrase("a key of a list"), first+" as a whole: the file has a list there")
		}
		return []string{first, rest}, nil
	}
	if below && (first == "depths" || first == "seeds") {
		return nil, p.wrong(path, phrase("one value of a list"), first+" as a whole, such as "+first+"=[1, 2]")
	}
	if key := varied(tree, path); key != "" {
		return nil, p.wrong(path, phrase("a field that "+key+" varies"), key+" to be set instead")
	}
	if first != "data" || !below {
		return strings.Split(path, "."), p.checkField(path, strings.Split(path, "."))
	}
	sets, set := dataCount(tree), 0
	index, _, _ := strings.Cut(rest, ".")
	i, err := strconv.Atoi(index)
	switch {
	case err == nil:
		set = i
		if i < 0 || i >= sets || rest == index {
			return nil, p.wrong(path, phrase("data set "+index), fmt.Sprintf("a field of one of data.0 … data.%d", sets-1))
		}
		path = "data." + strings.TrimPrefix(rest, index+".")
	case sets != 1:
		return nil, p.wrong(path, phrase(fmt.Sprintf("a field of %d data sets", sets)), fmt.Sprintf("one of them named: data.0.%s … data.%d.%s", rest, sets-1, rest))
	}
	return treePath(tree, path, set), p.checkField(path, strings.Split(path, "."))
}

// varied returns the key of the grid or zip that varies the field at path, or "".
func varied(tree *node, path string) string {
	for _, section := range []string{"grid", "zip"} {
		n := tree.child(section)
		if n == nil {
			continue
		}
		for _, key := range variedKeys(n) {
			if overlap(key, path) {
				return section + "." + key
			}
		}
	}
	return ""
}
