package runfolder

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// A Failure is failure.json: why the last attempt at a run ended without a result.
type Failure struct {
	Error    string    `json:"error"`
	Time     time.Time `json:"time"`
	Host     string    `json:"host"`
	Attempts int       `json:"attempts"` // that failed, this one included
}

// WriteFailure puts f into the run folder dir. A folder with a result keeps none.
func WriteFailure(dir string, f Failure) error {
	if _, err := disk.Stat(filepath.Join(dir, resultFile)); err == nil {
		return nil
	}
	text, err := encodeWithChecksum(f)
	if err != nil {
		return fmt.Errorf("runfolder: writing %s: %w", filepath.Join(dir, failureFile), err)
	}
	return keepFile(dir, failureFile, text)
}

// ReadFailure returns why the last attempt failed; an error that wraps fs.ErrNotExist
// when it did not.
func ReadFailure(dir string) (Failure, error) {
	path := filepath.Join(dir, failureFile)
	data, err := readFile(path)
	if err != nil {
		return Failure{}, err
	}
	var f Failure
	if err := decodeWithChecksum(data, &f); err != nil {
		return Failure{}, &DamagedError{path, err}
	}
	return f, nil
}

// ClearFailure forgets that the last attempt failed, so that workers try the run again.
func ClearFailure(dir string) error {
	if err := disk.RemoveIfThere(filepath.Join(dir, failureFile)); err != nil {
		return fmt.Errorf("runfolder: trying a run again: %w", err)
	}
	return nil
}
