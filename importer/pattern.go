package importer

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/importer/tensorfile"
	"github.com/deeplimit/deeplimit/internal/field"
)

// layerMark stands for the index of the layer in a pattern.
const layerMark = "{k}"

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

// compile returns the expression that a pattern stands for. Its first group is the
// index, if the pattern has one.
func compile(pattern string) (*regexp.Regexp, error) {
	if strings.Count(pattern, layerMark) > 1 {
		return nil, &field.Error{Path: "pattern", Got: pattern, Want: layerMark + " once"}
	}
	text := regexp.QuoteMeta(pattern)
	// What stands before an index never ends in a digit, which would belong to it.
	text = strings.ReplaceAll(text, `\*\{k\}`, `(?:.*[^0-9])?\{k\}`)
	text = strings.ReplaceAll(text, `\*`, `.*`)
	text = strings.ReplaceAll(text, `\{k\}`, `([0-9]+)`)
	return regexp.Compile("^(?s:" + text + ")$")
}

// located are the tensors of one pattern in one file.
type located struct {
	names   []string // of the layers in order, or of one tensor that holds all
	indices []int    // in the file; nil when one tensor holds all
}

// locate finds the tensors of a pattern among names. None at all is no error: the
// result is empty.
func locate(pattern string, names []string, layers Range, anyStride bool) (located, error) {
	expression, err := compile(pattern)
	if err != nil {
		return located{}, err
	}
	if !strings.Contains(pattern, layerMark) {
		var found []string
		for _, name := range names {
			if expression.MatchString(name) {
				found = append(found, name)
			}
		}
		if len(found) > 1 {
			return located{}, fmt.Errorf("pattern %q: got tensors %s, want %s for the layer, or one tensor", pattern, tensorfile.List(found), layerMark)
		}
		return located{names: found}, nil
	}
	byLayer := map[int]string{}
	for _, name := range names {
		match := expression.FindStringSubmatch(name)
		if match == nil {
			continue
		}
		k, err := strconv.Atoi(match[1])
		if err != nil {
			return located{}, fmt.Errorf("tensor %.100q: layer: got %.30s, want an index", name, match[1])
		}
		if !layers.contains(k) {
			continue
		}
		if other, twice := byLayer[k]; twice {
			return located{}, fmt.Errorf("layer %d: got tensors %q and %q, want one; a pattern with less * tells them apart", k, other, name)
		}
		byLayer[k] = name
	}
	indices := slices.Sorted(maps.Keys(byLayer))
	if len(indices) == 0 {
		return located{}, nil
	}
	if err := checkComplete(pattern, indices, layers, anyStride); err != nil {
		return located{}, err
	}
	found := located{indices: layers.cut(indices)}
	if len(found.indices) == 0 {
		return located{}, fmt.Errorf("pattern %q: got %d layers, want more than the %d to leave out at the end", pattern, len(indices), -layers.Last-1)
	}
	for _, k := range found.indices {
		found.names = append(found.names, byLayer[k])
	}
	return found, nil
}

// checkComplete refuses layers with a gap between them, or one before the first. Layers
// begin at 0 or 1, or at the first of the range.
func checkComplete(pattern string, indices []int, layers Range, anyStride bool) error {
	missing := func(from, to int) error {
		which := fmt.Sprintf("layer %d is", from)
		if to > from {
			which = fmt.Sprintf("layers %d to %d are", from, to)
		}
		example := strings.ReplaceAll(pattern, layerMark, strconv.Itoa(from))
		return fmt.Errorf("%s missing: no tensor %q; found %d layers from %d to %d", which, example, len(indices), indices[0], indices[len(indices)-1])
	}
	stride := 1
	if anyStride {
		if len(indices) == 1 {
			return nil
		}
		stride = indices[1] - indices[0]
		for i := range len(indices) - 1 {
			stride = min(stride, indices[i+1]-indices[i])
		}
	}
	switch first, last := indices[0], indices[len(indices)-1]; {
	case !layers.all() && first-layers.First >= stride:
		return missing(layers.First, first-1)
	case layers.Last-last >= stride:
		return missing(last+1, layers.Last)
	case layers.all() && first > stride:
		return missing(0, first-stride)
	}
	for i := range len(indices) - 1 {
		if gap := indices[i+1] - indices[i]; gap > stride {
			return missing(indices[i]+stride, indices[i+1]-stride)
		}
	}
	return nil
}

// number is an index inside the name of a tensor.
var number = regexp.MustCompile(`[0-9]+`)

// Suggest returns the patterns that match two of the names or more, those that match
// most first, with the number that they match; at most ten of them.
func Suggest(names []string) (patterns []string, layers []int) {
	counts := map[string]int{}
	for _, name := range names {
		for _, at := range number.FindAllStringIndex(name, -1) {
			counts[name[:at[0]]+layerMark+name[at[1]:]]++
		}
	}
	maps.DeleteFunc(counts, func(_ string, n int) bool { return n < 2 })
	patterns = slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	patterns = patterns[:min(len(patterns), 10)]
	for _, p := range patterns {
		layers = append(layers, counts[p])
	}
	return patterns, layers
}

// suggestion says in words what Suggest finds.
func suggestion(names []string) string {
	patterns, layers := Suggest(names)
	if len(patterns) == 0 {
		return "the file has " + tensorfile.List(names)
	}
	texts := make([]string, len(patterns))
	for i, p := range patterns {
		texts[i] = fmt.Sprintf("%.100s (%d)", p, layers[i])
	}
	return "patterns that fit, with their layers: " + strings.Join(texts, ", ")
}
