package runfolder

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var sampleSummary = Summary{Iterations: 4, Stop: "loss", Loss: 0.25, Seconds: 1.5}

// finishedRun makes a finished run folder.
func finishedRun(t *testing.T) string {
	t.Helper()
	dir := newRun(t)
	if err := Finish(dir, sampleMeta(), sampleRows(), sampleWeights(), sampleSummary); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestRunFolder(t *testing.T) {
	dir := newRun(t)
	run, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if run.Done() || Done(dir) {
		t.Error("a new run is done")
	}
	if diff := cmp.Diff(sampleMeta(), run.Meta); diff != "" {
		t.Errorf("meta (-want +got)\n%s", diff)
	}
	if _, err := run.Weights(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("weights of a new run: %v", err)
	}
	mustCheckpoint(t, dir, 1)
	mustCheckpoint(t, dir, 2)

	meta := sampleMeta()
	meta.End = time.Date(2025, 1, 2, 4, 0, 0, 0, time.UTC)
	if err := Finish(dir, meta, sampleRows(), sampleWeights(), sampleSummary); err != nil {
		t.Fatal(err)
	}
	if run, err = Open(dir); err != nil {
		t.Fatal(err)
	}
	if !run.Done() || !Done(dir) {
		t.Error("a finished run is not done")
	}
	meta.Stop = "loss"
	if diff := cmp.Diff(meta, run.Meta); diff != "" {
		t.Errorf("meta (-want +got)\n%s", diff)
	}
	got := *run.Summary
	if len(got.SHA256) != 3 {
		t.Errorf("checksums %v", got.SHA256)
	}
	got.SHA256, got.Checksum = nil, ""
	if diff := cmp.Diff(sampleSummary, got); diff != "" {
		t.Errorf("summary (-want +got)\n%s", diff)
	}
	rows, err := run.Trace()
	if diff := cmp.Diff(sampleRows(), rows, sameBits); err != nil || diff != "" {
		t.Errorf("trace: %v (-want +got)\n%s", err, diff)
	}
	weights, err := run.Weights()
	if diff := cmp.Diff(sampleWeights(), weights, sameBits); err != nil || diff != "" {
		t.Errorf("weights: %v (-want +got)\n%s", err, diff)
	}
	names, err := entries(dir)
	if want := []string{resultFile, runFile, traceFile, weightsFile}; err != nil || !slices.Equal(names, want) {
		t.Errorf("files %v, %v, want %v", names, err, want)
	}
	if err := Verify(dir); err != nil {
		t.Error(err)
	}
}

func TestRunJSON(t *testing.T) {
	dir := newRun(t)
	text := string(mustRead(t, dir, runFile))
	if !strings.HasPrefix(text, "{\n  \"id\": \"separated-L0002-s1-3f2a9c01\",\n") || !strings.Contains(text, `"name": "a < b & c"`) {
		t.Errorf("run.json is not indented by two spaces with text as it is:\n%s", text)
	}
	if err := Create(dir, sampleMeta()); err != nil {
		t.Fatal(err)
	}
	if again := string(mustRead(t, dir, runFile)); again != text {
		t.Errorf("equal runs gave different files (-first +second)\n%s", cmp.Diff(text, again))
	}
}

// TestRunJSONOfUnfinishedRun damages run.json beside a checkpoint: it is written anew, and
// the checkpoint stays. That of a finished run is left for its reader to name.
func TestRunJSONOfUnfinishedRun(t *testing.T) {
	dir := newRun(t)
	mustCheckpoint(t, dir, 1)
	path := filepath.Join(dir, runFile)
	whole := mustRead(t, path)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 1
	for _, damaged := range [][]byte{nil, whole[:len(whole)/2], flipped, []byte("{}")} {
		mustWrite(t, damaged, path)
		_, err := Open(dir)
		if damaged, ok := errors.AsType[*DamagedError](err); !ok || damaged.Path != path || !damaged.Unfinished() {
			t.Errorf("got %v, want %s named as that of an unfinished run", err, path)
		}
		if err := Claim(dir, sampleMeta().Hash); err != nil {
			t.Fatal(err)
		}
		if err := Begin(dir, sampleMeta()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(mustRead(t, path), whole) {
			t.Errorf("%.20q: run.json is not what it was", damaged)
		}
		if list, err := os.ReadDir(dir); err != nil || len(list) != 2 {
			t.Errorf("%d files, want run.json and the checkpoint", len(list))
		}
	}
	if c, err := ReadCheckpoint(dir); err != nil || c.Iteration != 1 {
		t.Errorf("checkpoint: got %+v, %v", c, err)
	}
	// A kill between the two names.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := Vacant(dir, sampleMeta().Hash); err != nil {
		t.Errorf("a checkpoint alone: %v", err)
	}
	// The final one, seen by a worker who had seen a damaged one before.
	mustWrite(t, whole, path)
	if err := setAside(path); err != nil || !bytes.Equal(mustRead(t, path), whole) {
		t.Errorf("a good one was set aside: %v", err)
	}
	mustWrite(t, flipped, path)
	if err := Finish(dir, sampleMeta(), sampleRows(), sampleWeights(), sampleSummary); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, flipped, path)
	for _, err := range []error{Vacant(dir, sampleMeta().Hash), Create(dir, sampleMeta())} {
		if damaged, ok := errors.AsType[*DamagedError](err); !ok || damaged.Unfinished() {
			t.Errorf("got %v, want the damage of a finished run", err)
		}
	}
}

func TestDivergedSummary(t *testing.T) {
	for _, loss := range []float64{math.NaN(), math.Inf(1)} {
		dir := newRun(t)
		if err := Finish(dir, sampleMeta(), sampleRows(), sampleWeights(), Summary{Stop: Diverged, Loss: loss}); err != nil {
			t.Fatal(err)
		}
		run, err := Open(dir)
		if err != nil || !math.IsNaN(run.Summary.Loss) || run.Meta.Stop != Diverged {
			t.Errorf("loss %v came back as %+v, %v", loss, run.Summary, err)
		}
	}
}

// TestFlips flips a bit of every 11th byte of every file of a finished run, and
// cuts them at every such length: the file is named, and no reader returns what
// it holds.
func TestFlips(t *testing.T) {
	dir := finishedRun(t)
	for _, name := range []string{runFile, traceFile, weightsFile, resultFile} {
		path := filepath.Join(dir, name)
		good := mustRead(t, path)
		check := func(what string, place int, data []byte) {
			mustWrite(t, data, path)
			err := Verify(dir)
			var damaged *DamagedError
			if !errors.As(err, &damaged) || damaged.Path != path {
				t.Fatalf("%s %s %d: Verify returned %v", name, what, place, err)
			}
			run, err := Open(dir)
			switch {
			case name == runFile || name == resultFile:
				if err == nil {
					t.Fatalf("%s %s %d: opened", name, what, place)
				}
			case name == traceFile:
				_, err = run.Trace()
			case name == weightsFile:
				_, err = run.Weights()
			}
			if !errors.As(err, &damaged) || damaged.Path != path {
				t.Fatalf("%s %s %d: reading returned %v", name, what, place, err)
			}
		}
		for i := 0; i < len(good); i += 11 {
			bad := slices.Clone(good)
			bad[i] ^= 1 << (i % 8)
			check("flipped at", i, bad)
			check("cut at", i, good[:i])
		}
		mustWrite(t, good, path)
	}
	if err := Verify(dir); err != nil {
		t.Error(err)
	}
}

// TestSummaryFlips flips every bit of result.json, which has nothing but its own
// checksum to guard it, and cuts it at every length.
func TestSummaryFlips(t *testing.T) {
	good, err := encodeSummary(Summary{Iterations: 4, Stop: "loss", Loss: 0.25, SHA256: map[string]string{runFile: noChecksum}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decodeSummary(good); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for bit := range 8 {
			bad := slices.Clone(good)
			bad[i] ^= 1 << bit
			if got, err := decodeSummary(bad); err == nil {
				t.Fatalf("bit %d of byte %d flipped: accepted as %+v", bit, i, got)
			}
		}
		if _, err := decodeSummary(good[:i]); err == nil {
			t.Fatalf("cut to %d bytes: accepted", i)
		}
	}
}

func TestVerifyNamesDamage(t *testing.T) {
	dir := finishedRun(t)
	mustWrite(t, []byte("x"), dir, weightsFile)
	if err := os.Remove(filepath.Join(dir, traceFile)); err != nil {
		t.Fatal(err)
	}
	checkError(t, Verify(dir), dir,
		"runfolder: {dir}/trace.parquet is damaged: open {dir}/trace.parquet: no such file or directory\n"+
			"runfolder: {dir}/weights.safetensors is damaged: sha256 is 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881, want "+
			openSummary(t, dir).SHA256[weightsFile]+"")
	unfinished := newRun(t)
	checkError(t, Verify(unfinished), unfinished, "runfolder: verifying {dir}: the run is not finished")
}

func openSummary(t *testing.T, dir string) *Summary {
	t.Helper()
	run, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return run.Summary
}

func TestCreateRefuses(t *testing.T) {
	t.Run("another run", func(t *testing.T) {
		dir := newRun(t)
		before := mustRead(t, dir, runFile)
		meta := sampleMeta()
		meta.Hash = "0badcafe"
		checkError(t, Create(dir, meta), dir, "runfolder: {dir}: got a folder with run 3f2a9c01, want run 0badcafe; choose another folder")
		if string(mustRead(t, dir, runFile)) != string(before) {
			t.Error("run.json was overwritten")
		}
	})
	t.Run("foreign files", func(t *testing.T) {
		dir := t.TempDir()
		mustWrite(t, nil, dir, "thesis.tex")
		checkError(t, Create(dir, sampleMeta()), dir,
			`runfolder: {dir}: got a folder with "thesis.tex" and no run.json, want an empty folder or one of this run; choose another folder`)
	})
	t.Run("finished", func(t *testing.T) {
		dir := finishedRun(t)
		checkError(t, Create(dir, sampleMeta()), dir, "runfolder: the run is done: {dir}")
		if err := Finish(dir, sampleMeta(), nil, Weights{}, Summary{}); !errors.Is(err, ErrDone) {
			t.Errorf("finishing twice: %v", err)
		}
		if err := Verify(dir); err != nil {
			t.Error(err)
		}
	})
	t.Run("damaged result", func(t *testing.T) {
		dir := finishedRun(t)
		mustWrite(t, []byte("{}\n"), dir, resultFile)
		if Done(dir) {
			t.Error("a damaged run is done")
		}
		checkError(t, Create(dir, sampleMeta()), dir, `runfolder: {dir}/result.json is damaged: checksum: got "", want 64 hexadecimal digits`)
	})
	t.Run("leftovers only", func(t *testing.T) {
		dir := t.TempDir()
		mustWrite(t, []byte("{"), dir, ".run.json.8675309.tmp")
		if err := Create(dir, sampleMeta()); err != nil {
			t.Fatal(err)
		}
		if list, _ := os.ReadDir(dir); len(list) != 1 {
			t.Errorf("%d files, want run.json alone", len(list))
		}
	})
	dir := t.TempDir()
	for want, change := range map[string]func(*Meta){
		`id: got "../x", want the name of a folder`:                func(m *Meta) { m.ID = "../x" },
		`hash: got "", want the content hash of the configuration`: func(m *Meta) { m.Hash = "" },
		`depth: got 0, want at least 1`:                            func(m *Meta) { m.Depth = 0 },
		`dtype: got "double", want float64 or float32`:             func(m *Meta) { m.DType = "double" },
		`alpha: got NaN, want a finite number`:                     func(m *Meta) { m.Alpha = math.NaN() },
	} {
		meta := sampleMeta()
		change(&meta)
		checkError(t, Create(dir, meta), dir, "runfolder: creating {dir}: "+want)
	}
}

func TestFinishWithBadWeights(t *testing.T) {
	dir := newRun(t)
	bad := Weights{Tensors: map[string]Tensor{"A": {"F64", []int{2}, nil}}}
	err := Finish(dir, sampleMeta(), nil, bad, Summary{})
	if want := `weights.safetensors: tensor "A": got 0 entries, want 2 for shape [2]`; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want …%s", err, want)
	}
	if Done(dir) {
		t.Error("the run is done")
	}
	if err := Finish(dir, sampleMeta(), sampleRows(), sampleWeights(), sampleSummary); err != nil {
		t.Errorf("a second try: %v", err)
	}
}

// BenchmarkRunFolder is what a run costs beside its training: a durable run.json,
// and then weights, trace, run.json and result.json.
func BenchmarkRunFolder(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "run")
	for b.Loop() {
		if err := Create(dir, sampleMeta()); err != nil {
			b.Fatal(err)
		}
		if err := Finish(dir, sampleMeta(), sampleRows(), sampleWeights(), sampleSummary); err != nil {
			b.Fatal(err)
		}
		if err := Remove(dir); err != nil {
			b.Fatal(err)
		}
	}
}
