package cite

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// Text returns a reference in one line: authors, title, where, year, and where it is found.
func (r *Reference) Text() string {
	names := make([]string, len(r.Authors))
	for i, name := range r.Authors {
		names[i] = strings.Trim(name, "{}")
		if last, first, ok := strings.Cut(name, ", "); ok {
			names[i] = first + " " + last
		}
		if name == "others" {
			names[i] = "et al."
		}
	}
	text := strings.TrimSuffix(strings.Join(names, ", "), ".") + ". " + r.Title + "."
	if r.In != "" {
		text += " " + r.In
		if r.Volume != "" {
			text += " " + r.Volume
		}
		if r.Number != "" {
			text += "(" + r.Number + ")"
		}
		if r.Pages != "" {
			text += ", " + strings.ReplaceAll(r.Pages, "-", "–")
		}
		text += "."
	}
	if r.Year > 0 {
		text += fmt.Sprintf(" %d.", r.Year)
	}
	for _, at := range r.places() {
		text += " " + at + "."
	}
	return strings.TrimSuffix(text, ".")
}

// places returns where the work is found.
func (r *Reference) places() []string {
	var list []string
	if r.DOI != "" {
		list = append(list, "https://doi.org/"+r.DOI)
	}
	if r.ArXiv != "" {
		list = append(list, "https://arxiv.org/abs/"+r.ArXiv)
	}
	if r.URL != "" {
		list = append(list, r.URL)
	}
	return list
}

// WriteText writes references as a list, each with what of the study it is for.
func WriteText(w io.Writer, list []Reference) error {
	var b strings.Builder
	for i := range list {
		fmt.Fprintf(&b, "[%d] %s\n    for: %s\n", i+1, plain.Text(list[i].Text()), plain.Text(strings.Join(list[i].For, "; ")))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// special holds the characters that LaTeX takes for commands.
var special = strings.NewReplacer(`&`, `\&`, `%`, `\%`, `$`, `\$`, `#`, `\#`, `_`, `\_`)

// WriteBibTeX writes references as entries of BibTeX, in UTF-8.
func WriteBibTeX(w io.Writer, list []Reference) error {
	var b strings.Builder
	for i := range list {
		r := &list[i]
		fmt.Fprintf(&b, "@%s{%s,\n", r.Type, r.Key)
		field := func(name, value string) {
			if value != "" {
				fmt.Fprintf(&b, "  %-13s = {%s},\n", name, value)
			}
		}
		field("author", special.Replace(strings.Join(r.Authors, " and ")))
		field("title", "{"+special.Replace(r.Title)+"}")
		field(map[string]string{"article": "journal", "inproceedings": "booktitle", "misc": "howpublished"}[r.Type], special.Replace(r.In))
		field("volume", r.Volume)
		field("number", r.Number)
		field("pages", strings.ReplaceAll(r.Pages, "-", "--"))
		if r.Year > 0 {
			field("year", strconv.Itoa(r.Year))
		}
		field("doi", r.DOI)
		if r.ArXiv != "" {
			field("eprint", r.ArXiv)
			field("archiveprefix", "arXiv")
		}
		field("url", r.URL)
		field("note", special.Replace(r.note()))
		b.WriteString("}\n\n")
	}
	_, err := io.WriteString(w, strings.TrimSuffix(b.String(), "\n"))
	return err
}

// note returns what the entry of the program says beside its address: the version.
func (r *Reference) note() string {
	if r.Key != "deeplimit" {
		return ""
	}
	_, version, _ := strings.Cut(strings.Join(r.For, "; "), ", ")
	return version
}
