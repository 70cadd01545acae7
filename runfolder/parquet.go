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
	if _, err := skipStruct(data[n-8-int(length):n-8], 0); err != nil {
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
		end, err := skipStruct(rest, 0)
		if err != nil {
			return fmt.Errorf("page header: %w", err)
		}
		var header format.PageHeader
		if err := thrift.Unmarshal(new(thrift.CompactProtocol), rest[:end], &header); err != nil {
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

// The types of the compact protocol of Apache Thrift that Parquet's headers are written in.
const (
	thriftTrue = iota + 1
	thriftFalse
	thriftByte
	thriftInt16
	thriftInt32
	thriftInt64
	thriftDouble
	thriftBinary
	thriftList
	thriftSet
	thriftMap
	thriftStruct
)

// deepest is the depth of nesting that no header of Parquet comes near.
const deepest = 32

// skipStruct returns the length of the struct that data begins with. That there is one
// bounds every length in it.
func skipStruct(data []byte, depth int) (int, error) {
	if depth > deepest {
		return 0, errShort
	}
	for at := 0; at < len(data); {
		field := data[at]
		at++
		if field == 0 {
			return at, nil
		}
		if field>>4 == 0 { // the field's number follows
			_, n := binary.Uvarint(data[at:])
			if n <= 0 {
				return 0, errShort
			}
			at += n
		}
		kind := field & 15
		if kind == thriftTrue || kind == thriftFalse { // the type is the value
			continue
		}
		n, err := skipValue(data[at:], kind, depth+1)
		if err != nil {
			return 0, err
		}
		at += n
	}
	return 0, errShort
}

// skipValue returns the length of a value of a field, or of an element of a list.
func skipValue(data []byte, kind byte, depth int) (int, error) {
	length := 0
	switch kind {
	case thriftTrue, thriftFalse, thriftByte:
		length = 1
	case thriftInt16, thriftInt32, thriftInt64:
		_, length = binary.Uvarint(data)
	case thriftDouble:
		length = 8
	case thriftBinary:
		size, n := binary.Uvarint(data)
		if n <= 0 || size > uint64(len(data)-n) {
			return 0, errShort
		}
		length = n + int(size)
	case thriftList, thriftSet:
		return skipList(data, depth)
	case thriftStruct:
		return skipStruct(data, depth)
	default: // Parquet has no maps
		return 0, fmt.Errorf("got a value of type %d", kind)
	}
	if length <= 0 || length > len(data) {
		return 0, errShort
	}
	return length, nil
}

// skipList returns the length of the list that data begins with.
func skipList(data []byte, depth int) (int, error) {
	if len(data) == 0 || depth > deepest {
		return 0, errShort
	}
	size, at := uint64(data[0]>>4), 1
	if size == 15 {
		var n int
		if size, n = binary.Uvarint(data[1:]); n <= 0 {
			return 0, errShort
		}
		at += n
	}
	if size > uint64(len(data)-at) { // an element takes a byte at least
		return 0, errShort
	}
	for range size {
		n, err := skipValue(data[at:], data[0]&15, depth+1)
		if err != nil {
			return 0, err
		}
		at += n
	}
	return at, nil
}
