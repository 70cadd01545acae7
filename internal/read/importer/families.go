package importer

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/read/network"
)

// optimiser is the name of what an optimiser keeps beside the weights: it is never a family.
var optimiser = regexp.MustCompile(`(?i)(^|[._/])(optim|optimizer|optimizers|optimizer_state|optimizer_states|optimizer_state_dict|opt_state|opt_states|exp_avg|exp_avg_sq|momentum_buffer|grad_scaler|scaler|lr_schedulers?|scheduler|rng_state|cuda_rng_state)([._/]|$)`)

// place is one way to read a name as that of a layer: a number in it is the index.
type place struct {
	form
	index int
	whole bool // the number is a whole word of the name, between dots
}

// places returns all of a name, of whole words first.
func places(name string) []place {
	var out []place
	for _, at := range digits.FindAllStringIndex(name, -1) {
		k, err := strconv.Atoi(name[at[0]:at[1]])
		if err != nil {
			continue
		}
		edge := func(i int) bool { return i < 0 || i >= len(name) || strings.IndexByte("._/[]", name[i]) >= 0 }
		out = append(out, place{form{name[:at[0]], name[at[1]:]}, k, edge(at[0]-1) && edge(at[1])})
	}
	slices.SortStableFunc(out, func(a, b place) int {
		return cmp.Compare(boolInt(b.whole), boolInt(a.whole))
	})
	return out
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// family is the tensors of one form and one shape.
type family struct {
	form
	indices []int
	names   []string
	shape   []int
	dtype   string
	stacked bool
}

// findFamilies returns the families among the tensors of a checkpoint in the order of the file, and how many
// tensors of numbers are in none.
func findFamilies(f *opened) (found []family, others int) {
	names := slices.DeleteFunc(slices.Clone(f.names), func(name string) bool {
		info, err := f.Info(name)
		return err != nil || info.CheckFloat() != nil || len(info.Shape) == 0 || slices.Contains(info.Shape, 0) || f.scaleOf(name) != "" || optimiser.MatchString(name)
	})
	members := map[form]int{}
	for _, name := range names {
		for _, p := range places(name) {
			members[p.form]++
		}
	}
	byForm := map[form]*family{}
	var order []*family
	for _, name := range names {
		best := choosePlace(places(name), members)
		if best == nil {
			continue
		}
		fam := byForm[best.form]
		if fam == nil {
			fam = &family{form: best.form}
			byForm[best.form] = fam
			order = append(order, fam)
		}
		fam.indices, fam.names = append(fam.indices, best.index), append(fam.names, name)
	}
	taken := 0
	for _, fam := range order {
		fam.addFirst(names)
		for _, part := range fam.byShape(f) {
			taken += len(part.names)
			found = append(found, part)
		}
	}
	stacked := findStacked(f, names, found)
	return append(found, stacked...), len(names) - taken - len(stacked)
}

// choosePlace returns the number in a name that counts layers: a whole word before a part of one, then the one that most
// names have, then the first. nil when no other name is like it.
func choosePlace(all []place, members map[form]int) *place {
	var best *place
	for i := range all {
		p := &all[i]
		if members[p.form] < 2 || best != nil && best.whole && !p.whole {
			continue
		}
		if best == nil || members[p.form] > members[best.form] {
			best = p
		}
	}
	return best
}

// addFirst adds the layer without a number before linear_1, linear_2, as Keras and Haiku count.
func (fam *family) addFirst(names []string) {
	name := fam.without()
	if name == "" || fam.before == strings.TrimRight(fam.before, "_-") || slices.Contains(fam.indices, 0) || !slices.Contains(names, name) {
		return
	}
	fam.indices, fam.names = append(fam.indices, 0), append(fam.names, name)
}

// byShape returns the layers of the family by shape and type, two or more each, in the order of their indices.
func (fam *family) byShape(f *opened) []family {
	order := make([]int, len(fam.names))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(fam.indices[a], fam.indices[b]) })
	var parts []family
	for _, i := range order {
		info, err := f.Info(fam.names[i])
		if err != nil {
			continue
		}
		at := slices.IndexFunc(parts, func(p family) bool { return slices.Equal(p.shape, info.Shape) && p.dtype == info.DType })
		if at < 0 {
			at = len(parts)
			parts = append(parts, family{form: fam.form, shape: info.Shape, dtype: info.DType})
		}
		p := &parts[at]
		if slices.Contains(p.indices, fam.indices[i]) {
			continue // layer 1 and layer 01
		}
		p.indices, p.names = append(p.indices, fam.indices[i]), append(p.names, fam.names[i])
	}
	return slices.DeleteFunc(parts, func(p family) bool { return len(p.names) < 2 })
}

// holdsLayers is a word in the name of a tensor that holds all layers of a network.
var holdsLayers = regexp.MustCompile(`(?i)(^|[._/])(layers|blocks|block|h|stack|stacked|scan|scanned|scan_layers|transformer)([._/]|$)`)

// findStacked returns the tensors in no family that hold all layers, as jax.lax.scan has them: their names say so, and
// they have three axes or more.
func findStacked(f *opened, names []string, found []family) []family {
	taken := map[string]bool{}
	for _, fam := range found {
		for _, name := range fam.names {
			taken[name] = true
		}
	}
	var out []family
	for _, name := range names {
		if info, err := f.Info(name); err == nil && !taken[name] && len(info.Shape) >= 3 && holdsLayers.MatchString(name) {
			out = append(out, family{form: form{before: name}, names: []string{name}, shape: info.Shape, dtype: info.DType, stacked: true})
		}
	}
	return out
}

// numberedName returns a name for the expressions of roles: that of layer 0.
func numberedName(form string) string { return strings.ReplaceAll(form, layerMark, "0") }

func trimQuotes(dtype string) string { return strings.Trim(dtype, "'") }

// describe returns the family as it is shown: its role, and how its maps are read and why. What is no family, because
// the axis of its layers cannot be told, has a problem.
func (fam *family) describe(f *opened, roles Roles) (n network.Family, problem string) {
	s := fam.stack()
	axes := len(fam.shape)
	if fam.stacked {
		axes--
	}
	if axes == 1 {
		s.reading = reading{depth: len(fam.names), rows: fam.shape[0], cols: 1, why: "one axis has no sides"}
		n = s.family(roles)
		n.Orientation = "vector"
		return n, ""
	}
	err := parts{"A": s}.orient(f, Layout{})
	if err != nil && !fam.stacked && axes == 2 && s.byNorm(f, roles) {
		err = nil
	}
	if err == nil {
		return s.family(roles), ""
	}
	if fam.stacked {
		return n, fmt.Sprintf("%s: %v", s.form, err) // its layers are not known
	}
	s.reading = s.as(0, false)
	n = s.family(roles)
	n.Orientation, n.Why = "unknown", err.Error()
	return n, ""
}

// stack returns the family as a part of a network.
func (fam *family) stack() *stack {
	s := &stack{part: "A", dtype: fam.dtype, shape: fam.shape, located: located{names: fam.names, form: fam.before}}
	if !fam.stacked {
		s.form, s.indices, s.unnumbered = fam.String(), fam.indices, fam.names[0] == fam.without()
	}
	return s
}

// byNorm reads maps whose sides nothing else tells by the width of the stream, which is the length of the norms of
// the block or else the size of its square maps: up maps go from it, down maps to it.
func (s *stack) byNorm(f *opened, roles Roles) bool {
	var norms, squares []int
	for _, name := range (parts{"A": s}).beside(f) {
		switch shape := f.shape(name); {
		case len(shape) == 1 && roles.of(name, 1) == "norm":
			norms = append(norms, shape[0])
		case len(shape) == 2 && shape[0] == shape[1]:
			squares = append(squares, shape[0])
		}
	}
	why := "the width of the stream is the length of the norms of the block"
	if len(norms) == 0 {
		norms, why = squares, "the width of the stream is that of the square maps of the block"
	}
	slices.Sort(norms)
	if norms = slices.Compact(norms); len(norms) != 1 {
		return false
	}
	var inputs bool // whether the stream is the input
	switch roles.of(numberedName(s.form), 2) {
	case "mlp up", "mlp gate", "attention qkv", "attention q", "attention k", "attention v":
		inputs = true
	case "mlp down", "attention o":
	default:
		return false
	}
	first, second := s.shape[0] == norms[0], s.shape[1] == norms[0]
	if first == second {
		return false
	}
	s.reading = s.as(0, first == inputs)
	s.why = why
	return true
}
