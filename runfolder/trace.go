package runfolder

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/deeplimit/deeplimit/internal/parquetheader"
	"github.com/deeplimit/deeplimit/internal/tensorheader"
)

// traceSchema is the schema of trace.parquet: the columns of Row.
var traceSchema = parquet.SchemaOf(Row{})

// traceColumns holds the column name of each field of Row.
var traceColumns = func() []string {
	row := reflect.TypeFor[Row]()
	names := make([]string, row.NumField())
	for i := range names {
		names[i], _, _ = strings.Cut(row.Field(i).Tag.Get("parquet"), ",")
	}
	return names
}()

// WriteTrace writes rows as a Parquet file, atomically and durably. Equal rows
// give equal bytes.
func WriteTrace(path string, rows []Row) error {
	dir, name := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	if _, err := replaceFile(dir, name, func(out io.Writer) error { return encodeTrace(out, rows, nil) }); err != nil {
		return err
	}
	return syncFolder(dir)
}

// ReadTrace reads the rows of a Parquet file with the columns of Row, stored as plain,
// uncompressed pages. It ignores columns that Row has no field for; an optional column that is
// missing is null in every row. Unlike Run.Trace it compares no checksum, so a damaged number
// may stay unnoticed. Memory is bounded by a multiple of the file's size, whatever the file
// claims.
func ReadTrace(path string) ([]Row, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	rows, err := decodeTrace(data)
	if err != nil {
		return nil, fmt.Errorf("runfolder: %s: %w", path, err)
	}
	return rows, nil
}

// Series returns the recorded values of one quantity with their iterations, without the rows
// for which value returns nil.
//
//	iterations, ratios := Series(rows, func(r *Row) *float64 { return r.PLRatio })
func Series(rows []Row, value func(*Row) *float64) (iterations []int, values []float64) {
	for i := range rows {
		if v := value(&rows[i]); v != nil {
			iterations = append(iterations, int(rows[i].Iteration))
			values = append(values, *v)
		}
	}
	return iterations, values
}

// Losses returns the recorded losses J over all training samples and their
// iterations: every iteration of a full-batch run whose trace is not thinned.
func Losses(rows []Row) (iterations []int, losses []float64) {
	return Series(rows, func(r *Row) *float64 { return r.Loss })
}

// encodeTrace writes plain, uncompressed pages: doubles of a descent hardly
// compress, and no codec's version then enters the bytes. step, if not nil, is the
// file's metadata.
func encodeTrace(out io.Writer, rows []Row, step *StepLaw) error {
	options := append(
		step.metadata(),
		parquet.CreatedBy("deeplimit", "1", "trace"),
		parquet.Compression(&parquet.Uncompressed),
		parquet.DefaultEncoding(&parquet.Plain),
	)
	writer := parquet.NewGenericWriter[Row](out, options...)
	if _, err := writer.Write(rows); err != nil {
		return err
	}
	return writer.Close()
}

func decodeTrace(data []byte) ([]Row, error) { return decodeColumns(data, traceColumns) }

// decodeColumns is decodeTrace with the columns of these names alone.
func decodeColumns(data []byte, names []string) (rows []Row, err error) {
	// The library indexes into pages that a damaged file describes wrongly.
	defer func() {
		if r := recover(); r != nil {
			rows, err = nil, fmt.Errorf("parquet: %v", r)
		}
	}()
	if _, err := parquetheader.Footer(bytes.NewReader(data), int64(len(data))); err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	if err := checkColumns(file.Schema()); err != nil {
		return nil, err
	}
	// Four doubles of every row are never null and hardly repeat: more rows than
	// bytes is a damaged count, which the reader would fill with nulls.
	if file.NumRows() < 0 || file.NumRows() > int64(len(data)) {
		return nil, fmt.Errorf("got %d rows in a file of %d bytes", file.NumRows(), len(data))
	}
	// Column by column: the library's reader of rows takes 70 kB for each file, and leaves
	// them to a finalizer.
	rows = make([]Row, file.NumRows())
	done := 0
	for i, group := range file.RowGroups() {
		n := group.NumRows()
		if n < 0 || n > int64(len(rows)-done) {
			return nil, fmt.Errorf("got a group of %d rows behind %d of %d", n, done, len(rows))
		}
		chunks := group.ColumnChunks()
		for field, name := range traceColumns {
			column, ok := file.Schema().Lookup(name)
			if !ok || !slices.Contains(names, name) {
				continue
			}
			about := &file.Metadata().RowGroups[i].Columns[column.ColumnIndex].MetaData
			if column.Node.Optional() && about.NumValues == n && about.Statistics.NullCount == n {
				continue // most columns of most runs, whose pages take longer to decode than the others
			}
			if err := checkPages(data, about); err != nil {
				return nil, fmt.Errorf("column %q: %w", name, err)
			}
			if err := decodeColumn(chunks[column.ColumnIndex], rows[done:done+int(n)], field); err != nil {
				return nil, fmt.Errorf("column %q: %w", name, err)
			}
		}
		done += int(n)
	}
	if done != len(rows) {
		return nil, fmt.Errorf("got %d rows in all groups, want %d", done, len(rows))
	}
	return rows, nil
}

// decodeColumn reads the values of one column into that field of rows, as many as there
// are rows.
func decodeColumn(chunk parquet.ColumnChunk, rows []Row, field int) (err error) {
	pages := chunk.Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	var batch [128]parquet.Value
	for done := 0; done < len(rows); {
		page, err := pages.ReadPage()
		if err != nil {
			return fmt.Errorf("row %d of %d: %w", done, len(rows), tensorheader.NoEOF(err))
		}
		for values, end := page.Values(), false; !end; {
			n, err := values.ReadValues(batch[:])
			if n > len(rows)-done {
				return fmt.Errorf("got more than %d values", len(rows))
			}
			for _, v := range batch[:n] {
				setField(reflect.ValueOf(&rows[done]).Elem().Field(field), v)
				done++
			}
			if err != nil && err != io.EOF {
				return fmt.Errorf("row %d of %d: %w", done, len(rows), err)
			}
			if n == 0 && err == nil {
				return io.ErrNoProgress
			}
			end = err == io.EOF
		}
		parquet.Release(page)
	}
	return nil
}

// setField sets a field of Row, whose column has the type of v (checkColumns).
func setField(field reflect.Value, v parquet.Value) {
	switch field.Kind() {
	case reflect.Int64:
		field.SetInt(v.Int64())
	case reflect.Pointer:
		if !v.IsNull() {
			x := v.Double()
			field.Set(reflect.ValueOf(&x))
		}
	default:
		field.SetFloat(v.Double())
	}
}

// checkColumns refuses a file without one of the columns every trace has, or
// with one of another type: the reader would fill in zeros or convert.
func checkColumns(schema *parquet.Schema) error {
	for _, path := range traceSchema.Columns() {
		want, _ := traceSchema.Lookup(path...)
		got, ok := schema.Lookup(path...)
		switch {
		case !ok && want.Node.Required():
			return fmt.Errorf("column %q is missing", path[0])
		case ok && (got.MaxRepetitionLevel > 0 || got.Node.Type().Kind() != want.Node.Type().Kind()):
			return fmt.Errorf("column %q: got type %s, want %s", path[0], got.Node.Type(), want.Node.Type())
		}
	}
	return nil
}
