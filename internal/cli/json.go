package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/plain"
)

// printJSON writes value indented, with a newline. Characters that a terminal would not
// show are escaped as JSON has it, so that readers get the same texts.
func printJSON(w io.Writer, value any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("printing JSON: %w", field.NotFinite(value, err))
	}
	_, err := w.Write(escapeJSON(text.Bytes()))
	return err
}

// escapeJSON returns JSON with every invisible character escaped by its code point.
func escapeJSON(text []byte) []byte {
	if isASCII(text) {
		return text
	}
	escaped := make([]byte, 0, len(text)+64)
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		one := string(text[:size])
		text = text[size:]
		switch {
		case plain.Lines(one) == one:
			escaped = append(escaped, one...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, high, low)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		}
	}
	return escaped
}
