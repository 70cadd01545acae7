package report

import (
	"html/template"
	"strings"
	"unicode"
)

// mathHTML writes a line of mathText as HTML.
func mathHTML(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(text, "$") {
		if i%2 == 0 {
			b.WriteString(template.HTMLEscapeString(part))
		} else {
			writeMath(&b, []rune(part))
		}
	}
	return template.HTML(b.String())
}

// writeMath writes what stands between two dollar signs.
func writeMath(b *strings.Builder, s []rune) {
	for len(s) > 0 {
		kind := s[0]
		if kind == '_' || kind == '^' {
			var argument []rune
			argument, s = scriptArgument(s[1:])
			tag := map[rune]string{'_': "sub", '^': "sup"}[kind]
			b.WriteString("<" + tag + ">")
			writeMath(b, argument)
			b.WriteString("</" + tag + ">")
			continue
		}
		n := 1
		for n < len(s) && unicode.IsLetter(s[n]) == unicode.IsLetter(kind) && s[n] != '_' && s[n] != '^' {
			n++
		}
		text := template.HTMLEscapeString(string(s[:n]))
		if unicode.IsLetter(kind) {
			text = "<i>" + text + "</i>"
		}
		b.WriteString(text)
		s = s[n:]
	}
}
