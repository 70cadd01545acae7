package network

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestBlocksByName plants q, k, v, o of two heads that share one of keys and values, under the names of several programs, and wants the
// products of each attention, of its own maps alone.
func TestBlocksByName(t *testing.T) {
	const layers, width, size = 3, 4, 3
	pairs := []string{"q^T k", "q^T k k^T q by head", "o v", "o v v^T o^T by head"}
	for _, test := range []struct {
		name       string
		attentions []string // their q, k, v, o
		products   []string // of each attention
	}{
		{"in a module", []string{"h.{k}.attn.q.weight h.{k}.attn.k.weight h.{k}.attn.v.weight h.{k}.attn.o.weight"}, pairs},
		{"in modules of a module", []string{"layer.{k}.attention.self.query.weight layer.{k}.attention.self.key.weight layer.{k}.attention.self.value.weight layer.{k}.attention.output.dense.weight"}, pairs},
		{"without a module", []string{"h.{k}.q_proj.weight h.{k}.k_proj.weight h.{k}.v_proj.weight h.{k}.o_proj.weight"}, pairs},
		{"of GGUF", []string{"blk.{k}.attn_q.weight blk.{k}.attn_k.weight blk.{k}.attn_v.weight blk.{k}.attn_output.weight"}, pairs},
		{"of Flax", []string{"params/h/{k}/attn/q_proj/kernel params/h/{k}/attn/k_proj/kernel params/h/{k}/attn/v_proj/kernel params/h/{k}/attn/out_proj/kernel"}, pairs},
		{"two in a layer", []string{
			"layers.{k}.self_attn.q_proj.weight layers.{k}.self_attn.k_proj.weight layers.{k}.self_attn.v_proj.weight layers.{k}.self_attn.out_proj.weight",
			"layers.{k}.encoder_attn.q_proj.weight layers.{k}.encoder_attn.k_proj.weight layers.{k}.encoder_attn.v_proj.weight layers.{k}.encoder_attn.out_proj.weight",
		}, pairs},
		{"two in a layer, one of them without a module", []string{
			"h.{k}.q_proj.weight h.{k}.k_proj.weight h.{k}.v_proj.weight h.{k}.o_proj.weight",
			"h.{k}.cross.q_proj.weight h.{k}.cross.k_proj.weight h.{k}.cross.v_proj.weight h.{k}.cross.o_proj.weight",
		}, pairs},
		{"two in a layer without modules, which cannot be told apart", []string{
			"h.{k}.self_q.weight h.{k}.self_k.weight h.{k}.self_v.weight h.{k}.self_o.weight",
			"h.{k}.cross_q.weight h.{k}.cross_k.weight h.{k}.cross_v.weight h.{k}.cross_o.weight",
		}, nil},
	} {
		r := rand.New(rand.NewPCG(8, 9))
		source := memorySource{tensors: map[string][]float64{}}
		var families []Family
		maps := map[string][]*mat.Dense{}
		for _, names := range test.attentions {
			for i, pattern := range strings.Fields(names) {
				f := Family{Pattern: pattern, Role: "attention " + "qkvo"[i:i+1], Layers: layers, Orientation: "Ax", Rows: []int{2 * size, size, size, width}[i], Columns: width}
				if i == 3 {
					f.Columns = 2 * size
				}
				f.Shape = []int{f.Rows, f.Columns}
				for k := range layers {
					data := make([]float64, f.Rows*f.Columns)
					for e := range data {
						data[e] = r.NormFloat64()
					}
					name := strings.Replace(pattern, "{k}", strconv.Itoa(k), 1)
					f.Tensors, source.tensors[name] = append(f.Tensors, name), data
					maps[pattern] = append(maps[pattern], mat.NewDense(f.Rows, f.Columns, data))
				}
				families = append(families, f)
			}
		}
		m := &Measurement{}
		if err := m.Add(context.Background(), source, families, Reading{Invariants: true, Heads: Heads{2, 1}}); err != nil {
			t.Fatal(err)
		}
		var got, want []string
		for _, v := range m.Invariants {
			if len(v.Patterns) == 1 { // of one map
				continue
			}
			got = append(got, v.Name+" "+strings.Join(v.Patterns, " "))
			sums, squares := make([]*mat.Dense, layers), make([]*mat.Dense, layers)
			for k := range layers {
				left, right := mat.Matrix(maps[v.Patterns[0]][k]), maps[v.Patterns[1]][k]
				if strings.HasPrefix(v.Name, "q") {
					left = left.T()
				}
				sums[k], squares[k] = headSums(mat.DenseCopyOf(left), right, Heads{2, 1}, size)
			}
			if strings.HasSuffix(v.Name, "by head") {
				sums = squares
			}
			checkGram(t, v, sums)
		}
		for _, names := range test.attentions {
			of := strings.Fields(names)
			for _, name := range test.products {
				if strings.HasPrefix(name, "q") {
					want = append(want, name+" "+of[0]+" "+of[1])
				} else {
					want = append(want, name+" "+of[3]+" "+of[2])
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", test.name, got, want)
		}
	}
}

// TestBlocksOfStacks has the maps of a block that hold all layers each, whose names have no layer.
func TestBlocksOfStacks(t *testing.T) {
	axis := 0
	for _, names := range [][2]string{{"layers/attn/q/kernel", "layers/attn/k/kernel"}, {"layers.attn.q.weight", "layers.attn.k.weight"}} {
		q, k := Family{Pattern: names[0], Role: "attention q", Axis: &axis}, Family{Pattern: names[1], Role: "attention k", Axis: &axis}
		other := Family{Pattern: strings.Replace(names[0], "attn", "cross", 1), Role: "attention q", Axis: &axis}
		if blockOf(&q) != blockOf(&k) || blockOf(&q) == blockOf(&other) {
			t.Errorf("%q: got blocks %q, %q and %q, want one, and another for the last", names, blockOf(&q), blockOf(&k), blockOf(&other))
		}
	}
}
