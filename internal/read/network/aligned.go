package network

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"github.com/deeplimit/deeplimit/layerorder"
)

// An Aligned is a family whose layers have their hidden units in the order that matches them best.
type Aligned struct {
	Units int      `json:"units"`           // hidden units of a layer
	Maps  []string `json:"maps"`            // the maps that were matched together, as up and down
	Heads int      `json:"heads,omitempty"` // that were matched as a whole, each with its units; 0 where units alone were
	// Gram holds the inner products of the layers in that order, and as its baseline those of independent normal layers that
	// were matched in the same way.
	Gram *layerorder.Gram `json:"-"`
}

// Alignable reports whether families have hidden units that can be matched, and why those of others cannot be.
func (r *Reading) Alignable(families []Family) (some bool, problems []string) {
	groups, problems := unitGroups(families, r.Heads)
	return len(groups) > 0, problems
}

// align matches the hidden units of all families that have some.
func align(ctx context.Context, source Source, families []Family, r *Reading) (map[*Family]*Aligned, error) {
	groups, _ := unitGroups(families, r.Heads)
	out, err := alignGroups(ctx, source, groups, r.tell)
	if err != nil {
		return nil, err
	}
	chance, err := alignGroups(ctx, newNormals(families), groups, r.tell)
	if err != nil {
		return nil, err
	}
	for f, a := range out {
		a.Gram.Baseline = chance[f].Gram.Whole()
	}
	return out, nil
}

// alignGroups matches the units of each group and measures its families in that order. The maps of a family may be in
// several groups, as q, k and v of one tensor.
func alignGroups(ctx context.Context, source Source, groups []unitGroup, observe func(int)) (map[*Family]*Aligned, error) {
	out, orders := map[*Family]*Aligned{}, map[*Family][][]int{}
	var families []*Family
	for i := range groups {
		g := &groups[i]
		load := &loader{source: source, held: map[*Family][][]float64{}}
		matched, err := g.match(ctx, load.layer, observe)
		if err != nil {
			return nil, err
		}
		for _, s := range g.sides {
			if out[s.family] == nil {
				families = append(families, s.family)
				out[s.family], orders[s.family] = &Aligned{Units: g.hidden()}, identities(s.family.Layers, s.parts*s.hidden())
			}
			out[s.family].include(g)
			from := s.part * s.hidden()
			for k, order := range orders[s.family] {
				for place, unit := range matched[k] {
					order[from+place] = from + unit
				}
			}
		}
	}
	for _, f := range families {
		var err error
		if out[f].Gram, err = f.measureInOrder(ctx, source, orders[f], observe); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// include notes that units were matched with those of a group.
func (a *Aligned) include(g *unitGroup) {
	for _, s := range g.sides {
		if !slices.Contains(a.Maps, s.name) {
			a.Maps = append(a.Maps, s.name)
		}
	}
	if g.heads > 1 {
		a.Heads = g.heads
	}
}

// identities returns 0 … n−1 for each layer.
func identities(layers, n int) [][]int {
	out := make([][]int, layers)
	for k := range out {
		out[k] = make([]int, n)
		for i := range n {
			out[k][i] = i
		}
	}
	return out
}

// measureInOrder measures a family with the hidden units of each layer in an order.
func (f *Family) measureInOrder(ctx context.Context, source Source, orders [][]int, observe func(int)) (*layerorder.Gram, error) {
	if f.Axis == nil {
		return f.Measure(ctx, newOrdered(source, f, orders), observe)
	}
	layers, err := f.read(source)
	if err != nil {
		return nil, err
	}
	for k, layer := range layers {
		layers[k] = f.inOrder(orders[k]).whole(layer)
	}
	observe(f.Layers * f.entries())
	return layerorder.NewGram(layers)
}

// An order says where the entries of a map stand whose hidden units have an order: they are rows of the matrix as stored, or
// columns.
type order struct {
	units   []int
	across  bool // columns
	columns int  // of the matrix
}

func (f *Family) inOrder(units []int) order {
	s := sidesOf(f)[0]
	o := order{units, s.toStream(), f.Columns}
	if f.Orientation == "xA" {
		o.across, o.columns = !o.across, f.Rows
	}
	return o
}

// whole returns the map in that order.
func (o order) whole(data []float64) []float64 {
	out := make([]float64, len(data))
	for from := 0; from < len(data); from += o.columns {
		row := out[from : from+o.columns]
		if !o.across {
			copy(row, data[o.units[from/o.columns]*o.columns:])
			continue
		}
		for j, unit := range o.units {
			row[j] = data[from+unit]
		}
	}
	return out
}

// ordered is a source with the hidden units of the layers of a family in an order.
type ordered struct {
	Source
	layers map[string]order
	row    []float64
}

func newOrdered(source Source, f *Family, orders [][]int) *ordered {
	s := &ordered{Source: source, layers: map[string]order{}}
	for k, name := range f.Tensors {
		s.layers[name] = f.inOrder(orders[k])
	}
	return s
}

func (s *ordered) Read(name string) ([]float64, error) {
	data, err := s.Source.Read(name)
	if err != nil {
		return nil, err
	}
	return s.layers[name].whole(data), nil
}

// ReadPiece reads row by row, those whole whose columns have another order.
func (s *ordered) ReadPiece(name string, from int, dst []float64) error {
	o := s.layers[name]
	s.row = slices.Grow(s.row[:0], o.columns)[:o.columns]
	for len(dst) > 0 {
		row, column := from/o.columns, from%o.columns
		count := min(o.columns-column, len(dst))
		if o.across {
			if err := s.Source.ReadPiece(name, row*o.columns, s.row); err != nil {
				return err
			}
			for i, unit := range o.units[column : column+count] {
				dst[i] = s.row[unit]
			}
		} else if err := s.Source.ReadPiece(name, o.units[row]*o.columns+column, dst[:count]); err != nil {
			return err
		}
		from, dst = from+count, dst[count:]
	}
	return nil
}

// normals is a source of independent normal numbers for the tensors of families.
type normals map[string]int // the entries of tensors that hold all layers

func newNormals(families []Family) normals {
	n := normals{}
	for i := range families {
		if f := &families[i]; f.Axis != nil {
			n[f.Tensors[0]] = f.Layers * f.entries()
		}
	}
	return n
}

func (n normals) InPieces(name string) bool { return n[name] == 0 }

func (n normals) Read(name string) ([]float64, error) {
	data := make([]float64, n[name])
	return data, n.ReadPiece(name, 0, data)
}

// ReadPiece draws each stretch of numbers from a seed of its own, so that any piece may be read again.
func (normals) ReadPiece(name string, from int, dst []float64) error {
	const stretch = 256
	seed := fnv.New64a()
	seed.Write([]byte(name)) // never an error
	for len(dst) > 0 {
		r := rand.New(rand.NewPCG(seed.Sum64(), uint64(from/stretch)))
		for range from % stretch {
			r.NormFloat64()
		}
		count := min(stretch-from%stretch, len(dst))
		for i := range count {
			dst[i] = r.NormFloat64()
		}
		from, dst = from+count, dst[count:]
	}
	return nil
}
