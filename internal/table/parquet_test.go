package table

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

// readFile reads a table in testdata; text names the columns of words.
func readFile(t *testing.T, name string, o Options, text ...string) (*Table, error) {
	t.Helper()
	f, err := Open(filepath.Join("testdata", name), o)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var columns []int
	for _, name := range text {
		j, err := f.Column(name)
		if err != nil {
			t.Fatal(err)
		}
		columns = append(columns, j)
	}
	return f.Read(columns...)
}

// TestParquetOfOthers wants of files that pandas, polars and pyarrow wrote (testdata/make.py) what pandas wrote as text.
func TestParquetOfOthers(t *testing.T) {
	truth := func(text string) string { return strings.NewReplacer("True", "1", "False", "0").Replace(text) }
	data, err := os.ReadFile("testdata/frame.csv")
	if err != nil {
		t.Fatal(err)
	}
	want, err := readAll(truth(string(data)), Options{Index: "row"}, 7)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want.Rows { // pandas writes a float32 in the digits that tell float32 apart
		f := &want.Numbers[i*len(want.Columns)+1]
		*f = float64(float32(*f))
	}
	for name, extra := range map[string]int{"pandas.parquet": 0, "polars.parquet": 0, "gzip-v2.parquet": 2} {
		got, err := readFile(t, name, Options{}, "word")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var numbers []float64
		for i := range got.Rows {
			numbers = append(numbers, got.Numbers[i*len(got.Columns):][:len(got.Columns)-extra]...)
		}
		if diff := cmp.Diff(want.Numbers, numbers); diff != "" {
			t.Errorf("%s: numbers (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(want.Text, got.Text); diff != "" {
			t.Errorf("%s: words (-want +got):\n%s", name, diff)
		}
		if name == "gzip-v2.parquet" { // a decimal and a float16
			if diff := cmp.Diff([]float64{-1.25, 0.5, 0.1, 1.5}, append(got.Numbers[6:8:8], got.Numbers[14:16]...)); diff != "" {
				t.Errorf("decimal, float16 (-want +got):\n%s", diff)
			}
		}
	}
	got, err := readFile(t, "pandas.parquet", Options{}, "word")
	if err != nil {
		t.Fatal(err)
	}
	about := `6 rows; header x, f, i, u, small, b, word, row; index row; parquet`
	if got.Reading.String() != about {
		t.Errorf("got %q, want %q", got.Reading, about)
	}
}

func TestParquetAsks(t *testing.T) {
	yes := true
	for _, test := range []struct {
		file    string
		options Options
		text    []string
		want    string
	}{
		{"pandas.parquet", Options{}, nil, `column "word": got words, want numbers`},
		{"pandas.parquet", Options{MissingKey: true}, nil, `column "word": got words, want numbers (categories: [word] takes it as words)`},
		{"pandas.parquet", Options{Header: &yes}, nil, "got header: true for a Parquet file, which has names and types of its own; want it left out"},
		{"pandas.parquet", Options{Delimiter: ";"}, nil, `got delimiter: ";" for a Parquet file, which has names and types of its own; want it left out`},
		{"dates.parquet", Options{}, nil, `column "day": got date, want numbers`},
		{"dates.parquet", Options{}, []string{"day"}, `column "day": got date, want words or numbers`},
		{"lists.parquet", Options{}, nil, `column "vector": got lists or structures, want one value in a row (write each element to a column of its own, or arrays to .npy)`},
		{"missing.parquet", Options{}, []string{"word"}, `row 2, column 1: got "", want a finite number (a missing value: fill it in or leave its row out)`},
		{"missing.parquet", Options{Missing: FillMissing}, []string{"word"}, `row 3, column 2: got "", a missing word, which no mean can stand for; want missing: drop`},
		{"missing.parquet", Options{Index: "none"}, nil, `index: got "none", want one of the header: x, word, y`},
	} {
		if _, err := readFile(t, test.file, test.options, test.text...); err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", test.file, err, test.want)
		}
	}
	got, err := readFile(t, "missing.parquet", Options{Missing: DropMissing}, "word")
	if err != nil || got.Rows != 1 || got.Reading.Dropped != 2 {
		t.Errorf("got %+v, %v, want 1 row with 2 dropped", got, err)
	}
	got, err = readFile(t, "missing.parquet", Options{Missing: FillMissing, Index: "word"})
	if diff := cmp.Diff([]float64{1.5, 1, 2.25, 2, 3, 3}, got.Numbers); err != nil || diff != "" {
		t.Errorf("filled with the mean: %v (-want +got):\n%s", err, diff)
	}
}

// TestParquetOfManyRows wants a group of more numbers than the limit to be refused before it is unpacked: a few bytes state
// any number of rows without values.
func TestParquetOfManyRows(t *testing.T) {
	type row struct {
		A, B *float64 `parquet:",optional"`
	}
	var file bytes.Buffer
	if err := parquet.Write(&file, make([]row, 1000)); err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int]string{
		1999: "parquet: row group 0: got 1000 rows of 2 columns, more than 1999 numbers, want a smaller table (or smaller groups of rows)",
		2000: "got 1000 rows, all with missing values, want one that is whole",
	} {
		p, err := newParquet(bytes.NewReader(file.Bytes()), int64(file.Len()), Options{Limit: limit, Missing: DropMissing})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Read(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("limit %d: got %v, want %s", limit, err, want)
		}
	}
}

type parquetRow struct {
	A float64  `parquet:"a"`
	B *float64 `parquet:"b,optional"`
	C int64    `parquet:"c"`
	D string   `parquet:"d,dict"`
	E int32    `parquet:"e,delta"`
	F string   `parquet:"f"`
}

// TestParquetIsAsText wants of a table in any encoding what the reader of text makes of it.
func TestParquetIsAsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Float64().Filter(func(v float64) bool { return !math.IsInf(v, 0) && !math.IsNaN(v) })
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) parquetRow {
			b := number.Draw(t, "b")
			r := parquetRow{A: number.Draw(t, "a"), C: int64(rapid.Int32().Draw(t, "c")), D: rapid.SampledFrom([]string{"red", "green blue", "ü"}).Draw(t, "d"), E: rapid.Int32().Draw(t, "e")}
			r.F = strings.Repeat("x", 1+int(r.C&7))
			if rapid.IntRange(0, 4).Draw(t, "null") > 0 {
				r.B = &b
			}
			return r
		}), 1, 40).Draw(t, "rows")
		codec := rapid.SampledFrom([]parquet.WriterOption{
			parquet.Compression(&parquet.Uncompressed), parquet.Compression(&parquet.Snappy), parquet.Compression(&parquet.Gzip), parquet.Compression(&parquet.Zstd),
			parquet.Compression(&parquet.Lz4Raw), parquet.Compression(&parquet.Brotli),
		}).Draw(t, "codec")
		var file bytes.Buffer
		w := parquet.NewGenericWriter[parquetRow](&file, codec, parquet.DataPageVersion(rapid.IntRange(1, 2).Draw(t, "version")), parquet.MaxRowsPerRowGroup(17))
		if _, err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		text := strings.Builder{}
		text.WriteString("a,b,c,d,e,f\n")
		for _, r := range rows {
			b := ""
			if r.B != nil {
				b = float(*r.B)
			}
			text.WriteString(strings.Join([]string{float(r.A), b, strconv.FormatInt(r.C, 10), r.D, strconv.Itoa(int(r.E)), r.F}, ",") + "\n")
		}
		o := Options{Missing: rapid.SampledFrom([]string{"", DropMissing, FillMissing}).Draw(t, "missing")}
		want, wantErr := readAll(text.String(), Options{Missing: o.Missing, Delimiter: ","}, 3, 5)
		p, err := newParquet(bytes.NewReader(file.Bytes()), int64(file.Len()), o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Read(3, 5)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("got %v, want %v", err, wantErr)
		}
		if err != nil {
			return
		}
		if diff := cmp.Diff(want.Numbers, got.Numbers); diff != "" {
			t.Fatalf("numbers (-text +parquet):\n%s", diff)
		}
		if diff := cmp.Diff(want.Text, got.Text); diff != "" {
			t.Fatalf("words (-text +parquet):\n%s", diff)
		}
	})
}

func FuzzParquet(f *testing.F) {
	for _, name := range []string{"pandas", "polars", "gzip-v2", "missing", "lists"} {
		data, err := os.ReadFile("testdata/" + name + ".parquet")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, codec := range []parquet.WriterOption{parquet.Compression(&parquet.Lz4Raw), parquet.Compression(&parquet.Brotli)} {
		var file bytes.Buffer
		w := parquet.NewGenericWriter[parquetRow](&file, codec)
		if _, err := w.Write(make([]parquetRow, 30)); err != nil {
			f.Fatal(err)
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(file.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := newParquet(bytes.NewReader(data), int64(len(data)), Options{Limit: 1 << 20, Missing: DropMissing})
		if err != nil {
			return
		}
		var text []int
		for j := range r.Width() {
			if r.parquet.columns[j].kind == parquetText {
				text = append(text, j)
			}
		}
		if got, err := r.Read(text...); err == nil && len(got.Numbers) != got.Rows*len(got.Columns) {
			t.Fatalf("got %d rows, %d columns, %d numbers", got.Rows, len(got.Columns), len(got.Numbers))
		}
	})
}
