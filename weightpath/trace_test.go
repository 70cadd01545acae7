package weightpath

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

func TestTraceRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawRows(t)
		var first, second bytes.Buffer
		if err := encodeTrace(&first, want); err != nil {
			t.Fatal(err)
		}
		if err := encodeTrace(&second, want); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatal("equal rows gave different bytes")
		}
		got, err := decodeTrace(first.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, sameBits, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	})
}

func TestTraceOfManyRows(t *testing.T) {
	want := make([]Row, 5000)
	for i := range want {
		want[i] = Row{Iteration: int64(i), Seconds: float64(i) / 7}
		if i%3 > 0 {
			want[i].Loss = number(1 / float64(i))
		}
	}
	path := filepath.Join(t.TempDir(), traceFile)
	if err := WriteTrace(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadTrace(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, sameBits); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTraceColumns(t *testing.T) {
	type narrow struct {
		Iteration    int64   `parquet:"iteration"`
		MaxFrobenius float64 `parquet:"max_frobenius"`
		RootSquares  float64 `parquet:"root_sum_squares"`
		Displacement float64 `parquet:"displacement"`
		Seconds      float64 `parquet:"seconds"`
		Bound        float64 `parquet:"bound"`
	}
	dir := t.TempDir()
	path := filepath.Join(dir, traceFile)
	var file bytes.Buffer
	if err := parquet.Write(&file, []narrow{{3, 1, 2, 4, 5, 6}}); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, file.Bytes(), path)
	got, err := ReadTrace(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Row{{Iteration: 3, MaxFrobenius: 1, RootSquares: 2, Displacement: 4, Seconds: 5}}, got); diff != "" {
		t.Errorf("optional columns missing, one more than known: (-want +got)\n%s", diff)
	}

	file.Reset()
	if err := parquet.Write(&file, []struct {
		Iteration int64 `parquet:"iteration"`
	}{{1}}); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, file.Bytes(), path)
	_, err = ReadTrace(path)
	checkError(t, err, dir, `weightpath: {dir}/trace.parquet: column "max_frobenius" is missing`)

	file.Reset()
	if err := parquet.Write(&file, []struct {
		Iteration string `parquet:"iteration"`
	}{{"1"}}); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, file.Bytes(), path)
	_, err = ReadTrace(path)
	checkError(t, err, dir, `weightpath: {dir}/trace.parquet: column "iteration": got type STRING, want INT(64,true)`)
}

func TestSeries(t *testing.T) {
	iterations, losses := Losses(sampleRows())
	if !slices.Equal(iterations, []int{0, 4}) || losses[0] != 0.5 || len(losses) != 2 {
		t.Errorf("losses %v at %v", losses, iterations)
	}
	iterations, values := Series(sampleRows(), func(r *Row) *float64 { return &r.MaxFrobenius })
	if !slices.Equal(iterations, []int{0, 1, 4}) || !slices.Equal(values, []float64{1, 1.5, 3}) {
		t.Errorf("norms %v at %v", values, iterations)
	}
}

// TestTraceFormat reads the columns page by page, by name and definition level,
// without the mapping from columns to the fields of Row.
func TestTraceFormat(t *testing.T) {
	var data bytes.Buffer
	if err := encodeTrace(&data, sampleRows()); err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(data.Bytes()), int64(data.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := file.Metadata().CreatedBy, "deeplimit version 1(build trace)"; got != want {
		t.Errorf("created by %q, want %q", got, want)
	}
	got := map[string][]*string{}
	for _, column := range file.Root().Columns() {
		pages := column.Pages()
		for {
			page, err := pages.ReadPage()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			values := make([]parquet.Value, page.NumValues())
			if n, err := page.Values().ReadValues(values); n != len(values) || err != nil && !errors.Is(err, io.EOF) {
				t.Fatalf("%s: %d of %d values, %v", column.Name(), n, len(values), err)
			}
			for _, v := range values {
				var text *string
				if !v.IsNull() {
					number := v.Double()
					if v.Kind() == parquet.Int64 {
						number = float64(v.Int64())
					}
					hex := exact(number)
					text = &hex
				}
				got[column.Name()] = append(got[column.Name()], text)
			}
		}
		if err := pages.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(columnsOf(sampleRows()), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
