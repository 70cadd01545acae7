package table

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"github.com/deeplimit/deeplimit/internal/parquetheader"
	"github.com/deeplimit/deeplimit/internal/plain"
)

// parquetMagic begins a Parquet file.
const parquetMagic = "PAR1"

// A parquetFile gives the rows of a Parquet file as records of text, so that everything behind it is one for all tables. Numbers are
// written in as many digits as give the same float64 again.
type parquetFile struct {
	r       io.ReaderAt
	size    int64
	limit   int // most numbers of a row group; 0 for none
	footer  *format.FileMetaData
	file    *parquet.File
	columns []parquetColumn
	read    []bool // the columns whose values are asked for
	words   []bool // those read as words

	group  int // the next row group
	rows   parquet.Rows
	buffer []parquet.Row
	queue  []parquet.Row // read and not given
	row    int           // given so far
	record record
}

// newParquet detects what a Parquet file holds.
func newParquet(file io.ReaderAt, size int64, o Options) (t *Reader, err error) {
	defer recovered(&err)
	for _, f := range []struct{ key, value string }{{"header", boolText(o.Header)}, {"delimiter", o.Delimiter}, {"decimal", o.Decimal}} {
		if f.value != "" {
			return nil, fmt.Errorf("got %s for a Parquet file, which has names and types of its own; want it left out", o.set(f.key, f.value))
		}
	}
	p := &parquetFile{r: file, size: size, limit: o.Limit, buffer: make([]parquet.Row, 256)}
	if p.footer, err = parquetheader.Footer(file, size); err != nil {
		return nil, err
	}
	t = &Reader{options: o, decimal: '.', parquet: p}
	for i, e := range p.footer.Schema {
		if i == 0 {
			continue
		}
		c, err := newParquetColumn(&e)
		if err != nil {
			return nil, err
		}
		p.columns = append(p.columns, c)
		t.names = append(t.names, c.name)
	}
	t.width = len(t.names)
	if t.width < max(1, o.Least) {
		return nil, fmt.Errorf("got %s, want inputs and targets", columns(t.width))
	}
	p.file, err = parquet.OpenFile(file, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	if n := len(p.file.RowGroups()); n != len(p.footer.RowGroups) {
		return nil, fmt.Errorf("parquet: got %d row groups, want %d", n, len(p.footer.RowGroups))
	}
	return t, t.findParquetIndex()
}

func boolText(b *bool) string {
	if b == nil {
		return ""
	}
	return fmt.Sprint(*b)
}

// recovered makes an error of a panic of the library, which indexes into pages that a damaged file describes wrongly.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("parquet: the file is damaged: %v", r)
	}
}

// findParquetIndex takes the columns that pandas stores an index in, unless the options say which.
func (t *Reader) findParquetIndex() error {
	if t.options.Index != "" {
		return t.findIndex(false)
	}
	var stored struct {
		Index []any `json:"index_columns"`
	}
	for _, kv := range t.parquet.footer.KeyValueMetadata {
		if kv.Key == "pandas" {
			_ = json.Unmarshal([]byte(kv.Value), &stored) // what cannot be read says nothing
		}
	}
	for j, name := range t.names {
		if slices.Contains(stored.Index, any(name)) || strings.HasPrefix(name, "__index_level_") {
			t.index = append(t.index, j)
		}
	}
	if len(t.index) == t.width {
		return errors.New("index: got all columns, want another one with numbers")
	}
	return nil
}

// want notes which columns are read, and as what, and refuses types that are neither.
func (p *parquetFile) want(numbers, text []int, o *Options) error {
	p.read, p.words = make([]bool, len(p.columns)), make([]bool, len(p.columns))
	for _, j := range numbers {
		p.read[j] = true
		if c := &p.columns[j]; c.kind != parquetNumber {
			more := ""
			if o.MissingKey && c.kind == parquetText {
				more = fmt.Sprintf(" (%s takes it as words)", o.set("categories", "["+plain.Text(c.name)+"]"))
			}
			return fmt.Errorf("column %q: got %s, want numbers%s", plain.Text(c.name), c.about, more)
		}
	}
	for _, j := range text {
		p.read[j], p.words[j] = true, true
		if c := &p.columns[j]; c.kind == parquetOther {
			return fmt.Errorf("column %q: got %s, want words or numbers", plain.Text(c.name), c.about)
		}
	}
	return nil
}

// next returns the next row, io.EOF behind the last.
func (p *parquetFile) next() (r *record, err error) {
	defer recovered(&err)
	for len(p.queue) == 0 {
		if p.rows == nil {
			if p.group == len(p.footer.RowGroups) {
				return nil, io.EOF
			}
			if err := p.openGroup(); err != nil {
				return nil, err
			}
		}
		n, err := p.rows.ReadRows(p.buffer)
		p.queue = p.buffer[:n]
		if err != nil {
			if !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("row %d: %w", p.row+1, err)
			}
			if err := p.rows.Close(); err != nil {
				return nil, err
			}
			p.rows = nil
		}
	}
	values := p.queue[0]
	p.queue, p.row = p.queue[1:], p.row+1
	if len(values) != len(p.columns) {
		return nil, fmt.Errorf("row %d: got %s, want %d", p.row, columns(len(values)), len(p.columns))
	}
	p.record = record{line: p.row, fields: p.record.fields[:0], quoted: make([]bool, len(values))}
	for j, v := range values {
		field := ""
		if p.read[j] && !v.IsNull() {
			if field = p.columns[j].text(v, p.words[j]); !utf8.ValidString(field) {
				return nil, fmt.Errorf("row %d, column %q: got bytes that are no text in UTF-8, want words", p.row, plain.Text(p.columns[j].name))
			}
		}
		p.record.fields = append(p.record.fields, field)
	}
	return &p.record, nil
}

// openGroup checks the columns of the next row group and opens it.
func (p *parquetFile) openGroup() error {
	group := &p.footer.RowGroups[p.group]
	if len(group.Columns) != len(p.columns) {
		return fmt.Errorf("parquet: row group %d: got %s, want %d", p.group, columns(len(group.Columns)), len(p.columns))
	}
	if p.limit > 0 && group.NumRows > int64(p.limit/len(p.columns)) {
		return fmt.Errorf("parquet: row group %d: got %d rows of %s, more than %d numbers, want a smaller table (or smaller groups of rows)", p.group, group.NumRows, columns(len(p.columns)), p.limit)
	}
	for j := range group.Columns {
		c := &p.columns[j]
		if err := parquetheader.CheckColumn(p.r, p.size, &group.Columns[j].MetaData, c.null, group.NumRows); err != nil {
			return fmt.Errorf("parquet: row group %d, column %q: %w", p.group, plain.Text(c.name), err)
		}
	}
	p.rows = p.file.RowGroups()[p.group].Rows()
	p.group++
	return nil
}

// The kinds of a column of a Parquet file.
const (
	parquetNumber = iota
	parquetText
	parquetOther // dates, times, structures: no numbers and no words
)

// A parquetColumn is a column of a Parquet file.
type parquetColumn struct {
	name     string
	kind     int
	about    string // its type, for messages
	null     bool   // values may be null
	physical format.Type
	unsigned bool
	half     bool
	decimal  bool
	scale    int32
}

// newParquetColumn reads a column's type. Nested and repeated columns are refused.
func newParquetColumn(e *format.SchemaElement) (parquetColumn, error) {
	c := parquetColumn{name: e.Name, physical: e.Type.V}
	if !e.Type.Valid || e.NumChildren.Valid && e.NumChildren.V > 0 || e.RepetitionType.V == format.Repeated {
		return c, fmt.Errorf("column %q: got lists or structures, want one value in a row (write each element to a column of its own, or arrays to .npy)", plain.Text(e.Name))
	}
	c.null = e.RepetitionType.V == format.Optional
	c.about = strings.ToLower(e.Type.V.String())
	switch e.Type.V {
	case format.ByteArray:
		c.kind, c.about = parquetText, "words"
	case format.FixedLenByteArray, format.Int96:
		c.kind = parquetOther
	}
	switch t := e.LogicalType.Value.(type) {
	case nil:
		c.convert(e)
	case *format.StringType, *format.EnumType:
		c.kind, c.about = parquetText, "words"
	case *format.IntType:
		c.unsigned = !t.IsSigned
	case *format.DecimalType:
		c.kind, c.decimal, c.scale = parquetNumber, true, t.Scale
	case *format.Float16Type:
		c.kind, c.half = parquetNumber, true
	default:
		c.kind, c.about = parquetOther, strings.ToLower(t.String())
	}
	return c, nil
}

// convert reads the type that older programs write.
func (c *parquetColumn) convert(e *format.SchemaElement) {
	if !e.ConvertedType.Valid {
		return
	}
	switch e.ConvertedType.V {
	case deprecated.UTF8, deprecated.Enum:
		c.kind, c.about = parquetText, "words"
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		c.unsigned = true
	case deprecated.Decimal:
		c.kind, c.decimal, c.scale = parquetNumber, true, e.Scale.V
	default:
		c.kind, c.about = parquetOther, "dates, times or documents"
	}
}
