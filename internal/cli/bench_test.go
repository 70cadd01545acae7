package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBenchJSON runs tiny shapes and reads them as a script would.
func TestBenchJSON(t *testing.T) {
	var out, errs bytes.Buffer
	code := Main([]string{"bench", "--json", "--time", "1ms", "--shape", "2,3,4", "--shape", "5,130,3", "--workers", "2", "--tier", "portable"}, &out, &errs)
	if code != exitDone || errs.Len() > 0 {
		t.Fatalf("exit code %d, stderr %q", code, errs.String())
	}
	t.Cleanup(func() { Main([]string{"bench", "--time", "0s", "--shape", "1,1,1"}, &out, &errs) }) // the best tier again
	var results []struct {
		Shape         [3]int
		DType, Tier   string
		Workers       int
		MS, GFLOPS    float64
		PeakFraction  float64 `json:"peak_fraction"`
		PeakGigaFLOPS float64 `json:"peak_gflops"`
	}
	if err := json.Unmarshal(out.Bytes(), &results); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	want := []struct {
		dtype string
		shape [3]int
	}{{"float32", [3]int{2, 3, 4}}, {"float32", [3]int{5, 130, 3}}, {"float64", [3]int{2, 3, 4}}, {"float64", [3]int{5, 130, 3}}}
	if len(results) != len(want) {
		t.Fatalf("got %d results, want %d", len(results), len(want))
	}
	for i, r := range results {
		if r.DType != want[i].dtype || r.Shape != want[i].shape || r.Tier != "portable" || r.Workers < 1 || r.Workers > 2 ||
			!(r.MS > 0 && r.GFLOPS > 0 && r.PeakGigaFLOPS > 0 && r.PeakFraction > 0) {
			t.Errorf("result %d: got %+v, want %+v", i, r, want[i])
		}
	}
}

func TestBenchTable(t *testing.T) {
	var out, errs bytes.Buffer
	code := Main([]string{"bench", "--time", "0s", "--shape", "2,3,4", "--dtype", "float64"}, &out, &errs)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if code != exitDone || len(lines) != 2 || !strings.HasPrefix(lines[1], "2,3,4  float64") {
		t.Errorf("exit code %d, stderr %q, got %q, want a head and one line for 2,3,4", code, errs.String(), lines)
	}
}

func TestBenchRefuses(t *testing.T) {
	for flags, want := range map[string]string{
		"--shape 10,8":                          `shape: got "10,8", want d,N,L`,
		"--shape 10,8,x":                        `shape: got "10,8,x", want depth L a whole number ≥ 1`,
		"--shape 1,1,1 --shape 0,1,1":           `shape: got "0,1,1", want width d a whole number ≥ 1`,
		"--dtype float16":                       `want one of float32, float64`,
		"--workers 0":                           `--workers: got 0, want at least 1`,
		"--time -1s":                            `--time: got -1s, want at least 0s`,
		"--memory -1":                           `--memory: got -1, want MiB, or 0 for no limit`,
		"--tier sse":                            `tier: got "sse", want one of`,
		"--scaling --shape 1,1,1":               `--scaling: got --shape 1,1,1 beside it`,
		"--deep --scaling":                      `--deep: got --scaling beside it`,
		"--deep --shape 1,1,1":                  `--deep: got --shape 1,1,1 beside it`,
		"missing.yaml --deep":                   `--deep: got true beside missing.yaml`,
		"--dump here":                           `--dump: got 0 shapes and 0 dtypes`,
		"--dump here --shape 1,1,1":             `--dump: got 1 shapes and 0 dtypes`,
		"--dump here --scaling --dtype float32": `--dump: got 0 shapes and 1 dtypes`,
		"--method newton":                       `method: got "newton", want one of gd, sgd, `,
		"--scaling --network {block:mlp}":       `--network: got {block:mlp}, want it left out with --scaling`,
		"--network {normalise:post}":            `network`,
		"--scaling --method adam":               `--method: got adam, want it left out with --scaling`,
		"extra":                                 `extra`,
		"a.yaml b.yaml":                         `accepts at most 1 arg`,
		"missing.yaml":                          `missing.yaml`,
		"missing.yaml --shape 1,1,1":            `--shape: got ["1,1,1"] beside missing.yaml, want it left out`,
		"missing.yaml --scaling":                `--scaling: got true beside missing.yaml`,
		"--set dtype=float32":                   `--set: got dtype=float32, want it with a STUDY.yaml`,
	} {
		var out, errs bytes.Buffer
		code := Main(append([]string{"bench"}, strings.Fields(flags)...), &out, &errs)
		if code != exitBad || !strings.Contains(errs.String(), want) || out.Len() > 0 {
			t.Errorf("bench %s: got exit code %d, %q and output %q, want 2 and %q", flags, code, errs.String(), out.String(), want)
		}
	}
}

// TestBenchStudy times a study with all that it has.
func TestBenchStudy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.yaml")
	text := "name: s\ndepths: [3]\ndata: {kind: normal, width: 4, samples: 20}\nnetwork: {block: outer, activation: relu}\ntrain: {method: adam, batch: 8}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := Main([]string{"bench", file, "--time", "0s", "--set", "depths=[5]", "--dtype", "float32"}, &out, &errs)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if code != exitDone || len(lines) != 2 || !strings.HasPrefix(lines[1], "4,8,5  float32  adam") || !strings.HasSuffix(lines[1], "{block: outer, activation: relu}") {
		t.Errorf("exit code %d, stderr %q, got %q, want a head and one line", code, errs.String(), lines)
	}
}
