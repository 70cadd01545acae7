package parquetheader

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// mostPage bounds the bytes of a page when it is unpacked; writers make pages of 1 MiB.
const mostPage = 1 << 28

// CheckColumn refuses a column of a row group whose pages say more than they hold: sizes beyond those of the file, more
// values than the group has rows, runs longer than the values they are for. It unpacks each page within the size that the page states.
// Columns that are neither nested nor repeated have levels of one bit, where values may be null.
func CheckColumn(r io.ReaderAt, size int64, column *format.ColumnMetaData, null bool, rows int64) error {
	from, length := column.DataPageOffset, column.TotalCompressedSize
	if d := column.DictionaryPageOffset; d > 0 && d < from {
		from = d
	}
	if from < 0 || length < 0 || from > size || length > size-from {
		return fmt.Errorf("got pages at %d of %d bytes in a file of %d", from, length, size)
	}
	rest := make([]byte, length)
	if _, err := r.ReadAt(rest, from); err != nil {
		return err
	}
	p := &pages{codec: column.Codec, null: null}
	for len(rest) > 0 {
		var header format.PageHeader
		end, err := Decode(rest, &header)
		if err != nil {
			return fmt.Errorf("page header: %w", err)
		}
		rest = rest[end:]
		packed, whole := header.CompressedPageSize, header.UncompressedPageSize
		if packed < 0 || int(packed) > len(rest) || whole < 0 || whole > mostPage {
			return fmt.Errorf("got a page of %d bytes, %d of them stored, where %d are left", whole, packed, len(rest))
		}
		if err := p.check(&header, rest[:packed]); err != nil {
			return err
		}
		rest = rest[packed:]
	}
	if p.values != rows {
		return fmt.Errorf("got pages of %d values in a group of %d rows", p.values, rows)
	}
	return nil
}

// pages are those of one column.
type pages struct {
	codec  format.CompressionCodec
	null   bool
	values int64 // so far
}

func (p *pages) check(header *format.PageHeader, packed []byte) error {
	whole := int(header.UncompressedPageSize)
	switch {
	case header.Type == format.DictionaryPage && header.DictionaryPageHeader.Valid:
		if n := header.DictionaryPageHeader.V.NumValues; n < 0 || int(n) > 8*whole {
			return fmt.Errorf("got a dictionary of %d values in %d bytes", n, whole)
		}
		_, err := p.unpack(packed, whole)
		return err
	case header.Type == format.DataPage && header.DataPageHeader.Valid:
		h := &header.DataPageHeader.V
		data, err := p.unpack(packed, whole)
		if err != nil {
			return err
		}
		if p.null {
			var levels []byte
			if levels, data, err = prefixed(data); err != nil {
				return err
			}
			if err := CheckRuns(levels, 1, uint64(max(0, h.NumValues))); err != nil {
				return err
			}
		}
		return p.checkValues(h.Encoding, h.NumValues, data)
	case header.Type == format.DataPageV2 && header.DataPageHeaderV2.Valid:
		h := &header.DataPageHeaderV2.V
		levels := int(h.DefinitionLevelsByteLength)
		if h.RepetitionLevelsByteLength != 0 || levels < 0 || levels > len(packed) || levels > whole {
			return fmt.Errorf("got %d and %d bytes of levels in a page of %d", h.RepetitionLevelsByteLength, levels, len(packed))
		}
		if err := CheckRuns(packed[:levels], 1, uint64(max(0, h.NumValues))); err != nil {
			return err
		}
		data := packed[levels:]
		if !h.IsCompressed.Valid || h.IsCompressed.V {
			var err error
			if data, err = p.unpack(data, whole-levels); err != nil {
				return err
			}
		}
		return p.checkValues(h.Encoding, h.NumValues, data)
	}
	return fmt.Errorf("got a page of type %v, want one of values or a dictionary", header.Type)
}

// plainDictionary is what writers of version 1 call indices into a dictionary; the library has it as deprecated.
const plainDictionary format.Encoding = 2

// checkValues refuses values of a data page that say more than they hold.
func (p *pages) checkValues(encoding format.Encoding, n int32, data []byte) error {
	if n < 0 {
		return fmt.Errorf("got a page of %d values", n)
	}
	p.values += int64(n)
	switch encoding {
	case format.Plain, format.ByteStreamSplit:
		return nil
	case plainDictionary, format.RLEDictionary:
		if len(data) == 0 { // all values are null
			return nil
		}
		if data[0] > 32 {
			return fmt.Errorf("got indices of %d bits, want 32 at most", data[0])
		}
		return CheckRuns(data[1:], uint(data[0]), uint64(n))
	case format.RLE:
		runs, _, err := prefixed(data)
		if err != nil {
			return err
		}
		return CheckRuns(runs, 1, uint64(n))
	case format.DeltaBinaryPacked, format.DeltaLengthByteArray:
		for field := range 3 { // sizes of blocks, parts of a block, number of values
			v, k := binary.Uvarint(data)
			if k <= 0 || field == 2 && v > uint64(n) {
				return ErrShort
			}
			data = data[k:]
		}
		return nil
	}
	return fmt.Errorf("got values of encoding %v, want plain or dictionary encoding (as pyarrow, pandas and polars write by default)", encoding)
}

// prefixed cuts off a part that 4 bytes give the length of.
func prefixed(data []byte) (part, rest []byte, err error) {
	if len(data) < 4 {
		return nil, nil, ErrShort
	}
	n := int64(binary.LittleEndian.Uint32(data))
	if data = data[4:]; n > int64(len(data)) {
		return nil, nil, ErrShort
	}
	return data[:n], data[n:], nil
}

// unpack returns the content of a page, whose size must be the one stated.
func (p *pages) unpack(packed []byte, whole int) (data []byte, err error) {
	switch p.codec {
	case format.Uncompressed:
		data = packed
	case format.Snappy:
		var n int
		if n, err = snappy.DecodedLen(packed); err != nil || n != whole {
			return nil, fmt.Errorf("got a page of %d bytes, want %d", n, whole)
		}
		data, err = snappy.Decode(nil, packed)
	case format.Gzip:
		var r *gzip.Reader
		if r, err = gzip.NewReader(bytes.NewReader(packed)); err == nil {
			data, err = io.ReadAll(io.LimitReader(r, int64(whole)+1))
		}
	case format.Zstd:
		if whole == 0 {
			return nil, nil
		}
		var d *zstd.Decoder
		if d, err = zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(2*mostPage)); err == nil {
			defer d.Close()
			data, err = io.ReadAll(io.LimitReader(d, int64(whole)+1))
		}
	case format.Lz4Raw:
		data = make([]byte, whole)
		var n int
		if n, err = lz4.UncompressBlock(packed, data); err != nil {
			return nil, fmt.Errorf("got an LZ4 block that does not give %d bytes: %w", whole, err)
		}
		data = data[:n]
	case format.Brotli:
		data, err = io.ReadAll(io.LimitReader(brotli.NewReader(bytes.NewReader(packed)), int64(whole)+1))
	default:
		return nil, fmt.Errorf("got pages compressed with %v, want snappy, gzip, zstd, brotli, LZ4_RAW or none", p.codec)
	}
	if err == nil && len(data) != whole {
		err = fmt.Errorf("got %d bytes in a page of %d", len(data), whole)
	}
	return data, err
}
