package network

import (
	"context"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/blas/blas64"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/layerorder"
)

// A Source is an open checkpoint.
type Source interface {
	// Read returns all entries of a tensor, row by row.
	Read(name string) ([]float64, error)
	// InPieces reports whether ReadPiece works for a tensor.
	InPieces(name string) bool
	ReadPiece(name string, from int, dst []float64) error
}

// memory bounds the numbers that are held at a time, in entries, where tensors can be read in pieces; inCache those of
// one piece of all layers, which is read, converted and multiplied within the cache of a core.
const (
	memory  = 8 << 20
	inCache = 1 << 18
)

// entries returns the number of entries of one layer.
func (f *Family) entries() int {
	count := 1
	for axis, n := range f.Shape {
		if f.Axis == nil || axis != *f.Axis {
			count *= n
		}
	}
	return count
}

// Measure reads a family and returns the inner products of its layers. observe is told how many entries were
// read, now and then.
func (f *Family) Measure(ctx context.Context, source Source, observe func(entries int)) (*layerorder.Gram, error) {
	if f.Layers > layerorder.MaxLayers {
		return nil, fmt.Errorf("%s: got %d layers, want at most %d", plain.Text(f.Pattern), f.Layers, layerorder.MaxLayers)
	}
	whole := func(name string) bool { return !source.InPieces(name) }
	if f.Axis == nil && !slices.ContainsFunc(f.Tensors, whole) {
		return f.measurePieces(ctx, source, observe)
	}
	layers, err := f.read(source)
	if err != nil {
		return nil, err
	}
	observe(f.Layers * f.entries())
	return layerorder.NewGram(layers)
}

// measurePieces reads the same stretch of all layers at a time.
func (f *Family) measurePieces(ctx context.Context, source Source, observe func(int)) (*layerorder.Gram, error) {
	n := f.entries()
	g := layerorder.EmptyGram(f.Layers, n)
	size := min(n, max(1<<11, inCache/f.Layers))
	buffers := make([][]float64, f.Layers)
	for k := range buffers {
		buffers[k] = make([]float64, size)
	}
	pieces := make([][]float64, f.Layers)
	for from := 0; from < n; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		count := min(size, g.BlockEnd(from)-from)
		for k, name := range f.Tensors {
			pieces[k] = buffers[k][:count]
			if err := source.ReadPiece(name, from, pieces[k]); err != nil {
				return nil, err
			}
		}
		if err := g.Add(from, pieces); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Pattern, err)
		}
		from += count
		observe(count * f.Layers)
	}
	return g, nil
}

// read returns the layers of a family, each whole.
func (f *Family) read(source Source) ([][]float64, error) {
	if f.Axis == nil {
		layers := make([][]float64, f.Layers)
		for k := range layers {
			var err error
			if layers[k], err = source.Read(f.Tensors[k]); err != nil {
				return nil, err
			}
		}
		return layers, nil
	}
	data, err := source.Read(f.Tensors[0])
	if err != nil {
		return nil, err
	}
	return apart(data, f.Shape, *f.Axis), nil
}

// EachLayer reads the layers one by one, each as the matrix (Rows, Columns) of A·x where its sides are known, else as stored.
func (f *Family) EachLayer(source Source, do func(data []float64)) error {
	load := &loader{source: source, held: map[*Family][][]float64{}}
	for k := range f.Layers {
		data, err := load.layer(f, k)
		if err != nil {
			return err
		}
		if f.Orientation == "xA" && len(data) == f.Rows*f.Columns {
			data = layerMap{blas64.General{Rows: f.Columns, Cols: f.Rows, Stride: f.Rows, Data: data}, true}.whole().Data
		}
		do(data)
	}
	return nil
}

// apart returns the layers that a tensor holds along an axis.
func apart(data []float64, shape []int, axis int) [][]float64 {
	inner := 1
	for _, n := range shape[axis+1:] {
		inner *= n
	}
	layers := make([][]float64, shape[axis])
	for at := 0; at < len(data); at += inner {
		k := at / inner % len(layers)
		layers[k] = append(layers[k], data[at:at+inner]...)
	}
	return layers
}
