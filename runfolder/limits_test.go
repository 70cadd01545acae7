package runfolder

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// TestSizeLimits makes every file that is read of a study or run folder 200 GB long, a
// sparse file, and wants it refused by name before it is read.
func TestSizeLimits(t *testing.T) {
	study := t.TempDir()
	dir := RunDir(study, "r")
	if err := os.MkdirAll(filepath.Join(dir, checkpointFolder), 0o755); err != nil {
		t.Fatal(err)
	}
	live := func(dir string) error { _, _, err := ReadLive(dir, 0); return err }
	for name, read := range map[string]func() error{
		studyFile:                               func() error { _, err := StudyName(study); return err },
		recordFile:                              func() error { _, err := StudyName(study); return err },
		manifestFile:                            func() error { _, err := ReadManifest(study); return err },
		filepath.Join(ensembleFolder, "e.json"): func() error { _, err := ReadEnsemble(study, "e"); return err },
		filepath.Join(slurmFolder, "s", submissionFile):         func() error { _, err := ReadSubmission(study, "s"); return err },
		filepath.Join(runsFolder, "r", runFile):                 func() error { _, err := Open(dir); return err },
		filepath.Join(runsFolder, "r", resultFile):              func() error { _, err := Open(dir); return err },
		filepath.Join(runsFolder, "r", finishFile):              func() error { return complete(dir) },
		filepath.Join(runsFolder, "r", failureFile):             func() error { _, err := ReadFailure(dir); return err },
		filepath.Join(runsFolder, "r", liveFile):                func() error { return live(dir) },
		filepath.Join(runsFolder, "r", leasePrefix+"3"):         func() error { _, err := ReadLease(dir); return err },
		filepath.Join(runsFolder, "r", traceFile):               func() error { _, err := (&Run{Dir: dir}).Trace(); return err },
		filepath.Join(runsFolder, "r", weightsFile):             func() error { _, err := (&Run{Dir: dir}).Weights(); return err },
		filepath.Join(runsFolder, "r", transferFile):            func() error { _, err := (&Run{Dir: dir}).Transfer(); return err },
		filepath.Join(runsFolder, "r", "checkpoint", stateFile): func() error { _, err := ReadCheckpoint(dir); return err },
	} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			path := filepath.Join(study, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			sparse(t, path, 200<<30)
			defer os.Remove(path)
			err := read()
			if large, ok := errors.AsType[*disk.TooLargeError](err); !ok || large.Size != 200<<30 || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want a *disk.TooLargeError with its path", err)
			}
		})
	}
}

func sparse(t *testing.T, path string, size int64) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(file.Truncate(size), file.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestSparseWeights gives a file of weights a header that its 200 GB fit.
func TestSparseWeights(t *testing.T) {
	path := filepath.Join(t.TempDir(), weightsFile)
	header := fmt.Sprintf(`{"A":{"dtype":"F64","shape":[%d],"data_offsets":[0,%d]}}`, 25<<30, int64(200)<<30)
	text := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	if err := os.WriteFile(path, append(text, header...), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(8+len(header))+200<<30); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadWeights(path); !errors.As(err, new(*disk.TooLargeError)) {
		t.Errorf("got %v, want a *disk.TooLargeError", err)
	}
}

// TestLongLiveLine passes over a line that no row has the length of, and goes on.
func TestLongLiveLine(t *testing.T) {
	dir := t.TempDir()
	text := `{"iteration":1}` + "\n" + strings.Repeat("x", 3*maxLine) + "\n" + `{"iteration":2}` + "\n" + strings.Repeat("y", 2*maxLine)
	if err := os.WriteFile(filepath.Join(dir, liveFile), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	rows, next, err := ReadLive(dir, 0)
	if err != nil || len(rows) != 2 || rows[1].Iteration != 2 || next != int64(len(text)-2*maxLine) {
		t.Errorf("got %d rows, offset %d, %v, want two and the offset behind them", len(rows), next, err)
	}
}

// TestWrittenTooLarge refuses to write what would not be read again.
func TestWrittenTooLarge(t *testing.T) {
	path := LeaseFile("dir", 1)
	if err := checkWritten(path, make([]byte, maxLease), "a lease"); err != nil {
		t.Error(err)
	}
	checkError(t, checkWritten(path, make([]byte, maxLease+1), "2 leases"), "dir", "runfolder: writing {dir}/lease.1: got 65537 bytes for 2 leases, want at most 65536")
}
