package runfolder

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// The Parquet library takes memory by what a file says of itself: lengths of lists, sizes
// of pages, runs of levels. A trace that no checksum vouches for may say 2 GiB in a few
// bytes, so what it says is held to its size before the library believes it.

// checkFooter refuses a file whose footer is not as long as it says, or holds a list or
// a text that is longer than the footer. A file ends with the length of the footer and a
// magic number, 4 bytes each, and begins with the same number.
func checkFooter(data []byte) error {
	n := len(data)
	if n < 12 {
		return errors.New("parquet: the file is cut short")
	}
	length := int64(binary.LittleEndian.Uint32(data[n-8:]))
	if length > int64(n-12) {
		return errors.New("parquet: the file is cut short")
	}
	if _, err := readThrift(data[n-8-int(length):n-8], new(format.FileMetaData)); err != nil {
		return fmt.Errorf("parquet: footer: %w", err)
	}
	return nil
}

// checkPages refuses a column whose pages are not what encodeTrace writes (plain values,
// not compressed, no dictionary) or say more than they hold.
func checkPages(data []byte, column *format.ColumnMetaData) error {
	if column.Codec != format.Uncompressed || column.DictionaryPageOffset != 0 {
		return fmt.Errorf("got pages that are compressed (%s) or use a dictionary, want plain ones", column.Codec)
	}
	from, length := column.DataPageOffset, column.TotalCompressedSize
	if from < 0 || length < 0 || from > int64(len(data)) || length > int64(len(data))-from {
		return fmt.Errorf("got pages at %d of %d bytes in a file of %d", from, length, len(data))
	}
	for rest := data[from : from+length]; len(rest) > 0; {
		var header format.PageHeader
		end, err := readThrift(rest, &header)
		if err != nil {
			return fmt.Errorf("page header: %w", err)
		}
		rest = rest[end:]
		size := header.CompressedPageSize
		if size < 0 || int(size) > len(rest) || header.UncompressedPageSize != size {
			return fmt.Errorf("got a page of %d bytes, %d of them stored, where %d are left", header.UncompressedPageSize, size, len(rest))
		}
		if err := checkPage(rest[:size], &header, len(data)); err != nil {
			return err
		}
		rest = rest[size:]
	}
	return nil
}

// checkPage refuses a page of anything but plain values, and one that claims more values
// than a file of that many bytes can hold.
func checkPage(page []byte, header *format.PageHeader, most int) error {
	if header.Type != format.DataPageV2 || !header.DataPageHeaderV2.Valid {
		return fmt.Errorf("got a page of type %v, want %v", header.Type, format.DataPageV2)
	}
	h := &header.DataPageHeaderV2.V
	if h.Encoding != format.Plain || h.NumValues < 0 || int(h.NumValues) > most {
		return fmt.Errorf("got %d values of encoding %s in a file of %d bytes, want plain ones", h.NumValues, h.Encoding, most)
	}
	levels := int(h.DefinitionLevelsByteLength)
	if h.RepetitionLevelsByteLength != 0 || levels < 0 || levels > len(page) {
		return fmt.Errorf("got %d and %d bytes of levels in a page of %d", h.RepetitionLevelsByteLength, levels, len(page))
	}
	return checkLevels(page[:levels], uint64(h.NumValues))
}

// checkLevels refuses runs of levels 0 and 1 that are longer than the values they are for.
func checkLevels(runs []byte, values uint64) error {
	for len(runs) > 0 {
		length, n := binary.Uvarint(runs)
		if n <= 0 {
			return errShort
		}
		runs = runs[n:]
		held := uint64(1) // bytes: the level that is repeated
		if length&1 == 1 {
			held = length >> 1 // or 8 levels in each
		} else if length>>1 > values {
			return fmt.Errorf("got a run of %d levels for %d values", length>>1, values)
		}
		if held > uint64(len(runs)) {
			return errShort
		}
		runs = runs[held:]
	}
	return nil
}

// errShort says that a header or a run ends before it is complete, or is nested too deep.
var errShort = errors.New("it is cut short")

// deepest is the depth of nesting that no header of Parquet comes near.
const deepest = 32

// readThrift reads into header what data begins with, and returns how many bytes it takes.
func readThrift[H any](data []byte, header *H) (int, error) {
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
		err = errShort
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
		return errShort
	}
	return nil
}
