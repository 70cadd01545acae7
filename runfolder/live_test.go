package runfolder

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestLive(t *testing.T) {
	dir := t.TempDir()
	if rows, next, err := ReadLive(dir, 5); len(rows) != 0 || next != 0 || err != nil {
		t.Errorf("got %v, %d, %v, want nothing yet", rows, next, err)
	}
	bad, worse := math.NaN(), math.Inf(-1)
	rows := append(sampleRows(), Row{Iteration: 1 << 40, Loss: &bad, TestLoss: &worse, Displacement: math.Inf(1), Seconds: 1e-300})
	if err := AppendLive(dir, rows[:1]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want no file made by an addition", err)
	}
	if err := RewriteLive(dir, rows[:1]); err != nil {
		t.Fatal(err)
	}
	got, next, err := ReadLive(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := AppendLive(dir, rows[1:]); err != nil {
		t.Fatal(err)
	}
	more, next, err := ReadLive(dir, next)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rows, append(got, more...), cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	path := filepath.Join(dir, "live.jsonl")
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	file.WriteString(`{"iteration":`) // a line that is being written
	if got, again, err := ReadLive(dir, next); len(got) != 0 || again != next || err != nil {
		t.Errorf("got %v, %d, %v, want nothing new at %d", got, again, err, next)
	}
	file.WriteString("}\n" + `{"iteration":3}` + "\n") // garbled, and a good one
	file.Close()
	if got, _, err := ReadLive(dir, next); len(got) != 1 || got[0].Iteration != 3 || err != nil {
		t.Errorf("got %v, %v, want the good line", got, err)
	}
	if err := RewriteLive(dir, rows[:1]); err != nil {
		t.Fatal(err)
	}
	if got, _, err := ReadLive(dir, next); len(got) != 1 || err != nil {
		t.Errorf("got %v, %v, want the file from its start", got, err)
	}
}
