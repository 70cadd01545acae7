package importer

import (
	"fmt"
	"slices"

	"github.com/deeplimit/deeplimit/importer/tensorfile"
	"github.com/deeplimit/deeplimit/weightpath"
)

// A stack is the tensors of one part of the network, over all layers, before their
// entries are read.
type stack struct {
	located
	depth int
	rows  int // of A in A·x; the length of a bias
	cols  int // 0 for a bias
	// transposed says that the file holds the transpose.
	transposed bool
}

// findStack locates the tensors of a pattern and checks that their shapes are those of
// one path: matrices, or vectors for a bias. A convolution (outputs, inputs, …) is the
// matrix (outputs, inputs·…). It returns nil when no tensor matches.
func findStack(f *tensorfile.File, pattern string, bias bool, layout Layout, layers Range) (*stack, error) {
	found, err := locate(pattern, f.Names(), layers, layout.AnyStride)
	if err != nil {
		return nil, err
	}
	if len(found.names) == 0 {
		return nil, nil
	}
	var shape []int
	for i, name := range found.names {
		info, err := f.Info(name)
		if err != nil {
			return nil, err
		}
		if i > 0 && !slices.Equal(info.Shape, shape) {
			return nil, fmt.Errorf("layer %d: tensor %q: got shape %v, want %v as in layer %d; choose layers of one shape with --layers",
				found.indices[i], name, info.Shape, shape, found.indices[0])
		}
		shape = info.Shape
	}
	s := &stack{located: found, depth: len(found.names)}
	name := found.names[0]
	if found.indices == nil {
		if !layers.all() {
			return nil, fmt.Errorf("tensor %q holds all layers, want a pattern with %s to choose some", name, layerMark)
		}
		if len(shape) == 0 {
			return nil, fmt.Errorf("tensor %q: got a single number, want one tensor for all layers", name)
		}
		s.depth, shape = shape[0], shape[1:]
	}
	if slices.Contains(shape, 0) || s.depth == 0 {
		return nil, fmt.Errorf("tensor %q: got shape %v, want sizes of at least 1", name, shape)
	}
	if bias {
		if len(shape) != 1 {
			return nil, fmt.Errorf("tensor %q: got shape %v a layer, want a vector for the bias", name, shape)
		}
		s.rows = shape[0]
		return s, nil
	}
	return s, s.setMatrix(name, shape, layout.Convention)
}

// setMatrix takes the shape of a layer's weights.
func (s *stack) setMatrix(name string, shape []int, convention Convention) error {
	switch {
	case len(shape) < 2:
		return fmt.Errorf("tensor %q: got shape %v a layer, want a matrix", name, shape)
	case len(shape) > 2 && convention == RowVectors:
		return fmt.Errorf("tensor %q: got shape %v a layer, want a matrix for convention %s", name, shape, RowVectors)
	}
	s.rows, s.cols = shape[0], 1
	for _, n := range shape[1:] {
		s.cols *= n
	}
	if convention == RowVectors {
		s.rows, s.cols, s.transposed = s.cols, s.rows, true
	}
	return nil
}

// read returns the path as run folders hold it, (L,rows,cols) of A·x or (L,rows).
func (s *stack) read(f *tensorfile.File) (weightpath.Tensor, error) {
	t := weightpath.Tensor{DType: "F64", Shape: []int{s.depth, s.rows, s.cols}}
	if s.cols == 0 {
		t.Shape = t.Shape[:2]
	}
	for _, name := range s.names {
		data, err := f.Read(name)
		if err != nil {
			return t, err
		}
		if len(s.names) == 1 {
			t.Data = data
			break
		}
		t.Data = append(slices.Grow(t.Data, s.depth*len(data)-len(t.Data)), data...)
	}
	if s.transposed {
		size := s.rows * s.cols
		layer := make([]float64, size)
		for k := range s.depth {
			a := t.Data[k*size : (k+1)*size]
			copy(layer, a)
			for i := range s.rows {
				for j := range s.cols {
					a[i*s.cols+j] = layer[j*s.rows+i]
				}
			}
		}
	}
	return t, nil
}

// parts are the stacks of a checkpoint by the names that run folders give them.
type parts map[string]*stack

// findParts locates every part of the layout in a file and holds their shapes to
// each other.
func findParts(f *tensorfile.File, layout Layout, layers Range) (parts, error) {
	found := parts{}
	type wanted struct {
		name, pattern  string
		bias, optional bool
	}
	list := []wanted{{"A", layout.Weight, false, false}, {"b", layout.Bias, true, layout.OptionalBias}}
	if layout.Inner != "" {
		list = []wanted{
			{"V", layout.Weight, false, false},
			{"W", layout.Inner, false, false},
			{"b", layout.InnerBias, true, layout.OptionalBias},
			{"c", layout.Bias, true, layout.OptionalBias},
		}
	}
	for _, w := range list {
		if w.pattern == "" {
			continue
		}
		s, err := findStack(f, w.pattern, w.bias, layout, layers)
		switch {
		case err != nil:
			return nil, err
		case s != nil:
			found[w.name] = s
		case !w.optional:
			return nil, fmt.Errorf("pattern %q: got no tensor; %s", w.pattern, suggestion(f.Names()))
		}
	}
	return found, found.check()
}

// check holds depths and shapes of the parts to each other.
func (p parts) check() error {
	main := p.main()
	for _, name := range []string{"W", "b", "c"} {
		s := p[name]
		if s == nil {
			continue
		}
		if s.depth != main.depth || !slices.Equal(s.indices, main.indices) {
			return fmt.Errorf("tensor %q and its like: got %d layers, want the %d of %q", s.names[0], s.depth, main.depth, main.names[0])
		}
		rows := main.rows
		if name == "W" || name == "b" && p["W"] != nil {
			rows = main.cols
		}
		switch {
		case s.cols == 0 && s.rows != rows:
			return fmt.Errorf("tensor %q: got a bias of length %d, want %d", s.names[0], s.rows, rows)
		case name == "W" && (s.rows != rows || s.cols != main.rows):
			return fmt.Errorf("tensor %q: got a %d×%d matrix for W·x, want %d×%d beside the %d×%d of %q: is the convention right?",
				s.names[0], s.rows, s.cols, rows, main.rows, main.rows, main.cols, main.names[0])
		}
	}
	return nil
}

// main returns the part that stands for the run in tables.
func (p parts) main() *stack {
	if v := p["V"]; v != nil {
		return v
	}
	return p["A"]
}
