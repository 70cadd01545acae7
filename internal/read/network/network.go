// Package network reads one trained network as families of layers: what the tensors of all blocks that have
// one place in it say together about depth.
//
// A family is read once, in pieces, into the inner products of its layers (layerorder.Gram), which stand in
// families.json of an imported folder. Everything that is said of it follows from them.
//
// Each layer numbers its hidden units for itself, so entries of neighbouring layers may have nothing in common where
// the maps do. Invariants are what such symmetries leave unchanged: products of the maps of a block in the
// coordinates of the residual stream, such as up^T up, down down^T, q^T k.
package network

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/layerorder"
	"github.com/deeplimit/deeplimit/runfolder"
)

// An Origin says which checkpoint a family is of.
type Origin struct {
	Run    string   `json:"run"`
	Source string   `json:"source"` // name of the checkpoint
	Depth  int      `json:"depth"`  // of the network, the largest number of layers of a family
	Seed   uint64   `json:"seed"`
	Step   *float64 `json:"step"` // of the training, null where it is not known
	// Settings are what else tells networks apart, as the learning rate in the name of the checkpoint.
	Settings map[string]string `json:"settings,omitempty"`
}

// A Family is the tensors of all layers that have one place in them.
type Family struct {
	Origin
	Pattern     string `json:"pattern"` // name of the tensors, with {k} for the layer
	Layers      int    `json:"layers"`
	Indices     string `json:"indices,omitempty"` // of the layers in the file
	First       int    `json:"-"`
	Shape       []int  `json:"shape"` // of a tensor, as stored
	DType       string `json:"dtype"`
	Role        string `json:"role"`
	Rows        int    `json:"rows"`        // outputs, where the orientation is known; else as stored
	Columns     int    `json:"columns"`     // inputs
	Orientation string `json:"orientation"` // Ax, xA, vector; unknown
	Why         string `json:"why"`
	// Tensors are those of the layers in their order, or one that holds all of them along Axis.
	Tensors []string `json:"-"`
	Axis    *int     `json:"axis,omitempty"`
}

// An Invariant is a product of maps of every block that does not depend on how the block numbers its hidden units.
type Invariant struct {
	Origin
	Name     string   `json:"name"` // such as "up^T up"
	Patterns []string `json:"patterns"`
	Layers   int      `json:"layers"`
	Rows     int      `json:"rows"` // the width of the residual stream
	Columns  int      `json:"columns"`
	// Sketch is the number of columns of the random projection through which a wide product is read; 0 for the product itself.
	Sketch int `json:"sketch,omitempty"`
	First  int `json:"-"`
}

// A record is what families.json keeps of a family or of an invariant.
type record struct {
	Family    *Family        `json:"family,omitempty"`
	Invariant *Invariant     `json:"invariant,omitempty"`
	First     int            `json:"first"`
	Gram      encodedGram    `json:"gram"`
	Spectrum  *Spectrum      `json:"spectrum,omitempty"`
	Aligned   *alignedRecord `json:"aligned,omitempty"`
}

// An alignedRecord is what families.json keeps of a family with its units matched.
type alignedRecord struct {
	Aligned
	Gram     encodedGram `json:"gram"`
	Baseline encodedGram `json:"baseline"`
}

// encodedGram is a Gram matrix with the numbers of each block as bytes: float64, little-endian, row by row, the lower
// triangle.
type encodedGram struct {
	Layers      int      `json:"layers"`
	Entries     int      `json:"entries"`
	Independent float64  `json:"independent,omitempty"`
	Products    [][]byte `json:"products"`
}

// A Note says what was decided about a file, or could not be said of it.
type Note struct {
	File string `json:"file"`
	Text string `json:"text"`
}

// A Measurement is families and invariants with the inner products of their layers.
type Measurement struct {
	Families   []MeasuredFamily
	Invariants []MeasuredInvariant
	Notes      []Note
}

// MeasuredFamily is a family and its inner products.
type MeasuredFamily struct {
	Family
	Gram     *layerorder.Gram
	Spectrum *Spectrum // nil where it was not measured
	Aligned  *Aligned  `json:"-"` // with the units matched over the layers; nil where they were not. It is no part of what names a run.
}

// MeasuredInvariant is an invariant and its inner products.
type MeasuredInvariant struct {
	Invariant
	Gram *layerorder.Gram
}

// stored is the content of families.json.
type stored struct {
	Records []record `json:"records"`
	Notes   []Note   `json:"notes,omitempty"`
}

// Bytes returns how many bytes of families.json the inner products take, with 4 characters for 3 bytes.
func (m *Measurement) Bytes() int64 {
	total := int64(0)
	add := func(g *layerorder.Gram) {
		total += int64(len(g.Products)) * int64(g.Layers*(g.Layers+1)/2) * 8 * 4 / 3
	}
	for i := range m.Families {
		add(m.Families[i].Gram)
		if a := m.Families[i].Aligned; a != nil {
			add(a.Gram)
			add(a.Gram.Baseline)
		}
	}
	for i := range m.Invariants {
		add(m.Invariants[i].Gram)
	}
	return total
}

// Write writes families.json into a folder.
func (m *Measurement) Write(dir string) error {
	s := stored{Notes: m.Notes}
	for i := range m.Families {
		f := &m.Families[i]
		r := record{Family: &f.Family, First: f.First, Gram: encode(f.Gram), Spectrum: f.Spectrum}
		if a := f.Aligned; a != nil {
			r.Aligned = &alignedRecord{*a, encode(a.Gram), encode(a.Gram.Baseline)}
		}
		s.Records = append(s.Records, r)
	}
	for i := range m.Invariants {
		f := &m.Invariants[i]
		s.Records = append(s.Records, record{Invariant: &f.Invariant, First: f.First, Gram: encode(f.Gram)})
	}
	return runfolder.WriteAnswer(dir, runfolder.Families, s)
}

// Read reads families.json of a folder; nil when there is none.
func Read(dir string) (*Measurement, error) {
	var s stored
	if err := runfolder.ReadAnswer(dir, runfolder.Families, &s); err != nil {
		damaged, ok := errors.AsType[*runfolder.DamagedError](err)
		switch {
		case ok:
			return nil, fmt.Errorf("network: %s: damaged: %w; import the checkpoint again into another folder", plain.Text(damaged.Path), damaged.Err)
		case errors.Is(err, fs.ErrNotExist):
			return nil, nil
		}
		return nil, err
	}
	m := &Measurement{Notes: s.Notes}
	for i, r := range s.Records {
		gram, err := r.Gram.decode()
		if err != nil {
			return nil, fmt.Errorf("network: %s: %s.json: record %d: %w", dir, runfolder.Families, i, err)
		}
		switch {
		case r.Family != nil:
			r.Family.First = r.First
			if s := r.Spectrum; s != nil && (len(s.SingularValues) != gram.Layers || len(s.StableRanks) != gram.Layers) {
				return nil, fmt.Errorf("network: %s: %s.json: record %d: got singular values of %d layers, want %d", dir, runfolder.Families, i, len(s.SingularValues), gram.Layers)
			}
			f := MeasuredFamily{Family: *r.Family, Gram: gram, Spectrum: r.Spectrum}
			if r.Aligned != nil {
				if f.Aligned, err = r.Aligned.decode(gram); err != nil {
					return nil, fmt.Errorf("network: %s: %s.json: record %d: aligned: %w", dir, runfolder.Families, i, err)
				}
			}
			m.Families = append(m.Families, f)
		case r.Invariant != nil:
			r.Invariant.First = r.First
			m.Invariants = append(m.Invariants, MeasuredInvariant{*r.Invariant, gram})
		}
	}
	return m, nil
}

func encode(g *layerorder.Gram) encodedGram {
	e := encodedGram{Layers: g.Layers, Entries: g.Entries, Independent: g.Independent}
	for _, block := range g.Products {
		var text []byte
		for k := range g.Layers {
			for l := range k + 1 {
				text = binary.LittleEndian.AppendUint64(text, math.Float64bits(block[k*g.Layers+l]))
			}
		}
		e.Products = append(e.Products, text)
	}
	return e
}

// decode returns the family with its units matched, beside its inner products as they are.
func (r *alignedRecord) decode(stored *layerorder.Gram) (*Aligned, error) {
	a := r.Aligned
	var err error
	if a.Gram, err = r.Gram.decode(); err != nil {
		return nil, err
	}
	if a.Gram.Baseline, err = r.Baseline.decode(); err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	if a.Gram.Layers != stored.Layers || a.Gram.Baseline.Layers != stored.Layers {
		return nil, fmt.Errorf("got %d layers and a baseline of %d, want %d", a.Gram.Layers, a.Gram.Baseline.Layers, stored.Layers)
	}
	return &a, nil
}

func (e *encodedGram) decode() (*layerorder.Gram, error) {
	n := e.Layers
	if n < 1 || n > layerorder.MaxLayers || len(e.Products) < 1 || len(e.Products) > layerorder.Blocks || e.Entries < len(e.Products) {
		return nil, fmt.Errorf("got %d layers of %d entries in %d blocks, want inner products of layers", n, e.Entries, len(e.Products))
	}
	g := &layerorder.Gram{Layers: n, Entries: e.Entries, Independent: e.Independent}
	for _, text := range e.Products {
		if len(text) != 8*n*(n+1)/2 {
			return nil, fmt.Errorf("got a block of %d bytes, want %d for %d layers", len(text), 8*n*(n+1)/2, n)
		}
		block := make([]float64, n*n)
		for k := range n {
			for l := range k + 1 {
				v := math.Float64frombits(binary.LittleEndian.Uint64(text))
				text = text[8:]
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return nil, fmt.Errorf("layers %d and %d: got %v, want a finite product", l, k, v)
				}
				block[k*n+l], block[l*n+k] = v, v
			}
		}
		g.Products = append(g.Products, block)
	}
	return g, nil
}
