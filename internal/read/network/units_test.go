package network

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/layerorder"
)

// permutedAttention is the maps of one attention over layers that differ by the order of heads, and of the units in them, alone. fused has q, k and v
// in one tensor.
func permutedAttention(layers, heads, size, width int, fused bool) (memorySource, []Family) {
	r := rand.New(rand.NewPCG(5, 6))
	source := memorySource{tensors: map[string][]float64{}, pieces: true}
	n := heads * size
	draw := func() []float64 {
		v := make([]float64, n*width)
		for i := range v {
			v[i] = r.NormFloat64()
		}
		return v
	}
	base := map[string][]float64{"q": draw(), "k": draw(), "v": draw(), "o": draw()}
	inOrder := func(of string, order []int) []float64 {
		out := make([]float64, n*width)
		for place, unit := range order {
			for j := range width {
				if of == "o" { // (width, n)
					out[j*n+place] = base[of][j*n+unit]
				} else {
					out[place*width+j] = base[of][unit*width+j]
				}
			}
		}
		return out
	}
	shuffled := func() []int {
		order := make([]int, 0, n)
		for _, h := range r.Perm(heads) {
			for _, i := range r.Perm(size) {
				order = append(order, h*size+i)
			}
		}
		return order
	}
	names := []string{"q", "k", "v", "o"}
	if fused {
		names = []string{"qkv", "o"}
	}
	var families []Family
	for _, of := range names {
		f := Family{Pattern: "h.{k}.attn." + of + ".weight", Layers: layers, Shape: []int{n, width}, Rows: n, Columns: width, Role: "attention " + of, Orientation: "Ax"}
		switch of {
		case "qkv":
			f.Shape, f.Rows = []int{3 * n, width}, 3*n
		case "o":
			f.Shape, f.Rows, f.Columns = []int{width, n}, width, n
		}
		families = append(families, f)
	}
	for layer := range layers {
		qk, vo := shuffled(), shuffled()
		maps := map[string][]float64{"q": inOrder("q", qk), "k": inOrder("k", qk), "v": inOrder("v", vo), "o": inOrder("o", vo)}
		maps["qkv"] = slices.Concat(maps["q"], maps["k"], maps["v"])
		for i, of := range names {
			name := fmt.Sprint(of, layer)
			families[i].Tensors = append(families[i].Tensors, name)
			source.tensors[name] = maps[of]
		}
	}
	return source, families
}

// TestAlignHeads wants layers that differ by the orders of heads and units to be equal in the order that matches them: by heads
// where these are known, and by units alone.
func TestAlignHeads(t *testing.T) {
	for _, fused := range []bool{false, true} {
		for _, heads := range []Heads{{}, {Query: 3, KeyValue: 3}} {
			source, families := permutedAttention(4, 3, 4, 12, fused)
			m := &Measurement{}
			if err := m.Add(context.Background(), source, families, Reading{Align: true, Heads: heads}); err != nil {
				t.Fatal(err)
			}
			for i := range m.Families {
				f := &m.Families[i]
				if f.Aligned == nil {
					t.Errorf("fused %v, %d heads: %s: got no alignment", fused, heads.Query, f.Pattern)
					continue
				}
				whole, stored := f.Aligned.Gram.Whole().Products[0], f.Gram.Whole().Products[0]
				if !(math.Abs(whole[1]-whole[0]) <= 1e-12*whole[0]) || stored[1] > 0.9*stored[0] {
					t.Errorf("fused %v, %d heads: %s: got a product of neighbours of %v of %v, and %v as stored, want equal layers", fused, heads.Query, f.Pattern, whole[1], whole[0], stored[1])
				}
				if f.Aligned.Heads != heads.Query || f.Aligned.Units != 12 {
					t.Errorf("fused %v: %s: got %d heads and %d units, want %d and 12", fused, f.Pattern, f.Aligned.Heads, f.Aligned.Units, heads.Query)
				}
			}
		}
	}
}

// TestMatchHeads wants no unit to leave its head, though units alone would be matched better so.
func TestMatchHeads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		heads, size := rapid.IntRange(1, 4).Draw(t, "heads"), rapid.IntRange(1, 4).Draw(t, "size")
		n := heads * size
		cost := rapid.SliceOfN(rapid.Float64Range(-1, 1), n*n, n*n).Draw(t, "cost")
		partner := matchHeads(cost, n, heads)
		for i, j := range partner {
			if j/size != partner[i/size*size]/size {
				t.Fatalf("%d heads of %d: got %v, which parts a head", heads, size, partner)
			}
		}
		if !slices.Equal(slices.Sorted(slices.Values(partner)), identities(1, n)[0]) {
			t.Fatalf("got %v, which is no permutation", partner)
		}
	})
}

// TestCosts holds the inner products of units to their definition, for numbers of units and weights beside those of a tile.
func TestCosts(t *testing.T) {
	for _, shape := range [][2]int{{1, 1}, {5, 3}, {70, 256}, {130, 300}} {
		n, width := shape[0], shape[1]
		r := rand.New(rand.NewPCG(uint64(n), uint64(width)))
		f := Family{Layers: 2, Shape: []int{n, width}, Rows: n, Columns: width, Role: "mlp up", Orientation: "Ax"}
		g := unitGroup{sides: sidesOf(&f), heads: 1}
		layers := make([][]float64, 2)
		for k := range layers {
			for range n * width {
				layers[k] = append(layers[k], r.NormFloat64())
			}
		}
		load := func(_ *Family, k int) ([]float64, error) { return layers[k], nil }
		a, err := g.table(load, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		b, err := g.table(load, 1, -1)
		if err != nil {
			t.Fatal(err)
		}
		got := costs(a, b)
		sizes := [2]float64{}
		for k := range layers {
			for _, v := range layers[k] {
				sizes[k] += v * v
			}
		}
		for i := range n {
			for j := range n {
				want := 0.0
				for e := range width {
					want -= layers[0][i*width+e] * layers[1][j*width+e]
				}
				want /= math.Sqrt(sizes[0] * sizes[1])
				if !(math.Abs(got[i*n+j]-want) <= 1e-14) {
					t.Fatalf("%d units of %d: (%d,%d): got %v, want %v", n, width, i, j, got[i*n+j], want)
				}
			}
		}
	}
}

// TestOrdered wants the same entries of an ordered layer read in any pieces and as a whole, with units as rows and as columns.
func TestOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, width := rapid.IntRange(1, 6).Draw(t, "units"), rapid.IntRange(1, 6).Draw(t, "width")
		f := Family{Layers: 1, Tensors: []string{"x"}, Role: rapid.SampledFrom([]string{"mlp up", "mlp down"}).Draw(t, "role")}
		f.Orientation = rapid.SampledFrom([]string{"Ax", "xA"}).Draw(t, "orientation")
		f.Rows, f.Columns = n, width
		if f.Role == "mlp down" {
			f.Rows, f.Columns = width, n
		}
		f.Shape = []int{f.Rows, f.Columns}
		units := rapid.Permutation(identities(1, n)[0]).Draw(t, "order")
		source := memorySource{tensors: map[string][]float64{"x": make([]float64, n*width)}, pieces: true}
		for i := range n * width {
			source.tensors["x"][i] = float64(i)
		}
		s := newOrdered(source, &f, [][]int{units})
		whole, err := s.Read("x")
		if err != nil {
			t.Fatal(err)
		}
		from := rapid.IntRange(0, n*width-1).Draw(t, "from")
		piece := make([]float64, rapid.IntRange(1, n*width-from).Draw(t, "count"))
		if err := s.ReadPiece("x", from, piece); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(piece, whole[from:from+len(piece)]) {
			t.Errorf("from %d: got %v, want a part of %v", from, piece, whole)
		}
		load := func(data []float64) [][]float64 {
			a, err := sidesOf(&f)[0].load(func(*Family, int) ([]float64, error) { return data, nil }, 0)
			if err != nil {
				t.Fatal(err)
			}
			g := a.whole()
			rows := make([][]float64, g.Rows)
			for i := range rows {
				rows[i] = g.Data[i*g.Stride : i*g.Stride+g.Cols]
			}
			return rows
		}
		stored, ordered := load(source.tensors["x"]), load(whole)
		for place, unit := range units {
			if !slices.Equal(ordered[place], stored[unit]) {
				t.Errorf("place %d: got %v, want unit %d, %v", place, ordered[place], unit, stored[unit])
			}
		}
	})
}

// TestNormals wants the same numbers from any piece.
func TestNormals(t *testing.T) {
	n := newNormals(nil)
	whole, part := make([]float64, 1000), make([]float64, 700)
	if err := n.ReadPiece("x", 0, whole); err != nil {
		t.Fatal(err)
	}
	if err := n.ReadPiece("x", 123, part); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(part, whole[123:823]) {
		t.Error("got other numbers in a piece than in the whole")
	}
	if err := n.ReadPiece("y", 0, part); err != nil || slices.Equal(part, whole[:700]) {
		t.Errorf("got the numbers of one tensor in another (%v)", err)
	}
}

// TestUnitGroups wants the maps that share units together, and a reason for what cannot be matched.
func TestUnitGroups(t *testing.T) {
	family := func(name, role string, rows, columns int) Family {
		return Family{Pattern: "h.{k}." + name + ".weight", Layers: 4, Shape: []int{rows, columns}, Rows: rows, Columns: columns, Role: role, Orientation: "Ax"}
	}
	for _, c := range []struct {
		about    string
		families []Family
		want     string // of the groups
		problem  string
	}{
		{"gated", []Family{family("mlp.up", "mlp up", 8, 4), family("mlp.gate", "mlp gate", 8, 4), family("mlp.down", "mlp down", 4, 8)}, "up gate down", ""},
		{"alone", []Family{family("mlp.down", "mlp down", 4, 8), family("norm", "norm", 4, 1)}, "down", ""},
		{"too many", []Family{family("mlp.up", "mlp up", 5000, 4)}, "", "h.{k}.mlp.up.weight: got 5000 hidden units, want at most 4096"},
		{"shared keys", []Family{family("attn.q", "attention q", 8, 4), family("attn.k", "attention k", 4, 4), family("attn.v", "attention v", 4, 4)}, "v", "got 8 hidden units in q and 4 in k"},
		{"no roles", []Family{family("x", "other", 8, 4)}, "", ""},
	} {
		groups, problems := unitGroups(c.families, Heads{})
		var names []string
		for _, g := range groups {
			for _, s := range g.sides {
				names = append(names, s.name)
			}
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s: got groups of %q, want %q", c.about, got, c.want)
		}
		if got := strings.Join(problems, "; "); c.problem == "" && got != "" || !strings.Contains(got, c.problem) {
			t.Errorf("%s: got problems %q, want %q", c.about, got, c.problem)
		}
	}
}

// TestAlignStored wants the same inner products of matched layers from tensors of one layer and of all, for A·x and x·A, and after writing and
// reading, with the baseline.
func TestAlignStored(t *testing.T) {
	for _, transposed := range []bool{false, true} {
		source, families := blocks(6, 10, 40, transposed)
		source.pieces, source.whole = true, "all"
		stacked := slices.Clone(families[:1])
		axis := 0
		f := &stacked[0]
		for _, name := range f.Tensors {
			source.tensors["all"] = append(source.tensors["all"], source.tensors[name]...)
		}
		f.Axis, f.Shape, f.Tensors = &axis, append([]int{6}, f.Shape...), []string{"all"}
		var measured [2]*Measurement
		for i, families := range [][]Family{families[:1], stacked} {
			measured[i] = &Measurement{}
			if err := measured[i].Add(context.Background(), source, families, Reading{Align: true}); err != nil {
				t.Fatal(err)
			}
		}
		want := measured[0].Families[0].Aligned
		if got := measured[1].Families[0].Aligned; !slices.EqualFunc(got.Gram.Products, want.Gram.Products, slices.Equal) {
			t.Errorf("transposed %v: got other products of one tensor for all layers", transposed)
		}
		dir := t.TempDir()
		if err := measured[0].Write(dir); err != nil {
			t.Fatal(err)
		}
		back, err := Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		got := back.Families[0].Aligned
		if got == nil || !slices.EqualFunc(got.Gram.Products, want.Gram.Products, slices.Equal) || !slices.Equal(got.Gram.Baseline.Products[0], want.Gram.Baseline.Products[0]) || !slices.Equal(got.Maps, []string{"up"}) {
			t.Errorf("transposed %v: got %v from the file, want %v", transposed, got, want)
		}
		r, err := back.Result()
		if err != nil {
			t.Fatal(err)
		}
		if f := &r.Families[0]; f.Verdict == layerorder.Noise || f.AsStored.PValue <= layerorder.Level || !(f.Cosines[0].Mean > 0.1) || f.AsStored.Cosines[0].Mean != 0 {
			t.Errorf("transposed %v: got %s with a baseline of %v", transposed, f.Sentence, f.Cosines[0].Mean)
		}
	}
}
