package study

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/internal/filter"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
)

// Any number of the sections data, network, initial and train may be written as an expression,
// such as initial.amplitude: 1/sqrt(hidden). It is computed when runs are resolved, at each depth:
// all that comes after, the hash included, sees the number.

// A formula is an expression of the file.
type formula struct {
	path  string
	node  *node
	whole bool // whether the field takes whole numbers alone
	*filter.Expression
}

// formulaNames are the names that expressions may use.
var formulaNames = []string{"depth", "width", "hidden", "samples", "outputs", "alpha"}

// knownAt returns the names whose values are known where the field at path is resolved: data
// come first, then alpha, width and hidden.
func knownAt(path string) []string {
	switch {
	case strings.HasPrefix(path, "data."):
		return []string{"depth"}
	case path == "network.alpha":
		return []string{"depth", "samples", "outputs"}
	case path == "network.width":
		return []string{"depth", "samples", "outputs", "alpha"}
	case path == "network.hidden":
		return []string{"depth", "samples", "outputs", "alpha", "width"}
	}
	return formulaNames
}

// formula takes the text of a number for an expression, if it is one, and says whether it has.
func (d *decoder) formula(path string, n *node, v reflect.Value, want string) bool {
	section, _, _ := strings.Cut(path, ".")
	if !d.formulas || n.kind != scalar || !n.isText() || !slices.Contains([]string{"data", "network", "initial", "train"}, section) {
		return false
	}
	e, err := filter.NewExpression(n.text, formulaNames)
	if errors.Is(err, filter.ErrNoExpression) {
		return false
	}
	known := knownAt(path)
	if err != nil {
		d.add(n.wrong(path, n.got(), fmt.Sprintf("%s or an expression of %s (%v)", want, strings.Join(known, ", "), err)))
		return true
	}
	for _, name := range e.Names() {
		if !slices.Contains(known, name) {
			d.add(n.wrong(path, n.got(), fmt.Sprintf("%s or an expression of %s (%s is known only later)", want, strings.Join(known, ", "), name)))
			return true
		}
	}
	d.found = append(d.found, formula{path, n, v.Kind() != reflect.Float64, e})
	return true
}

// anyUses says whether one of the expressions uses the name.
func anyUses(formulas []formula, name string) bool {
	return slices.ContainsFunc(formulas, func(f formula) bool { return f.Uses(name) })
}

// compute returns the tree of a point at a depth with numbers in the place of expressions, and
// whether all of them could be computed.
func (r *resolver) compute(p *point, formulas []formula, depth int) (*node, bool) {
	values := map[string]float64{"depth": float64(depth)}
	tree, good := p.tree, true
	fill := func(stage func(path string) bool) {
		for _, f := range formulas {
			if !stage(f.path) {
				continue
			}
			n, err := f.number(values, depth)
			if err != nil {
				r.faults.add(f.node.fault(f.path, err))
				good = false
				continue
			}
			tree = tree.with(strings.Split(f.path, "."), n)
		}
	}
	isData := func(path string) bool { return strings.HasPrefix(path, "data.") }
	is := func(want string) func(string) bool { return func(path string) bool { return path == want } }
	fill(isData)
	if !good || !r.sizes(p, tree, formulas, values) {
		return tree, false
	}
	for _, name := range []string{"alpha", "width", "hidden"} {
		fill(is("network." + name))
		if !good || !r.architecture(tree, values) {
			return tree, good
		}
	}
	fill(func(path string) bool {
		return !isData(path) && path != "network.alpha" && path != "network.width" && path != "network.hidden"
	})
	return tree, good
}

// number returns the node of an expression's value.
func (f formula) number(values map[string]float64, depth int) (*node, error) {
	x, err := f.Value(values)
	want := "a finite number"
	if f.whole {
		want = "a whole number"
	}
	switch {
	case err != nil:
		return nil, f.node.wrong(f.path, f.node.got(), fmt.Sprintf("%s at depth %d (%v)", want, depth, err)).Err
	case f.whole && (x != math.Trunc(x) || math.Abs(x) > 1<<53):
		return nil, f.node.wrong(f.path, phrase(fmt.Sprintf("%v (%s at depth %d)", x, f, depth)), want+" (floor, ceil and round make one)").Err
	}
	n := &node{place: f.node.place, size: 1, text: strconv.FormatFloat(x, 'g', -1, 64), formula: fmt.Sprintf("%s at depth %d", f, depth)}
	if f.whole {
		n.text = strconv.FormatInt(int64(x), 10)
	}
	return n, nil
}

// sizes sets samples and outputs from the data section of the tree, and says whether it could.
func (r *resolver) sizes(p *point, tree *node, formulas []formula, values map[string]float64) bool {
	var section dataset.Spec
	var d decoder
	d.decode(p.section, tree.find(p.section), reflect.ValueOf(&section).Elem())
	at := *p
	at.tree = tree
	data, err := section.Resolve(0)
	if r.take(&d) {
		return false
	}
	if err != nil {
		r.refuse(&at, p.section, err)
		return false
	}
	inputs, outputs, err := r.measure(data)
	if err != nil {
		return true // sections says so
	}
	values["inputs"], values["outputs"], values["samples"] = float64(inputs), float64(outputs), float64(data.Samples)
	if data.Samples == 0 && anyUses(formulas, "samples") { // all of a stored set
		set, err := dataset.Load(data, r.study.Base)
		if err != nil {
			r.refuse(&at, p.section, err)
			return false
		}
		values["samples"] = float64(set.Samples)
	}
	return true
}

// architecture sets alpha, width and hidden from the network section of the tree, as far as they are
// numbers there, and says whether the section can be read.
func (r *resolver) architecture(tree *node, values map[string]float64) bool {
	var spec resnet.Spec
	d := decoder{formulas: true}
	if n := tree.child("network"); n != nil {
		d.decode("network", n, reflect.ValueOf(&spec).Elem())
	}
	if r.take(&d) {
		return false
	}
	values["alpha"], _ = train.ParametrisedAlpha(textAt(tree, "parametrisation"))
	values["width"] = values["inputs"]
	if spec.Alpha != nil {
		values["alpha"] = *spec.Alpha
	}
	if spec.Width > 0 {
		values["width"] = float64(spec.Width)
	}
	values["hidden"] = values["width"]
	if spec.Block == "mlp" && spec.Hidden > 0 {
		values["hidden"] = float64(spec.Hidden)
	}
	return true
}

// without returns the tree with the keys of the expressions left out.
func without(tree *node, formulas []formula) *node {
	for _, f := range formulas {
		tree = tree.without(strings.Split(f.path, "."))
	}
	return tree
}

// textAt returns the text of a key of the tree, "" where there is none.
func textAt(tree *node, key string) string {
	if n := tree.child(key); n != nil {
		return n.text
	}
	return ""
}
