package importer

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/tensorfile"
)

// layerMark stands for the index of the layer in a pattern.
const layerMark = "{k}"

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
	form    string   // the name, with {k} for the index
	// unnumbered says that the first layer has no number.
	unnumbered bool
}

// wrappers are what programs put around a network: its names below them are its own.
const wrappers = `(?:(?:model|module|net|network|params|state_dict|model_state|model_state_dict|_orig_mod|_forward_module|_fsdp_wrapped_module)[./])+`

// locate finds the tensors of a pattern among names, below wrappers when there is none
// by that name itself. None at all is no error: the result is empty.
func locate(pattern string, names []string, layers Range, anyStride bool) (located, error) {
	expression, err := compile(pattern)
	if err != nil {
		return located{}, err
	}
	if !slices.ContainsFunc(names, expression.MatchString) {
		expression = regexp.MustCompile("^" + wrappers + expression.String()[1:])
	}
	if strings.Contains(pattern, layerMark) {
		return locateLayers(pattern, expression, names, layers, anyStride)
	}
	found := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !expression.MatchString(name) })
	switch len(found) {
	case 0:
		return located{}, nil
	case 1:
		return located{names: found, form: found[0]}, nil
	}
	return located{}, fmt.Errorf("pattern %q: got tensors %s, want %s for the layer, or one tensor", pattern, tensorfile.List(found), layerMark)
}

// locateLayers is locate for a pattern with an index.
func locateLayers(pattern string, expression *regexp.Regexp, names []string, layers Range, anyStride bool) (located, error) {
	form, byLayer, err := numbered(expression, names, layers)
	if err != nil || len(byLayer) == 0 {
		return located{}, err
	}
	unnumbered, err := form.addUnnumbered(byLayer, names, layers)
	if err != nil {
		return located{}, err
	}
	if layers.all() && !anyStride {
		if err := form.checkNeighbours(byLayer, names); err != nil {
			return located{}, err
		}
	}
	indices := slices.Sorted(maps.Keys(byLayer))
	if err := checkComplete(pattern, indices, layers, anyStride); err != nil {
		return located{}, err
	}
	found := located{indices: layers.cut(indices), form: form.String()}
	if len(found.indices) == 0 {
		return located{}, fmt.Errorf("pattern %q: got %d layers, want more than the %d to leave out at the end", pattern, len(indices), -layers.Last-1)
	}
	for _, k := range found.indices {
		found.names = append(found.names, byLayer[k])
	}
	found.unnumbered = unnumbered != "" && found.names[0] == unnumbered
	return found, nil
}

// A form is what the names of the layers have before and behind the index.
type form struct{ before, behind string }

func (f form) String() string { return f.before + layerMark + f.behind }

// without returns the name that the first layer has where only the others are numbered:
// linear of linear_1, linear_2; "" when there is none.
func (f form) without() string {
	before := strings.TrimRight(f.before, "_-")
	last, _ := utf8.DecodeLastRuneInString(before)
	if unicode.IsLetter(last) || before != f.before && unicode.IsDigit(last) {
		return before + f.behind
	}
	return ""
}

// numbered returns the tensors of the layers that an expression finds, by their index. All
// have one form: layers of an encoder and of a decoder are not one path.
func numbered(expression *regexp.Regexp, names []string, layers Range) (form, map[int]string, error) {
	var common form
	var mixed error // said only if no layer is there twice, which says more
	byLayer := map[int]string{}
	first := ""
	for _, name := range slices.Sorted(slices.Values(names)) {
		at := expression.FindStringSubmatchIndex(name)
		if at == nil {
			continue
		}
		text := name[at[2]:at[3]]
		k, err := strconv.Atoi(text)
		if err != nil {
			return common, nil, fmt.Errorf("tensor %.100q: layer: got %.30s, want an index", name, text)
		}
		if !layers.contains(k) {
			continue
		}
		if other, twice := byLayer[k]; twice {
			return common, nil, fmt.Errorf("layer %d: got tensors %q and %q, want one; a pattern with less * tells them apart", k, other, name)
		}
		byLayer[k] = name
		now := form{name[:at[2]], name[at[3]:]}
		if first == "" {
			common, first = now, name
		}
		if now != common && mixed == nil {
			mixed = fmt.Errorf("tensors %q and %q: got two kinds of layers, want one; a pattern with less * tells them apart", first, name)
		}
	}
	if mixed != nil {
		return common, nil, mixed
	}
	return common, byLayer, nil
}

// index returns the index in a name that begins like those of the layers and goes on
// with the same character.
func (f form) index(name string) (k int, ok bool) {
	rest, ok := strings.CutPrefix(name, f.before)
	behind := strings.TrimLeft(rest, "0123456789")
	k, err := strconv.Atoi(rest[:len(rest)-len(behind)])
	if !ok || err != nil || behind != "" && f.behind != "" && behind[0] != f.behind[0] {
		return 0, false
	}
	return k, true
}

// addUnnumbered puts the layer without a number before the others, if there is one and the
// range takes it, and returns its name. Keras and Haiku count linear, linear_1, linear_2;
// fc beside fc1 and fc2 may be a layer or a head, so that is for a range to say, and so is
// a layer without a number beside layer 0.
func (f form) addUnnumbered(byLayer map[int]string, names []string, layers Range) (string, error) {
	name := f.without()
	if name == "" || !slices.Contains(names, name) {
		return "", nil
	}
	first, last := ends(f, names)
	counted := f.before != strings.TrimRight(f.before, "_-")
	at := 0
	if !counted {
		at = first - 1
	}
	switch {
	case layers.all() && first == 0:
		return "", fmt.Errorf("layer 0: got tensors %q and %q, want one; take those with a number by --layers 0:%d", name, byLayer[0], last)
	case layers.all() && !counted:
		return "", fmt.Errorf("layer %d: got tensor %q, which may be that layer or none; say which with --layers %d:%d or --layers %d:%d",
			at, name, at, last, first, last)
	case first == 0 || !layers.contains(at):
		return "", nil
	}
	byLayer[at] = name
	return name, nil
}

// checkNeighbours refuses layers of which there are more than were found: other tensors
// have the same name before an index that is before the first or behind the last.
func (f form) checkNeighbours(byLayer map[int]string, names []string) error {
	indices := slices.Sorted(maps.Keys(byLayer))
	first, last := indices[0], indices[len(indices)-1]
	for _, name := range names {
		k, ok := f.index(name)
		if !ok {
			continue
		}
		if k < first || k > last {
			return fmt.Errorf("layer %d is missing: no tensor %q, but there is %q; found %d layers from %d to %d; if they are all there should be, say so with --layers %d:%d",
				k, f.before+strconv.Itoa(k)+f.behind, name, len(indices), first, last, first, last)
		}
	}
	return nil
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
		first, last, mend := indices[0], indices[len(indices)-1], ""
		if layers.all() && from < first {
			mend = fmt.Sprintf("; if they are all there should be, say so with --layers %d:%d", first, last)
		}
		return fmt.Errorf("%s missing: no tensor %q; found %d layers from %d to %d%s", which, example, len(indices), first, last, mend)
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

// digits is an index inside the name of a tensor.
var digits = regexp.MustCompile(`[0-9]+`)

// Suggest returns the patterns that match two of the names or more, those that match
// most first, with the number that they match; at most ten of them.
func Suggest(names []string) (patterns []string, layers []int) {
	counts := map[string]int{}
	for _, name := range names {
		for _, at := range digits.FindAllStringIndex(name, -1) {
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
		texts[i] = fmt.Sprintf("%s (%d)", plain.Text(p[:min(len(p), 200)]), layers[i])
	}
	return "patterns that fit, with their layers: " + strings.Join(texts, ", ")
}
