package importer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Taken says which tensors of a checkpoint became one part of the path, and how they
// were read.
type Taken struct {
	Part   string `json:"part"`   // A, V, W, b or c
	Tensor string `json:"tensor"` // name, with {k} for the index of the layer
	DType  string `json:"dtype"`  // as stored
	Shape  []int  `json:"shape"`  // of a tensor, as stored
	// Layers is the number of layers and Indices which ones of the file, "" where one tensor
	// holds all, along Axis.
	Layers  int    `json:"layers"`
	Indices string `json:"indices,omitempty"`
	Axis    *int   `json:"axis,omitempty"`
	// Convention of a map as stored; Why it was read so.
	Convention Convention `json:"convention,omitempty"`
	Why        string     `json:"why,omitempty"`
}

// taken describes the parts, the main one first.
func (p parts) taken() []Taken {
	var list []Taken
	for _, name := range []string{"A", "V", "W", "b", "c"} {
		s := p[name]
		if s == nil {
			continue
		}
		t := Taken{Part: name, Tensor: s.form, DType: strings.Trim(s.dtype, "'"), Shape: s.shape, Layers: s.depth, Why: s.why}
		if s.stacked() {
			axis := s.axis
			t.Axis = &axis
		} else {
			t.Indices = indexText(s.indices, s.unnumbered)
		}
		if !s.bias {
			t.Convention = ColumnVectors
			if s.transposed {
				t.Convention = RowVectors
			}
		}
		list = append(list, t)
	}
	return list
}

// indexText returns the indices of the layers in the file: 0…11; one without a number
// is called so.
func indexText(indices []int, unnumbered bool) string {
	prefix := ""
	if unnumbered {
		prefix, indices = "no number", indices[1:]
	}
	if len(indices) == 0 {
		return prefix
	}
	first, last := indices[0], indices[len(indices)-1]
	text := fmt.Sprintf("%d…%d", first, last)
	if len(indices) == 1 {
		text = fmt.Sprint(first)
	} else if stride := indices[1] - first; last-first != stride*(len(indices)-1) { // families alone may have gaps
		texts := make([]string, 0, 8)
		for _, k := range indices[:min(len(indices), 7)] {
			texts = append(texts, strconv.Itoa(k))
		}
		if len(indices) > 7 {
			texts = append(texts, "…", strconv.Itoa(last))
		}
		text = strings.Join(texts, ", ")
	} else if stride > 1 && len(indices) == 2 {
		text = fmt.Sprintf("%d, %d", first, last)
	} else if stride > 1 {
		text = fmt.Sprintf("%d, %d … %d", first, indices[1], last)
	}
	return strings.TrimPrefix(prefix+", "+text, ", ")
}

// Equal reports whether two parts of different checkpoints were read alike, but for the
// number of their layers.
func (t Taken) Equal(other Taken) bool {
	return t.Part == other.Part && t.Tensor == other.Tensor && t.DType == other.DType && t.Convention == other.Convention &&
		t.Why == other.Why && (t.Axis == nil) == (other.Axis == nil) && (t.Axis != nil || slices.Equal(t.Shape, other.Shape))
}
