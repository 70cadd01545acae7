package network

import (
	"context"
	"fmt"
	"slices"
)

// Add measures families of one network, with their hidden units matched, their singular values, and the invariants of its blocks, as the reading asks.
func (m *Measurement) Add(ctx context.Context, source Source, families []Family, r Reading) error {
	var aligned map[*Family]*Aligned
	if r.Align {
		var err error
		if aligned, err = align(ctx, source, families, &r); err != nil {
			return err
		}
	}
	for i := range families {
		g, err := families[i].Measure(ctx, source, r.tell)
		if err != nil {
			return err
		}
		measured := MeasuredFamily{Family: families[i], Gram: g, Aligned: aligned[&families[i]]}
		if r.Invariants && families[i].hasSpectrum() {
			load := &loader{source: source, held: map[*Family][][]float64{}}
			if measured.Spectrum, err = families[i].spectrum(ctx, load.layer, r.tell); err != nil {
				return err
			}
		}
		m.Families = append(m.Families, measured)
	}
	if !r.Invariants {
		return nil
	}
	for _, p := range invariants(families, r.Heads) {
		load := &loader{source: source, held: map[*Family][][]float64{}}
		g, err := p.measure(ctx, load.layer, r.tell)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		m.Invariants = append(m.Invariants, MeasuredInvariant{p.Invariant, g})
	}
	return nil
}

// A loader returns the maps of layers, each read when it is asked for unless the format wants all of them at once.
type loader struct {
	source Source
	held   map[*Family][][]float64
}

func (l *loader) layer(f *Family, k int) ([]float64, error) {
	if f.Axis == nil && l.source.InPieces(f.Tensors[k]) {
		data := make([]float64, f.entries())
		return data, l.source.ReadPiece(f.Tensors[k], 0, data)
	}
	if f.Axis == nil {
		return l.source.Read(f.Tensors[k])
	}
	if l.held[f] == nil {
		layers, err := f.read(l.source)
		if err != nil {
			return nil, err
		}
		l.held[f] = layers
	}
	return l.held[f][k], nil
}

// SetOrigin says which network all families are of.
func (m *Measurement) SetOrigin(o Origin) {
	for i := range m.Families {
		m.Families[i].Origin = o
	}
	for i := range m.Invariants {
		m.Invariants[i].Origin = o
	}
}

// Join adds the families of another network.
func (m *Measurement) Join(other *Measurement) {
	m.Families = append(m.Families, other.Families...)
	m.Invariants = append(m.Invariants, other.Invariants...)
	m.Notes = append(m.Notes, other.Notes...)
}

// Remove removes the families of these networks.
func (m *Measurement) Remove(runs []string) {
	m.Families = slices.DeleteFunc(m.Families, func(f MeasuredFamily) bool { return slices.Contains(runs, f.Run) })
	m.Invariants = slices.DeleteFunc(m.Invariants, func(f MeasuredInvariant) bool { return slices.Contains(runs, f.Run) })
}

// Runs returns the names of the networks, each once.
func (m *Measurement) Runs() []string {
	var runs []string
	for i := range m.Families {
		if run := m.Families[i].Run; len(runs) == 0 || runs[len(runs)-1] != run {
			runs = append(runs, run)
		}
	}
	return runs
}
