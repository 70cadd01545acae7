package study

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/deeplimit/deeplimit/internal/yamltext"
)

// A node is a value of the study file with the place it stands at, aliases and merge keys
// written out. Trees are not changed once built: with makes another that shares the rest,
// so a grid costs one path of nodes for each of its points.
type node struct {
	place
	kind    kind
	text    string  // of a scalar
	quoted  bool    // a scalar that is text whatever it looks like
	formula string  // of a number that was computed: how
	entries []entry // of a mapping, in file order
	items   []*node // of a sequence
	size    int     // nodes below it and itself, an alias counted as what it names
}

type kind int

const (
	scalar kind = iota
	mapping
	sequence
)

// entry is one key of a mapping.
type entry struct {
	place
	key   string
	value *node
}

// largest is how many values there may be with aliases written out, and mostKeys how many
// keys in one mapping: a study file needs a few hundred values. Keys are looked up one
// after the other.
const (
	largest  = 1 << 20
	mostKeys = 500
)

// parse returns the tree of the one YAML document in text, whose nodes say that they
// stand at from (a file, or an override).
func parse(text []byte, from place) (*node, error) {
	root, err := yamltext.Parse(text)
	if e, ok := errors.AsType[*yamltext.Error](err); ok {
		return nil, from.at(e.Line, e.Column).fault("", errors.New(e.Message))
	} else if err != nil {
		return nil, err
	}
	if root == nil {
		return &node{place: from}, nil
	}
	b := builder{from: from, built: map[*yaml.Node]*node{}}
	return b.build("", root)
}

// at returns p with a line and column; an override keeps none.
func (p place) at(line, column int) place {
	if line > 0 && p.set == "" {
		p.line, p.column = line, column
	}
	return p
}

// builder turns the parser's nodes into ours.
type builder struct {
	from  place
	built map[*yaml.Node]*node // those with an anchor
}

// build returns the node of n, which has the dotted path. Aliases share the node they
// name; a merge key gives the keys that the mapping does not have itself.
func (b *builder) build(path string, n *yaml.Node) (out *node, err error) {
	at := b.from.at(n.Line, n.Column)
	out = &node{place: at, size: 1}
	switch {
	case n.Kind == yaml.AliasNode:
		if target, ok := b.built[n.Alias]; ok {
			return target, nil
		}
		return nil, at.wrong(path, phrase("*"+n.Value+" inside what it names"), "an alias of an anchor (&"+n.Value+") that stands before it")
	case n.Style&yaml.TaggedStyle != 0 || n.Tag == "!":
		return nil, at.wrong(path, phrase("the YAML tag "+n.Tag), "a plain value, a list or a mapping")
	case n.Kind == yaml.MappingNode:
		out.kind = mapping
		err = b.fill(out, path, n.Content)
	case n.Kind == yaml.SequenceNode:
		out.kind = sequence
		for i, v := range n.Content {
			item, err := b.build(join(path, strconv.Itoa(i)), v)
			if err != nil {
				return nil, err
			}
			out.items = append(out.items, item)
			out.size += item.size
		}
	default:
		out.text, out.quoted = n.Value, n.Style != 0
	}
	if err == nil && out.size > largest {
		err = at.wrong(path, phrase("more than a million values"), "fewer (aliases count as what they name)")
	}
	if n.Anchor != "" {
		b.built[n] = out
	}
	return out, err
}

// fill adds the keys of a mapping, which stand in content each before its value, to out.
func (b *builder) fill(out *node, path string, content []*yaml.Node) error {
	var merged []entry
	var merge *yaml.Node // the key of merged
	for i := 0; i < len(content); i += 2 {
		k := content[i]
		at := b.from.at(k.Line, k.Column)
		if i == 0 {
			out.place = at // behind a bracket
		}
		if k.Kind != yaml.ScalarNode {
			return at.wrong(path, phrase("a key that is no text"), "text for a key")
		}
		value, err := b.build(join(path, k.Value), content[i+1])
		switch first := out.entry(k.Value); {
		case err != nil:
			return err
		case k.Tag == "!!merge" && value.kind != mapping:
			return at.wrong(join(path, k.Value), value.got(), "the alias of a mapping")
		case k.Tag == "!!merge" && merge != nil:
			return at.second(join(path, k.Value), merge.Line)
		case k.Tag == "!!merge":
			merge = k
			merged = append(merged, value.entries...)
		case first != nil:
			return at.second(join(path, k.Value), first.line)
		default:
			out.entries = append(out.entries, entry{at, k.Value, value})
		}
		if len(out.entries)+len(merged) > mostKeys {
			return at.wrong(path, phrase(fmt.Sprintf("a mapping of more than %d keys", mostKeys)), "fewer")
		}
	}
	for _, e := range merged {
		if out.entry(e.key) == nil {
			out.entries = append(out.entries, e)
		}
	}
	for _, e := range out.entries {
		out.size += e.value.size
	}
	return nil
}

// second returns the *Error about a key that stands in an earlier line, too.
func (p place) second(path string, line int) *Error {
	return p.wrong(path, phrase("the key a second time"), fmt.Sprintf("it once (it stands in line %d already)", line))
}

// entry returns the entry of a mapping with the key, or nil.
func (n *node) entry(key string) *entry {
	for i := range n.entries {
		if n.entries[i].key == key {
			return &n.entries[i]
		}
	}
	return nil
}

// child returns the value at a key of a mapping or an index of a sequence, or nil.
func (n *node) child(segment string) *node {
	if n.kind == sequence {
		if i, err := strconv.Atoi(segment); err == nil && i >= 0 && i < len(n.items) {
			return n.items[i]
		}
		return nil
	}
	if e := n.entry(segment); e != nil {
		return e.value
	}
	return nil
}

// find returns the value at the dotted path, or what stands nearest above it.
func (n *node) find(path string) *node {
	path = strings.NewReplacer("[", ".", "]", "").Replace(path)
	for segment := range strings.SplitSeq(path, ".") {
		next := n.child(segment)
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// with returns a tree that has value at the path and is n otherwise. Mappings that
// are missing on the way are made; anything else on the way is left for the decoder
// to refuse.
func (n *node) with(path []string, value *node) *node {
	if len(path) == 0 {
		return value
	}
	if n == nil || n.isNull() {
		n = &node{place: value.place, kind: mapping}
	}
	changed := *n
	switch n.kind {
	case mapping:
		changed.entries = append([]entry(nil), n.entries...)
		if e := changed.entry(path[0]); e != nil {
			e.value = e.value.with(path[1:], value)
		} else {
			changed.entries = append(changed.entries, entry{value.place, path[0], (*node)(nil).with(path[1:], value)})
		}
	case sequence:
		changed.items = append([]*node(nil), n.items...)
		if i, err := strconv.Atoi(path[0]); err == nil && i >= 0 && i < len(n.items) {
			changed.items[i] = n.items[i].with(path[1:], value)
		}
	}
	return &changed
}

// without returns a tree that has no key at the path and is n otherwise.
func (n *node) without(path []string) *node {
	inner := n.child(path[0])
	if inner == nil {
		return n
	}
	if len(path) > 1 {
		return n.with(path[:1], inner.without(path[1:]))
	}
	changed := *n
	changed.entries = slices.DeleteFunc(slices.Clone(n.entries), func(e entry) bool { return e.key == path[0] })
	return &changed
}

// isNull says whether n is a null, as after a key without a value.
func (n *node) isNull() bool { return n.kind == scalar && !n.quoted && isNull(n.text) }

// isText says whether n is a scalar that stands for text.
func (n *node) isText() bool {
	return n.kind == scalar && (n.quoted || !isNull(n.text) && !isBool(n.text) && !isNumber(n.text))
}

// got returns n as the Got of a *field.Error.
func (n *node) got() any {
	switch {
	case n.kind == mapping:
		return phrase("a mapping")
	case n.kind == sequence:
		return phrase("a list")
	case n.isNull():
		return phrase("nothing")
	case n.isText():
		return shorten(n.text)
	case n.formula != "":
		return phrase(shorten(n.text) + " (" + shorten(n.formula) + ")")
	}
	return phrase(shorten(n.text))
}

// shorten cuts text to what an error message can hold.
func shorten(text string) string {
	const most = 80
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// label returns n in YAML's flow style with numbers in their shortest form, so that
// equal values have equal texts.
func (n *node) label() string {
	var parts []string
	switch n.kind {
	case mapping:
		for _, e := range n.entries {
			parts = append(parts, e.key+": "+e.value.label())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case sequence:
		for _, item := range n.items {
			parts = append(parts, item.label())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if v, err := parseFloat(n.text); err == nil && !n.quoted && !integerForm.MatchString(n.text) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return n.text
}

// join returns path.key, or key alone under the root.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
