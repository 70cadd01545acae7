package analyze

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// writeRows puts the rows into the place of the file at path.
func writeRows[T any](path, kind string, rows iter.Seq2[T, error]) error {
	write := writeParquet[T]
	if kind == CSV {
		write = writeCSV[T]
	}
	if err := disk.WriteFile(path, func(w io.Writer) error { return write(w, rows) }); err != nil {
		return fmt.Errorf("analyze: writing %s: %w", path, err)
	}
	return nil
}

// A column is a field of a row, those of embedded structs included.
type column struct {
	name     string
	place    []int // of the field
	optional bool
}

// columnsOf returns the columns of T, which its parquet tags name.
func columnsOf[T any]() (columns []column) {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if !field.Anonymous {
			name, _, _ := strings.Cut(field.Tag.Get("parquet"), ",")
			columns = append(columns, column{name, field.Index, field.Type.Kind() == reflect.Pointer})
		}
	}
	return columns
}

// of returns the value of the column in a row; false for null.
func (c *column) of(row reflect.Value) (value reflect.Value, ok bool) {
	value = row.FieldByIndex(c.place)
	if !c.optional {
		return value, true
	}
	return value.Elem(), !value.IsNil()
}

// writeParquet puts rows together from their fields: the library's own way writes 0 for
// a null in an embedded struct.
func writeParquet[T any](w io.Writer, rows iter.Seq2[T, error]) error {
	var none T
	schema, columns := parquet.SchemaOf(none), columnsOf[T]()
	writer := parquet.NewWriter(w, schema, parquet.CreatedBy("deeplimit", "1", "export"), parquet.Compression(&parquet.Zstd))
	record := make(parquet.Row, len(columns))
	for row, err := range rows {
		if err != nil {
			return err
		}
		for _, c := range columns {
			leaf, _ := schema.Lookup(c.name)
			value, level := parquet.NullValue(), 0
			if v, ok := c.of(reflect.ValueOf(row)); ok {
				value, level = parquet.ValueOf(v.Interface()), leaf.MaxDefinitionLevel
			}
			record[leaf.ColumnIndex] = value.Level(0, level, leaf.ColumnIndex)
		}
		if _, err := writer.WriteRows([]parquet.Row{record}); err != nil {
			return err
		}
	}
	return writer.Close()
}

// writeCSV writes the columns that writeParquet would, with an empty field for null.
func writeCSV[T any](w io.Writer, rows iter.Seq2[T, error]) error {
	columns := columnsOf[T]()
	record := make([]string, len(columns))
	for i, c := range columns {
		record[i] = c.name
	}
	writer := csv.NewWriter(w)
	if err := writer.Write(record); err != nil {
		return err
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		for i, c := range columns {
			record[i] = ""
			if v, ok := c.of(reflect.ValueOf(row)); ok {
				record[i] = csvText(v)
			}
		}
		if err := writer.Write(record); err != nil {
			return err
		}
	}
	writer.Flush()
	return writer.Error()
}

// csvText returns a number to all its digits, or a text.
func csvText(v reflect.Value) string {
	if v.CanFloat() {
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return fmt.Sprint(v)
}
