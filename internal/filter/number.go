package filter

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/deeplimit/deeplimit/field"
)

// An Expression is a number written as a formula of named ones, such as 1/sqrt(hidden): + − * / ^,
// the functions below, and a ? b : c with comparisons. All arithmetic is in float64.
type Expression struct {
	text  string
	root  ast.Node
	names []string // that it uses
}

// functions are those of one argument.
var functions = map[string]func(float64) float64{
	"sqrt": math.Sqrt, "exp": math.Exp, "log": math.Log, "log2": math.Log2,
	"abs": math.Abs, "floor": math.Floor, "ceil": math.Ceil, "round": math.Round,
}

// chosen are those of two arguments or more.
var chosen = map[string]func(a, b float64) float64{"min": math.Min, "max": math.Max}

// ErrNoExpression says that a text has neither a name that an expression may use nor a function.
var ErrNoExpression = errors.New("not an expression")

// NewExpression parses a formula of names. A text that is none because nothing in it is a name
// or a function is ErrNoExpression; other errors say what cannot be read.
func NewExpression(text string, names []string) (*Expression, error) {
	if !mentions(text, names) {
		return nil, ErrNoExpression
	}
	tree, err := parser.Parse(text)
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, errors.New(first)
	}
	e := &Expression{text: text, root: tree.Node}
	if err := e.check(e.root, names, false); err != nil {
		return nil, err
	}
	return e, nil
}

// mentions says whether a word of text is a name or a function.
func mentions(text string, names []string) bool {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return !(r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	})
	return slices.ContainsFunc(words, func(word string) bool {
		return slices.Contains(names, word) || functions[word] != nil || chosen[word] != nil
	})
}

// String returns the text.
func (e *Expression) String() string { return e.text }

// Names returns the names that the expression uses, sorted.
func (e *Expression) Names() []string { return e.names }

// Uses says whether the expression uses a name.
func (e *Expression) Uses(name string) bool { return slices.Contains(e.names, name) }

var (
	arithmetic  = []string{"+", "-", "*", "/", "^", "**"}
	comparisons = []string{"<", "<=", ">", ">=", "==", "!="}
	connectives = []string{"and", "or", "&&", "||"}
)

// check refuses what an expression may not hold, a condition where a number should be or the other
// way round, and collects the names.
func (e *Expression) check(node ast.Node, names []string, condition bool) error {
	all := func(condition bool, nodes ...ast.Node) error {
		for _, n := range nodes {
			if err := e.check(n, names, condition); err != nil {
				return err
			}
		}
		return nil
	}
	name, arguments, called := call(node)
	switch n := node.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		if !condition {
			return nil
		}
	case *ast.IdentifierNode:
		switch {
		case !slices.Contains(names, n.Value):
			return fmt.Errorf("%s: got an unknown name, want one of %s%s", n.Value, strings.Join(names, ", "), field.Mean(n.Value, names))
		case !condition:
			if !e.Uses(n.Value) {
				e.names = append(e.names, n.Value)
				slices.Sort(e.names)
			}
			return nil
		}
	case *ast.UnaryNode:
		if sign := n.Operator == "-" || n.Operator == "+"; sign != condition && (sign || n.Operator == "not" || n.Operator == "!") {
			return all(condition, n.Node)
		}
	case *ast.BinaryNode:
		switch {
		case slices.Contains(arithmetic, n.Operator) && !condition, slices.Contains(comparisons, n.Operator) && condition:
			return all(false, n.Left, n.Right)
		case slices.Contains(connectives, n.Operator) && condition:
			return all(true, n.Left, n.Right)
		case !slices.Contains(slices.Concat(comparisons, connectives, arithmetic), n.Operator):
			return fmt.Errorf("got the operator %s, want one of + - * / ^", n.Operator)
		}
	case *ast.ConditionalNode:
		if !condition {
			return errors.Join(all(true, n.Cond), all(false, n.Exp1, n.Exp2))
		}
	}
	if called && !condition {
		switch {
		case functions[name] != nil && len(arguments) == 1, chosen[name] != nil && len(arguments) > 1:
			return all(false, arguments...)
		case functions[name] != nil:
			return fmt.Errorf("%s: got %d arguments, want one", name, len(arguments))
		case chosen[name] != nil:
			return fmt.Errorf("%s: got %d arguments, want two or more", name, len(arguments))
		}
		return fmt.Errorf("%s: got an unknown function, want one of sqrt, exp, log, log2, abs, floor, ceil, round, min, max", name)
	}
	if condition {
		return errors.New("got a number for the condition of a ? b : c, want a comparison such as depth > 8")
	}
	return errors.New("got something else than numbers, names, + - * / ^ and functions, want a formula such as 1/sqrt(hidden)")
}

// call returns the name and the arguments of a function's call.
func call(node ast.Node) (name string, arguments []ast.Node, ok bool) {
	switch n := node.(type) {
	case *ast.BuiltinNode:
		return n.Name, n.Arguments, true
	case *ast.CallNode:
		if callee, plain := n.Callee.(*ast.IdentifierNode); plain {
			return callee.Value, n.Arguments, true
		}
	}
	return "", nil, false
}

// Value returns the number for the values of the names. One that is not finite anywhere on the way
// is an error, such as a division by zero.
func (e *Expression) Value(values map[string]float64) (float64, error) {
	ev := evaluation{values: values}
	x := ev.number(e.root)
	if ev.err == nil && !finite(x) {
		ev.err = fmt.Errorf("the result is %v", x)
	}
	return x, ev.err
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// An evaluation keeps the first error on the way.
type evaluation struct {
	values map[string]float64
	err    error
}

func (ev *evaluation) fail(format string, a ...any) {
	if ev.err == nil {
		ev.err = fmt.Errorf(format, a...)
	}
}

func (ev *evaluation) number(node ast.Node) float64 {
	if name, arguments, ok := call(node); ok {
		return ev.function(name, arguments)
	}
	switch n := node.(type) {
	case *ast.IntegerNode:
		return float64(n.Value)
	case *ast.FloatNode:
		return n.Value
	case *ast.IdentifierNode:
		value, known := ev.values[n.Value]
		if !known {
			ev.fail("%s is not known there", n.Value)
		}
		return value
	case *ast.UnaryNode:
		if n.Operator == "-" {
			return -ev.number(n.Node)
		}
		return ev.number(n.Node)
	case *ast.ConditionalNode:
		if ev.holds(n.Cond) {
			return ev.number(n.Exp1)
		}
		return ev.number(n.Exp2)
	case *ast.BinaryNode:
		return ev.binary(n.Operator, ev.number(n.Left), ev.number(n.Right))
	}
	panic("filter: an expression that was checked holds an unknown node")
}

func (ev *evaluation) function(name string, arguments []ast.Node) float64 {
	x := ev.number(arguments[0])
	y := x
	if f := functions[name]; f != nil {
		y = f(x)
	}
	for _, other := range arguments[1:] {
		y = chosen[name](y, ev.number(other))
	}
	if finite(x) && !finite(y) {
		ev.fail("%s(%v) is %v", name, x, y)
	}
	return y
}

func (ev *evaluation) binary(operator string, a, b float64) float64 {
	var x float64
	switch operator {
	case "+":
		x = a + b
	case "-":
		x = a - b
	case "*":
		x = a * b
	case "/":
		if b == 0 {
			ev.fail("division of %v by zero", a)
		}
		x = a / b
	default:
		x = math.Pow(a, b)
	}
	if finite(a) && finite(b) && !finite(x) {
		ev.fail("%v%s%v is %v", a, operator, b, x)
	}
	return x
}

func (ev *evaluation) holds(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.UnaryNode:
		return !ev.holds(n.Node)
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&":
			return ev.holds(n.Left) && ev.holds(n.Right)
		case "or", "||":
			return ev.holds(n.Left) || ev.holds(n.Right)
		}
		a, b := ev.number(n.Left), ev.number(n.Right)
		return map[string]bool{"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b, "!=": a != b}[n.Operator]
	}
	panic("filter: an expression that was checked holds an unknown condition")
}
