package formula

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/deeplimit/deeplimit/internal/filter"
)

// naming replaces the names of fields by those of coordinates, and collects all other names as coefficients.
type naming struct {
	fields  []string
	formula *Formula
	err     error
}

// paths is the part of naming that replaces paths such as network.hidden, before their parts are taken for names.
type paths naming

// Visit is ast.Visitor.
func (p *paths) Visit(node *ast.Node) {
	if member, ok := (*node).(*ast.MemberNode); ok {
		if i := slices.Index(p.fields, pathOf(member)); i >= 0 {
			ast.Patch(node, &ast.IdentifierNode{Value: p.formula.coordinates[i]})
		}
	}
}

// Visit is ast.Visitor.
func (n *naming) Visit(node *ast.Node) {
	if n.err != nil {
		return
	}
	if member, ok := (*node).(*ast.MemberNode); ok {
		n.err = fmt.Errorf("got %s, want a field that the fit is over: %s", pathOf(member), strings.Join(n.fields, ", "))
		return
	}
	identifier, ok := (*node).(*ast.IdentifierNode)
	if !ok || functions[identifier.Value] != nil || slices.Contains(n.formula.coordinates, identifier.Value) {
		return
	}
	name := identifier.Value
	if i := n.fieldOf(name); i >= 0 {
		ast.Patch(node, &ast.IdentifierNode{Value: n.formula.coordinates[i]})
		return
	}
	if owners := ownersOf(name); len(owners) > 0 {
		n.err = fmt.Errorf("got %s, which stands for %s, want it among the fields that the fit is over (--in %s), or another name for a coefficient", name, strings.Join(owners, " or "), strings.Join(append(slices.Clone(n.fields), owners[0]), ","))
		return
	}
	if !slices.Contains(n.formula.Coefficients, name) {
		n.formula.Coefficients = append(n.formula.Coefficients, name)
	}
}

// fieldOf returns the number of the field that a name stands for, −1 for none: by its symbol, or by the last part of
// its path. Where two fields have the symbol, it is that of the one which has it first.
func (n *naming) fieldOf(name string) int {
	best, rank := -1, 0
	for i, field := range n.fields {
		if field == name || field[strings.LastIndexByte(field, '.')+1:] == name {
			return i
		}
		if r := slices.Index(symbols[field], name); r >= 0 && (best < 0 || r < rank) {
			best, rank = i, r
		}
	}
	return best
}

// ownersOf returns the fields that a symbol stands for.
func ownersOf(symbol string) []string {
	var owners []string
	for field, names := range symbols {
		if slices.Contains(names, symbol) {
			owners = append(owners, field)
		}
	}
	slices.Sort(owners)
	return owners
}

// pathOf returns a name such as network.hidden, "" for anything else.
func pathOf(node ast.Node) string { return strings.Join(filter.PathOf(node), ".") }

// termsOf returns the terms of a sum or difference; their signs are lost.
func termsOf(node ast.Node) []ast.Node {
	if binary, ok := node.(*ast.BinaryNode); ok && (binary.Operator == "+" || binary.Operator == "-") {
		return append(termsOf(binary.Left), termsOf(binary.Right)...)
	}
	return []ast.Node{node}
}
