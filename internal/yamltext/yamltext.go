// Package yamltext parses YAML of unknown origin in bounded time and memory.
package yamltext

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// Limit is the largest size of a text in bytes. A study file has some hundred, one with a list of
// ten thousand grid points less than a megabyte.
const Limit = 1 << 20

// mostMarks bounds the commas, lines and opening brackets, and with them the values: the
// library takes about 1 kB for each. mostNested bounds how many brackets stand one inside the other, and how many
// indentations.
const (
	mostMarks  = 1 << 17
	mostNested = 32
)

// An Error says what is wrong with a text.
type Error struct {
	Line, Column int // 1-based, in characters; 0 for the whole text
	Message      string
}

// Error returns the place and what is wrong there.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Parse returns the value of the one document in a text, nil if there is none. Errors are
// *Error: of a text that is too long or nested too deep, or no YAML. Aliases and merge keys
// are left as they are.
func Parse(text []byte) (*yaml.Node, error) {
	if len(text) > Limit {
		return nil, &Error{0, 0, fmt.Sprintf("got %d bytes of YAML, want at most %d", len(text), Limit)}
	}
	marks := 0
	for _, mark := range []string{",", "\n", "[", "{"} {
		marks += bytes.Count(text, []byte(mark))
	}
	if marks > mostMarks {
		return nil, &Error{0, 0, fmt.Sprintf("got %d commas, lines and brackets of YAML, want at most %d", marks, mostMarks)}
	}
	if !utf8.Valid(text) { // the library takes UTF-16, which nothing else reads
		return nil, errorAt(text, bytes.IndexRune(text, utf8.RuneError), "got text that is not UTF-8, want UTF-8")
	}
	loader, err := yaml.NewLoader(bytes.NewReader(text), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthFunc(checkDepth))))
	if err != nil {
		return nil, err
	}
	var root *yaml.Node
	for {
		var document yaml.Node
		if err := loader.Load(&document); errors.Is(err, io.EOF) {
			return root, nil
		} else if err != nil {
			return nil, explain(text, err)
		}
		value := document.Content[0]
		switch {
		case value.Tag == "!!null" && value.Value == "": // as behind a last ---
		case root != nil:
			return nil, &Error{value.Line, value.Column, "got a second YAML document, want one"}
		default:
			root = value
		}
	}
}

func checkDepth(depth int, _ *yaml.DepthContext) error {
	if depth > mostNested {
		return fmt.Errorf("got values nested too deep, want at most %d levels", mostNested)
	}
	return nil
}

// explain returns an error of the library as an *Error: where the library stopped, and
// where what it could not read begins.
func explain(text []byte, err error) *Error {
	e, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		return &Error{0, 0, err.Error()}
	}
	message := e.Message
	name, unknown := strings.CutPrefix(message, "unknown anchor '")
	switch name, _, _ := strings.Cut(name, "'"); {
	case unknown:
		message = fmt.Sprintf("got *%s, want an alias of an anchor (&%s) that stands before it", name, name)
	case strings.Contains(message, "tab character"):
		message = "got a tab, want spaces before a key (YAML takes no tabs there)"
	case strings.HasPrefix(message, "found character that cannot start"):
		message = "got a character that no key and no value begins with (a tab, @, % or `), want spaces, or quotes around the text"
	case strings.HasPrefix(message, "control characters"):
		message = "got a control character, want none"
	case strings.HasPrefix(message, "mapping values are not allowed"):
		message = "got a colon where no key can stand, want the key on a line of its own, below the first letter of the key before it, or quotes around a text with a colon"
	case strings.HasPrefix(message, "found incompatible YAML"):
		message = "got a line %YAML, want none (a file is read as YAML 1.2 without it)"
	case e.ContextMsg != "" && !strings.HasPrefix(message, "got "):
		message += " " + e.ContextMsg
		if begin := e.ContextMark; begin.Line > 0 && begin.Line < e.Mark.Line {
			message += fmt.Sprintf(" that begins in line %d, column %d", begin.Line, begin.Column)
		}
	}
	if e.Mark.Line == 0 {
		return errorAt(text, e.Mark.Index, message)
	}
	return &Error{e.Mark.Line, e.Mark.Column, message}
}

// errorAt returns an *Error at the byte of text.
func errorAt(text []byte, at int, message string) *Error {
	before := text[:min(at, len(text))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return &Error{bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1, message}
}
