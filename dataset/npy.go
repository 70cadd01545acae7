package dataset

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// openArrays reads the arrays of a spec, and those of held-out samples where there are any.
func openArrays(spec Spec, base string) (train, test *stored, err error) {
	if train, err = readArrays(spec, base, nil); err != nil || spec.TestInputs == "" {
		return train, nil, err
	}
	held := spec
	held.Inputs, held.Targets = spec.TestInputs, spec.TestTargets
	if test, err = readArrays(held, base, train); err != nil {
		return nil, nil, err
	}
	train.read += "; test samples: " + test.read
	return train, test, nil
}

// readArrays reads the (N,d) inputs and the (N,m) targets; (N) targets are (N,1). Held-out samples are like those of training.
func readArrays(spec Spec, base string, like *stored) (*stored, error) {
	x, y, err := arrayPair(spec, base)
	if err != nil {
		return nil, err
	}
	if like != nil && x.columns != like.d {
		return nil, at(x.path, fmt.Errorf("shape: got %v, want %d numbers a sample as in the training inputs", x.shape, like.d))
	}
	if like != nil && !spec.Classification && y.columns != like.m {
		return nil, at(y.path, fmt.Errorf("shape: got %v, want %d numbers a sample as in the training targets", y.shape, like.m))
	}
	if err := errors.Join(x.read(), y.read()); err != nil {
		return nil, err
	}
	s := &stored{
		place: x.path, n: x.rows, d: x.columns, m: y.columns, source: "files of the user",
		x:    func(i int, dst []float64) { copy(dst, x.values[i*x.columns:]) },
		y:    func(i int, dst []float64) { copy(dst, y.values[i*y.columns:]) },
		read: fmt.Sprintf("inputs %s; targets %s", x.about(), y.about()),
	}
	switch {
	case spec.Classification:
		return s, s.classify(y, like)
	case y.columns == 1 && y.fraction() < 0:
		s.read += ", integers as numbers (classification: true takes them as classes)"
	}
	return s, nil
}

// arrayDimensions reads the headers, and the labels where classes must be counted.
func arrayDimensions(spec Spec, base string) (d, m int, err error) {
	x, y, err := arrayPair(spec, base)
	if err != nil {
		return 0, 0, err
	}
	s := &stored{n: x.rows, d: x.columns, m: y.columns}
	if spec.Classification {
		if err := y.read(); err != nil {
			return 0, 0, err
		}
		if err := s.classify(y, nil); err != nil {
			return 0, 0, err
		}
	}
	return s.d, s.m, nil
}

// classify interprets the (N) or (N,1) integers in y as classes, numbered in ascending order, or as those of
// like if it is not nil.
func (s *stored) classify(y *array, like *stored) error {
	if y.columns != 1 {
		return at(y.path, fmt.Errorf("shape: got %v, want (N) labels, because classification is true", y.shape))
	}
	if i := y.fraction(); i >= 0 {
		return at(y.path, fmt.Errorf("row %d: got %v, want an integer that names a class", i, y.values[i]))
	}
	labels, numbers := ranks(y.values)
	if like != nil {
		return s.classifyLike(y, numberNames(numbers), labels, like)
	}
	if len(numbers) < 2 {
		return at(y.path, fmt.Errorf("got the one class %v in all rows, want at least 2", y.values[0]))
	}
	if !fits(s.n, s.d, len(numbers)) {
		return at(y.path, fmt.Errorf("got %d rows of %d inputs and %d classes, want at most 2^31 numbers", s.n, s.d, len(numbers)))
	}
	s.m, s.classes, s.y = len(numbers), numberNames(numbers), nil
	s.label = func(i int) int { return labels[i] }
	return nil
}

// classifyLike takes labels, places among names, as the classes of another set.
func (s *stored) classifyLike(y *array, names []string, labels []int, like *stored) error {
	places, err := classesLike(names, like.classes)
	if err != nil {
		return at(y.path, err)
	}
	s.m, s.classes, s.y = len(like.classes), like.classes, nil
	s.label = func(i int) int { return places[labels[i]] }
	return nil
}

// An array is what a .npy file or a member of a .npz file holds.
type array struct {
	path, member  string // member "" for a .npy file
	shape         []int  // as in the file
	rows, columns int
	values        []float64 // (rows,columns), row-major; nil until read
}

// arrayPair reads the headers of inputs and targets.
func arrayPair(spec Spec, base string) (x, y *array, err error) {
	if x, err = openArray(under(base, spec.Inputs), 2, spec.Flatten); err != nil {
		return nil, nil, err
	}
	if y, err = openArray(under(base, spec.Targets), 1, spec.Flatten); err != nil {
		return nil, nil, err
	}
	if y.rows != x.rows {
		return nil, nil, at(y.path, fmt.Errorf("got %d rows, want %d, those of %s", y.rows, x.rows, x.path))
	}
	return x, y, nil
}

// openArray reads the header of an array of two axes, or of one and more if least is 1; more
// axes are joined if flatten is true.
func openArray(name string, least int, flatten bool) (*array, error) {
	a := &array{}
	a.path, a.member = arrayFile(name)
	err := a.header()
	if err == nil {
		err = a.measure(least, flatten)
	}
	return a, at(a.path, hint(err))
}

// measure sets rows and columns, and refuses a shape of the wrong rank or beyond maxNumbers.
func (a *array) measure(least int, flatten bool) error {
	n := len(a.shape)
	if slices.Contains(a.shape, 0) || n == 0 {
		return fmt.Errorf("shape: got %v, want sizes ≥ 1", a.shape)
	}
	a.rows, a.columns = a.shape[0], 1
	for _, size := range a.shape[1:] {
		if a.columns > maxNumbers/size {
			return fmt.Errorf("shape: got %v, want at most 2^31 numbers", a.shape)
		}
		a.columns *= size
	}
	switch {
	case n < least:
		return fmt.Errorf("shape: got %v, want 2 dimensions", a.shape)
	case n > 2 && !flatten:
		return fmt.Errorf("shape: got %v, want 2 dimensions (flatten: true takes it as %v)", a.shape, []int{a.rows, a.columns})
	case !fits(a.rows, a.columns, 0):
		return fmt.Errorf("shape: got %v, want at most 2^31 numbers", a.shape)
	}
	return nil
}

// read reads the values.
func (a *array) read() error {
	values, err := a.content()
	if err == nil && len(values) != a.rows*a.columns {
		err = errors.New("the file has changed while it was read")
	}
	a.values = values
	return at(a.path, hint(err))
}

// fraction returns the row of the first value that is no integer, −1 if there is none.
func (a *array) fraction() int {
	return slices.IndexFunc(a.values, func(v float64) bool { return v != math.Trunc(v) })
}

// about describes how the array was read.
func (a *array) about() string {
	text := plain.Text(filepath.Base(a.path))
	if a.member != "" {
		text += ":" + plain.Text(a.member)
	}
	if len(a.shape) > 2 {
		text += fmt.Sprintf(" %v as %v", a.shape, []int{a.rows, a.columns})
	}
	return text
}
