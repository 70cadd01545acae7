package dataset

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// Shown is what the files of a set would be read as, before samples are chosen, standardised and normalised.
type Shown struct {
	Samples int `json:"samples"`
	// TestSamples is how many the files of held-out samples have.
	TestSamples int          `json:"test_samples,omitempty"`
	Inputs      []string     `json:"inputs"`  // names of the columns, by number where they have none
	Targets     []string     `json:"targets"` // likewise; the classes of a classification stand apart
	Classes     []ClassCount `json:"classes,omitempty"`
	Read        string       `json:"read"`   // how the files were read
	Rows        [][]float64  `json:"rows"`   // the first samples: inputs, then targets or the number of the class
	Ranges      [][2]float64 `json:"ranges"` // smallest and largest number of each column, over all samples
}

// ClassCount is a class and how many samples are of it.
type ClassCount struct {
	Class   string `json:"class"`
	Samples int    `json:"samples"`
}

// shownRows is how many samples Show returns.
const shownRows = 3

// Show reads the files of a set of kind csv, parquet or files as Load would, and returns what it saw.
func Show(spec Spec, base string) (*Shown, error) {
	spec, err := spec.Resolve(0)
	if err != nil {
		return nil, err
	}
	if k, _ := kindNamed(spec.Kind); !slices.Contains(k.fields, "classification") {
		return nil, fmt.Errorf("dataset: kind: got %q, want csv, parquet or files, whose files are the user's", spec.Kind)
	}
	shown := &Shown{}
	s, test, err := open(spec, base)
	if err != nil {
		return nil, err
	}
	if test != nil {
		shown.TestSamples = test.n
	}
	if s.columnNames != nil {
		shown.Inputs, shown.Targets = s.columnNames[:s.d:s.d], s.columnNames[s.d:]
	} else {
		for j := range s.d {
			shown.Inputs = append(shown.Inputs, "column "+strconv.Itoa(j+1))
		}
		for j := range s.columns() {
			shown.Targets = append(shown.Targets, "target "+strconv.Itoa(j+1))
		}
	}
	shown.Samples, shown.Read = s.n, s.read
	shown.count(s)
	return shown, nil
}

// columns returns the number of target columns: one of a classification.
func (s *stored) columns() int {
	if s.classes != nil {
		return 1
	}
	return s.m
}

// count fills in the first rows, the range of every column and the samples of every class.
func (shown *Shown) count(s *stored) {
	width := len(shown.Inputs) + len(shown.Targets)
	counts := make([]int, len(s.classes))
	shown.Ranges = make([][2]float64, width)
	row := make([]float64, width)
	for i := range s.n {
		s.x(i, row[:s.d])
		if s.classes != nil {
			counts[s.label(i)]++
			row[s.d] = float64(s.label(i))
		} else {
			s.y(i, row[s.d:])
		}
		if i < shownRows {
			shown.Rows = append(shown.Rows, slices.Clone(row))
		}
		for j, v := range row {
			if i == 0 {
				shown.Ranges[j] = [2]float64{v, v}
			}
			shown.Ranges[j] = [2]float64{min(shown.Ranges[j][0], v), max(shown.Ranges[j][1], v)}
		}
	}
	for k, name := range s.classes {
		shown.Classes = append(shown.Classes, ClassCount{plain.Text(name), counts[k]})
	}
}
