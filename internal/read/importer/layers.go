package importer

import (
	"fmt"
	"slices"

	"github.com/deeplimit/deeplimit/internal/machine"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A stack is the tensors of one part of the network, over all layers, before their
// entries are read.
type stack struct {
	located
	part    string
	bias    bool
	dtype   string
	shape   []int // of a tensor, as the file has it
	reading       // how it is read: decided in orientation.go
}

// findStack locates the tensors of a pattern and checks that they have one shape and are
// floats. It returns nil when no tensor matches.
func findStack(f *opened, part, pattern string, bias bool, layout *Layout, layers Range) (*stack, error) {
	found, err := locate(pattern, f.names, layers, layout.AnyStride)
	if err != nil || len(found.names) == 0 {
		return nil, err
	}
	s := &stack{located: found, part: part, bias: bias}
	for i, name := range found.names {
		info, err := f.Info(name)
		if err != nil {
			return nil, err
		}
		if err := info.CheckFloat(); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		if scale := f.scaleOf(name); scale != "" {
			return nil, fmt.Errorf("tensor %q: got 8-bit floats whose scale is in %q, want weights without a scale; save them as float32", name, scale)
		}
		if i > 0 && !slices.Equal(info.Shape, s.shape) {
			return nil, fmt.Errorf("layer %d: tensor %q: got shape %v, want %v as in layer %d; choose layers of one shape with --layers",
				found.indices[i], name, info.Shape, s.shape, found.indices[0])
		}
		s.shape, s.dtype = info.Shape, info.DType
	}
	name := found.names[0]
	switch {
	case s.stacked() && !layers.all():
		return nil, fmt.Errorf("tensor %q holds all layers, want a pattern with %s to choose some", name, layerMark)
	case slices.Contains(s.shape, 0):
		return nil, fmt.Errorf("tensor %q: got shape %v, want sizes of at least 1", name, s.shape)
	case s.stacked() && bias && len(s.shape) != 2:
		return nil, fmt.Errorf("tensor %q: got shape %v, want (layers, length) for the bias of all layers", name, s.shape)
	case s.stacked() && !bias && len(s.shape) < 3:
		return nil, fmt.Errorf("tensor %q: got shape %v, want matrices for all layers in one tensor, or %s in the pattern", name, s.shape, layerMark)
	case !s.stacked() && bias && len(s.shape) != 1:
		return nil, fmt.Errorf("tensor %q: got shape %v a layer, want a vector for the bias", name, s.shape)
	case !s.stacked() && !bias && len(s.shape) < 2:
		return nil, fmt.Errorf("tensor %q: got shape %v a layer, want a matrix", name, s.shape)
	}
	return s, nil
}

// stacked reports whether one tensor holds all layers.
func (s *stack) stacked() bool { return s.indices == nil }

// sizes returns the shape of the part in a run folder: (L,rows,cols), or (L,rows).
func (s *stack) sizes() []int {
	if s.bias {
		return []int{s.depth, s.rows}
	}
	return []int{s.depth, s.rows, s.cols}
}

// read returns the path as run folders hold it, (L,rows,cols) of A·x or (L,rows).
func (s *stack) read(f *opened) (runfolder.Tensor, error) {
	t := runfolder.Tensor{DType: "F64", Shape: s.sizes()}
	if s.stacked() {
		data, err := f.Read(s.names[0])
		if err == nil {
			t.Data = s.gather(data, s.shape)
		}
		return t, err
	}
	size := s.rows * max(s.cols, 1)
	t.Data = make([]float64, 0, s.depth*size)
	for _, name := range s.names {
		data, err := f.Read(name)
		if err != nil {
			return t, err
		}
		t.Data = append(t.Data, s.gather(data, append([]int{1}, s.shape...))...)
	}
	return t, nil
}

// gather returns the entries of a tensor of the given shape as (layers, rows, cols). The
// layers run along s.axis.
func (s *stack) gather(data []float64, shape []int) []float64 {
	axis := s.axis
	if !s.stacked() {
		axis = 0
	}
	order := []int{axis}
	for i := range shape {
		if i != axis {
			order = append(order, i)
		}
	}
	if s.transposed { // the last axis counts outputs
		last := order[len(order)-1]
		order = slices.Insert(order[:len(order)-1], 1, last)
	}
	if slices.IsSorted(order) {
		return data
	}
	return permute(data, shape, order)
}

// permute returns the array whose axis i is axis order[i] of data.
func permute(data []float64, shape, order []int) []float64 {
	strides := make([]int, len(shape))
	for axis, stride := len(shape)-1, 1; axis >= 0; axis-- {
		strides[axis] = stride
		stride *= shape[axis]
	}
	out := make([]float64, len(data))
	place := make([]int, len(shape))
	at := 0 // Σ place_i·strides_order[i]
	for k := range out {
		out[k] = data[at]
		for i := len(order) - 1; i >= 0; i-- {
			at += strides[order[i]]
			if place[i]++; place[i] < shape[order[i]] {
				break
			}
			at -= place[i] * strides[order[i]]
			place[i] = 0
		}
	}
	return out
}

// parts are the stacks of a checkpoint by the names that run folders give them.
type parts map[string]*stack

// findParts locates every part of the layout in a file, and decides how each is read.
func findParts(f *opened, layout Layout, layers Range) (parts, error) {
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
		s, err := findStack(f, w.name, w.pattern, w.bias, &layout, layers)
		switch {
		case err != nil:
			return nil, err
		case s != nil:
			found[w.name] = s
		case !w.optional:
			return nil, fmt.Errorf("pattern %q: got no tensor; %s", w.pattern, suggestion(f.names))
		}
	}
	var names []string
	for _, name := range []string{"A", "V", "W", "b", "c"} {
		s := found[name]
		if s == nil {
			continue
		}
		names = append(names, s.names...)
		if main := found.main(); !s.stacked() && !main.stacked() && !slices.Equal(s.indices, main.indices) {
			return nil, fmt.Errorf("tensor %q and its like: got %d layers, want the %d of %q", s.names[0], len(s.names), len(main.names), main.names[0])
		}
	}
	if err := f.afford(names); err != nil {
		return nil, err
	}
	if err := found.orient(f, layout); err != nil {
		return nil, err
	}
	need := 0.0 // bytes
	for _, s := range found {
		size := 8.0
		for _, n := range s.sizes() {
			size *= float64(n)
		}
		need += size
	}
	if err := machine.Fits(need); err != nil {
		return nil, fmt.Errorf("weights as float64: %w; take some of the layers with --layers", err)
	}
	return found, nil
}

// main returns the part that stands for the run in tables.
func (p parts) main() *stack {
	if v := p["V"]; v != nil {
		return v
	}
	return p["A"]
}

// shapes returns the shape of a layer of every part.
func (p parts) shapes() map[string][]int {
	shapes := map[string][]int{}
	for name, s := range p {
		shapes[name] = s.sizes()[1:]
	}
	return shapes
}
