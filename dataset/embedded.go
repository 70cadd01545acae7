package dataset

import (
	"bufio"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"strings"
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
	return embeddedTable("digits", text, csvOptions{comma: ',', classification: true})
}

// diabetes returns the measurements and the progression in their raw units.
func diabetes() (*stored, error) {
	inputs, err := embeddedText("diabetes_data_raw.csv.gz")
	if err != nil {
		return nil, err
	}
	targets, err := embeddedText("diabetes_target.csv.gz")
	if err != nil {
		return nil, err
	}
	// Line i of one file belongs to line i of the other: one table of 11 columns.
	x, y := strings.Split(inputs, "\n"), strings.Split(targets, "\n")
	if len(x) != len(y) {
		return nil, at("diabetes", fmt.Errorf("got %d lines of targets, want %d", len(y), len(x)))
	}
	for i := range x {
		x[i] = strings.TrimSpace(x[i] + " " + y[i])
	}
	return embeddedTable("diabetes", strings.Join(x, "\n"), csvOptions{comma: ' '})
}

func embeddedTable(name, text string, o csvOptions) (*stored, error) {
	t, err := decodeCSV(bufio.NewReader(strings.NewReader(text)), o)
	if err != nil {
		return nil, at(name, err)
	}
	s, err := t.stored()
	if err != nil {
		return nil, at(name, err)
	}
	k, err := kindNamed(name)
	if err != nil {
		return nil, err
	}
	if s.n != k.train || s.d != k.inputs || s.m != k.outputs {
		return nil, at(name, fmt.Errorf("got %d samples of %d + %d numbers, want %d of %d + %d", s.n, s.d, s.m, k.train, k.inputs, k.outputs))
	}
	s.place, s.source = name, k.citation()
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
