package network

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestConvolutions holds the invariants of a residual block to the sums over hidden channels that define them, and wants them to stay when
// each block numbers its hidden channels anew.
func TestConvolutions(t *testing.T) {
	const layers, stream, hidden, window = 3, 4, 5, 9
	r := rand.New(rand.NewPCG(5, 6))
	families := []Family{
		{Pattern: "layer1.{k}.conv1.weight", Layers: layers, Role: "conv", Orientation: "Ax", Shape: []int{hidden, stream, 3, 3}, Rows: hidden, Columns: stream * window},
		{Pattern: "layer1.{k}.conv2.weight", Layers: layers, Role: "conv", Orientation: "Ax", Shape: []int{hidden, hidden, 3, 3}, Rows: hidden, Columns: hidden * window},
		{Pattern: "layer1.{k}.conv3.weight", Layers: layers, Role: "conv", Orientation: "Ax", Shape: []int{stream, hidden, 1, 1}, Rows: stream, Columns: hidden},
	}
	measure := func(permuted bool) []MeasuredInvariant {
		r = rand.New(rand.NewPCG(5, 6))
		source := memorySource{tensors: map[string][]float64{}}
		for i := range families {
			families[i].Tensors = nil
		}
		for k := range layers {
			order := []int{0, 1, 2, 3, 4}
			if permuted {
				order = rand.New(rand.NewPCG(uint64(k), 7)).Perm(hidden)
			}
			var maps [3][]float64
			for i := range families {
				f := &families[i]
				maps[i] = make([]float64, f.Rows*f.Columns)
				values := make([]float64, len(maps[i]))
				for e := range values {
					values[e] = r.NormFloat64()
				}
				for e, v := range values {
					row, column := e/f.Columns, e%f.Columns
					switch i {
					case 0:
						row = order[row]
					case 2:
						column = order[column]
					}
					maps[i][row*f.Columns+column] = v
				}
				name := fmt.Sprintf("layer1.%d.conv%d.weight", k, i+1)
				f.Tensors, source.tensors[name] = append(f.Tensors, name), maps[i]
			}
		}
		m := &Measurement{}
		if err := m.Add(context.Background(), source, families, Reading{Invariants: true}); err != nil {
			t.Fatal(err)
		}
		return m.Invariants
	}
	whole, permuted := measure(false), measure(true)
	var names []string
	for i, v := range whole {
		names = append(names, v.Name)
		for b, block := range v.Gram.Products {
			for e, x := range block {
				if y := permuted[i].Gram.Products[b][e]; !(math.Abs(x-y) <= 1e-9*math.Abs(block[0])) {
					t.Errorf("%s: got %v, and %v with hidden channels permuted", v.Name, x, y)
				}
			}
		}
	}
	if want := []string{"conv1^T conv1", "conv3 conv3^T"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	if whole[0].Rows != stream*window || whole[1].Rows != stream {
		t.Errorf("got widths %d and %d, want %d and %d", whole[0].Rows, whole[1].Rows, stream*window, stream)
	}
	for name, f := range map[string]Family{
		"alone": {Pattern: "features.{k}.conv1.weight"}, "no number": {Pattern: "features.{k}.weight"},
	} {
		f.Orientation, f.Shape = "Ax", []int{4, 4, 3, 3}
		if got := convolutions([]Family{f}); got != nil {
			t.Errorf("%s: got %v, want none", name, got)
		}
	}
}
