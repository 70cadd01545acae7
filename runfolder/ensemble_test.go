package runfolder

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestEnsemble(t *testing.T) {
	dir := t.TempDir()
	if list, err := Ensembles(dir); len(list) != 0 || err != nil {
		t.Errorf("an empty folder: got %v, %v", list, err)
	}
	e := Ensemble{
		ID: "uniform-L0010-3f2a9c01", Group: "3f2a", Study: "start", Data: "uniform", Settings: map[string]string{"network.alpha": "0.5"},
		Depth: 10, Width: 4, Hidden: 4, Samples: 1, DType: "float64", Block: "mlp", Activation: "relu", Alpha: 0.5,
		ExpectedForward: new(1.6), Config: json.RawMessage(`{"a":1}`), Version: "v",
		Draws: []Draw{{1, 1.5, 0.5, 1.25, 0.25}, {2, math.Inf(1), math.NaN(), 0, 1e-300}},
	}
	for range 2 { // a second time in the place of the first
		if err := WriteEnsemble(dir, e); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Ensembles(dir)
	if err != nil || len(got) != 1 {
		t.Fatalf("got %d ensembles, %v, want one", len(got), err)
	}
	var config map[string]int
	if err := json.Unmarshal(got[0].Config, &config); err != nil || config["a"] != 1 {
		t.Errorf("config: got %s, %v", got[0].Config, err)
	}
	if diff := cmp.Diff(e, got[0], cmpopts.IgnoreFields(Ensemble{}, "SHA256", "Config"), cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	if _, err := ReadEnsemble(dir, "other"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing one: got %v, want fs.ErrNotExist", err)
	}

	table := filepath.Join(dir, "ensembles", e.ID+".parquet")
	data, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	data[10] ^= 1
	if err := os.WriteFile(table, data, 0o644); err != nil {
		t.Fatal(err)
	}
	var damaged *DamagedError
	if _, err := Ensembles(dir); !errors.As(err, &damaged) || damaged.Path != table {
		t.Errorf("a changed table: got %v, want a DamagedError of it", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ensembles", e.ID+".json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Ensembles(dir); !errors.As(err, &damaged) {
		t.Errorf("an empty description: got %v, want a DamagedError", err)
	}
	for _, bad := range []Ensemble{{}, {ID: "a/b", Depth: 1, Draws: e.Draws}, {ID: "a", Draws: e.Draws}, {ID: "a", Depth: 1}} {
		if err := WriteEnsemble(dir, bad); err == nil {
			t.Errorf("%+v: got no error", bad)
		}
	}
}
