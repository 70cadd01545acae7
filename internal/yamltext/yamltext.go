// Package yamltext parses YAML of unknown origin in bounded time and memory: the YAML
// library recurses with the nesting of its text, which ends a program, and keeps some
// three hundred bytes for each of its tokens.
package yamltext

import (
	"bytes"
	"fmt"

	yaml "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limit is the most bytes of a text, and MostTokens the most of words, marks and
// brackets in it: a study file has some hundred bytes, one with a list of ten thousand
// grid points less than a megabyte.
const (
	Limit      = 1 << 20
	MostTokens = 1 << 18
)

// mostNested bounds how many brackets, dashes, keys, tags and anchors stand one inside
// the other: three of them for each level of a mapping, and 32 levels. mostKeys bounds the
// keys of one mapping, whose square the library takes in time.
const (
	mostNested = 100
	mostKeys   = 500
)

// An Error says what is wrong with a text.
type Error struct {
	Token   *token.Token // where; nil for the whole text
	Message string
}

// Error returns the place and what is wrong there.
func (e *Error) Error() string {
	if e.Token == nil || e.Token.Position == nil {
		return e.Message
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Token.Position.Line, e.Token.Position.Column, e.Message)
}

// Parse returns the documents of a text. Errors are *Error: of a text that is too long or
// nested too deep, or no YAML. Aliases are left as they are.
func Parse(text []byte) (file *ast.File, err error) {
	// A fault of the parser must not end a program that was only handed a bad file.
	defer func() {
		if r := recover(); r != nil {
			file, err = nil, &Error{nil, fmt.Sprintf("got text the YAML parser fails on (%v), want a YAML mapping", r)}
		}
	}()
	if len(text) > Limit {
		return nil, &Error{nil, fmt.Sprintf("got %d bytes of YAML, want at most %d", len(text), Limit)}
	}
	switch {
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		return nil, &Error{&token.Token{Position: &token.Position{Line: 1, Column: 1}}, "got text in UTF-16, want UTF-8"}
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")): // a byte-order mark, as editors of Windows write it
		text = text[3:]
	}
	tokens := lexer.Tokenize(string(text))
	if len(tokens) > MostTokens {
		return nil, &Error{tokens[MostTokens], fmt.Sprintf("got %d words and marks of YAML, want at most %d", len(tokens), MostTokens)}
	}
	if err := checkNesting(tokens); err != nil {
		return nil, err
	}
	file, err = parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if bad, ok := err.(yaml.Error); ok { // whose own text quotes the lines, at length
		message := bad.GetMessage()
		if message == "found character '\t' that cannot start any token" {
			message = "got a tab, want spaces before a key (YAML takes no tabs there)"
		}
		return nil, &Error{bad.GetToken(), message}
	} else if err != nil {
		return nil, &Error{nil, err.Error()}
	}
	return file, nil
}

// A column is that of a token which later ones stand inside of.
type column struct {
	at   int
	keys int // tokens there, dashes apart: the keys of a mapping
}

// checkNesting returns an *Error at the first token that stands inside more than
// mostNested others, or is one key too many. Inside brackets count those and what stands
// in a row without a comma; outside, every token of a smaller column since the last with
// none larger.
func checkNesting(tokens token.Tokens) error {
	flow, row := 0, 0
	var columns []column
	for _, t := range tokens {
		switch t.Type {
		case token.CommentType:
			continue
		case token.SequenceStartType, token.MappingStartType:
			flow, row = flow+1, 0
		case token.SequenceEndType, token.MappingEndType:
			flow, row = max(0, flow-1), 0
			continue
		case token.CollectEntryType:
			row = 0
		default:
			row++
		}
		if flow == 0 {
			row = 0
			for len(columns) > 0 && columns[len(columns)-1].at > t.Position.Column {
				columns = columns[:len(columns)-1]
			}
			if len(columns) == 0 || columns[len(columns)-1].at < t.Position.Column {
				columns = append(columns, column{at: t.Position.Column})
			}
			if last := &columns[len(columns)-1]; t.Type != token.SequenceEntryType {
				if last.keys++; last.keys > mostKeys {
					return &Error{t, fmt.Sprintf("got a mapping of more than %d keys, want fewer", mostKeys)}
				}
			}
		}
		if len(columns)+flow+row > mostNested {
			return &Error{t, "got values nested too deep, want at most 32 levels"}
		}
	}
	return nil
}
