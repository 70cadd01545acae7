package runfolder

import (
	"fmt"

	"github.com/parquet-go/parquet-go/format"

	"github.com/deeplimit/deeplimit/internal/parquetheader"
)

// No checksum vouches for a trace, so what it says of itself is held to its size (package parquetheader).

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
		end, err := parquetheader.Decode(rest, &header)
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
	return parquetheader.CheckRuns(page[:levels], 1, uint64(h.NumValues))
}
