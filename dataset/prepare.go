package dataset

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/deeplimit/deeplimit/internal/random"
)

// A stored set returns the samples of a file or an embedded set unchanged. Its readers have
// refused NaN and infinities.
type stored struct {
	place   string // file, for errors
	n, d, m int
	x       func(i int, dst []float64) // input i into dst (d)
	y       func(i int, dst []float64) // target i into dst (m); nil for a classification
	label   func(i int) int            // class of sample i in [0,m); nil for a regression
	classes []string                   // names of the classes
	source  string
	read    string // how it was read, where there was a choice
	// columnNames are those of the inputs and the target columns of a table.
	columnNames []string
}

// prepare chooses samples, standardises and normalises. If test is nil, the test samples come
// from the rest of train.
//
// The choice depends on the seed, the number of rows and, if it is stratified, their classes. The
// test samples are the same for any number of training samples. Fewer samples are a subset of
// more, unless they are stratified. Chosen samples keep their stored order.
func prepare(spec Spec, train, test *stored) (*Set, error) {
	order := random.New(*spec.Seed, "data/split").Perm(train.n)
	fromTrain := spec.Test
	switch {
	case test != nil:
		if spec.Test > test.n {
			return nil, at(test.place, fmt.Errorf("got %d samples, want at least test: %d", test.n, spec.Test))
		}
		fromTrain = 0
	case spec.Test > 0:
		if need := max(spec.Samples, 1); spec.Test > train.n-need {
			return nil, at(train.place, fmt.Errorf("got %d samples, want at least %d + %d for samples and test", train.n, need, spec.Test))
		}
	}
	if need := max(spec.Samples, 1); spec.Validation > 0 && spec.Validation > train.n-fromTrain-need {
		return nil, at(train.place, fmt.Errorf("got %d samples, want at least %d + %d + %d for samples, test and validation", train.n, need, fromTrain, spec.Validation))
	}
	if spec.Samples > train.n-fromTrain {
		return nil, at(train.place, fmt.Errorf("got %d samples, want at least samples: %d", train.n, spec.Samples))
	}
	rest, testRows, validationRows, err := train.parts(order, spec, fromTrain)
	if err != nil {
		return nil, at(train.place, err)
	}
	if test != nil {
		order := random.New(*spec.Seed, "data/test").Perm(test.n)
		testRows, _, err = test.split(order, spec.Test, 0, spec.Stratified, "test")
		if err != nil {
			return nil, at(test.place, err)
		}
	} else {
		test = train
	}

	set, err := train.take(rest, spec.Name)
	if err != nil {
		return nil, err
	}
	if len(testRows) > 0 {
		if set.Test, err = test.take(testRows, spec.Name); err != nil {
			return nil, err
		}
	}
	if len(validationRows) > 0 {
		if set.Validation, err = train.take(validationRows, spec.Name); err != nil {
			return nil, err
		}
	}
	if *spec.Standardize {
		if err := set.standardize(); err != nil {
			return nil, at(train.place, err)
		}
	}
	if *spec.UnitNorm {
		if err := unitNorm(set, rest); err != nil {
			return nil, at(train.place, err)
		}
		if set.Test != nil {
			if err := unitNorm(set.Test, testRows); err != nil {
				return nil, at(test.place, err)
			}
		}
		if set.Validation != nil {
			if err := unitNorm(set.Validation, validationRows); err != nil {
				return nil, at(train.place, err)
			}
		}
	}
	return set, nil
}

// parts divides a permutation into the rows for training, those held out for testing, and those for
// validation, which leave the test part as it is without them.
func (s *stored) parts(order []int, spec Spec, test int) (train, tested, validated []int, err error) {
	if spec.Validation == 0 {
		train, tested, err = s.split(order, spec.Samples, test, spec.Stratified, "test")
		return train, tested, nil, err
	}
	rest, tested, err := s.split(order, 0, test, spec.Stratified, "test")
	if err != nil {
		return nil, nil, nil, err
	}
	train, validated, err = s.split(rest, spec.Samples, spec.Validation, spec.Stratified, "validation")
	return train, tested, validated, err
}

// take sorts rows and returns the set of those samples.
func (s *stored) take(rows []int, name string) (*Set, error) {
	slices.Sort(rows)
	n := len(rows)
	if !fits(n, s.d, s.m) {
		return nil, at(s.place, fmt.Errorf("got %d samples of %d + %d numbers, want at most 2^31 numbers: lower samples", n, s.d, s.m))
	}
	set := &Set{
		Name: name, Inputs: s.d, Outputs: s.m, Samples: n, Classes: s.classes, Source: s.source, Read: s.read,
		X: make([]float64, n*s.d), Y: make([]float64, n*s.m),
	}
	if s.label != nil {
		set.Labels = make([]int, n)
	}
	for i, row := range rows {
		s.x(row, set.X[i*s.d:(i+1)*s.d])
		if s.label == nil {
			s.y(row, set.Y[i*s.m:(i+1)*s.m])
			continue
		}
		set.Labels[i] = s.label(row)
		set.Y[i*s.m+set.Labels[i]] = 1
	}
	return set, nil
}

// standardize applies the statistics of the training part to it, to Test and to Validation.
func (s *Set) standardize() error {
	parts := [][]float64{s.X}
	for _, held := range []*Set{s.Test, s.Validation} {
		if held != nil {
			parts = append(parts, held.X)
		}
	}
	if err := standardize(s.Inputs, parts...); err != nil {
		return fmt.Errorf("input %w", err)
	}
	if s.Labels != nil {
		return nil
	}
	parts = [][]float64{s.Y}
	for _, held := range []*Set{s.Test, s.Validation} {
		if held != nil {
			parts = append(parts, held.Y)
		}
	}
	if err := standardize(s.Outputs, parts...); err != nil {
		return fmt.Errorf("target %w", err)
	}
	return nil
}

// standardize subtracts from each of the d columns of every part (n,d) the mean
// of parts[0] and divides by its population standard deviation. A column that is
// constant in parts[0] becomes 0 in all parts.
func standardize(d int, parts ...[]float64) error {
	first := parts[0]
	n := float64(len(first) / d)
	mean, scale := make([]float64, d), make([]float64, d)
	low, high := slices.Clone(first[:d]), slices.Clone(first[:d])
	for row := range slices.Chunk(first, d) {
		floats.Add(mean, row)
		for j, v := range row {
			low[j], high[j] = min(low[j], v), max(high[j], v)
		}
	}
	floats.Scale(1/n, mean)
	for row := range slices.Chunk(first, d) {
		for j, v := range row {
			scale[j] += (v - mean[j]) * (v - mean[j])
		}
	}
	for j, squares := range scale {
		// Recognise a constant column by its range: rounding of the mean gives it a
		// positive deviation.
		if low[j] == high[j] {
			scale[j] = 0
			continue
		}
		deviation := math.Sqrt(squares / n)
		if !positive(deviation) || !positive(1/deviation) {
			return fmt.Errorf("column %d: got standard deviation %g of values from %g to %g, want one that float64 can hold: rescale the column",
				j+1, deviation, low[j], high[j])
		}
		scale[j] = 1 / deviation
	}
	for _, part := range parts {
		for row := range slices.Chunk(part, d) {
			for j, v := range row {
				if scale[j] == 0 {
					row[j] = 0
					continue
				}
				row[j] = (v - mean[j]) * scale[j]
			}
		}
	}
	return nil
}

// unitNorm scales every input to norm 1; rows are their indices in the stored set, for errors.
func unitNorm(s *Set, rows []int) error {
	for i := range s.Samples {
		x := s.X[i*s.Inputs : (i+1)*s.Inputs]
		norm := floats.Norm(x, 2)
		if !positive(norm) || !positive(1/norm) {
			return fmt.Errorf("sample %d: got an input of norm %g, want one that can be scaled to 1 (or unit-norm: false)", rows[i]+1, norm)
		}
		floats.Scale(1/norm, x)
	}
	return nil
}
