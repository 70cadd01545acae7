// Package filter chooses runs by conditions on their fields, such as
// "depth >= 256 and network.alpha < 1".
package filter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// Fields are the values that conditions compare, by name. A section of a study file is Fields,
// too; its values have names such as network.alpha.
type Fields = map[string]any

// A Filter is one or more conditions, all of which must hold.
type Filter struct {
	texts    []string
	programs []*vm.Program
}

// New parses conditions in the language of expr-lang.org: comparisons of fields with numbers
// and strings, joined by and, or, not; also in, contains, startsWith, matches. A section with
// a name that is compared means its name, as in data == "digits". example has the names and
// types of all fields; another name is an error, and so is a condition that is no boolean. A
// filter without conditions matches everything.
func New(conditions []string, example Fields) (*Filter, error) {
	f := &Filter{texts: conditions}
	for _, text := range conditions {
		tree, err := parser.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("got %q, which cannot be read: %w", text, err)
		}
		check := checkNames{fields: example}
		ast.Walk(&tree.Node, &check)
		if check.unknown != "" {
			return nil, fmt.Errorf("%q: %s: got an unknown name, want one of %s", text, check.unknown, strings.Join(names("", example), ", "))
		}
		program, err := expr.Compile(text, expr.Env(example), expr.AsBool(), expr.Patch(sections{example}))
		if err != nil {
			return nil, fmt.Errorf("got %q, want a condition such as depth >= 256: %w", text, err)
		}
		f.programs = append(f.programs, program)
	}
	return f, nil
}

// Match reports whether all conditions hold for these fields.
func (f *Filter) Match(fields Fields) (bool, error) {
	for i, program := range f.programs {
		value, err := expr.Run(program, fields)
		if err != nil {
			return false, fmt.Errorf("%q: %w", f.texts[i], err)
		}
		if holds, ok := value.(bool); !ok || !holds {
			return false, nil
		}
	}
	return true, nil
}

// checkNames returns an error for the first name that is no field.
type checkNames struct {
	fields  Fields
	unknown string
}

// Visit is ast.Visitor.
func (c *checkNames) Visit(node *ast.Node) {
	path := PathOf(*node)
	if len(path) == 0 || c.unknown != "" {
		return
	}
	var at any = c.fields
	for _, name := range path {
		inner, _ := at.(Fields)
		value, ok := inner[name]
		if !ok {
			c.unknown = strings.Join(path, ".")
			return
		}
		at = value
	}
}

// PathOf returns the steps of a name such as network.alpha, nil for anything else.
func PathOf(node ast.Node) []string {
	switch n := node.(type) {
	case *ast.IdentifierNode:
		return []string{n.Value}
	case *ast.MemberNode:
		step, ok := n.Property.(*ast.StringNode)
		if path := PathOf(n.Node); ok && path != nil {
			return append(path, step.Value)
		}
	}
	return nil
}

// sections replaces a section that is compared by its name.
type sections struct{ fields Fields }

// Visit is ast.Visitor.
func (s sections) Visit(node *ast.Node) {
	binary, ok := (*node).(*ast.BinaryNode)
	if !ok {
		return
	}
	for _, side := range []*ast.Node{&binary.Left, &binary.Right} {
		name, ok := (*side).(*ast.IdentifierNode)
		if !ok {
			continue
		}
		if section, ok := s.fields[name.Value].(Fields); ok && section["name"] != nil {
			ast.Patch(side, &ast.MemberNode{Node: &ast.IdentifierNode{Value: name.Value}, Property: &ast.StringNode{Value: "name"}})
		}
	}
}

// names returns the names of all fields, sorted.
func names(prefix string, fields Fields) []string {
	var list []string
	for name, value := range fields {
		if inner, ok := value.(Fields); ok {
			list = append(list, names(prefix+name+".", inner)...)
		} else {
			list = append(list, prefix+name)
		}
	}
	slices.Sort(list)
	return list
}
