package importer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestLocate finds the layers among names as programs give them.
func TestLocate(t *testing.T) {
	// numbered returns pattern with every index.
	numbered := func(pattern string, indices ...int) []string {
		var names []string
		for _, k := range indices {
			names = append(names, strings.Replace(pattern, layerMark, fmt.Sprint(k), 1))
		}
		return names
	}
	for _, c := range []struct {
		name    string
		names   []string
		pattern string
		layers  Range
		stride  bool
		want    string // names of the first and the last layer and their number, or of the error
	}{
		{"Haiku", slices.Concat([]string{"net/~/linear/w"}, numbered("net/~/linear_{k}/w", 1, 2, 3)), "net/~/linear_{k}/w", Range{}, false, "net/~/linear/w net/~/linear_3/w 4"},
		{"Keras", slices.Concat([]string{"dense/kernel:0"}, numbered("dense_{k}/kernel:0", 1, 2)), "dense_{k}/kernel:0", Range{}, false, "dense/kernel:0 dense_2/kernel:0 3"},
		{"convolutions, any names before", slices.Concat([]string{"m/conv/kernel"}, numbered("m/conv_{k}/kernel", 1, 2)), "*conv_{k}/kernel", Range{}, false, "m/conv/kernel m/conv_2/kernel 3"},
		{"convolutions of Keras", slices.Concat([]string{"conv2d/kernel:0"}, numbered("conv2d_{k}/kernel:0", 1, 2)), "conv2d_{k}/kernel:0", Range{}, false, "conv2d/kernel:0 conv2d_2/kernel:0 3"},
		{"a name that ends in a digit", slices.Concat([]string{"res2/w"}, numbered("res2_{k}/w", 1, 2)), "res2_{k}/w", Range{}, false, "res2/w res2_2/w 3"},
		{"in the order of numbers", numbered("linear_{k}", 10, 9, 1, 2, 3, 4, 5, 6, 7, 8, 0), "linear_{k}", Range{}, false, "linear_0 linear_10 11"},
		{"unnumbered left out by a range", slices.Concat([]string{"linear/w"}, numbered("linear_{k}/w", 1, 2, 3)), "linear_{k}/w", Range{1, 3}, false, "linear_1/w linear_3/w 3"},
		{"unnumbered taken by a range", slices.Concat([]string{"linear/w"}, numbered("linear_{k}/w", 1, 2, 3)), "linear_{k}/w", Range{0, 2}, false, "linear/w linear_2/w 3"},
		{"unnumbered and a gap", slices.Concat([]string{"linear/w"}, numbered("linear_{k}/w", 2, 3)), "linear_{k}/w", Range{}, false, `layer 1 is missing: no tensor "linear_1/w"`},
		{"unnumbered beside 0", slices.Concat([]string{"linear/w"}, numbered("linear_{k}/w", 0, 1)), "linear_{k}/w", Range{}, false, `layer 0: got tensors "linear/w" and "linear_0/w", want one; take those with a number by --layers 0:1`},
		{"unnumbered beside 0, by a range", slices.Concat([]string{"linear/w"}, numbered("linear_{k}/w", 0, 1)), "linear_{k}/w", Range{0, 1}, false, "linear_0/w linear_1/w 2"},
		{"a head or a layer", slices.Concat([]string{"fc.weight"}, numbered("fc{k}.weight", 1, 2)), "fc{k}.weight", Range{}, false, `layer 0: got tensor "fc.weight", which may be that layer or none; say which with --layers 0:2 or --layers 1:2`},
		{"a head", slices.Concat([]string{"fc.weight"}, numbered("fc{k}.weight", 1, 2)), "fc{k}.weight", Range{1, 2}, false, "fc1.weight fc2.weight 2"},
		{"a second layer of Keras's next model", numbered("dense_{k}/kernel", 12, 13), "dense_{k}/kernel", Range{}, false, "layers 0 to 11 are missing"},

		{"a gap", numbered("l.{k}.w", 0, 1, 3), "l.{k}.w", Range{}, false, "layer 2 is missing"},
		{"a gap with a stride", numbered("{k}.w", 0, 2, 4, 8), "*{k}.w", Range{}, true, "layer 6 is missing"},
		{"the last one lost", slices.Concat(numbered("l.{k}.w", 0, 1), numbered("l.{k}.norm", 0, 1, 2)), "l.{k}.w", Range{}, false, `layer 2 is missing: no tensor "l.2.w", but there is "l.2.norm"; found 2 layers from 0 to 1; if they are all there should be, say so with --layers 0:1`},
		{"the first one lost", slices.Concat(numbered("l.{k}.w", 1, 2), numbered("l.{k}.norm", 0, 1, 2)), "l.{k}.w", Range{}, false, `layer 0 is missing: no tensor "l.0.w"`},
		{"others on purpose", slices.Concat(numbered("l.{k}.w", 1, 2), numbered("l.{k}.norm", 0, 1, 2)), "l.{k}.w", Range{1, 2}, false, "l.1.w l.2.w 2"},
		{"other names with more words", slices.Concat(numbered("conv_{k}/w", 0, 1), numbered("conv_{k}_bn/w", 5)), "conv_{k}/w", Range{}, false, "conv_0/w conv_1/w 2"},

		{"encoder and decoder", slices.Concat(numbered("encoder.layer.{k}.w", 0, 1), numbered("decoder.layer.{k}.w", 0, 1)), "*layer.{k}.w", Range{}, false, "layer 0: got tensors"},
		{"encoder, then decoder", slices.Concat(numbered("encoder.layer.{k}.w", 0, 1), numbered("decoder.layer.{k}.w", 2, 3)), "*layer.{k}.w", Range{}, false, "got two kinds of layers, want one"},
		{"two maps of a layer", slices.Concat(numbered("l.{k}.a.w", 0), numbered("l.{k}.b.w", 1)), "l.{k}.*.w", Range{}, false, "got two kinds of layers, want one"},
		{"encoder by its name", slices.Concat(numbered("encoder.layer.{k}.w", 0, 1), numbered("decoder.layer.{k}.w", 0, 1)), "encoder.layer.{k}.w", Range{}, false, "encoder.layer.0.w encoder.layer.1.w 2"},
		{"averages beside", slices.Concat(numbered("model.l.{k}.w", 0, 1), numbered("ema.l.{k}.w", 0, 1)), "*l.{k}.w", Range{}, false, "layer 0: got tensors"},

		{"wrapped", numbered("model._orig_mod.module.l.{k}.w", 0, 1), "l.{k}.w", Range{}, false, "model._orig_mod.module.l.0.w model._orig_mod.module.l.1.w 2"},
		{"in a state", slices.Concat(numbered("state_dict.model.l.{k}.w", 0, 1), numbered("optimizer.state.{k}.exp_avg", 0, 1)), "l.{k}.w", Range{}, false, "state_dict.model.l.0.w state_dict.model.l.1.w 2"},
		{"wrapped twice", slices.Concat(numbered("model.l.{k}.w", 0, 1), numbered("module.l.{k}.w", 0, 1)), "l.{k}.w", Range{}, false, "layer 0: got tensors"},
		{"one for all, wrapped", []string{"params/l/w"}, "l/w", Range{}, false, "params/l/w params/l/w 1"},
		{"inside another word", numbered("hidden_l.{k}.w", 0, 1), "l.{k}.w", Range{}, false, "  0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, err := locate(c.pattern, c.names, c.layers, c.stride)
			got := fmt.Sprint(err)
			if err == nil {
				first, last := "", ""
				if n := len(found.names); n > 0 {
					first, last = found.names[0], found.names[n-1]
				}
				got = fmt.Sprintf("%s %s %d", first, last, len(found.names))
			}
			if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
