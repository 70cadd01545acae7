package dataset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// An idxArray is the content of an IDX file of unsigned bytes, the format of
// MNIST: a big-endian magic number, the sizes, then the bytes in C order.
type idxArray struct {
	dims   []int
	header []byte
	data   []byte // product of dims
}

// readIDX reads an IDX file of rank dimensions, gzipped or not.
func readIDX(path string, rank int) (*idxArray, error) {
	s, err := openSource(path)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return decodeIDX(s, s.size, rank)
}

// decodeIDX reads r of size bytes, −1 if unknown.
func decodeIDX(r io.Reader, size int64, rank int) (*idxArray, error) {
	a, err := decodeIDXHeader(r, rank)
	if err != nil {
		return nil, err
	}
	n := int64(1)
	for _, dim := range a.dims {
		if n > maxNumbers/int64(dim) {
			return nil, fmt.Errorf("got %s values, want at most 2^31", times(a.dims))
		}
		n *= int64(dim)
	}
	if size >= 0 {
		size -= int64(len(a.header))
	}
	a.data, err = readBody(r, size, n)
	return a, err
}

// decodeIDXHeader reads r up to the first value.
func decodeIDXHeader(r io.Reader, rank int) (*idxArray, error) {
	a := &idxArray{header: make([]byte, 4+4*rank)}
	got, err := io.ReadFull(r, a.header)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("header: got %d bytes, want %d (truncated)", got, len(a.header))
	}
	if err != nil {
		return nil, bare(err)
	}
	const unsignedByte = 0x08
	magic := binary.BigEndian.Uint32(a.header)
	if want := uint32(unsignedByte<<8 | rank); magic != want {
		return nil, fmt.Errorf("magic number: got 0x%08x, want 0x%08x: IDX of unsigned bytes with %d dimensions", magic, want, rank)
	}
	for i := range rank {
		dim := binary.BigEndian.Uint32(a.header[4+4*i:])
		if dim == 0 || dim > maxNumbers {
			return nil, fmt.Errorf("size of dimension %d: got %d, want 1 to 2^31", i+1, dim)
		}
		a.dims = append(a.dims, int(dim))
	}
	return a, nil
}

// times writes sizes as 60000×28×28.
func times(dims []int) string {
	texts := make([]string, len(dims))
	for i, dim := range dims {
		texts[i] = strconv.Itoa(dim)
	}
	return strings.Join(texts, "×")
}
