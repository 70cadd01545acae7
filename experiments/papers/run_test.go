package papers

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
)

// tiny is an experiment of a second.
func tiny(want Range) Experiment {
	return Experiment{
		Name:  "tiny",
		Steps: []Step{{Command: "run tiny.yaml --out {runs}/tiny --no-report", Small: "--set 'depths=[4, 8]'"}},
		Claims: []Claim{{
			Key: "rate", Want: want,
			Measure: linearFall("tiny", false),
		}, {
			Key: "size", Want: want,
			Measure: eachGroup("tiny", func(g analyze.Group) Measurement { return ofSlope(named(g.Exponents, "max_frobenius"), 0) }),
		}},
		Figures: func(b *Bench) ([]*report.Figure, error) { return b.Figures("tiny", "loss") },
	}
}

const tinyStudy = `
name: tiny
depths: [4, 8, 16]
seeds: [3, 5]
data: {kind: separated, width: 4, samples: 2, distance: 0.3}
grid: {network.alpha: [0.5, 1]}
train: {stop: {iterations: 30}}
`

// TestRunTwice wants two runs of an experiment to differ in their time alone, each from
// nothing, and the outcome to say what was run.
func TestRunTwice(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("tiny.yaml", []byte(tinyStudy), 0o644); err != nil {
		t.Fatal(err)
	}
	size := Size{Small: true, Runs: "runs", Figures: "figures"}
	run := func() Outcome {
		var log bytes.Buffer
		e := tiny(Range{-10, 10})
		out, err := e.Run(t.Context(), size, &log)
		if err != nil {
			t.Fatal(err)
		}
		if want := "deeplimit run tiny.yaml --out runs/tiny --no-report --set 'depths=[4, 8]'\n"; !strings.HasPrefix(log.String(), want) {
			t.Errorf("got log %q, want it to begin with %q", log.String(), want)
		}
		out.Seconds = 0
		return out
	}
	first := run()
	leftover := filepath.Join("runs", "tiny", "leftover")
	if err := os.WriteFile(leftover, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, run()); diff != "" {
		t.Errorf("two runs differ (-first +second):\n%s", diff)
	}
	if _, err := os.Stat(leftover); err == nil {
		t.Error("the second run went on in the folder of the first")
	}
	var cases []string
	for _, j := range first.Claims {
		cases = append(cases, j.Key+" "+j.Case+" "+string(j.Verdict))
	}
	// Two depths and two seeds have an interval.
	want := []string{"rate alpha 0.5 reproduced", "rate alpha 1 reproduced", "size alpha 0.5 reproduced", "size alpha 1 reproduced"}
	if diff := cmp.Diff(want, cases); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	if len(first.Studies) != 1 || first.Studies[0].Path != "tiny.yaml" || len(first.Studies[0].SHA256) != 64 || len(first.Studies[0].Seeds) != 2 {
		t.Errorf("got studies %+v", first.Studies)
	}
	if len(first.Figures) != 2 {
		t.Fatalf("got %d figures, want one for each α", len(first.Figures))
	}
	for _, f := range first.Figures {
		if data, err := os.ReadFile(filepath.Join("figures", f.File)); err != nil || !bytes.HasPrefix(data, []byte("\x89PNG")) || !strings.HasPrefix(f.File, "tiny-loss-") {
			t.Errorf("figure %s: %v", f.File, err)
		}
	}
}

// TestRunFails wants a command that fails to be named with what it said.
func TestRunFails(t *testing.T) {
	t.Chdir(t.TempDir())
	e := tiny(AtMost(1))
	_, err := e.Run(t.Context(), Size{Runs: "runs", Figures: "figures"}, new(bytes.Buffer))
	if err == nil || !strings.HasPrefix(err.Error(), "papers: tiny: deeplimit run tiny.yaml --out runs/tiny --no-report: exit code 2\ndeeplimit: ") {
		t.Errorf("got %v", err)
	}
}

// TestRecord wants a record to be read as it was written.
func TestRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.json")
	if r, err := ReadRecord(path); err != nil || len(r) != 0 {
		t.Errorf("no file: got %v, %v, want an empty record", r, err)
	}
	want := Record{"a": {Claims: []Judged{{Key: "k", Value: 0.5, Low: 0.25, High: 1, Want: "= 1", Verdict: CannotTell}}, Version: "v", Seconds: 2, Cores: 4}}
	if err := want.Write(path); err != nil {
		t.Fatal(err)
	}
	got, err := ReadRecord(path)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadRecord(path); err == nil {
		t.Error("half a file: got no error")
	}
}
