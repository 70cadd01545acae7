package dataset

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"codeberg.org/sbinet/npyio/npy"
)

// openArrays reads the (N,d) inputs and the (N,m) targets; (N) targets are (N,1).
func openArrays(inputs, targets string) (*stored, error) {
	x, err := readNPY(inputs, 2)
	if err != nil {
		return nil, at(inputs, err)
	}
	y, err := readNPY(targets, 1)
	if err != nil {
		return nil, at(targets, err)
	}
	if y.rows != x.rows {
		return nil, at(targets, fmt.Errorf("got %d rows, want %d, those of %s", y.rows, x.rows, inputs))
	}
	return &stored{
		place: inputs, n: x.rows, d: x.columns, m: y.columns, source: "files of the user",
		x: func(i int, dst []float64) { copy(dst, x.values[i*x.columns:]) },
		y: func(i int, dst []float64) { copy(dst, y.values[i*y.columns:]) },
	}, nil
}

// arrayDimensions reads no more than the headers.
func arrayDimensions(inputs, targets string) (d, m int, err error) {
	shape := func(path string, rank int) (*npyArray, error) {
		s, err := openSource(path)
		if err != nil {
			return nil, at(path, err)
		}
		defer s.Close()
		_, array, err := npyHeader(s.Reader, s.size, rank)
		return array, at(path, err)
	}
	x, err := shape(inputs, 2)
	if err != nil {
		return 0, 0, err
	}
	y, err := shape(targets, 1)
	if err != nil {
		return 0, 0, err
	}
	if y.rows != x.rows {
		return 0, 0, at(targets, fmt.Errorf("got %d rows, want %d, those of %s", y.rows, x.rows, inputs))
	}
	return x.columns, y.columns, nil
}

// An npyArray is a matrix read from a .npy file.
type npyArray struct {
	rows, columns int
	values        []float64 // (rows,columns) in C order
}

// readNPY reads an array of two dimensions, or of one and more if rank is 1.
func readNPY(path string, rank int) (*npyArray, error) {
	s, err := openSource(path)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return decodeNPY(s.Reader, s.size, rank)
}

// decodeNPY reads r, which holds size bytes, into float64 in C order. Integers
// beyond ±2^53, NaN and infinities are refused with their index.
func decodeNPY(r *bufio.Reader, size int64, rank int) (*npyArray, error) {
	reader, array, err := npyHeader(r, size, rank)
	if err != nil {
		return nil, err
	}
	values, err := npyTypes[npyType(reader)].read(reader, array.rows*array.columns)
	if err != nil {
		return nil, err
	}
	array.values = values
	if reader.Header.Descr.Fortran && array.columns > 1 {
		array.values = make([]float64, len(values))
		for k, v := range values {
			array.values[k%array.rows*array.columns+k/array.rows] = v
		}
	}
	for k, v := range array.values {
		if !finite(v) {
			return nil, fmt.Errorf("index [%d,%d]: got %v, want a finite number", k/array.columns, k%array.columns, v)
		}
		if npyTypes[npyType(reader)].integer && (v > 1<<53 || v < -1<<53) {
			return nil, fmt.Errorf("index [%d,%d]: got %.0f, want an integer within ±2^53, which float64 holds exactly", k/array.columns, k%array.columns, v)
		}
	}
	return array, nil
}

// npyHeader returns the reader of the values and the shape. It refuses what is
// not a .npy file of numbers, a shape of the wrong rank or beyond maxNumbers,
// and a file whose size is not what type and shape make it.
func npyHeader(r *bufio.Reader, size int64, rank int) (*npy.Reader, *npyArray, error) {
	if size < 0 {
		return nil, nil, errors.New("got a gzip file, want a .npy file as numpy.save writes it")
	}
	// The length of the header stands in 2 or, from version 2 on, 4 bytes at 8.
	start, err := r.Peek(12)
	if err != nil || string(start[:6]) != string(npy.Magic[:]) {
		return nil, nil, fmt.Errorf("magic: got %q, want %q: a .npy file", start[:min(6, len(start))], npy.Magic[:])
	}
	before, length := int64(10), int64(binary.LittleEndian.Uint16(start[8:]))
	if start[6] > 1 {
		before, length = 12, int64(binary.LittleEndian.Uint32(start[8:]))
	}
	if before+length > size {
		return nil, nil, fmt.Errorf("header: got %d bytes, want %d (truncated)", size, before+length)
	}
	reader, err := newNPYReader(r)
	if err != nil {
		return nil, nil, err
	}

	element, ok := npyTypes[npyType(reader)]
	if !ok {
		return nil, nil, fmt.Errorf("dtype: got %s, want floats or integers of at most 8 bytes", reader.Header.Descr.Type)
	}
	shape := reader.Header.Descr.Shape
	array := &npyArray{columns: 1}
	switch {
	case len(shape) == 2:
		array.rows, array.columns = shape[0], shape[1]
	case len(shape) == 1 && rank == 1:
		array.rows = shape[0]
	default:
		return nil, nil, fmt.Errorf("shape: got %v, want 2 dimensions", shape)
	}
	if array.rows < 1 || array.columns < 1 {
		return nil, nil, fmt.Errorf("shape: got %v, want sizes ≥ 1", shape)
	}
	if !fits(array.rows, array.columns, 0) {
		return nil, nil, fmt.Errorf("shape: got %v, want at most 2^31 numbers", shape)
	}
	want := int64(array.rows) * int64(array.columns) * element.bytes
	if got := size - before - length; got != want {
		return nil, nil, fmt.Errorf("got %d bytes of data, want %d for shape %v of %s (%s)",
			got, want, shape, reader.Header.Descr.Type, shortOrLong(got, want))
	}
	return reader, array, nil
}

// newNPYReader turns the panics of the library on a malformed header into errors.
func newNPYReader(r io.Reader) (reader *npy.Reader, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("header: got one that is malformed, want that of numpy.save")
		}
	}()
	if reader, err = npy.NewReader(r); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return reader, nil
}

// npyType returns the type code, such as f8 of '<f8'. What is not written like
// that gives "": the library panics on some of it.
func npyType(r *npy.Reader) string {
	quoted := r.Header.Descr.Type
	if len(quoted) < 4 || quoted[0] != '\'' || quoted[len(quoted)-1] != '\'' || !strings.ContainsRune("<>|", rune(quoted[1])) {
		return ""
	}
	return quoted[2 : len(quoted)-1]
}

// npyTypes are the element types read, by type code.
var npyTypes = map[string]struct {
	bytes   int64
	integer bool
	read    func(*npy.Reader, int) ([]float64, error)
}{
	"f8": {8, false, npyValues[float64]},
	"f4": {4, false, npyValues[float32]},
	"i8": {8, true, npyValues[int64]},
	"i4": {4, true, npyValues[int32]},
	"i2": {2, true, npyValues[int16]},
	"i1": {1, true, npyValues[int8]},
	"u8": {8, true, npyValues[uint64]},
	"u4": {4, true, npyValues[uint32]},
	"u2": {2, true, npyValues[uint16]},
	"u1": {1, true, npyValues[uint8]},
}

// npyValues reads n elements of the stored type, in stored order.
func npyValues[T float64 | float32 | int64 | int32 | int16 | int8 | uint64 | uint32 | uint16 | uint8](r *npy.Reader, n int) ([]float64, error) {
	stored := make([]T, n)
	if err := r.Read(&stored); err != nil {
		return nil, bare(err)
	}
	if values, ok := any(stored).([]float64); ok {
		return values, nil
	}
	values := make([]float64, n)
	for i, v := range stored {
		values[i] = float64(v)
	}
	return values, nil
}
