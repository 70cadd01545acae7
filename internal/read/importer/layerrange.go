package importer

import (
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/field"
)

// A Range is the first and the last layer to take, by their index in the file; a
// negative Last counts from the end, so that −1 is the last. The zero value takes all.
type Range struct {
	First int `json:"first"`
	Last  int `json:"last"`
}

// ParseRange reads FIRST:LAST; "" is all layers.
func ParseRange(text string) (Range, error) {
	if text == "" {
		return Range{}, nil
	}
	first, last, _ := strings.Cut(text, ":")
	a, err := strconv.Atoi(first)
	b, err2 := strconv.Atoi(last)
	if err != nil || err2 != nil || a < 0 || b == 0 || b > 0 && b < a {
		return Range{}, &field.Error{Path: "layers", Got: text, Want: "FIRST:LAST, two indices of layers such as 1:30, or 1:-2 without the last"}
	}
	return Range{a, b}, nil
}

func (r Range) all() bool { return r == Range{} }

// contains reports whether the range may take layer k. How many there are at the end
// is not known yet.
func (r Range) contains(k int) bool { return r.First <= k && (r.Last <= 0 || k <= r.Last) }

// cut leaves out the layers at the end that a negative Last leaves out.
func (r Range) cut(indices []int) []int {
	if r.Last >= 0 {
		return indices
	}
	return indices[:max(len(indices)+r.Last+1, 0)]
}
