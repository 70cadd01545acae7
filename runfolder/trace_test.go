package runfolder

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
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
		if err := encodeTrace(&first, want, nil); err != nil {
			t.Fatal(err)
		}
		if err := encodeTrace(&second, want, nil); err != nil {
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

// TestSomeTraceColumns reads some columns of a finished run: the others are left out, and a damaged file is told all the same.
func TestSomeTraceColumns(t *testing.T) {
	run, err := Open(finishedRun(t))
	if err != nil {
		t.Fatal(err)
	}
	got, err := run.TraceColumns("accuracy", "iteration")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Row{{}, {Iteration: 1, Accuracy: number(0.75)}, {Iteration: 4}}, got, sameBits); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	data := mustRead(t, run.Dir, traceFile)
	data[len(data)/2] ^= 1
	if err := os.WriteFile(filepath.Join(run.Dir, traceFile), data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := run.TraceColumns("accuracy"); !errors.As(err, new(*DamagedError)) {
		t.Errorf("a damaged file: got %v, want a DamagedError", err)
	}
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
	checkError(t, err, dir, `runfolder: {dir}/trace.parquet: column "max_frobenius" is missing`)

	file.Reset()
	if err := parquet.Write(&file, []struct {
		Iteration string `parquet:"iteration"`
	}{{"1"}}); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, file.Bytes(), path)
	_, err = ReadTrace(path)
	checkError(t, err, dir, `runfolder: {dir}/trace.parquet: column "iteration": got type STRING, want INT(64,true)`)
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
	if err := encodeTrace(&data, sampleRows(), nil); err != nil {
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

// decodeFrugally is decodeTrace, and wants it to take no more than 1 kB for each byte of
// the file (a list of structs in the footer takes 350) and what the library always takes.
func decodeFrugally(t *testing.T, data []byte) ([]Row, error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	rows, err := decodeTrace(data)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20+uint64(len(data))<<10 {
		t.Errorf("reading %d bytes took %d bytes of memory (%v)", len(data), took, err)
	}
	return rows, err
}

// TestTraceClaims reads a trace of a few rows in which, one after the other, every byte
// gives way to a large number as headers hold them: every size that the file states is
// once up to 2 GiB.
func TestTraceClaims(t *testing.T) {
	var good bytes.Buffer
	if err := encodeTrace(&good, sampleRows(), nil); err != nil {
		t.Fatal(err)
	}
	n := good.Len()
	footer := n - 8 - int(binary.LittleEndian.Uint32(good.Bytes()[n-8:]))
	refused := 0
	for at := 4; at < n-8; at++ {
		for _, claim := range []uint64{1 << 24, 1<<31 - 2, 1<<32 - 2} { // as Thrift has 2^23, 2^30, 2^31
			number := binary.AppendUvarint(nil, claim)
			data := slices.Concat(good.Bytes()[:at], number, good.Bytes()[at+1:])
			if at >= footer {
				binary.LittleEndian.PutUint32(data[len(data)-8:], uint32(n-8-footer+len(number)-1))
			}
			if _, err := decodeFrugally(t, data); err != nil {
				refused++
			}
		}
	}
	t.Logf("%d claims of %d refused", refused, 3*(n-12))
	if refused == 0 {
		t.Error("no claim was refused")
	}
}

// TestTraceNested reads footers that the library would follow as deep as they are long,
// which ends a program.
func TestTraceNested(t *testing.T) {
	for name, unit := range map[string]string{
		"structs":    "\x1c",     // field 1: a struct
		"unknown":    "\xfc",     // field 15
		"lists":      "\xf9\x19", // a list of one list of one list …
		"of structs": "\xf9\x1c", // a list of one struct, whose field is a list …
		"sets":       "\xfa\x1a",
		"maps":       "\xfb\x01\xbb",
	} {
		footer := bytes.Repeat([]byte(unit), 16<<20/len(unit))
		data := binary.LittleEndian.AppendUint32(slices.Concat([]byte("PAR1"), footer), uint32(len(footer)))
		if _, err := decodeFrugally(t, append(data, "PAR1"...)); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}
