package importer

import (
	"regexp"
	"slices"
	"strings"
)

// matchBias returns the candidates that the biases beside the maps allow, also those which
// the layout does not ask for: X.bias beside X.weight. A bias whose length fits no side
// says nothing.
func (p parts) matchBias(f *opened, all []candidate) []candidate {
	kept := all
	for name, own := range map[string]string{"A": "b", "V": "c", "W": "b"} {
		s := p[name]
		if s == nil || p[own] != nil {
			continue
		}
		shape := f.shape(biasBeside(f, s.names[0]))
		if shape == nil {
			continue
		}
		fits := func(n func(reading) int) func(candidate) bool {
			return func(c candidate) bool {
				r := c[name]
				if !s.stacked() {
					return slices.Equal(shape, []int{n(r)})
				}
				return slices.Equal(shape, []int{r.depth, n(r)}) || slices.Equal(shape, []int{n(r), r.depth})
			}
		}
		ofOutput := fits(func(r reading) int { return r.rows })
		ofInput := fits(func(r reading) int { return r.cols })
		if slices.ContainsFunc(kept, ofOutput) || slices.ContainsFunc(kept, ofInput) {
			kept = slices.DeleteFunc(slices.Clone(kept), func(c candidate) bool { return !ofOutput(c) })
		}
	}
	return kept
}

// biasBeside returns the name of the bias that belongs to a map by its name, "" when there
// is none.
func biasBeside(f *opened, name string) string {
	bias := map[string]string{"weight": "bias", "kernel": "bias", "w": "b"}[lastPart(name)]
	i := strings.LastIndex(name, lastPart(name))
	other := name[:i] + bias + name[i+len(lastPart(name)):]
	if bias == "" || f.holder[other] == nil {
		return ""
	}
	return other
}

// lastPart returns the last word of a name whose words are joined by dots and slashes;
// the :0 of TensorFlow is none.
func lastPart(name string) string {
	name = strings.TrimSuffix(name, ":0")
	return name[strings.LastIndexAny(name, "./")+1:]
}

var (
	// widens and narrows are names of maps from the width of a block, and to it.
	widens  = regexp.MustCompile(`(^|[._/])(c_attn|c_fc|qkv|query_key_value|fc1|fc_in|up_proj|gate_proj|wi|in_proj|dense_h_to_4h|intermediate)([._/]|$)`)
	narrows = regexp.MustCompile(`(^|[._/])(c_proj|fc2|fc_out|down_proj|wo|out_proj|dense_4h_to_h|o_proj)([._/]|$)`)
	// eitherSide are names that GPT-2's Conv1D and torch.nn.Linear share.
	eitherSide = regexp.MustCompile(`(^|[._/])(c_attn|c_fc|c_proj)[._/][^./]*$`)
	// haiku is the name of a map in Haiku: mlp/~/linear_1/w.
	haiku = regexp.MustCompile(`(^|/)(~/.*|(linear|mlp|conv)[^/]*)/w$`)
)

// side tells from what stands beside the maps, and then from their names, whether they are
// stored as (inputs, outputs); why is "" when nothing tells.
func (p parts) side(f *opened) (transposed bool, why string) {
	main := p.main()
	if !main.stacked() {
		width := p.width(f)
		if width > 0 && p["W"] != nil && main.shape[0] != main.shape[1] {
			return main.shape[0] != width, "the width of the block is that of what stands beside it"
		}
		if transposed, ok := p.votes(f, width); ok {
			return transposed, "as the maps beside it are stored"
		}
	}
	switch last := lastPart(main.form); {
	case last == "kernel":
		return true, "a kernel of Keras or Flax is (inputs, outputs)"
	case last == "w" && haiku.MatchString(main.form):
		return true, "w of Haiku is (inputs, outputs)"
	case last == "weight" && !eitherSide.MatchString(main.form):
		return false, "a weight of PyTorch is (outputs, inputs)"
	}
	return false, ""
}

// beside returns the names in the block of the first layer that are no parts of the
// path, nor their biases.
func (p parts) beside(f *opened) []string {
	prefix, _, _ := strings.Cut(p.main().form, layerMark)
	if len(p.main().form) == len(prefix) {
		return nil
	}
	first := p.main().names[0]
	end := len(prefix)
	for end < len(first) && first[end] >= '0' && first[end] <= '9' {
		end++
	}
	if end == len(first) || p.main().unnumbered {
		return nil
	}
	block := first[:end+1]
	return slices.DeleteFunc(slices.Clone(f.names), func(name string) bool {
		if !strings.HasPrefix(name, block) {
			return true
		}
		for _, s := range p {
			if name == s.names[0] || name == biasBeside(f, s.names[0]) {
				return true
			}
		}
		return false
	})
}

// width returns the width of the block, 0 when it is not known: the size of a square map, or
// the one of the two sizes of V that other tensors of the block, or else of the whole file,
// have too.
func (p parts) width(f *opened) int {
	shape := p.main().shape
	if len(shape) != 2 {
		return 0
	}
	if shape[0] == shape[1] {
		return shape[0]
	}
	if p["W"] == nil {
		return 0
	}
	prefix, _, _ := strings.Cut(p.main().form, layerMark)
	outside := slices.DeleteFunc(slices.Clone(f.names), func(name string) bool {
		return strings.HasPrefix(name, prefix) || strings.Contains(name, "optim")
	})
	for _, names := range [][]string{p.beside(f), outside} {
		met := [2]bool{}
		for _, name := range names {
			for i, n := range shape {
				met[i] = met[i] || slices.Contains(f.shape(name), n)
			}
		}
		switch {
		case met[0] && !met[1]:
			return shape[0]
		case met[1] && !met[0]:
			return shape[1]
		}
	}
	return 0
}

// votes asks the other matrices of the block, which are stored like these: by their biases,
// and by names that say whether they widen or narrow. They count when they agree.
func (p parts) votes(f *opened, width int) (transposed, ok bool) {
	var yes, no int
	count := func(vote bool) {
		if vote {
			yes++
		} else {
			no++
		}
	}
	for _, name := range p.beside(f) {
		shape := f.shape(name)
		if len(shape) != 2 || shape[0] == shape[1] || lastPart(name) != lastPart(p.main().form) {
			continue
		}
		if bias := f.shape(biasBeside(f, name)); len(bias) == 1 && slices.Contains(shape, bias[0]) {
			count(bias[0] == shape[1])
			continue
		}
		if i := slices.Index(shape, width); i >= 0 {
			switch {
			case widens.MatchString(name):
				count(i == 0)
			case narrows.MatchString(name):
				count(i == 1)
			}
		}
	}
	return yes > 0, (yes > 0) != (no > 0)
}
