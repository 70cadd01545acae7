package analyze

import (
	"bytes"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/deeplimit/deeplimit/runfolder"
)

// exportStudy writes a study of two depths and two seeds, one run without initial
// weights, and exports it.
func exportStudy(t *testing.T, format string) (result *Result, out string) {
	t.Helper()
	var runs []planted
	for _, depth := range []int{16, 32} {
		for _, seed := range []uint64{1, 1<<63 + 1} {
			runs = append(runs, plant(depth, seed))
		}
	}
	runs[0].change = func(_ *runfolder.Meta, w *runfolder.Weights, _ *runfolder.Summary) {
		delete(w.Tensors, "A_initial")
	}
	dir := writeStudy(t, runs...)
	files, err := Export(t.Context(), dir, ExportOptions{Format: format})
	if err != nil {
		t.Fatal(err)
	}
	out = filepath.Join(dir, "tables")
	var want []string
	for _, name := range []string{"runs", "iterations", "exponents"} {
		want = append(want, filepath.Join(out, name+"."+format))
	}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("files (-want +got)\n%s", diff)
	}
	return mustStudy(t, dir, Options{}), out
}

// readParquet returns the columns of a table by name, as a CSV file would hold them.
func readParquet(t *testing.T, path string) map[string][]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string][]string{}
	reader := parquet.NewReader(file)
	defer reader.Close()
	rows := make([]parquet.Row, file.NumRows())
	for n := 0; n < len(rows); {
		k, err := reader.ReadRows(rows[n:])
		for _, row := range rows[n : n+k] {
			for i, v := range row {
				name, text := file.Schema().Columns()[i][0], ""
				switch {
				case v.IsNull():
				case name == "seed":
					text = strconv.FormatUint(v.Uint64(), 10)
				case v.Kind() == parquet.Double:
					text = strconv.FormatFloat(v.Double(), 'g', -1, 64)
				default:
					text = v.String()
				}
				columns[name] = append(columns[name], text)
			}
		}
		if n += k; n < len(rows) && err != nil {
			t.Fatal(err)
		}
	}
	return columns
}

// TestExportParquet wants the same columns in a Parquet file as in a CSV file.
func TestExportParquet(t *testing.T) {
	_, out := exportStudy(t, Parquet)
	_, outCSV := exportStudy(t, CSV)
	for _, name := range []string{"runs", "iterations", "exponents"} {
		got, want := readParquet(t, filepath.Join(out, name+".parquet")), readCSV(t, filepath.Join(outCSV, name+".csv"))
		if diff := cmp.Diff(want, got); diff != "" || len(got) < 10 {
			t.Errorf("%s: %d columns (-csv +parquet)\n%s", name, len(got), diff)
		}
	}
}

// readCSV returns the columns of a table by name.
func readCSV(t *testing.T, path string) map[string][]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string][]string{}
	for _, record := range records[1:] {
		for j, text := range record {
			columns[records[0][j]] = append(columns[records[0][j]], text)
		}
	}
	return columns
}

// TestExportCSV compares columns with the result and the traces they come from.
func TestExportCSV(t *testing.T) {
	result, out := exportStudy(t, CSV)
	exact := func(v float64) string {
		if math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	want := map[string][]string{}
	for _, run := range result.Runs {
		for name, text := range map[string]string{
			"run": run.ID, "depth": strconv.Itoa(run.Depth), "seed": strconv.FormatUint(run.Seed, 10),
			"settings": `{"network.alpha":"0.75"}`, "loss": exact(run.Loss), "rho": exact(run.Rate.Rho), "test_loss": "",
			"max_frobenius": exact(run.MaxFrobenius), "displacement": exact(run.Displacement), "v_1.5": exact(run.PVariation["1.5"]),
		} {
			want[name] = append(want[name], text)
		}
	}
	if want["displacement"][0] != "" || want["displacement"][1] == "" {
		t.Fatalf("displacements %q: want one that is not known", want["displacement"])
	}
	got := readCSV(t, filepath.Join(out, "runs.csv"))
	for name := range want {
		if diff := cmp.Diff(want[name], got[name]); diff != "" {
			t.Errorf("runs, column %s (-want +got)\n%s", name, diff)
		}
	}

	iterations := readCSV(t, filepath.Join(out, "iterations.csv"))
	at := 0
	for _, run := range result.Runs {
		opened, err := runOf(t.Context(), filepath.Dir(out), run.ID)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := opened.Trace()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if iterations["run"][at] != run.ID || iterations["iteration"][at] != strconv.FormatInt(row.Iteration, 10) || iterations["loss"][at] != exact(*row.Loss) {
				t.Fatalf("iterations, row %d: got run %s, iteration %s, loss %s, want %s, %d, %v",
					at, iterations["run"][at], iterations["iteration"][at], iterations["loss"][at], run.ID, row.Iteration, *row.Loss)
			}
			at++
		}
	}
	if n := len(iterations["run"]); n != at || n == 0 {
		t.Errorf("iterations: got %d rows, want %d", n, at)
	}

	exponents := readCSV(t, filepath.Join(out, "exponents.csv"))
	found := false
	for i, quantity := range exponents["quantity"] {
		if quantity == "max_frobenius" {
			found = exponents["part"][i] == "A" && exponents["estimate"][i] == exact(result.Groups[0].Exponents[quantity].Slope)
		}
	}
	if !found {
		t.Errorf("exponents: no max_frobenius of part A with the slope of the group among %q", exponents["quantity"])
	}
}

func TestExportRefuses(t *testing.T) {
	_, err := Export(t.Context(), t.TempDir(), ExportOptions{Format: "xlsx"})
	if want := `analyze: format: got "xlsx", want one of parquet, csv`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	// A damaged run is named, and the tables of the others are there.
	dir := writeStudy(t, plant(4, 1), plant(8, 1))
	list, err := runfolder.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(list[0], "trace.parquet"), []byte("damage"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Export(t.Context(), dir, ExportOptions{Format: CSV}); err == nil {
		t.Error("a damaged run is no error")
	}
	if got := readCSV(t, filepath.Join(dir, "tables", "runs.csv")); len(got["depth"]) != 1 || got["depth"][0] != "8" {
		t.Errorf("depths: got %q, want the run that is not damaged", got["depth"])
	}
}
