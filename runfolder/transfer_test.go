package runfolder

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// finished opens a finished run folder.
func finished(t *testing.T) *Run {
	t.Helper()
	run, err := Open(finishedRun(t))
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestTransferRoundTrip(t *testing.T) {
	run := finished(t)
	if _, err := run.Transfer(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before any transfer: got %v, want fs.ErrNotExist", err)
	}
	loss, unknown := 0.5, math.NaN()
	want := Transfer{TrendLoss: math.NaN(), Sources: []int{2, 4}, Targets: []TransferTarget{
		{Depth: 8, Trend: 0.25, Redrawn: &loss},
		{Depth: 16, Trend: math.NaN(), Redrawn: &unknown},
		{Depth: 32, Trend: math.Inf(1)},
	}}
	limit := sampleWeights()
	if err := run.WriteTransfer(want, &limit); err != nil {
		t.Fatal(err)
	}
	got, err := run.Transfer()
	if err != nil {
		t.Fatal(err)
	}
	want.Targets[2].Trend = math.NaN() // the file has null for all that is not finite
	want.Weights, want.Limit = run.Summary.SHA256[weightsFile], got.Limit
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("transfer (-want +got)\n%s", diff)
	}
	stored, err := run.Limit(got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(limit.Tensors, stored.Tensors, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("limit path (-want +got)\n%s", diff)
	}

	// A transfer of a run that is not the deepest any more leaves the old limit unread.
	if err := run.WriteTransfer(Transfer{TrendLoss: 1}, nil); err != nil {
		t.Fatal(err)
	}
	if got, err = run.Transfer(); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Limit(got); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("limit of a transfer without one: got %v, want fs.ErrNotExist", err)
	}
	// The files beside it leave the run as it was.
	if err := Verify(run.Dir); err != nil {
		t.Error(err)
	}
}

func TestTransferRefuses(t *testing.T) {
	unfinished, err := Open(newRun(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := unfinished.WriteTransfer(Transfer{}, nil); err == nil || !strings.HasSuffix(err.Error(), "the run is not finished") {
		t.Errorf("unfinished run: got %v", err)
	}
	withChecksum := func(value any) string {
		text, err := encodeWithChecksum(value)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, c := range []struct{ text, want string }{
		{"{", "unexpected end of JSON input"},
		{`{"weights": "other"}`, `checksum: got "", want 64 hexadecimal digits`},
		{withChecksum(Transfer{Weights: "other", TrendLoss: 1}), "computed from other weights than the run's; call deeplimit transfer again"},
		{withChecksum(map[string]string{"targets": "x"}), "of type []runfolder.TransferTarget"},
	} {
		run := finished(t)
		if err := os.WriteFile(filepath.Join(run.Dir, "transfer.json"), []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := run.Transfer(); err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want …%s", c.text, err, c.want)
		}
	}
	run := finished(t)
	limit := sampleWeights()
	if err := run.WriteTransfer(Transfer{}, &limit); err != nil {
		t.Fatal(err)
	}
	stored, err := run.Transfer()
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteWeights(run.LimitFile(), Weights{}); err != nil {
		t.Fatal(err)
	}
	var damaged *DamagedError
	if _, err := run.Limit(stored); !errors.As(err, &damaged) {
		t.Errorf("replaced limit path: got %v, want a *DamagedError", err)
	}
}
