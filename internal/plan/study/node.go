package study

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/deeplimit/deeplimit/internal/yamltext"
)

// A node is a value of the study file with the place it stands at. Trees are not
// changed once built: with makes another that shares the rest, so a grid costs one
// path of nodes for each of its points.
type node struct {
	place
	kind    kind
	text    string  // of a scalar
	quoted  bool    // a scalar that is text whatever it looks like
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

// deepest is how far values may be nested, and largest how many of them there may be
// with aliases written out: a study file needs six levels and a few hundred values.
const (
	deepest = 32
	largest = 1 << 20
)

// parse returns the tree of the one YAML document in text, whose nodes say that they
// stand at from (a file, or an override).
func parse(text []byte, from place) (*node, error) {
	var tree *node
	file, err := yamltext.Parse(text)
	if e, ok := errors.AsType[*yamltext.Error](err); ok {
		return nil, from.at(e.Token).fault("", errors.New(e.Message))
	}
	b := builder{from: from, anchors: map[string]*node{}}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		next, err := b.build("", doc.Body, 0)
		if err != nil {
			return nil, err
		}
		if tree != nil {
			return nil, next.fault("", errors.New("got a second YAML document, want one"))
		}
		tree = next
	}
	if tree == nil {
		tree = b.null()
	}
	return tree, nil
}

// at returns p with the line and column of a token; an override keeps none.
func (p place) at(t *token.Token) place {
	if t != nil && t.Position != nil && p.set == "" {
		p.line, p.column = t.Position.Line, t.Position.Column
	}
	return p
}

// builder turns the parser's nodes into ours.
type builder struct {
	from    place
	anchors map[string]*node
}

func (b *builder) null() *node { return &node{place: b.from, kind: scalar} }

// build returns the node of n, which has the dotted path. Aliases share the node they
// name; a merge key gives the keys that the mapping does not have itself.
func (b *builder) build(path string, n ast.Node, depth int) (*node, error) {
	out, err := b.value(path, n, depth)
	if err != nil {
		return nil, err
	}
	out.size = 1
	for _, e := range out.entries {
		out.size += e.value.size
	}
	for _, item := range out.items {
		out.size += item.size
	}
	if out.size > largest {
		return nil, out.wrong(path, phrase("more than a million values"), "fewer (aliases count as what they name)")
	}
	return out, nil
}

// value is build without the size.
func (b *builder) value(path string, n ast.Node, depth int) (*node, error) {
	if n == nil {
		return b.null(), nil
	}
	at := b.from.at(n.GetToken())
	if depth > deepest {
		return nil, at.wrong(path, phrase("values nested too deep"), fmt.Sprintf("at most %d levels", deepest))
	}
	out := &node{place: at}
	switch n := n.(type) {
	case *ast.MappingNode:
		out.kind = mapping
		return out, b.fill(out, path, n.Values, depth)
	case *ast.MappingValueNode:
		out.kind = mapping
		return out, b.fill(out, path, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		out.kind = sequence
		for i, v := range n.Values {
			item, err := b.build(join(path, strconv.Itoa(i)), v, depth+1)
			if err != nil {
				return nil, err
			}
			out.items = append(out.items, item)
		}
		return out, nil
	case *ast.AnchorNode:
		inner, err := b.build(path, n.Value, depth)
		if err == nil && n.Name != nil {
			b.anchors[n.Name.GetToken().Value] = inner
		}
		return inner, err
	case *ast.AliasNode:
		name := ""
		if n.Value != nil {
			name = n.Value.GetToken().Value
		}
		if target, ok := b.anchors[name]; ok {
			return target, nil
		}
		return nil, at.wrong(path, phrase("*"+name), "an alias of an anchor (&"+name+") that stands before it")
	case *ast.LiteralNode:
		out.quoted = true
		if n.Value != nil {
			out.text = n.Value.Value
		}
		return out, nil
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode, *ast.InfinityNode, *ast.NanNode:
		t := n.GetToken()
		out.text = t.Value
		out.quoted = t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType
		return out, nil
	}
	return nil, at.wrong(path, phrase("a YAML "+n.Type().YAMLName()), "a plain value, a list or a mapping")
}

// fill adds the keys of a mapping to out.
func (b *builder) fill(out *node, path string, values []*ast.MappingValueNode, depth int) error {
	var merged []*node
	for i, v := range values {
		at := b.from.at(v.Key.GetToken())
		if i == 0 && out.line > 0 {
			out.place = at // the parser gives the place of the first colon
		}
		if v.Key.IsMergeKey() {
			from, err := b.build(path, v.Value, depth+1)
			if err != nil {
				return err
			}
			if from.kind != mapping {
				return at.wrong(join(path, "<<"), from.got(), "the alias of a mapping")
			}
			merged = append(merged, from)
			continue
		}
		key := v.Key.GetToken().Value
		if k, ok := v.Key.(*ast.MappingKeyNode); ok && k.Value != nil {
			key = k.Value.GetToken().Value
		}
		if first := out.entry(key); first != nil {
			return at.wrong(join(path, key), phrase("the key a second time"), fmt.Sprintf("it once (it stands in line %d already)", first.line))
		}
		value, err := b.build(join(path, key), v.Value, depth+1)
		if err != nil {
			return err
		}
		out.entries = append(out.entries, entry{at, key, value})
	}
	for _, from := range merged {
		for _, e := range from.entries {
			if out.entry(e.key) == nil {
				out.entries = append(out.entries, e)
			}
		}
	}
	return nil
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

// writeTo writes n in YAML's flow style with numbers in their shortest form, so that
// equal values have equal texts.
func (n *node) writeTo(w io.Writer) {
	switch n.kind {
	case mapping:
		io.WriteString(w, "{")
		for i, e := range n.entries {
			if i > 0 {
				io.WriteString(w, ", ")
			}
			fmt.Fprintf(w, "%s: ", e.key)
			e.value.writeTo(w)
		}
		io.WriteString(w, "}")
	case sequence:
		io.WriteString(w, "[")
		for i, item := range n.items {
			if i > 0 {
				io.WriteString(w, ", ")
			}
			item.writeTo(w)
		}
		io.WriteString(w, "]")
	default:
		text := n.text
		if v, err := parseFloat(text); err == nil && !n.quoted && !integerForm.MatchString(text) {
			text = strconv.FormatFloat(v, 'g', -1, 64)
		}
		io.WriteString(w, text)
	}
}

// label returns what writeTo writes.
func (n *node) label() string {
	var b strings.Builder
	n.writeTo(&b)
	return b.String()
}

// join returns path.key, or key alone under the root.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
