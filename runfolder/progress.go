package runfolder

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strconv"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/tensorheader"
)

// A Progress says how far a checkpoint is.
type Progress struct {
	Iteration int
	Loss      float64 // at the last recorded iteration; NaN where it is not known
}

// ReadProgress returns how far the newest checkpoint in the run folder dir is, or the one
// before where that is damaged; ErrNoCheckpoint without one. It is for tables: no more
// than the header is read, and no checksum compared.
func ReadProgress(dir string) (Progress, error) {
	err := fmt.Errorf("%w in %s", ErrNoCheckpoint, dir)
	for _, name := range []string{stateFile, previousFile} {
		p, failed := readProgress(filepath.Join(dir, checkpointFolder, name))
		if failed == nil {
			return p, nil
		}
		if disk.Failed(failed) {
			return Progress{}, failed
		}
		if !errors.Is(failed, fs.ErrNotExist) {
			err = failed
		}
	}
	return Progress{}, err
}

func readProgress(path string) (Progress, error) {
	file, err := disk.Open(path)
	if err != nil {
		return Progress{}, fmt.Errorf("runfolder: %w", err)
	}
	defer file.Close()
	status, err := file.Stat()
	if err != nil {
		return Progress{}, fmt.Errorf("runfolder: %w", err)
	}
	_, _, metadata, err := tensorheader.Read(file, status.Size())
	if err != nil {
		return Progress{}, &DamagedError{path, err}
	}
	p := Progress{Loss: math.NaN()}
	if p.Iteration, err = strconv.Atoi(metadata[iterationKey]); err != nil || p.Iteration < 0 {
		return Progress{}, &DamagedError{path, fmt.Errorf("iteration: got %q, want a number of steps", metadata[iterationKey])}
	}
	if loss, err := strconv.ParseFloat(metadata[lossKey], 64); err == nil {
		p.Loss = loss
	}
	return p, nil
}
