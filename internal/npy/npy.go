// Package npy reads NumPy array files of any rank into float64.
package npy

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/bits"
	"os"
	"strconv"
	"strings"

	"codeberg.org/sbinet/npyio/npy"
	"codeberg.org/sbinet/npyio/npy/float16"

	"github.com/deeplimit/deeplimit/internal/half"
	"github.com/deeplimit/deeplimit/internal/machine"
)

// maxNumbers is the largest number of entries of an array: 2^40 of them are 8 TiB as float64. A
// larger shape is a damaged header.
const maxNumbers = 1 << 40

// maxHeader bounds the text with type and shape, in bytes, because a member of a compressed
// archive could make it fill the memory. Headers of NumPy have some 100 bytes.
const maxHeader = 1 << 20

// Read returns the shape of the array in a .npy file and its entries in row-major
// order, whatever their order in the file. It takes floats of 2, 4 and 8 bytes and
// integers of up to 8, of either byte order.
//
// Errors are an array of rank 0 or with a size below 1, a file whose length does not fit type
// and shape (before memory is allocated for the entries), integers beyond ±2^53, NaN and
// infinities. They do not name the path, which the caller adds.
func Read(path string) (shape []int, data []float64, err error) {
	file, r, size, err := open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	return decode(r, size)
}

// Decode is Read for the size bytes of r, such as a member of a .npz file.
func Decode(r io.Reader, size int64) (shape []int, data []float64, err error) {
	return decode(bufio.NewReaderSize(r, 1<<16), size)
}

// DecodeHeader returns the shape and the element type, such as <f8, of the array in the size
// bytes of r. It reads only the header.
func DecodeHeader(r io.Reader, size int64) (shape []int, dtype string, err error) {
	array, err := decodeHeader(bufio.NewReader(r), size)
	if err != nil {
		return nil, "", err
	}
	return array.shape, strings.Trim(array.reader.Header.Descr.Type, "'"), nil
}

// Shape returns the shape that Read would. It reads only the header, and has the errors of Read
// except those about entries.
func Shape(path string) ([]int, error) {
	file, r, size, err := open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	array, err := decodeHeader(r, size)
	if err != nil {
		return nil, err
	}
	return array.shape, nil
}

// open returns the file, a reader of it and its size in bytes.
func open(path string) (*os.File, *bufio.Reader, int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, 0, bare(err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		file.Close()
		return nil, nil, 0, bare(err)
	}
	return file, bufio.NewReaderSize(file, 1<<16), info.Size(), nil
}

// bare strips the operation and the path from an error of package os.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// A header is a checked header, with the reader of the entries behind it.
type header struct {
	reader  *npy.Reader
	element element
	shape   []int
	entries int // the product of shape
}

// memory returns the bytes that reading the entries takes: as stored, as float64 and, for
// Fortran order, a second copy as float64.
func (h *header) memory() float64 {
	bytes := 8.0
	if h.element.bytes != 8 || h.element.integer {
		bytes += float64(h.element.bytes)
	}
	if h.reader.Header.Descr.Fortran {
		bytes += 8
	}
	return bytes * float64(h.entries)
}

// decode reads the array in r, which holds size bytes.
func decode(r *bufio.Reader, size int64) (shape []int, data []float64, err error) {
	array, err := decodeHeader(r, size)
	if err != nil {
		return nil, nil, err
	}
	if err := machine.Fits(array.memory()); err != nil {
		return nil, nil, fmt.Errorf("%w for shape %v", err, array.shape)
	}
	if data, err = array.element.read(array.reader, array.entries); err != nil {
		return nil, nil, err
	}
	if array.reader.Header.Descr.Fortran {
		data = rowMajor(data, array.shape)
	}
	for k, v := range data {
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			return nil, nil, fmt.Errorf("index %s: got %v, want a finite number", index(k, array.shape), v)
		case array.element.integer && (v > 1<<53 || v < -1<<53):
			return nil, nil, fmt.Errorf("index %s: got %.0f, want an integer within ±2^53, which float64 holds exactly", index(k, array.shape), v)
		}
	}
	return array.shape, data, nil
}

// decodeHeader reads and checks the header of r, which holds size bytes.
func decodeHeader(r *bufio.Reader, size int64) (header, error) {
	if zip, _ := r.Peek(2); string(zip) == "\x1f\x8b" {
		return header{}, errors.New("got a gzip file, want a .npy file as numpy.save writes it")
	}
	// The length of the header is in 2 or, from version 2 on, 4 bytes at offset 8.
	start, err := r.Peek(12)
	if err != nil || string(start[:6]) != string(npy.Magic[:]) {
		return header{}, fmt.Errorf("magic: got %q, want %q: a .npy file", start[:min(6, len(start))], npy.Magic[:])
	}
	before, length := int64(10), int64(binary.LittleEndian.Uint16(start[8:]))
	if start[6] > 1 {
		before, length = 12, int64(binary.LittleEndian.Uint32(start[8:]))
	}
	if before+length > size {
		return header{}, fmt.Errorf("header: got %d bytes, want %d (truncated)", size, before+length)
	}
	if length > maxHeader {
		return header{}, fmt.Errorf("header: got a length of %d bytes, want at most %d", length, maxHeader)
	}
	reader, err := newReader(r)
	if err != nil {
		return header{}, err
	}

	dtype, shape := reader.Header.Descr.Type, reader.Header.Descr.Shape
	kind, ok := elements[typeCode(dtype)]
	if !ok {
		return header{}, fmt.Errorf("dtype: got %s, want floats or integers of at most 8 bytes", dtype)
	}
	entries, err := product(shape)
	if err != nil {
		return header{}, err
	}
	if got, want := size-before-length, int64(entries)*kind.bytes; got != want {
		difference := "truncated"
		if got > want {
			difference = "more than the header says"
		}
		return header{}, fmt.Errorf("got %d bytes of data, want %d for shape %v of %s (%s)", got, want, shape, dtype, difference)
	}
	return header{reader, kind, shape, entries}, nil
}

// newReader converts panics of the library on a malformed header to errors.
func newReader(r io.Reader) (reader *npy.Reader, err error) {
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

// product returns the number of entries of a shape of rank ≥ 1 and sizes ≥ 1.
func product(shape []int) (int, error) {
	if len(shape) == 0 {
		return 0, fmt.Errorf("shape: got %v, want at least 1 dimension", shape)
	}
	for _, n := range shape {
		if n < 1 {
			return 0, fmt.Errorf("shape: got %v, want sizes ≥ 1", shape)
		}
	}
	entries := uint64(1)
	for _, n := range shape {
		high, low := bits.Mul64(entries, uint64(n))
		if high != 0 || low > maxNumbers {
			return 0, fmt.Errorf("shape: got %v, want at most 2^40 numbers", shape)
		}
		entries = low
	}
	return int(entries), nil
}

// rowMajor converts entries from Fortran order, where the first index is fastest, to row-major
// order, where the last one is.
func rowMajor(stored []float64, shape []int) []float64 {
	strides := make([]int, len(shape)) // in data
	for axis, stride := len(shape)-1, 1; axis >= 0; axis-- {
		strides[axis] = stride
		stride *= shape[axis]
	}
	data := make([]float64, len(stored))
	indices := make([]int, len(shape))
	k := 0 // index in data
	for _, v := range stored {
		data[k] = v
		for axis := range shape {
			indices[axis]++
			k += strides[axis]
			if indices[axis] < shape[axis] {
				break
			}
			k -= indices[axis] * strides[axis]
			indices[axis] = 0
		}
	}
	return data
}

// index returns the indices of entry k in row-major order, as [1,0,2].
func index(k int, shape []int) string {
	indices := make([]string, len(shape))
	for axis := len(shape) - 1; axis >= 0; axis-- {
		indices[axis] = strconv.Itoa(k % shape[axis])
		k /= shape[axis]
	}
	return "[" + strings.Join(indices, ",") + "]"
}

// typeCode returns f8 for '<f8', and "" for other forms, some of which make the library panic.
func typeCode(dtype string) string {
	if len(dtype) < 4 || dtype[0] != '\'' || dtype[len(dtype)-1] != '\'' || !strings.ContainsRune("<>|", rune(dtype[1])) {
		return ""
	}
	return dtype[2 : len(dtype)-1]
}

// An element is a type of entries.
type element struct {
	bytes   int64
	integer bool
	read    func(r *npy.Reader, entries int) ([]float64, error) // in stored order
}

// elements are the types read, by type code.
var elements = map[string]element{
	"f8": {8, false, values[float64]},
	"f4": {4, false, values[float32]},
	"f2": {2, false, halves},
	"i8": {8, true, values[int64]},
	"i4": {4, true, values[int32]},
	"i2": {2, true, values[int16]},
	"i1": {1, true, values[int8]},
	"u8": {8, true, values[uint64]},
	"u4": {4, true, values[uint32]},
	"u2": {2, true, values[uint16]},
	"u1": {1, true, values[uint8]},
}

// values reads that many entries of the stored type, in stored order.
func values[T float64 | float32 | int64 | int32 | int16 | int8 | uint64 | uint32 | uint16 | uint8](r *npy.Reader, entries int) ([]float64, error) {
	stored := make([]T, entries)
	if err := r.Read(&stored); err != nil {
		return nil, bare(err)
	}
	if data, ok := any(stored).([]float64); ok {
		return data, nil
	}
	data := make([]float64, entries)
	for i, v := range stored {
		data[i] = float64(v)
	}
	return data, nil
}

// halves reads that many entries of 16-bit floats, in stored order. The library's conversion
// would turn subnormal numbers into 0.
func halves(r *npy.Reader, entries int) ([]float64, error) {
	stored := make([]float16.Num, entries)
	if err := r.Read(&stored); err != nil {
		return nil, bare(err)
	}
	data := make([]float64, entries)
	for i, v := range stored {
		data[i] = half.Float64(v.Uint16())
	}
	return data, nil
}
