package network

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// attention is a source with q (H·s,d) and k (M·s,d) of random entries, as Ax or xA.
func attention(r *rand.Rand, layers, width, size int, heads Heads, transposed bool) (memorySource, []Family, [][2]*mat.Dense) {
	source := memorySource{tensors: map[string][]float64{}}
	var maps [][2]*mat.Dense
	families := []Family{
		{Pattern: "h.{k}.attn.q", Role: "attention q", Rows: heads.Query * size},
		{Pattern: "h.{k}.attn.k", Role: "attention k", Rows: heads.KeyValue * size},
	}
	for k := range layers {
		var pair [2]*mat.Dense
		for i := range families {
			f := &families[i]
			f.Columns, f.Layers, f.Orientation, f.Shape = width, layers, "Ax", []int{f.Rows, width}
			pair[i] = mat.NewDense(f.Rows, width, nil)
			for a := range f.Rows {
				for b := range width {
					pair[i].Set(a, b, r.NormFloat64())
				}
			}
			name := fmt.Sprintf("h.%d.attn.%s", k, f.Role[len(f.Role)-1:])
			f.Tensors = append(f.Tensors, name)
			stored := mat.Matrix(pair[i])
			if transposed {
				f.Orientation, f.Shape, stored = "xA", []int{width, f.Rows}, pair[i].T()
			}
			source.tensors[name] = mat.DenseCopyOf(stored).RawMatrix().Data
		}
		maps = append(maps, pair)
	}
	return source, families, maps
}

// TestHeads holds the invariants of heads to the sums over heads that define them.
func TestHeads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		heads := Heads{KeyValue: rapid.IntRange(1, 3).Draw(t, "kv")}
		heads.Query = heads.KeyValue * rapid.IntRange(1, 3).Draw(t, "group")
		size, width, layers := rapid.IntRange(1, 4).Draw(t, "size"), rapid.IntRange(1, 6).Draw(t, "width"), 3
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		source, families, maps := attention(r, layers, width, size, heads, rapid.Bool().Draw(t, "transposed"))
		want := map[string][]*mat.Dense{}
		for k := range layers {
			sum, squares := headSums(mat.DenseCopyOf(maps[k][0].T()), maps[k][1], heads, size)
			want["q^T k"] = append(want["q^T k"], sum)
			want["q^T k k^T q by head"] = append(want["q^T k k^T q by head"], squares)
		}
		m := &Measurement{}
		if err := m.Add(context.Background(), source, families, Reading{Invariants: true, Heads: heads}); err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, v := range m.Invariants {
			layers, ok := want[v.Name]
			if !ok {
				continue
			}
			found++
			checkGram(t, v, layers)
		}
		if found != len(want) {
			t.Fatalf("got %d invariants of heads, want %d", found, len(want))
		}
	})
}

// headSums returns Σ_h M_h and Σ_h M_h M_h^T without its trace, where M_h is head h of left (d,H·s) times the head of right (M·s,d) that it
// shares.
func headSums(left, right *mat.Dense, heads Heads, size int) (sum, squares *mat.Dense) {
	_, width := right.Dims()
	sum, squares = mat.NewDense(width, width, nil), mat.NewDense(width, width, nil)
	for h := range heads.Query {
		g := h / (heads.Query / heads.KeyValue)
		var m, square mat.Dense
		m.Mul(left.Slice(0, width, h*size, (h+1)*size), right.Slice(g*size, (g+1)*size, 0, width))
		square.Mul(&m, m.T())
		sum.Add(sum, &m)
		squares.Add(squares, &square)
	}
	trace := squares.Trace() / float64(width)
	for i := range width {
		squares.Set(i, i, squares.At(i, i)-trace)
	}
	return sum, squares
}

// checkGram holds the inner products of an invariant to those of the matrices that define it.
func checkGram(t rapid.TB, v MeasuredInvariant, layers []*mat.Dense) {
	t.Helper()
	for k, a := range layers {
		for l, b := range layers {
			got := 0.0
			for _, block := range v.Gram.Products {
				got += block[k*len(layers)+l]
			}
			inner := mat.Dot(flat(a), flat(b))
			if scale := mat.Norm(a, 2) * mat.Norm(b, 2); !(math.Abs(got-inner) <= 1e-12*scale+1e-12) {
				t.Fatalf("%s: layers %d and %d: got %v, want %v", v.Name, k, l, got, inner)
			}
		}
	}
}

func flat(a *mat.Dense) *mat.VecDense {
	data := mat.DenseCopyOf(a).RawMatrix().Data
	return mat.NewVecDense(len(data), data)
}

// TestHeadsThatDoNotDivide wants no invariant of heads where the number is wrong or not known.
func TestHeadsThatDoNotDivide(t *testing.T) {
	source, families, _ := attention(rand.New(rand.NewPCG(1, 2)), 2, 4, 3, Heads{2, 2}, false)
	for _, heads := range []Heads{{}, {4, 4}, {5, 5}} {
		r := Reading{Invariants: true, Heads: heads}
		m := &Measurement{}
		if err := m.Add(context.Background(), source, families, r); err != nil {
			t.Fatal(err)
		}
		if len(m.Invariants) != 3 { // q^T q, k^T k, q^T k
			t.Errorf("%v: got %d invariants, want 3", heads, len(m.Invariants))
		}
		if r.HeadsFit(families) || !HasHeads(families) || HasHeads(families[:1]) {
			t.Errorf("%v: got heads that fit, or none to look for", heads)
		}
	}
}
