package runfolder

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// finishAs finishes a run as one of two workers does, whose results are alike but for
// the clock and the host.
func finishAs(dir string, seconds float64) error {
	rows := sampleRows()
	rows[2].Seconds = seconds
	meta := sampleMeta()
	meta.Environment = map[string]string{"host": map[bool]string{true: "one", false: "other"}[seconds == 1]}
	summary := sampleSummary
	summary.Seconds = seconds
	return Finish(dir, meta, rows, sampleWeights(), summary)
}

// checkFinished wants all files of a run to be of one worker, and none left of the way there.
func checkFinished(t *testing.T, dir string) {
	t.Helper()
	if err := Verify(dir); err != nil {
		t.Error(err)
	}
	run, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := run.Trace()
	if err != nil {
		t.Fatal(err)
	}
	if got := rows[2].Seconds; got != run.Summary.Seconds {
		t.Errorf("got the trace of worker %v and the result of worker %v", got, run.Summary.Seconds)
	}
}

// shared holds the calls through which workers see each other; those in between are on
// files that a worker has for itself.
var shared = map[disk.Op]bool{disk.OpRename: true, disk.OpLink: true, disk.OpRemove: true, disk.OpStat: true, disk.OpReadDir: true, disk.OpMkdir: true}

// TestFinishInterleaved stops one worker before each of its shared calls and lets
// another one finish the run, whole, before the first goes on: as a machine that sleeps
// does. Whoever comes first, the result is that of one worker.
func TestFinishInterleaved(t *testing.T) {
	for stop := 1; ; stop++ {
		dir := newRun(t)
		calls, asleep := 0, false
		var second error
		disk.Intercept(func(c disk.Call) error {
			if !asleep && shared[c.Op] {
				calls++
				if calls == stop {
					asleep = true
					second = finishAs(dir, 2)
					asleep = false
				}
			}
			return nil
		})
		first := finishAs(dir, 1)
		disk.Intercept(nil)
		for _, err := range []error{first, second} {
			if err != nil && !errors.Is(err, ErrDone) {
				t.Errorf("call %d: %v", stop, err)
			}
		}
		if calls < stop {
			checkFinished(t, dir)
			return
		}
		if first != nil && second != nil {
			t.Errorf("call %d: got nobody to finish the run: %v; %v", stop, first, second)
		}
		checkFinished(t, dir)
		if names, err := os.ReadDir(dir); err != nil || len(names) != 4 {
			t.Errorf("call %d: got files %v, %v, want run, trace, weights and result", stop, names, err)
		}
		if t.Failed() {
			t.Fatalf("stopped before call %d", stop)
		}
	}
}

// TestFinishCutShort kills a worker before each of its shared calls. The next one finds a run
// that is done, or one to do, and ends with a whole one.
func TestFinishCutShort(t *testing.T) {
	for step := 2; ; step++ {
		stop := step / 2
		dir := newRun(t)
		if step%2 == 0 { // a run that ends within a second has no run.json before
			if err := os.Remove(filepath.Join(dir, runFile)); err != nil {
				t.Fatal(err)
			}
		}
		calls := 0
		disk.Intercept(func(c disk.Call) error {
			if shared[c.Op] {
				calls++
			}
			if calls >= stop {
				return syscall.EIO
			}
			return nil
		})
		err := finishAs(dir, 1)
		disk.Intercept(nil)
		if calls < stop {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		if err := Vacant(dir, sampleMeta().Hash); err != nil && !errors.Is(err, ErrDone) {
			t.Errorf("call %d: %v", stop, err)
		}
		err = Create(dir, sampleMeta())
		if err == nil {
			err = finishAs(dir, 2)
		} else if errors.Is(err, ErrDone) {
			err = nil
		}
		if err != nil {
			t.Errorf("call %d: %v", stop, err)
		}
		checkFinished(t, dir)
		if t.Failed() {
			t.Fatalf("killed before call %d", stop)
		}
	}
}

// TestFinishLostItsFiles has a finish whose folder did not survive a crash of the machine
// whole: the run is to be computed again.
func TestFinishLostItsFiles(t *testing.T) {
	lost, err := encodeSummary(Summary{Stop: "loss", SHA256: map[string]string{weightsFile: noChecksum}})
	if err != nil {
		t.Fatal(err)
	}
	checksum, err := checksumOf(lost)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "{}", `{"checksum": ".."}`, string(lost)} {
		dir := newRun(t)
		if err := os.Mkdir(filepath.Join(dir, stagingOf(checksum)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "finish.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := Create(dir, sampleMeta()); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if err := finishAs(dir, 1); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		checkFinished(t, dir)
	}
}
