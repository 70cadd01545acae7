package sweep

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/plan/plantest"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/runfolder"
)

// TestOtherArithmetic goes on with a study, with a store, and from a checkpoint, on what
// says it is another machine, and wants a refusal that names both.
func TestOtherArithmetic(t *testing.T) {
	p := plantest.New(t, "s.yaml", text)
	only := func(depth int) func(*study.Run) bool { return func(r *study.Run) bool { return r.Depth == depth } }
	dir := t.TempDir()
	out, store := filepath.Join(dir, "out"), filepath.Join(dir, "store")
	if _, err := Run(t.Context(), p, Options{Out: out, Store: store, Workers: 1, Only: only(2), Arithmetic: "arm64"}); err != nil {
		t.Fatal(err)
	}
	for name, options := range map[string]Options{
		"same folder": {Out: out, Workers: 1, Arithmetic: "amd64 v3"},
		"store":       {Out: filepath.Join(dir, "other"), Store: store, Workers: 1, Arithmetic: "amd64 v3"},
	} {
		_, err := Run(t.Context(), p, options)
		var mixture *runfolder.MixtureError
		if !errors.As(err, &mixture) || mixture.Arithmetic != [2]string{"arm64", "amd64 v3"} || !strings.Contains(err.Error(), "L0002") {
			t.Errorf("%s: got %v, want a mixture of arm64 and amd64 v3", name, err)
		}
	}
	// Nothing is computed, so nothing is mixed.
	if _, err := Run(t.Context(), p, Options{Out: out, Workers: 1, Only: only(2), Arithmetic: "amd64 v3"}); err != nil {
		t.Errorf("a study that is done: %v", err)
	}
	if report, err := Run(t.Context(), p, Options{Out: out, Workers: 1, Rerun: RerunAll, Arithmetic: "amd64 v3"}); err != nil || report.Done != 2 {
		t.Errorf("all anew: got %+v, %v, want two runs", report, err)
	}
}

// TestCheckpointOfOtherArithmetic interrupts a run and wants what says it is another machine
// not to go on with it.
func TestCheckpointOfOtherArithmetic(t *testing.T) {
	p := plantest.New(t, "s.yaml", strings.Replace(strings.Replace(text, "[2, 4]", "[4]", 1), "iterations: 5", "iterations: 100000", 1))
	out := filepath.Join(t.TempDir(), "out")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	_, err := Run(ctx, p, Options{Out: out, Workers: 1, Observe: func(e Event) {
		if e.Kind == Advanced && e.Row.Iteration >= 10 {
			stop()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	report, err := Run(t.Context(), p, Options{Out: out, Workers: 1, Arithmetic: "arm64"})
	if err != nil || len(report.Failed) != 1 || !errors.As(report.Failed[0], new(*runfolder.MixtureError)) {
		t.Errorf("got %+v, %v, want one failed run with a mixture", report, err)
	}
}

// TestMergeOfOtherArithmetic merges parts of a study, and copies of one run, that were
// computed on what say they are two machines.
func TestMergeOfOtherArithmetic(t *testing.T) {
	p := plantest.New(t, "s.yaml", text)
	for name, depths := range map[string][2]int{"parts": {2, 4}, "copies": {2, 2}} {
		dir := t.TempDir()
		var parts []string
		for i, arithmetic := range []string{"arm64", "amd64 v1"} {
			parts = append(parts, filepath.Join(dir, arithmetic))
			options := Options{Out: parts[i], Workers: 1, Arithmetic: arithmetic, Only: func(r *study.Run) bool { return r.Depth == depths[i] }}
			if _, err := Run(t.Context(), p, options); err != nil {
				t.Fatal(err)
			}
		}
		var mixture *runfolder.MixtureError
		if _, err := runfolder.Merge(filepath.Join(dir, "all"), parts); !errors.As(err, &mixture) || mixture.Arithmetic != [2]string{"arm64", "amd64 v1"} {
			t.Errorf("%s: got %v, want a mixture of arm64 and amd64 v1", name, err)
		}
		if _, err := runfolder.Merge(filepath.Join(dir, "one"), parts[:1]); err != nil {
			t.Errorf("%s: one kind: %v", name, err)
		}
	}
}
