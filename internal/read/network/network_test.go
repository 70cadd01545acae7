package network

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/layerorder"
	_ "github.com/deeplimit/deeplimit/test/fixedseed"
)

// memorySource is a checkpoint in memory.
type memorySource struct {
	tensors map[string][]float64
	pieces  bool
	whole   string // a tensor that cannot be read in pieces all the same
}

func (s memorySource) Read(name string) ([]float64, error) { return s.tensors[name], nil }
func (s memorySource) InPieces(name string) bool           { return s.pieces && name != s.whole }

func (s memorySource) ReadPiece(name string, from int, dst []float64) error {
	if !s.InPieces(name) {
		return fmt.Errorf("%s: got a piece, want the whole", name)
	}
	copy(dst, s.tensors[name][from:])
	return nil
}

// blocks are families up (m,d) and down (d,m) of one network with a smooth up^T up and down down^T, whose hidden
// units each layer permutes.
func blocks(layers, width, hidden int, transposed bool) (memorySource, []Family) {
	r := rand.New(rand.NewPCG(7, 8))
	source := memorySource{tensors: map[string][]float64{}}
	up := Family{Pattern: "h.{k}.up", Layers: layers, Shape: []int{hidden, width}, Rows: hidden, Columns: width, Role: "mlp up", Orientation: "Ax"}
	down := Family{Pattern: "h.{k}.down", Layers: layers, Shape: []int{width, hidden}, Rows: width, Columns: hidden, Role: "mlp down", Orientation: "Ax"}
	if transposed {
		up.Shape, down.Shape, up.Orientation, down.Orientation = down.Shape, up.Shape, "xA", "xA"
	}
	draw := func() []float64 {
		v := make([]float64, width*hidden)
		for i := range v {
			v[i] = r.NormFloat64()
		}
		return v
	}
	a, b, c, d := draw(), draw(), draw(), draw()
	for k := range layers {
		s := float64(k) / float64(layers)
		u, v := make([]float64, width*hidden), make([]float64, width*hidden) // (hidden, width) and (width, hidden)
		for unit, place := range r.Perm(hidden) {
			for i := range width {
				first, second := math.Cos(2*s)*a[unit*width+i]+math.Sin(2*s)*b[unit*width+i], math.Cos(2*s)*c[unit*width+i]+math.Sin(2*s)*d[unit*width+i]
				if transposed {
					u[i*hidden+place], v[place*width+i] = first, second
				} else {
					u[place*width+i], v[i*hidden+place] = first, second
				}
			}
		}
		up.Tensors, down.Tensors = append(up.Tensors, name("up", k)), append(down.Tensors, name("down", k))
		source.tensors[name("up", k)], source.tensors[name("down", k)] = u, v
	}
	return source, []Family{up, down}
}

func name(of string, k int) string { return of + string(rune('a'+k)) }

// TestInvariants wants no order in maps whose hidden units every layer permutes, and a smooth path in what that leaves
// unchanged, stored for A·x or for x·A.
func TestInvariants(t *testing.T) {
	for _, transposed := range []bool{false, true} {
		source, families := blocks(12, 10, 40, transposed)
		m := &Measurement{}
		if err := m.Add(context.Background(), source, families, Reading{Invariants: true}); err != nil {
			t.Fatal(err)
		}
		result, err := m.Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range result.Families {
			if f.Verdict != layerorder.Noise {
				t.Errorf("transposed %v: %s: got %s, want no order", transposed, f.Pattern, f.Sentence)
			}
		}
		var names []string
		for _, v := range result.Invariants {
			names = append(names, v.Name)
			if v.Verdict != layerorder.Smooth || v.PValue > 0.001 {
				t.Errorf("transposed %v: %s: got %s, want a smooth path", transposed, v.Name, v.Sentence)
			}
		}
		if want := []string{"up^T up", "down down^T", "down up"}; !slices.Equal(names, want) {
			t.Errorf("got invariants %q, want %q", names, want)
		}
	}
}

// TestProduct holds an invariant to the sums that define it.
func TestProduct(t *testing.T) {
	source, families := blocks(3, 4, 5, false)
	products := invariants(families, Heads{})
	load := &loader{source: source, held: map[*Family][][]float64{}}
	g, err := products[2].measure(context.Background(), load.layer, func(int) {}) // down up
	if err != nil {
		t.Fatal(err)
	}
	down, up := source.tensors[name("down", 1)], source.tensors[name("up", 1)]
	want := 0.0
	for i := range 4 {
		for j := range 4 {
			sum := 0.0
			for h := range 5 {
				sum += down[i*5+h] * up[h*4+j]
			}
			want += sum * sum
		}
	}
	r, err := layerorder.Analyze(g)
	if err != nil {
		t.Fatal(err)
	}
	if !(math.Abs(r.Norms[1]-math.Sqrt(want)) <= 1e-12*want) {
		t.Errorf("‖down up‖: got %v, want %v", r.Norms[1], math.Sqrt(want))
	}
}

// TestSketch wants inner products through a projection to be near those of the products.
func TestSketch(t *testing.T) {
	source, families := blocks(8, 40, 60, false)
	load := &loader{source: source, held: map[*Family][][]float64{}}
	exact := invariants(families, Heads{})[0]
	sketched := exact
	sketched.Sketch = 32
	a, err := exact.measure(context.Background(), load.layer, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	b, err := sketched.measure(context.Background(), load.layer, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	x, err := layerorder.Analyze(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := layerorder.Analyze(b)
	if err != nil {
		t.Fatal(err)
	}
	// The relative deviation of a squared norm through r normal columns is about √(2/(r·d)) ≈ 0.04.
	for k := range x.Norms {
		if ratio := y.Norms[k] / x.Norms[k]; !(math.Abs(ratio-1) < 0.15) {
			t.Errorf("layer %d: norm: got %v times the exact one, want 1", k, ratio)
		}
	}
	if x.Verdict != y.Verdict {
		t.Errorf("verdict: got %v, want %v", y.Verdict, x.Verdict)
	}
}

// TestPieces wants the same inner products of layers that are read in pieces, whole, or from one tensor for all, and after
// writing and reading.
func TestPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		layers := rapid.IntRange(2, 6).Draw(t, "layers")
		rows, columns := rapid.IntRange(1, 9).Draw(t, "rows"), rapid.IntRange(1, 9).Draw(t, "columns")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 9))
		source := memorySource{tensors: map[string][]float64{"all": make([]float64, layers*rows*columns)}}
		f := Family{Layers: layers, Shape: []int{rows, columns}}
		for k := range layers {
			f.Tensors = append(f.Tensors, name("x", k))
			source.tensors[name("x", k)] = make([]float64, rows*columns)
			for i := range rows * columns {
				v := r.NormFloat64()
				source.tensors[name("x", k)][i] = v
				source.tensors["all"][(i/columns*layers+k)*columns+i%columns] = v // (rows, layers, columns)
			}
		}
		axis := 1
		stacked := Family{Layers: layers, Shape: []int{rows, layers, columns}, Axis: &axis, Tensors: []string{"all"}}
		whole := measured(t, &f, source)
		source.pieces = true
		mixed := source
		mixed.whole = name("x", 1)
		for _, other := range []*layerorder.Gram{measured(t, &f, source), measured(t, &f, mixed), measured(t, &stacked, source), restored(t, whole)} {
			for b, block := range whole.Products {
				if !slices.Equal(block, other.Products[b]) {
					t.Fatalf("block %d: got %v, want %v", b, other.Products[b], block)
				}
			}
		}
	})
}

func measured(t *rapid.T, f *Family, source Source) *layerorder.Gram {
	g, err := f.Measure(context.Background(), source, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func restored(t *rapid.T, g *layerorder.Gram) *layerorder.Gram {
	e := encode(g)
	back, err := e.decode()
	if err != nil {
		t.Fatal(err)
	}
	return back
}
