package dataset

import (
	"fmt"

	"github.com/deeplimit/deeplimit/internal/npy"
)

// openArrays reads the (N,d) inputs and the (N,m) targets; (N) targets are (N,1).
func openArrays(inputs, targets string) (*stored, error) {
	x, err := readMatrix(inputs, 2)
	if err != nil {
		return nil, err
	}
	y, err := readMatrix(targets, 1)
	if err != nil {
		return nil, err
	}
	if err := checkRows(inputs, x, targets, y); err != nil {
		return nil, err
	}
	return &stored{
		place: inputs, n: x.rows, d: x.columns, m: y.columns, source: "files of the user",
		x: func(i int, dst []float64) { copy(dst, x.values[i*x.columns:]) },
		y: func(i int, dst []float64) { copy(dst, y.values[i*y.columns:]) },
	}, nil
}

// arrayDimensions reads no more than the headers.
func arrayDimensions(inputs, targets string) (d, m int, err error) {
	x, err := readHeader(inputs, 2)
	if err != nil {
		return 0, 0, err
	}
	y, err := readHeader(targets, 1)
	if err != nil {
		return 0, 0, err
	}
	return x.columns, y.columns, checkRows(inputs, x, targets, y)
}

// A matrix is what a .npy file holds.
type matrix struct {
	rows, columns int
	values        []float64 // (rows,columns), row-major; nil if only the header was read
}

// readMatrix reads an array of two dimensions, or of one and more if rank is 1.
func readMatrix(path string, rank int) (matrix, error) {
	shape, values, err := npy.Read(path)
	if err != nil {
		return matrix{}, at(path, hint(err))
	}
	m, err := newMatrix(shape, rank)
	m.values = values
	return m, at(path, err)
}

// readHeader is readMatrix without the values.
func readHeader(path string, rank int) (matrix, error) {
	shape, err := npy.Shape(path)
	if err != nil {
		return matrix{}, at(path, hint(err))
	}
	m, err := newMatrix(shape, rank)
	return m, at(path, err)
}

// newMatrix refuses a shape of the wrong rank or beyond maxNumbers.
func newMatrix(shape []int, rank int) (matrix, error) {
	m := matrix{columns: 1}
	switch {
	case len(shape) == 2:
		m.rows, m.columns = shape[0], shape[1]
	case len(shape) == 1 && rank == 1:
		m.rows = shape[0]
	default:
		return matrix{}, fmt.Errorf("shape: got %v, want 2 dimensions", shape)
	}
	if !fits(m.rows, m.columns, 0) {
		return matrix{}, fmt.Errorf("shape: got %v, want at most 2^31 numbers", shape)
	}
	return m, nil
}

// checkRows refuses inputs and targets of different numbers of samples.
func checkRows(inputs string, x matrix, targets string, y matrix) error {
	if y.rows != x.rows {
		return at(targets, fmt.Errorf("got %d rows, want %d, those of %s", y.rows, x.rows, inputs))
	}
	return nil
}
