// Package parquetheader holds what a Parquet file says of itself to its size, before the library believes it.
//
// The library takes memory by what a file says: lengths of lists, sizes of pages, runs of levels. A file of a few bytes
// may say 2 GiB.
package parquetheader

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Footer returns the footer of a file of that many bytes. It refuses one that is not as long as it says, or holds a list
// or a text that is longer than the footer. A file ends with the length of the footer and a magic number, 4 bytes each,
// and begins with the same number.
func Footer(r io.ReaderAt, size int64) (*format.FileMetaData, error) {
	short := errors.New("parquet: the file is cut short")
	if size < 12 {
		return nil, short
	}
	var end [8]byte
	if _, err := r.ReadAt(end[:], size-8); err != nil {
		return nil, fmt.Errorf("parquet: %w", err)
	}
	length := int64(binary.LittleEndian.Uint32(end[:]))
	if string(end[4:]) != "PAR1" || length > size-12 {
		return nil, short
	}
	text := make([]byte, length)
	if _, err := r.ReadAt(text, size-8-length); err != nil {
		return nil, fmt.Errorf("parquet: %w", err)
	}
	footer := new(format.FileMetaData)
	if _, err := Decode(text, footer); err != nil {
		return nil, fmt.Errorf("parquet: footer: %w", err)
	}
	return footer, nil
}

// CheckRuns refuses runs of numbers of so many bits, as levels and indices into a dictionary are, that are together longer than
// the values they are for, with the last 8 numbers filled up.
func CheckRuns(runs []byte, bits uint, values uint64) error {
	total := uint64(0)
	for len(runs) > 0 {
		length, n := binary.Uvarint(runs)
		if n <= 0 {
			return ErrShort
		}
		runs = runs[n:]
		numbers, most, held := length>>1, values, uint64(bits+7)/8 // one number is repeated
		if length&1 == 1 {                                         // or 8 numbers in each
			if length>>1 > uint64(len(runs)) {
				return ErrShort
			}
			numbers, most, held = 8*numbers, values+8, length>>1*uint64(bits)
		}
		if total += numbers; numbers > most || total > values+8 {
			return fmt.Errorf("got runs of %d numbers for %d values", total, values)
		}
		if held > uint64(len(runs)) {
			return ErrShort
		}
		runs = runs[held:]
	}
	return nil
}

// ErrShort says that a header or a run ends before it is complete, or is nested too deep.
var ErrShort = errors.New("it is cut short")

// deepest is the depth of nesting that no header of Parquet comes near.
const deepest = 32

// Decode reads into header what data begins with, and returns how many bytes it takes.
func Decode[H any](data []byte, header *H) (int, error) {
	reader := new(thrift.CompactProtocol).NewReaderFromBytes(data).(bytesReader)
	r := boundedReader{bytesReader: reader, size: len(data), open: []int32{1}}
	err := thrift.NewDecoder(&r).Decode(header)
	return r.BytesRead(), err
}

// bytesReader is what the library reads bytes with: without Discard it passes over nothing.
type bytesReader interface {
	thrift.Reader
	Discard(n int) (int, error)
}

// A boundedReader is the library's reader of headers, which refuses a list that is longer
// than the bytes left, and structs nested too deep.
type boundedReader struct {
	bytesReader
	size int
	open []int32 // how many structs are to end, for each list and field of them that has begun
}

func (r *boundedReader) ReadField() (thrift.Field, error) {
	field, err := r.bytesReader.ReadField()
	switch last := len(r.open) - 1; {
	case err != nil:
	case field.Type == thrift.STRUCT:
		err = r.begin(1)
	case field.Type == thrift.STOP:
		if r.open[last]--; r.open[last] == 0 {
			r.open = r.open[:last]
		}
	}
	return field, err
}

func (r *boundedReader) ReadList() (thrift.List, error) {
	list, err := r.bytesReader.ReadList()
	switch {
	case err != nil || list.Size == 0:
	case list.Size < 0 || int(list.Size) > r.size-r.BytesRead(): // an element takes a byte at least
		err = ErrShort
	case list.Type == thrift.STRUCT:
		err = r.begin(list.Size)
	case list.Type == thrift.LIST || list.Type == thrift.SET || list.Type == thrift.MAP:
		err = errNoParquet
	}
	return list, err
}

// errNoParquet refuses what the compact protocol of Thrift has and Parquet's headers do not.
var errNoParquet = errors.New("got a set, a map or a list of lists")

func (r *boundedReader) ReadSet() (thrift.Set, error) { return thrift.Set{}, errNoParquet }

func (r *boundedReader) ReadMap() (thrift.Map, error) { return thrift.Map{}, errNoParquet }

// begin notes that structs begin.
func (r *boundedReader) begin(structs int32) error {
	if r.open = append(r.open, structs); len(r.open) > deepest {
		return ErrShort
	}
	return nil
}
