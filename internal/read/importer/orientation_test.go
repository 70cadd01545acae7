package importer

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/runfolder"
)

// A made network is one whose weights are known for A·x, and the file it is stored in.
type madeNetwork struct {
	truth  map[string][]float64 // by part: (L,rows,cols)
	file   map[string]array
	layout Layout
	axis   int // of the layers, −1 when each has its tensor
	side   Convention
}

// draw makes a network of L layers: one map of size d, or two by way of m. The format is one
// that users have: torch.nn.Linear, Keras, Haiku, GPT-2's names, or names of their own.
func draw(t *rapid.T) madeNetwork {
	size := rapid.IntRange(1, 5)
	L, d, m := size.Draw(t, "L"), size.Draw(t, "d"), size.Draw(t, "m")
	formats := map[string][3]string{ // of V or A, of W, and the side that the names promise
		"torch": {"net.layers.{k}.down.weight", "net.layers.{k}.up.weight", "Ax"},
		"flax":  {"params/layers_{k}/down/kernel", "params/layers_{k}/up/kernel", "xA"},
		"haiku": {"net/~/linear_out_{k}/w", "net/~/linear_in_{k}/w", "xA"},
		"gpt2":  {"h.{k}.mlp.c_proj.weight", "h.{k}.mlp.c_fc.weight", ""},
		"own":   {"V.{k}", "W.{k}", ""},
	}
	format := formats[rapid.SampledFrom(slices.Sorted(maps.Keys(formats))).Draw(t, "format")]
	n := madeNetwork{truth: map[string][]float64{}, file: map[string]array{}, axis: rapid.IntRange(-1, 2).Draw(t, "axis")}
	n.side = Convention(format[2])
	if n.side == "" {
		n.side = rapid.SampledFrom([]Convention{ColumnVectors, RowVectors}).Draw(t, "side")
	}
	name := func(pattern string) string {
		if n.axis >= 0 {
			return strings.Replace(pattern, layerMark, "all", 1)
		}
		return pattern
	}
	n.layout.Weight = name(format[0])
	if rapid.Bool().Draw(t, "two maps") {
		n.layout.Inner = name(format[1])
		n.store("V", n.layout.Weight, noise(1, L, d, m))
		n.store("W", n.layout.Inner, noise(2, L, m, d))
	} else {
		n.store("A", n.layout.Weight, noise(1, L, d, d))
	}
	if rapid.Bool().Draw(t, "bias") {
		last := lastPart(n.layout.Weight)
		bias := map[string]string{"weight": "bias", "kernel": "bias", "w": "b"}[last]
		if bias == "" {
			bias = "bias" + last
		}
		n.layout.Bias = strings.TrimSuffix(n.layout.Weight, last) + bias
		n.storeBias(n.layout.Bias, noise(3, L, d))
	}
	if rapid.Bool().Draw(t, "norm") && strings.HasPrefix(n.layout.Weight, "h.{k}") {
		for k := range L {
			n.file[fmt.Sprintf("h.%d.ln.weight", k)] = noise(4, d)
		}
	}
	return n
}

// store puts the part (L,rows,cols) into the file as its format has it.
func (n *madeNetwork) store(part, pattern string, a array) {
	n.truth[part] = a.data
	order := []int{1, 2}
	if n.side == RowVectors {
		order = []int{2, 1}
	}
	if n.axis >= 0 {
		order = slices.Insert(order, n.axis, 0)
		n.file[pattern] = array{[]int{a.shape[order[0]], a.shape[order[1]], a.shape[order[2]]}, permute(a.data, a.shape, order)}
		return
	}
	size := a.shape[1] * a.shape[2]
	for k := range a.shape[0] {
		layer := permute(a.data[k*size:(k+1)*size], a.shape[1:], []int{order[0] - 1, order[1] - 1})
		n.file[strings.Replace(pattern, layerMark, fmt.Sprint(k), 1)] = array{[]int{a.shape[order[0]], a.shape[order[1]]}, layer}
	}
}

func (n *madeNetwork) storeBias(pattern string, a array) {
	if n.axis < 0 {
		for k := range a.shape[0] {
			n.file[strings.Replace(pattern, layerMark, fmt.Sprint(k), 1)] = array{a.shape[1:], a.data[k*a.shape[1] : (k+1)*a.shape[1]]}
		}
		return
	}
	order := []int{0, 1}
	if n.axis > 0 {
		order = []int{1, 0}
	}
	n.file[pattern] = array{[]int{a.shape[order[0]], a.shape[order[1]]}, permute(a.data, a.shape, order)}
}

// TestNeverTheOtherSide imports networks in many formats. Without a flag, what comes out is
// the network or an error that asks; with the flags that it may ask for it is the network.
func TestNeverTheOtherSide(t *testing.T) {
	dir := t.TempDir()
	count, right := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		n := draw(t)
		count++
		path := filepath.Join(dir, fmt.Sprint(count), "net"+rapid.SampledFrom([]string{".safetensors", ".npz", ".pt"}).Draw(t, "extension"))
		writeTensors(t, path, n.file)
		asked := n.layout
		asked.Convention = n.side
		if n.axis >= 0 {
			asked.LayersAxis = &n.axis
		}
		for i, layout := range []Layout{n.layout, asked} {
			got, err := readParts(path, layout)
			if err != nil {
				if i == 1 || !strings.Contains(err.Error(), "--convention") && !strings.Contains(err.Error(), "--layers-axis") {
					t.Fatalf("got %v for %v", err, n.file)
				}
				continue
			}
			if i == 0 {
				right++
			}
			for part, want := range n.truth {
				if !slices.Equal(got[part].Data, want) {
					t.Fatalf("%s: got shape %v and other weights than\n%v", part, got[part].Shape, want)
				}
			}
		}
	})
	if right < count/3 {
		t.Errorf("got %d of %d networks without a flag, want a third", right, count)
	}
}

// readParts returns the parts of a checkpoint as they would be imported.
func readParts(path string, layout Layout) (map[string]runfolder.Tensor, error) {
	c, err := newCheckpoint(path)
	if err != nil {
		return nil, err
	}
	tensors := map[string]runfolder.Tensor{}
	return tensors, c.use(func(f *opened) error {
		found, err := findParts(f, layout, Range{})
		for name, s := range found {
			if err == nil {
				tensors[name], err = s.read(f)
			}
		}
		return err
	})
}

// TestOrientation reads layouts of the field.
func TestOrientation(t *testing.T) {
	layers := func(pattern string, shape ...int) map[string]array {
		tensors := map[string]array{}
		for k := range 3 {
			tensors[strings.Replace(pattern, layerMark, fmt.Sprint(k), 1)] = noise(k, shape...)
		}
		return tensors
	}
	with := func(all ...map[string]array) map[string]array {
		tensors := map[string]array{}
		for _, more := range all {
			maps.Copy(tensors, more)
		}
		return tensors
	}
	gpt2, attention := mustPreset(t, "gpt2-mlp"), mustPreset(t, "gpt2-attention")
	for _, c := range []struct {
		name    string
		tensors map[string]array
		layout  Layout
		shape   string // of A or V: L×rows×cols; or of the error
		why     string
	}{
		{"nanoGPT", with(layers("h.{k}.mlp.c_fc.weight", 32, 8), layers("h.{k}.mlp.c_proj.weight", 8, 32), layers("h.{k}.ln_1.weight", 8)), gpt2, "[3 8 32]", "width of the block"},
		{"GPT-2 of transformers", with(layers("h.{k}.mlp.c_fc.weight", 8, 32), layers("h.{k}.mlp.c_proj.weight", 32, 8), layers("h.{k}.ln_1.weight", 8)), gpt2, "[3 8 32]", "width of the block"},
		{"nanoGPT with biases", with(layers("h.{k}.mlp.c_fc.weight", 32, 8), layers("h.{k}.mlp.c_proj.weight", 8, 32), layers("h.{k}.mlp.c_fc.bias", 32), layers("h.{k}.mlp.c_proj.bias", 8)), gpt2, "[3 8 32]", "the only reading"},
		{"width known from the embedding", with(layers("h.{k}.mlp.c_fc.weight", 32, 8), layers("h.{k}.mlp.c_proj.weight", 8, 32), map[string]array{"wte.weight": noise(1, 50, 8)}), gpt2, "[3 8 32]", "width of the block"},
		{"nothing but two maps", with(layers("h.{k}.mlp.c_fc.weight", 32, 8), layers("h.{k}.mlp.c_proj.weight", 8, 32)), gpt2, "want --convention Ax or --convention xA", ""},
		{"square, with biases", with(layers("h.{k}.mlp.c_fc.weight", 8, 8), layers("h.{k}.mlp.c_proj.weight", 8, 8), layers("h.{k}.mlp.c_fc.bias", 8), layers("h.{k}.mlp.c_proj.bias", 8)), gpt2, "want --convention Ax or --convention xA", ""},
		{"attention beside nn.Linear", with(layers("h.{k}.attn.c_proj.weight", 8, 8), layers("h.{k}.attn.c_attn.weight", 24, 8)), attention, "[3 8 8] Ax", "maps beside it"},
		{"attention beside Conv1D", with(layers("h.{k}.attn.c_proj.weight", 8, 8), layers("h.{k}.attn.c_attn.weight", 8, 24), layers("h.{k}.attn.c_attn.bias", 24)), attention, "[3 8 8] xA", "maps beside it"},
		{"attention alone", layers("h.{k}.attn.c_proj.weight", 8, 8), attention, "want --convention Ax or --convention xA", ""},
		{"a bias that nobody asked for", with(layers("f.{k}.weight", 4, 6), layers("f.{k}.bias", 6)), Layout{Weight: "f.{k}.weight"}, "[3 6 4] xA", "length of the output"},
		{"a convention against a bias", with(layers("f.{k}.weight", 4, 6), layers("f.{k}.bias", 6)), Layout{Weight: "f.{k}.weight", Convention: ColumnVectors}, "is --convention right?", ""},
		{"Keras", layers("dense_{k}/kernel:0", 4, 4), Layout{Weight: "dense_{k}/kernel:0"}, "[3 4 4] xA", "kernel of Keras"},
		{"Haiku", layers("net/~/linear_{k}/w", 4, 4), Layout{Weight: "net/~/linear_{k}/w"}, "[3 4 4] xA", "w of Haiku"},
		{"names of one's own", layers("w{k}", 4, 4), Layout{Weight: "w{k}"}, "want --convention Ax or --convention xA", ""},
		{"convolutions of Keras", layers("conv_{k}/kernel", 3, 3, 4, 5), Layout{Weight: "conv_{k}/kernel"}, "[3 5 36] xA", "kernel of Keras"},
		{"convolutions of PyTorch", layers("c.{k}.weight", 5, 4, 3, 3), Layout{Weight: "c.{k}.weight"}, "[3 5 36] Ax", ""},
		{"one axis of convolution", layers("conv.{k}.weight", 5, 4, 3), Layout{Weight: "conv.{k}.weight"}, "[3 5 12] Ax", ""},
		{"several matrices a layer", layers("block_{k}/kernel", 6, 4, 4), Layout{Weight: "block_{k}/kernel"}, "may be a convolution or several matrices", ""},

		{"experts under a preset", layers("layers.{k}.weight", 6, 4, 4), mustPreset(t, "layers"), "may be a convolution or several matrices", ""},
		{"a preset against a bias", with(layers("layers.{k}.weight", 4, 6), layers("layers.{k}.bias", 6)), mustPreset(t, "layers"), "[3 6 4] xA", "the only reading"},
		{"all layers, first axis", map[string]array{"all/kernel": noise(1, 6, 4, 4)}, Layout{Weight: "all/kernel"}, "[6 4 4] xA axis 0", ""},
		{"all layers, middle axis", map[string]array{"all/kernel": noise(1, 4, 6, 4)}, Layout{Weight: "all/kernel"}, "[6 4 4] xA axis 1", ""},
		{"all layers, last axis", map[string]array{"all/kernel": noise(1, 4, 4, 6)}, Layout{Weight: "all/kernel"}, "[6 4 4] xA axis 2", ""},
		{"as many layers as its size", map[string]array{"all/kernel": noise(1, 4, 4, 4)}, Layout{Weight: "all/kernel"}, "may run along axis 0, 1 or 2; want --layers-axis", ""},
		{"as many, with the axis", map[string]array{"all/kernel": noise(1, 4, 4, 4)}, Layout{Weight: "all/kernel", LayersAxis: new(1)}, "[4 4 4] xA axis 1", ""},
		{"an axis that is not there", map[string]array{"all/kernel": noise(1, 4, 4, 4)}, Layout{Weight: "all/kernel", LayersAxis: new(3)}, "the axis 3 of --layers-axis", ""},
		{"no square anywhere", map[string]array{"all/kernel": noise(1, 4, 5, 6)}, Layout{Weight: "all/kernel"}, "may run along axis 0, 1 or 2; want --layers-axis", ""},
		{"no square, with a bias", map[string]array{"all/kernel": noise(1, 7, 5, 6), "all/bias": noise(2, 7, 6)}, Layout{Weight: "all/kernel"}, "may run along axis", ""},
		{"two maps of MaxText", map[string]array{"wo/kernel": noise(1, 32, 6, 8), "wi/kernel": noise(2, 8, 6, 32)}, Layout{Weight: "wo/kernel", Inner: "wi/kernel"}, "[6 8 32] xA axis 1", ""},
		{"an axis beside single layers", layers("f.{k}.weight", 4, 4), Layout{Weight: "f.{k}.weight", LayersAxis: new(0)}, "want one tensor for all beside --layers-axis", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := writeTensors(t, filepath.Join(dir, "net.npz"), c.tensors)
			runs, err := Import(t.Context(), []string{path}, Options{Out: filepath.Join(dir, "out"), Layout: c.layout})
			if !strings.HasPrefix(c.shape, "[") {
				wantError(t, err, c.shape)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			main := runs[0].Taken[0]
			got := fmt.Sprint(tensorsOf(t, runs[0].Dir)[main.Part].Shape, " ", main.Convention)
			if main.Axis != nil {
				got += fmt.Sprint(" axis ", *main.Axis)
			}
			if !strings.HasPrefix(got, c.shape) || !strings.Contains(main.Why, c.why) {
				t.Errorf("got %s because %q, want %s because %q", got, main.Why, c.shape, c.why)
			}
		})
	}
}
