package network

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/curvature"
	"github.com/deeplimit/deeplimit/internal/plain"
)

// A Spectrum is what the singular values of the maps of a family say, which no symmetry of a layer changes.
type Spectrum struct {
	// SingularValues are the largest of each layer, in descending order: eight, or one of maps whose smaller side is larger than
	// 256.
	SingularValues [][]float64 `json:"singular_values,omitempty"`
	// StableRanks are ‖A_k‖_F²/‖A_k‖₂² of each layer, null of a layer of zeros.
	StableRanks []Number `json:"stable_ranks,omitempty"`
}

// Maps whose smaller side is at most mostWhole are decomposed; of larger ones the largest singular value alone is searched for.
// keptValues singular values are kept.
const (
	mostWhole  = 256
	keptValues = 8
)

// hasSpectrum reports whether the layers are matrices whose sides are known.
func (f *Family) hasSpectrum() bool {
	return f.Orientation == "Ax" || f.Orientation == "xA" || f.Orientation == "unknown" && f.Rows*f.Columns == f.entries() && len(f.Shape) == 2
}

// spectrum reads the layers of a family, one at a time.
func (f *Family) spectrum(ctx context.Context, load func(f *Family, k int) ([]float64, error), observe func(entries int)) (*Spectrum, error) {
	s := &Spectrum{}
	rows, columns := f.Rows, f.Columns
	if f.Orientation == "xA" {
		rows, columns = columns, rows
	}
	for k := range f.Layers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		data, err := load(f, k)
		if err != nil {
			return nil, err
		}
		values, err := singularValues(blas64.General{Rows: rows, Cols: columns, Stride: columns, Data: data})
		if err != nil {
			return nil, fmt.Errorf("%s: layer %d: singular values: %w", plain.Text(f.Pattern), f.First+k, err)
		}
		norm := blas64.Nrm2(blas64.Vector{N: len(data), Inc: 1, Data: data})
		rank := math.NaN()
		if values[0] > 0 {
			rank = (norm / values[0]) * (norm / values[0])
		}
		s.SingularValues, s.StableRanks = append(s.SingularValues, values), append(s.StableRanks, Number(rank))
		observe(len(data))
	}
	return s, nil
}

// singularValues returns the largest singular values of a matrix, in descending order.
func singularValues(a blas64.General) ([]float64, error) {
	side := min(a.Rows, a.Cols)
	if side <= mostWhole {
		var svd mat.SVD
		if !svd.Factorize(mat.NewDense(a.Rows, a.Cols, a.Data), mat.SVDNone) {
			return nil, errors.New("the decomposition does not converge")
		}
		return svd.Values(nil)[:min(side, keptValues)], nil
	}
	x, y := blas64.Vector{N: a.Cols, Inc: 1}, blas64.Vector{N: a.Rows, Inc: 1, Data: make([]float64, a.Rows)}
	first, second := blas.NoTrans, blas.Trans
	if a.Rows < a.Cols { // the smaller side has the shorter vectors
		x.N, y.N, y.Data = a.Rows, a.Cols, make([]float64, a.Cols)
		first, second = blas.Trans, blas.NoTrans
	}
	found, err := curvature.Find(side, func(dst, v []float64) error {
		x.Data = v
		blas64.Gemv(first, 1, a, x, 0, y)
		x.Data = dst
		blas64.Gemv(second, 1, a, y, 0, x)
		return nil
	}, curvature.Options{LargestOnly: true})
	if err != nil {
		return nil, err
	}
	return []float64{math.Sqrt(max(0, found.Largest.Value))}, nil
}
