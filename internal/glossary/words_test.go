package glossary_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/glossary"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
)

// TestWords wants an entry for every header and row name of a table, every axis and legend
// of a figure, and every verdict and state, as the sources of the program have them.
func TestWords(t *testing.T) {
	words := collect(t)
	for _, kind := range report.Kinds() {
		words.add("report.Kinds", kind.Name)
	}
	for _, value := range report.MapValues() {
		words.add("report.MapValues", value)
	}
	for _, q := range analyze.StartQuantities {
		words.add("analyze.StartQuantities", q.Name, "E "+q.Text)
	}
	for word, where := range words {
		if glossary.Find(word) == nil {
			t.Errorf("%s: got no entry for %q, want one in docs/glossary.md", where, word)
		}
	}
	// One word from each kind of source: a change of style must not blind the collector.
	for _, word := range []string{
		"UNSTABLE", "quadratic var.", "alpha + beta", "variation index of the limit", "distance of depths", "radius w",
		"excess of the trend, exponent", "RATE ρ", "slope of log V_p in log L", "largest eigenvalue", "Tangent matrix",
		"Steps to 1/K̄", "smooth-and-noise", "not applicable", "certified", "floor", "interrupted", "pl-ratio", "unit-norm", "grows",
	} {
		if words[word] == "" {
			t.Errorf("got no word %q from the sources, want it collected", word)
		}
	}
}

// collected holds words with a place where each stands.
type collected map[string]string

// add keeps the words, separated by tabs and line ends, that have a letter, no verb of a
// format and no underscore at the end, where a number would follow.
func (c collected) add(where string, texts ...string) {
	for _, text := range texts {
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == '\t' || r == '\n' }) {
			word = strings.TrimSpace(word)
			if letter.MatchString(word) && !verb.MatchString(word) && !strings.HasSuffix(word, "_") && !strings.HasPrefix(word, "--") {
				c[word] = where
			}
		}
	}
}

var (
	letter   = regexp.MustCompile(`\pL`)
	verb     = regexp.MustCompile(`%[-+.\d]*[a-zA-Z]`)
	heading  = regexp.MustCompile(`<th[^>]*>(.*?)</th>`)
	markup   = regexp.MustCompile(`<[^>]*>|&shy;`)
	jsText   = regexp.MustCompile(`\b(?:text|[xy]Label): "([^"]*)"`)
	mathText = strings.NewReplacer("$", "", "{", "", "}", "")
)

// verdicts says which constants of a package are words of tables: by their type, or by their
// names where they have none.
var verdicts = map[string]*regexp.Regexp{
	"scaling":              regexp.MustCompile(`^(LimitKind|BySeeds|ByRegression|ByModel|NoInterval)$`),
	"certify":              regexp.MustCompile(`^Verdict$`),
	"runfolder":            regexp.MustCompile(`^(Floor|Diverged|Imported)$`),
	"internal/train":       regexp.MustCompile(`^Stop`),
	"internal/read/proof":  regexp.MustCompile(`^(Not)?Certified|^Violated$`),
	"internal/read/survey": regexp.MustCompile(`^State$`),
	"internal/read/analyze": regexp.MustCompile(
		`^(Grows|GrowsSlowly|Falls|NoTrend|Unknown)$`),
}

// collect reads the sources of the floors that print.
func collect(t *testing.T) collected {
	t.Helper()
	root := os.DirFS("../..")
	words := collected{}
	for _, floor := range []string{"internal/cli", "internal/ask", "internal/read", "internal/show", "internal/train", "scaling", "certify", "runfolder"} {
		err := fs.WalkDir(root, floor, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() && strings.Contains(name, "testdata") {
				return fs.SkipDir
			}
			if entry.IsDir() || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "uplot") {
				return nil
			}
			text, err := fs.ReadFile(root, name)
			if err != nil {
				return err
			}
			switch path.Ext(name) {
			case ".go":
				return words.source(name, text)
			case ".tmpl":
				for _, found := range heading.FindAllStringSubmatch(string(text), -1) {
					if !strings.Contains(found[1], "{{") {
						words.add(name, markup.ReplaceAllString(found[1], ""))
					}
				}
			case ".js":
				for _, found := range jsText.FindAllStringSubmatch(string(text), -1) {
					words.add(name, found[1])
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return words
}

// source collects the words of a Go file.
func (c collected) source(name string, text []byte) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
	if err != nil {
		return err
	}
	tables := strings.HasPrefix(name, "internal/")
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.BasicLit:
			if text := literal(n); tables && strings.Contains(text, "\t") {
				c.add(name, text)
			}
		case *ast.FuncDecl:
			if calls(n, "row") {
				c.rows(name, n)
			}
		case *ast.AssignStmt:
			if target, ok := n.Lhs[0].(*ast.Ident); ok && (target.Name == "header" || target.Name == "cells") {
				c.literals(name, n.Rhs[0])
			}
		case *ast.CompositeLit:
			if list, ok := n.Type.(*ast.ArrayType); ok && named(list.Elt) == "Hypothesis" {
				for _, element := range n.Elts {
					c.literals(name, element.(*ast.CompositeLit).Elts[0])
				}
			}
		case *ast.KeyValueExpr:
			key, ok := n.Key.(*ast.Ident)
			value, pure := n.Value.(*ast.BasicLit)
			if ok && pure && (key.Name == "label" || key.Name == "text" || key.Name == "Name" && strings.HasPrefix(name, "certify/")) {
				c.add(name, mathText.Replace(literal(value)))
			}
		case *ast.ValueSpec:
			if kind := verdicts[path.Dir(name)]; kind != nil {
				c.constant(name, n, kind)
			}
		}
		return true
	})
	return nil
}

// rows collects what a function that prints rows gives to them: arguments, and the first
// text of each element of a list that it walks.
func (c collected) rows(name string, function *ast.FuncDecl) {
	ast.Inspect(function, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.CallExpr:
			if called(n) == "row" {
				for _, arg := range n.Args {
					c.literals(name, arg)
				}
			}
		case *ast.CompositeLit:
			if n.Type == nil && len(n.Elts) > 0 {
				c.literals(name, n.Elts[0])
			}
		}
		return true
	})
}

// literals collects a text, the head of a text that is put together, or the texts of a list.
func (c collected) literals(name string, value ast.Expr) {
	switch n := value.(type) {
	case *ast.BasicLit:
		c.add(name, literal(n))
	case *ast.BinaryExpr:
		c.literals(name, n.X)
	case *ast.CompositeLit:
		for _, element := range n.Elts {
			c.literals(name, element)
		}
	case *ast.CallExpr:
		if called(n) == "append" {
			for _, arg := range n.Args[1:] {
				c.literals(name, arg)
			}
		}
	}
}

// constant collects the texts of constants that are verdicts by their type or name.
func (c collected) constant(name string, spec *ast.ValueSpec, kind *regexp.Regexp) {
	for i, value := range spec.Values {
		text, ok := value.(*ast.BasicLit)
		if ok && (kind.MatchString(named(spec.Type)) || kind.MatchString(spec.Names[i].Name)) {
			c.add(name, literal(text))
		}
	}
}

// named returns the name of a type of the same package, "" of any other.
func named(kind ast.Expr) string {
	if ident, ok := kind.(*ast.Ident); ok {
		return ident.Name
	}
	return ""
}

// literal returns the text of a literal, "" of one that is no text.
func literal(n *ast.BasicLit) string {
	if n.Kind != token.STRING {
		return ""
	}
	text, err := strconv.Unquote(n.Value)
	if err != nil {
		return ""
	}
	return text
}

// calls says whether a function calls one of that name.
func calls(function *ast.FuncDecl, name string) (found bool) {
	ast.Inspect(function, func(node ast.Node) bool {
		if n, ok := node.(*ast.CallExpr); ok && called(n) == name {
			found = true
		}
		return !found
	})
	return found
}

// called returns the name of the function or method that is called.
func called(n *ast.CallExpr) string {
	switch f := n.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}
