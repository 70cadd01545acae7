package network

import (
	"context"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/layerorder"
)

// A side is one factor of an invariant: the map of a family with its hidden units as rows and the residual stream as
// columns.
type side struct {
	name   string // up, down, q …
	family *Family
	// part and parts choose the part-th of equal parts of the rows, of a map that holds q, k and v.
	part, parts int
	writes      bool // of convolutions: the last of a block, which writes to the stream
}

// hidden and stream return the sizes of a side.
func (s side) hidden() int {
	if s.toStream() {
		return s.family.Columns
	}
	return s.family.Rows / s.parts
}

func (s side) stream() int {
	if s.toStream() {
		return s.family.Rows
	}
	return s.family.Columns
}

// toStream reports whether the map goes from hidden units to the stream: A = (stream × hidden).
func (s side) toStream() bool { return s.writes || s.name == "down" || s.name == "o" }

// label is the side as the left or the right factor: up^T on the left, up on the right; down on the left, down^T on
// the right.
func (s side) label(left bool) string {
	if s.toStream() == left {
		return s.name
	}
	return s.name + "^T"
}

// A product is an invariant before it is measured: left^T right, or by heads.
type product struct {
	Invariant
	left, right side
	heads       Heads // of a pair of an attention, where they are known
	byHead      bool
}

// A sketch holds this many entries of all layers, but not fewer columns: more would cost more than reading the maps, and ten thousand
// entries a layer tell what millions would.
const (
	sketched    = 1 << 19
	leastSketch = 16
)

// pairs are the products of two maps that share their hidden units.
var pairs = [][2]string{{"down", "up"}, {"gate", "up"}, {"q", "k"}, {"o", "v"}}

// invariants returns the products of the families of one network.
func invariants(families []Family, heads Heads) []product {
	var out []product
	for _, sides := range blockSides(families) {
		for _, s := range sides {
			out = append(out, newProduct(s, s))
		}
		for _, pair := range pairs {
			a, b := only(sides, pair[0]), only(sides, pair[1])
			if a == nil || b == nil || a.stream() != b.stream() || a.family.Indices != b.family.Indices || a.family.Layers != b.family.Layers {
				continue
			}
			known := isAttention(pair[0]) && heads.fit(a, b)
			if !known && a.hidden() != b.hidden() {
				continue
			}
			p := newProduct(*a, *b)
			if known {
				p.heads = heads
				out = append(out, p, p.ofHeads())
				continue
			}
			out = append(out, p)
		}
	}
	return out
}

// blockSides returns the factors of each block, in the order of the families.
func blockSides(families []Family) [][]side {
	at := map[string]int{}
	var blocks [][]side
	for i := range families {
		f := &families[i]
		for _, s := range sidesOf(f) {
			key := blockOf(f)
			if _, ok := at[key]; !ok {
				at[key] = len(blocks)
				blocks = append(blocks, nil)
			}
			blocks[at[key]] = append(blocks[at[key]], s)
		}
	}
	return append(blocks, convolutions(families)...)
}

// only returns the one side of a name, nil when there is none or several.
func only(sides []side, name string) *side {
	var found *side
	for i := range sides {
		if sides[i].name == name {
			if found != nil {
				return nil
			}
			found = &sides[i]
		}
	}
	return found
}

func newProduct(a, b side) product {
	d := a.stream()
	p := product{left: a, right: b, Invariant: Invariant{
		Origin: a.family.Origin, Name: a.label(true) + " " + b.label(false), Layers: a.family.Layers, First: a.family.First,
		Patterns: slices.Compact([]string{a.family.Pattern, b.family.Pattern}), Rows: d, Columns: d,
	}}
	if a.family.Layers*d > memory/d {
		lanes := max(leastSketch, sketched/(a.family.Layers*d)) / kernel.Lanes
		p.Sketch = lanes * kernel.Lanes
	}
	return p
}

// entry ends the name of a map, behind that of its module.
var entry = regexp.MustCompile(`[._/](weight|kernel|w)$`)

// blockOf returns what the families of one block have in common: the name up to the layer, and in an attention, which may stand
// there several times, that of its module: none for q_proj.weight right behind the layer.
func blockOf(f *Family) string {
	name := entry.ReplaceAllString(f.Pattern, "")
	kind, _, _ := strings.Cut(f.Role, " ")
	if f.Axis != nil {
		return name[:max(0, strings.LastIndexAny(name, "./"))] + "\x00" + kind
	}
	before, behind, _ := strings.Cut(name, "{k}")
	behind = strings.TrimLeft(behind, "./_")
	module := behind[:max(0, strings.IndexAny(behind, "./"))]
	if kind == "mlp" {
		module = "" // up and down of BERT stand apart
	}
	return before + "\x00" + kind + "\x00" + module
}

// sidesOf returns the factors that a family gives; none when its orientation or its role is not known.
func sidesOf(f *Family) []side {
	if f.Orientation != "Ax" && f.Orientation != "xA" || len(f.Shape) > 3 {
		return nil
	}
	switch f.Role {
	case "mlp up", "mlp down", "mlp gate", "attention q", "attention k", "attention v", "attention o":
		_, name, _ := strings.Cut(f.Role, " ")
		return []side{{name: name, family: f, parts: 1}}
	case "attention qkv":
		if f.Rows == 3*f.Columns {
			return []side{{name: "q", family: f, parts: 3}, {name: "k", family: f, part: 1, parts: 3}, {name: "v", family: f, part: 2, parts: 3}}
		}
	}
	return nil
}

// A layerMap is the map of a layer as the file has it: (hidden, stream), or the other way round.
type layerMap struct {
	blas64.General
	across bool // (stream, hidden)
}

// load reads the map of a layer.
func (s side) load(load func(f *Family, k int) ([]float64, error), k int) (layerMap, error) {
	f := s.family
	data, err := load(f, k)
	if err != nil {
		return layerMap{}, err
	}
	a := layerMap{blas64.General{Rows: f.Rows, Cols: f.Columns, Stride: f.Columns, Data: data}, s.toStream()}
	if f.Orientation == "xA" {
		a = layerMap{blas64.General{Rows: f.Columns, Cols: f.Rows, Stride: f.Rows, Data: data}, !s.toStream()}
	}
	if s.parts > 1 { // q, k and v one behind the other among the hidden units
		a = a.part(s.part, s.parts)
	}
	return a, nil
}

// part returns one of equal parts of the hidden units.
func (a layerMap) part(part, parts int) layerMap {
	if !a.across {
		rows := a.Rows / parts
		a.Data, a.Rows = a.Data[part*rows*a.Stride:(part+1)*rows*a.Stride], rows
		return a
	}
	columns := a.Cols / parts
	cut := layerMap{blas64.General{Rows: a.Rows, Cols: columns, Stride: columns}, true}
	for i := range a.Rows {
		at := i*a.Stride + part*columns
		cut.Data = append(cut.Data, a.Data[at:at+columns]...)
	}
	return cut
}

// times returns the map (hidden, stream) times a matrix (stream, n).
func (a layerMap) times(x blas64.General) blas64.General {
	if a.across {
		return transposedTile(a.General, x)
	}
	return timesTile(a.General, x)
}

// transposedTimes returns the transpose of the map times a matrix (hidden, n).
func (a layerMap) transposedTimes(x blas64.General) blas64.General {
	return layerMap{a.General, !a.across}.times(x)
}

// whole returns the map as (hidden, stream).
func (a layerMap) whole() blas64.General {
	if !a.across {
		return a.General
	}
	t := blas64.General{Rows: a.Cols, Cols: a.Rows, Stride: a.Rows, Data: make([]float64, a.Rows*a.Cols)}
	for i := range a.Rows {
		for j := range a.Cols {
			t.Data[j*t.Stride+i] = a.Data[i*a.Stride+j]
		}
	}
	return t
}

// measure reads the maps and returns the inner products of the layers of left^T right; the square of one map without
// its trace, of which the norm alone would make all layers alike.
func (p *product) measure(ctx context.Context, load func(f *Family, k int) ([]float64, error), observe func(entries int)) (*layerorder.Gram, error) {
	d := p.Rows
	var projection blas64.General
	if p.Sketch > 0 {
		projection = newProjection(d, p.Sketch)
	}
	same := p.left == p.right
	layers := make([][]float64, p.Layers)
	for k := range layers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		u, err := p.left.load(load, k)
		if err != nil {
			return nil, err
		}
		v := u
		if !same {
			if v, err = p.right.load(load, k); err != nil {
				return nil, err
			}
		}
		observe(p.entries())
		if p.byHead {
			layers[k] = p.perHead(u, v, projection).Data
			continue
		}
		u = p.summedHeads(u)
		var out blas64.General
		if p.Sketch > 0 {
			out = u.transposedTimes(v.times(projection))
		} else {
			out = blas64.General{Rows: d, Cols: d, Stride: d, Data: make([]float64, d*d)}
			blas64.Gemm(blas.Trans, blas.NoTrans, 1, u.whole(), v.whole(), 0, out)
		}
		if same {
			removeTrace(out, squares(u.General), projection)
		}
		layers[k] = out.Data
	}
	g, err := layerorder.NewGram(layers)
	if err == nil && (same || p.byHead) && p.Sketch == 0 {
		g.Independent = float64(d) * float64(d+1) / 2
	}
	return g, err
}

// timesTile returns a·x for a matrix x of few columns, a multiple of kernel.Lanes; transposedTile aᵀ·x.
func timesTile(a, x blas64.General) blas64.General {
	out := blas64.General{Rows: a.Rows, Cols: x.Cols, Stride: x.Cols, Data: make([]float64, a.Rows*x.Cols)}
	kernel.For[float64]().Affine(out.Data, a.Data, x.Data, nil, a.Rows, a.Cols, x.Cols)
	return out
}

func transposedTile(a, x blas64.General) blas64.General {
	out := blas64.General{Rows: a.Cols, Cols: x.Cols, Stride: x.Cols, Data: make([]float64, a.Cols*x.Cols)}
	kernel.For[float64]().AddTransposed(out.Data, a.Data, x.Data, a.Rows, a.Cols, x.Cols)
	return out
}

// squares returns ‖u‖².
func squares(u blas64.General) float64 {
	sum := 0.0
	for i := range u.Rows {
		for _, v := range u.Data[i*u.Stride : i*u.Stride+u.Cols] {
			sum += v * v
		}
	}
	return sum
}

// removeTrace subtracts from a matrix of this trace the multiple of the identity, or of its projection, that has the same.
func removeTrace(out blas64.General, trace float64, projection blas64.General) {
	trace /= float64(out.Rows)
	for i := range out.Rows {
		if projection.Data == nil {
			out.Data[i*out.Stride+i] -= trace
			continue
		}
		for j, v := range projection.Data[i*projection.Stride : i*projection.Stride+projection.Cols] {
			out.Data[i*out.Stride+j] -= trace * v
		}
	}
}

// newProjection returns a matrix of independent normal numbers of variance 1/columns, which leaves inner products
// of matrices as they are on average.
func newProjection(rows, columns int) blas64.General {
	random := rand.New(rand.NewPCG(0x70726f6a, uint64(rows)))
	p := blas64.General{Rows: rows, Cols: columns, Stride: columns, Data: make([]float64, rows*columns)}
	for i := range p.Data {
		p.Data[i] = random.NormFloat64() / math.Sqrt(float64(columns))
	}
	return p
}
