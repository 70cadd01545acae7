package tensorfile

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// table is a file of text with one point a row: a matrix, or a vector when there is one
// column.
type table struct {
	data  []float64
	about Info
}

// newTable reads rows of numbers separated by commas (.csv), tabs (.tsv) or spaces
// (.txt). A first row without any number is a header and passed over, as are blank
// lines and a byte-order mark.
func newTable(r io.Reader, extension string) (*table, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	if mark, _ := buffered.Peek(3); string(mark) == "\xef\xbb\xbf" {
		if _, err := buffered.Discard(3); err != nil {
			return nil, err
		}
	}
	reader := csv.NewReader(buffered)
	reader.ReuseRecord, reader.TrimLeadingSpace = true, true
	switch extension {
	case ".tsv":
		reader.Comma, reader.TrimLeadingSpace = '\t', false
	case ".txt":
		reader.Comma = ' '
	}
	var t table
	width := 0
	for rows := 0; ; rows++ {
		record, err := reader.Read()
		switch {
		case errors.Is(err, io.EOF) && len(t.data) == 0:
			return nil, errors.New("got no rows of numbers")
		case errors.Is(err, io.EOF):
			t.about = Info{"text", []int{len(t.data) / width, width}}
			if width == 1 {
				t.about.Shape = t.about.Shape[:1]
			}
			return &t, nil
		case errors.Is(err, csv.ErrFieldCount):
			line, _ := reader.FieldPos(0)
			return nil, fmt.Errorf("line %d: got %d columns, want %d", line, len(record), width)
		case err != nil:
			return nil, err
		}
		width = len(record)
		if rows == 0 && isHeader(record) {
			continue
		}
		for j, text := range record {
			v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				line, _ := reader.FieldPos(j)
				return nil, fmt.Errorf("line %d, column %d: got %.100q, want a finite number", line, j+1, text)
			}
			t.data = append(t.data, v)
		}
	}
}

// isHeader reports whether no field of the row is a number and one is not empty.
func isHeader(record []string) bool {
	named := false
	for _, text := range record {
		text = strings.TrimSpace(text)
		if _, err := strconv.ParseFloat(text, 64); err == nil || errors.Is(err, strconv.ErrRange) {
			return false
		}
		named = named || text != ""
	}
	return named
}

func (t *table) names() []string                { return []string{""} }
func (t *table) info(string) (Info, error)      { return t.about, nil }
func (t *table) read(string) ([]float64, error) { return t.data, nil }
