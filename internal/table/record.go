package table

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxRecord bounds the bytes of one row: a million numbers of sixteen digits.
const maxRecord = 1 << 24

// A record is one row of text, split into fields. It is valid until the next is read.
type record struct {
	line    int // where it begins, from 1
	fields  []string
	quoted  []bool
	comment bool // the line begins with #
	raw     string
}

// blank reports whether the line is empty.
func (r *record) blank() bool {
	return len(r.fields) == 0 || len(r.fields) == 1 && r.fields[0] == "" && !r.quoted[0]
}

// A splitter cuts text into records. Unlike encoding/csv it splits at runs of blanks, too,
// and knows which fields stood in quotes, which tells names from numbers. Fields in double quotes
// may hold anything, "" being one quote; others are trimmed.
type splitter struct {
	r         *bufio.Reader
	delimiter byte // one of delimiters, or 0 for one field a line
	line      int  // of the next byte

	text   []byte // of all fields of the record, one behind the other
	ends   []int
	record record
	size   int // bytes of the record so far
}

func newSplitter(r io.Reader, delimiter byte) *splitter {
	return &splitter{r: bufio.NewReaderSize(r, 1<<16), delimiter: delimiter, line: 1}
}

// next returns the next record, and io.EOF after the last one. A line that begins with # is a record
// of its own, with its text in raw.
func (s *splitter) next() (*record, error) {
	s.text, s.ends, s.size = s.text[:0], s.ends[:0], 0
	s.record = record{line: s.line, quoted: s.record.quoted[:0], fields: s.record.fields[:0]}
	b, err := s.skipBlanks()
	if errors.Is(err, io.EOF) && s.size == 0 {
		return nil, io.EOF
	}
	if err == nil && b == '#' {
		return s.readComment()
	}
	for {
		var quoted bool
		if err == nil && b == '"' {
			quoted = true
			b, err = s.quoted()
		} else {
			b, err = s.bare(b, err)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		s.ends, s.record.quoted = append(s.ends, len(s.text)), append(s.record.quoted, quoted)
		if err != nil || b == '\n' {
			return s.done(), nil
		}
		if b, err = s.skipBlanks(); s.delimiter == ' ' && (err != nil || b == '\n') {
			return s.done(), nil // blanks at the end of a line are no delimiter
		}
	}
}

// done cuts the text of the record into its fields.
func (s *splitter) done() *record {
	all, start := string(s.text), 0
	for _, end := range s.ends {
		s.record.fields = append(s.record.fields, all[start:end])
		start = end
	}
	return &s.record
}

// read returns the next byte, and \n for every kind of line end.
func (s *splitter) read() (byte, error) {
	b, err := s.r.ReadByte()
	if err != nil {
		return 0, err
	}
	if s.size++; s.size > maxRecord {
		return 0, fmt.Errorf("line %d: got a row of more than %d MiB, want fewer columns (or the quote that ends a field)", s.record.line, maxRecord>>20)
	}
	switch b {
	case 0:
		return 0, fmt.Errorf("line %d: got a byte 0, want text in UTF-8", s.line)
	case '\r':
		if after, err := s.r.Peek(1); err == nil && after[0] == '\n' {
			s.r.Discard(1)
		}
		b = '\n'
	}
	if b == '\n' {
		s.line++
	}
	return b, nil
}

// isBlank reports whether b is a blank between fields or around them.
func (s *splitter) isBlank(b byte) bool { return b == ' ' || b == '\t' && s.delimiter != '\t' }

func (s *splitter) skipBlanks() (byte, error) {
	for {
		if b, err := s.read(); err != nil || !s.isBlank(b) {
			return b, err
		}
	}
}

// ends reports whether b is behind the end of a field that is not in quotes.
func (s *splitter) separates(b byte) bool {
	return b == '\n' || s.delimiter != 0 && b == s.delimiter || s.delimiter == ' ' && b == '\t'
}

// bare reads a field that begins with b, up to what ends it.
func (s *splitter) bare(b byte, err error) (byte, error) {
	start := len(s.text)
	for ; err == nil && !s.separates(b); b, err = s.read() {
		s.text = append(s.text, b)
	}
	for len(s.text) > start && s.isBlank(s.text[len(s.text)-1]) {
		s.text = s.text[:len(s.text)-1]
	}
	return b, err
}

// quoted reads a field behind its first quote, up to what ends it.
func (s *splitter) quoted() (byte, error) {
	line := s.line
	for {
		b, err := s.read()
		if errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("line %d: got a field that begins with a quote and does not end with one", line)
		}
		if err != nil {
			return 0, err
		}
		if b != '"' {
			s.text = append(s.text, b)
			continue
		}
		if b, err = s.read(); err == nil && b == '"' {
			s.text = append(s.text, b)
			continue
		}
		for err == nil && s.isBlank(b) && !s.separates(b) {
			b, err = s.read()
		}
		if err == nil && !s.separates(b) {
			return 0, fmt.Errorf("line %d: got %q behind the quote that ends a field, want a quote inside a field to be written twice", s.line, b)
		}
		return b, err
	}
}

// readComment reads a line behind its #.
func (s *splitter) readComment() (*record, error) {
	s.text = append(s.text, '#')
	for {
		b, err := s.read()
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if err != nil || b == '\n' {
			s.record.comment, s.record.raw = true, string(s.text)
			return &s.record, nil
		}
		s.text = append(s.text, b)
	}
}

// split returns a comment's line as a record of fields.
func (s *splitter) split(r *record) (*record, error) {
	inner := newSplitter(strings.NewReader(r.raw[1:]), s.delimiter)
	inner.line = r.line
	out, err := inner.next()
	if err != nil {
		return nil, err
	}
	if !out.comment && len(out.fields) > 0 {
		out.fields[0] = "#" + out.fields[0]
	}
	return out, nil
}
