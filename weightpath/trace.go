package weightpath

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/parquet-go/parquet-go"
)

// traceSchema is the schema of trace.parquet: the columns of Row.
var traceSchema = parquet.SchemaOf(Row{})

// WriteTrace writes rows as a Parquet file, atomically and durably. Equal rows
// give equal bytes.
func WriteTrace(path string, rows []Row) error {
	dir, name := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	if _, err := replaceFile(dir, name, func(out io.Writer) error { return encodeTrace(out, rows) }); err != nil {
		return err
	}
	return syncFolder(dir)
}

// ReadTrace reads the rows of a Parquet file with the columns of Row. Columns
// that Row has no field for are passed over; an optional one that is missing is
// null in every row.
func ReadTrace(path string) ([]Row, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	rows, err := decodeTrace(data)
	if err != nil {
		return nil, fmt.Errorf("weightpath: %s: %w", path, err)
	}
	return rows, nil
}

// Series returns the recorded values of one quantity and the iterations they
// belong to; rows for which value returns nil are left out.
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
// compress, and no codec's version then enters the bytes.
func encodeTrace(out io.Writer, rows []Row) error {
	writer := parquet.NewGenericWriter[Row](
		out,
		parquet.CreatedBy("deeplimit", "1", "trace"),
		parquet.Compression(&parquet.Uncompressed),
		parquet.DefaultEncoding(&parquet.Plain),
	)
	if _, err := writer.Write(rows); err != nil {
		return err
	}
	return writer.Close()
}

func decodeTrace(data []byte) (rows []Row, err error) {
	// The library indexes into pages that a damaged file describes wrongly.
	defer func() {
		if r := recover(); r != nil {
			rows, err = nil, fmt.Errorf("parquet: %v", r)
		}
	}()
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	if err := checkColumns(file.Schema()); err != nil {
		return nil, err
	}
	reader := parquet.NewGenericReader[Row](file)
	defer func() { err = errors.Join(err, reader.Close()) }()
	batch := make([]Row, 512)
	for {
		// Pointers of a Row are allocated by the reader, so a batch is cleared
		// rather than shared with the rows already returned.
		clear(batch)
		n, err := reader.Read(batch)
		rows = append(rows, batch[:n]...)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, io.ErrNoProgress
		}
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
