package importer

import (
	"fmt"
	"slices"
	"strings"
)

// A reading is how the tensors of a part are understood: which axis counts the layers,
// and on which side of the input a matrix stands.
type reading struct {
	axis       int  // of the layers, in a tensor that holds all
	transposed bool // stored as (inputs, outputs), for x·A
	depth      int
	rows, cols int    // of A in A·x; a bias has rows alone
	why        string // what decided
}

// A candidate is a reading of every part of a checkpoint.
type candidate map[string]reading

// orient decides how every part is read, from what can be checked: a bias has the length
// of the output, the output of one map is the input of the next, a map of a residual
// block alone is square. Then what stands beside the weights speaks, then their names. Where
// two readings fit, it is an error that names the flag that decides.
//
// All formats come through here. One that knows its own orientation gives its convention
// in the layout.
func (p parts) orient(f *opened, layout Layout) error {
	all, err := p.candidates(layout)
	if err != nil {
		return err
	}
	fitting, err := p.fitting(all)
	if err != nil {
		return err
	}
	why := ""
	if layout.Convention != "" {
		why = "as the convention says"
	}
	if len(fitting) < len(all) && len(fitting) == 1 {
		why = "the only reading in which shapes of maps and biases agree"
	}
	if kept := p.matchBias(f, fitting); len(kept) > 0 && len(kept) < len(fitting) {
		fitting, why = kept, "a bias has the length of the output"
	} else if len(kept) == 0 {
		return fmt.Errorf("%s: got a bias beside it whose length is that of the input, want that of the output; is --convention right?", p.main().describe())
	}
	if kept := p.square(fitting); len(kept) > 0 && len(kept) < len(fitting) {
		fitting, why = kept, "maps of a residual block are square"
	}
	if axes := axesOf(p, fitting); len(axes) > 1 {
		return fmt.Errorf("%s: got shape %v, whose layers may run along axis %s; want --layers-axis with one of them", p.main().describe(), p.main().shape, joinInts(axes))
	}
	if main := fitting[0][p.main().part]; len(fitting) > 1 && main.rows == 1 && main.cols == 1 {
		fitting, why = fitting[:1], "numbers, which have no sides"
	}
	if len(fitting) > 1 {
		transposed, reason := p.side(f)
		if reason == "" {
			main := fitting[0][p.main().part]
			return fmt.Errorf("%s: got %d×%d matrices that may be (outputs, inputs) or (inputs, outputs), and no bias, neighbour or name tells which; want --convention Ax or --convention xA",
				p.main().describe(), main.rows, main.cols)
		}
		why = reason
		fitting = slices.DeleteFunc(fitting, func(c candidate) bool { return c[p.main().part].transposed != transposed })
	}
	for name, s := range p {
		s.reading = fitting[0][name]
		if !s.bias {
			s.why = why
		}
	}
	return nil
}

// describe names the tensor of a part in messages.
func (s *stack) describe() string {
	return fmt.Sprintf("tensor %q", s.names[0])
}

// candidates returns the readings that the options leave.
func (p parts) candidates(layout Layout) ([]candidate, error) {
	main := p.main()
	axes := []int{0}
	if main.stacked() {
		axes = nil
		for i := range main.shape {
			axes = append(axes, i)
		}
		if layout.LayersAxis != nil {
			axes = []int{*layout.LayersAxis}
			if *layout.LayersAxis >= len(main.shape) {
				return nil, fmt.Errorf("%s: got shape %v, want one with the axis %d of --layers-axis", main.describe(), main.shape, *layout.LayersAxis)
			}
		}
	} else if layout.LayersAxis != nil {
		return nil, fmt.Errorf("%s: got a tensor for each layer, want one tensor for all beside --layers-axis", main.describe())
	}
	sides := []bool{false, true}
	switch layout.Convention {
	case ColumnVectors:
		sides = sides[:1]
	case RowVectors:
		sides = sides[1:]
	}
	sides, err := p.convolutions(sides, layout.Convention != "")
	if err != nil {
		return nil, err
	}
	var all []candidate
	for _, axis := range axes {
		for _, transposed := range sides {
			c := candidate{}
			for name, s := range p {
				if !s.bias {
					c[name] = s.as(axis, transposed)
				}
			}
			all = append(all, c)
		}
	}
	return all, nil
}

// convolutions returns the sides that maps of more than two axes leave. That of PyTorch is
// (outputs, inputs, …); that of Keras and Flax (…, inputs, outputs).
func (p parts) convolutions(sides []bool, asked bool) ([]bool, error) {
	for _, name := range []string{"A", "V", "W"} {
		s := p[name]
		if s == nil {
			continue
		}
		axes := len(s.shape)
		if s.stacked() {
			axes--
		}
		switch {
		case axes <= 2:
			continue
		case !asked && axes == 3 && !strings.Contains(strings.ToLower(s.form), "conv"):
			return nil, fmt.Errorf("%s: got shape %v a layer, which may be a convolution or several matrices; want --convention for a convolution, or a pattern of matrices", s.describe(), s.shape)
		case lastPart(s.form) == "weight":
			sides = slices.DeleteFunc(slices.Clone(sides), func(transposed bool) bool { return transposed })
		}
		if len(sides) == 0 {
			return nil, fmt.Errorf("%s: got shape %v a layer, want a matrix for convention %s", s.describe(), s.shape, RowVectors)
		}
	}
	return sides, nil
}

// as returns a reading of a map.
func (s *stack) as(axis int, transposed bool) reading {
	r := reading{axis: axis, transposed: transposed, depth: len(s.names)}
	layer := s.shape
	if s.stacked() {
		axis = min(axis, len(s.shape)-1)
		r.depth = s.shape[axis]
		layer = slices.Delete(slices.Clone(s.shape), axis, axis+1)
	}
	outputs := 0
	if transposed {
		outputs = len(layer) - 1
	}
	r.rows, r.cols = layer[outputs], 1
	for i, n := range layer {
		if i != outputs {
			r.cols *= n
		}
	}
	return r
}

// asBias returns the reading of a bias beside maps of which there are depth, with rows
// outputs; ok is false when it does not fit. Of the bias for all layers the axis of
// the layers is that of the maps, as far as it has one.
func (s *stack) asBias(axis, depth, rows int) (reading, bool) {
	if !s.stacked() {
		r := reading{depth: len(s.names), rows: s.shape[0]}
		return r, r.depth == depth && r.rows == rows
	}
	for _, axis := range []int{min(axis, 1), 1 - min(axis, 1)} {
		if s.shape[axis] == depth && s.shape[1-axis] == rows {
			return reading{axis: axis, depth: depth, rows: rows}, true
		}
	}
	return reading{depth: s.shape[0], rows: s.shape[1]}, false
}

// fitting returns the candidates in which depths, maps and biases fit each other; the
// error of the first when none does.
func (p parts) fitting(all []candidate) ([]candidate, error) {
	var kept []candidate
	var first error
	for _, c := range all {
		if err := p.check(c); err == nil {
			kept = append(kept, c)
		} else if first == nil {
			first = err
		}
	}
	if len(kept) > 0 {
		return kept, nil
	}
	return nil, first
}

// check holds depths and shapes of a candidate to each other, and adds its biases.
func (p parts) check(c candidate) error {
	main := p.main()
	m := c[main.part]
	if w := p["W"]; w != nil {
		r := c["W"]
		if r.depth != m.depth {
			return fmt.Errorf("%s: got %d layers, want the %d of %q", w.describe(), r.depth, m.depth, main.names[0])
		}
		if r.rows != m.cols || r.cols != m.rows {
			return fmt.Errorf("%s: got a %d×%d matrix for W·x, want %d×%d beside the %d×%d of %q: is the convention right?",
				w.describe(), r.rows, r.cols, m.cols, m.rows, m.rows, m.cols, main.names[0])
		}
	}
	for _, name := range []string{"b", "c"} {
		s := p[name]
		if s == nil {
			continue
		}
		rows := m.rows
		if name == "b" && p["W"] != nil {
			rows = m.cols
		}
		r, ok := s.asBias(m.axis, m.depth, rows)
		switch {
		case !ok && s.stacked():
			return fmt.Errorf("%s: got shape %v, want a bias of length %d for each of %d layers", s.describe(), s.shape, rows, m.depth)
		case !ok && r.depth != m.depth:
			return fmt.Errorf("%s and its like: got %d layers, want the %d of %q", s.describe(), r.depth, m.depth, main.names[0])
		case !ok:
			return fmt.Errorf("%s: got a bias of length %d, want %d", s.describe(), r.rows, rows)
		}
		c[name] = r
	}
	return nil
}

// square returns the candidates in which the only map is square, which decides where the
// layers of one tensor for all may run along several axes.
func (p parts) square(all []candidate) []candidate {
	main := p.main()
	if !main.stacked() || p["W"] != nil || len(axesOf(p, all)) < 2 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return c[main.part].rows != c[main.part].cols })
}

// axesOf returns the axes of the layers in candidates; that of tensors for one layer
// each is one.
func axesOf(p parts, all []candidate) []int {
	var axes []int
	for _, c := range all {
		if axis := c[p.main().part].axis; !slices.Contains(axes, axis) {
			axes = append(axes, axis)
		}
	}
	return axes
}

func joinInts(values []int) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(v)
	}
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	return strings.Join(texts[:len(texts)-1], ", ") + " or " + texts[len(texts)-1]
}
