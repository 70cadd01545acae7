package dataset

import (
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"strings"

	"github.com/deeplimit/deeplimit/internal/table"
)

// data holds the files that data/README.md describes.
//
//go:embed data/*.gz
var data embed.FS

// digits returns the 8×8 images, pixels from 0 to 16.
func digits() (*stored, error) {
	text, err := embeddedText("digits.csv.gz")
	if err != nil {
		return nil, err
	}
	return embeddedTable("digits", text, ",", true)
}

// diabetes returns the measurements and the disease progression in their raw units.
func diabetes() (*stored, error) {
	inputs, err := embeddedText("diabetes_data_raw.csv.gz")
	if err != nil {
		return nil, err
	}
	targets, err := embeddedText("diabetes_target.csv.gz")
	if err != nil {
		return nil, err
	}
	// Line i of both files is one sample: join them to one table of 11 columns.
	x, y := strings.Split(inputs, "\n"), strings.Split(targets, "\n")
	if len(x) != len(y) {
		return nil, at("diabetes", fmt.Errorf("got %d lines of targets, want %d", len(y), len(x)))
	}
	for i := range x {
		x[i] = strings.TrimSpace(x[i] + " " + y[i])
	}
	return embeddedTable("diabetes", strings.Join(x, "\n"), "blank", false)
}

// embeddedTable reads the text of an embedded set, which has neither header nor index.
func embeddedTable(name, text, delimiter string, classification bool) (*stored, error) {
	k, err := kindNamed(name)
	if err != nil {
		return nil, err
	}
	header := false
	r, err := table.NewReader(strings.NewReader(text), table.Options{Header: &header, Index: "false", Delimiter: delimiter, Decimal: "."})
	if err != nil {
		return nil, at(name, err)
	}
	t, err := newTable(r, nil, nil, classification)
	if err != nil {
		return nil, at(name, err)
	}
	s, err := t.stored()
	if err != nil {
		return nil, at(name, err)
	}
	if s.n != k.train || s.d != k.inputs || s.m != k.outputs {
		return nil, at(name, fmt.Errorf("got %d samples of %d + %d numbers, want %d of %d + %d", s.n, s.d, s.m, k.train, k.inputs, k.outputs))
	}
	s.place, s.source, s.read = name, k.citation(), ""
	return s, nil
}

func embeddedText(name string) (string, error) {
	file, err := data.Open("data/" + name)
	if err != nil {
		return "", at(name, err)
	}
	defer file.Close()
	unzip, err := gzip.NewReader(file)
	if err != nil {
		return "", at(name, err)
	}
	text, err := io.ReadAll(unzip)
	return string(text), at(name, err)
}
