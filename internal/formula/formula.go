// Package formula reads a model of a quantity over fields of runs, such as "a/L + b/sqrt(L*M)": names of fields are its
// coordinates, all other names its coefficients.
package formula

import (
	"fmt"
	"math"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// A Formula is a parsed model.
type Formula struct {
	Coefficients []string // in the order in which they occur
	terms        []*vm.Program
	squares      bool
	coordinates  []string // of the programs
}

// symbols are the names that a field has in formulas beside its path. A symbol of two fields is that of the one
// which the fit is over.
var symbols = map[string][]string{
	"depth":            {"L", "depth"},
	"network.width":    {"d", "D", "width", "M"},
	"network.hidden":   {"M", "m", "hidden"},
	"network.alpha":    {"alpha"},
	"data.samples":     {"N", "n", "samples"},
	"train.step.value": {"eta"},
	"train.batch":      {"B", "batch"},
}

// functions are those that a formula may call.
var functions = map[string]any{
	"sqrt": math.Sqrt, "exp": math.Exp, "log": math.Log,
	"pow": func(x, y float64) float64 { return math.Pow(x, y) },
}

// Parse reads a formula over fields, in the language of expr-lang.org with sqrt, exp, log and pow. With squares the
// value is the root of the sum of the squares of its terms, as of errors that are independent.
//
// A symbol of a field that is none of fields is an error rather than a coefficient.
func Parse(text string, fields []string, squares bool) (*Formula, error) {
	tree, err := parser.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("model: got %q, which cannot be read: %w", text, err)
	}
	f := &Formula{squares: squares}
	for i := range fields {
		f.coordinates = append(f.coordinates, fmt.Sprintf("x__%d", i))
	}
	names := naming{fields: fields, formula: f}
	ast.Walk(&tree.Node, (*paths)(&names))
	ast.Walk(&tree.Node, &names)
	if names.err != nil {
		return nil, fmt.Errorf("model: %q: %w", text, names.err)
	}
	if len(f.Coefficients) == 0 {
		return nil, fmt.Errorf("model: %q: got no coefficient, want names beside those of fields, as in a/L + b", text)
	}
	terms := []ast.Node{tree.Node}
	if squares {
		terms = termsOf(tree.Node)
	}
	example := f.environment()
	for _, term := range terms {
		program, err := expr.Compile(term.String(), expr.Env(example), expr.AsFloat64())
		if err != nil {
			return nil, fmt.Errorf("model: got %q, want a number such as a/L + b: %w", text, err)
		}
		f.terms = append(f.terms, program)
	}
	return f, nil
}

// At returns the value at a place, NaN where it is not defined.
func (f *Formula) At(x, coefficients []float64) float64 {
	environment := f.environment()
	for i, name := range f.coordinates {
		environment[name] = x[i]
	}
	for i, name := range f.Coefficients {
		environment[name] = coefficients[i]
	}
	sum := 0.0
	for _, term := range f.terms {
		value, err := expr.Run(term, environment)
		number, ok := value.(float64)
		if err != nil || !ok {
			return math.NaN()
		}
		if f.squares {
			number *= number
		}
		sum += number
	}
	if f.squares {
		return math.Sqrt(sum)
	}
	return sum
}

// environment returns what programs see, with every number 1.
func (f *Formula) environment() map[string]any {
	all := map[string]any{}
	for name, function := range functions {
		all[name] = function
	}
	for _, name := range slices.Concat(f.coordinates, f.Coefficients) {
		all[name] = 1.0
	}
	return all
}
