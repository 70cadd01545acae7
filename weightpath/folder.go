package weightpath

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// ErrDone says that a run folder holds a finished run.
var ErrDone = errors.New("weightpath: the run is done")

// Create makes the run folder dir, with parents, and writes run.json, or writes
// it again when the folder holds an unfinished run of the same hash. A folder
// that holds another run or other files is an *OccupiedError, a finished run
// ErrDone, a damaged result.json or run.json a *DamagedError; all three are left
// as they are. What a killed process left half-written is removed, so the
// caller must be the only one that works on this run.
func Create(dir string, meta Meta) error {
	if err := meta.check(); err != nil {
		return fmt.Errorf("weightpath: creating %s: %w", dir, err)
	}
	if err := checkVacant(dir, meta.Hash); err != nil {
		return err
	}
	if err := makeFolder(dir); err != nil {
		return err
	}
	if err := errors.Join(removeLeftovers(dir), removeLeftovers(filepath.Join(dir, checkpointFolder))); err != nil {
		return err
	}
	if _, err := writeMeta(dir, meta); err != nil {
		return err
	}
	return syncFolder(dir)
}

// checkVacant returns nil when dir is missing, empty, or an unfinished run with
// this hash.
func checkVacant(dir, hash string) error {
	names, err := entries(dir)
	// A lease is taken before the folder is filled.
	names = slices.DeleteFunc(names, func(name string) bool { return name == leaseFolder || name == failureFile })
	if err != nil || len(names) == 0 {
		return err
	}
	if !slices.Contains(names, runFile) {
		return &OccupiedError{dir, fmt.Sprintf("%q and no %s", names[0], runFile), "an empty folder or one of this run"}
	}
	run, err := Open(dir)
	if err != nil {
		return err
	}
	if run.Meta.Hash != hash {
		return &OccupiedError{dir, "run " + run.Meta.Hash, "run " + hash}
	}
	if run.Done() {
		return fmt.Errorf("%w: %s", ErrDone, dir)
	}
	return nil
}

func writeMeta(dir string, meta Meta) (sha256 string, err error) {
	return replaceFile(dir, runFile, func(w io.Writer) error { return encodeJSON(w, meta) })
}

// Finish writes what the run leaves behind: weights, trace, run.json with
// meta.Stop set to summary.Stop, and last result.json with the checksums of the
// three, which are durable by then; it then removes the checkpoints. meta.End is
// the caller's to set, as are the fields of summary apart from these checksums:
// those of files written before (WriteCertification) are kept. A run that was
// finished before is ErrDone, and stays.
func Finish(dir string, meta Meta, rows []Row, weights Weights, summary Summary) error {
	if err := meta.check(); err != nil {
		return fmt.Errorf("weightpath: finishing %s: %w", dir, err)
	}
	if err := checkVacant(dir, meta.Hash); err != nil {
		return err
	}
	meta.Stop = summary.Stop
	sums := map[string]string{}
	maps.Copy(sums, summary.SHA256)
	summary.SHA256 = sums
	var err error
	summary.SHA256[weightsFile], err = replaceFile(dir, weightsFile, func(w io.Writer) error { return encodeWeights(w, weights) })
	if err != nil {
		return err
	}
	summary.SHA256[traceFile], err = replaceFile(dir, traceFile, func(w io.Writer) error { return encodeTrace(w, rows) })
	if err != nil {
		return err
	}
	if summary.SHA256[runFile], err = writeMeta(dir, meta); err != nil {
		return err
	}
	if err := syncFolder(dir); err != nil {
		return err
	}
	result, err := encodeSummary(summary)
	if err != nil {
		return fmt.Errorf("weightpath: writing %s: %w", filepath.Join(dir, resultFile), err)
	}
	if _, err := replaceFile(dir, resultFile, func(w io.Writer) error { _, err := w.Write(result); return err }); err != nil {
		return err
	}
	if err := syncFolder(dir); err != nil {
		return err
	}
	return Tidy(dir)
}

// Tidy removes what a finished run no longer needs: checkpoints, the live trace, the
// last failure, and the lease last. Finish does it; a process that is killed before it
// has, leaves it to the next that comes by.
func Tidy(dir string) error {
	for _, name := range []string{checkpointFolder, liveFile, failureFile, leaseFolder} {
		if err := disk.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("weightpath: finishing %s: %w", dir, err)
		}
	}
	return nil
}

// Remove deletes a run folder, result.json first, so that a kill in between
// leaves no folder that looks done.
func Remove(dir string) error {
	if err := disk.Remove(filepath.Join(dir, resultFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("weightpath: removing a run: %w", err)
	} else if err == nil {
		if err := syncFolder(dir); err != nil {
			return err
		}
	}
	if err := disk.RemoveAll(dir); err != nil {
		return fmt.Errorf("weightpath: removing a run: %w", err)
	}
	return nil
}

// A Run is an opened run folder. Trace and weights are read when asked for.
type Run struct {
	Dir     string
	Meta    Meta
	Summary *Summary // nil while the run is unfinished
}

// Open reads run.json, and result.json if there is one. Content that is not what
// was written is a *DamagedError.
func Open(dir string) (*Run, error) {
	run := &Run{Dir: dir}
	// result.json first: once it is there, run.json is the final one.
	path := filepath.Join(dir, resultFile)
	data, err := readFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		summary, err := decodeSummary(data)
		if err != nil {
			return nil, &DamagedError{path, err}
		}
		run.Summary = &summary
	}
	if data, err = run.read(runFile); err != nil {
		return nil, err
	}
	if run.Meta, err = decodeMeta(data); err != nil {
		return nil, &DamagedError{filepath.Join(dir, runFile), err}
	}
	return run, nil
}

// Done reports whether the run is finished.
func (r *Run) Done() bool { return r.Summary != nil }

// Trace reads trace.parquet, checked against its checksum. While the run is
// unfinished there is none (fs.ErrNotExist).
func (r *Run) Trace() ([]Row, error) {
	data, err := r.read(traceFile)
	if err != nil {
		return nil, err
	}
	rows, err := decodeTrace(data)
	if err != nil {
		return nil, &DamagedError{filepath.Join(r.Dir, traceFile), err}
	}
	return rows, nil
}

// Weights reads weights.safetensors, checked against its checksum. While the run
// is unfinished there is none (fs.ErrNotExist).
func (r *Run) Weights() (Weights, error) {
	path := filepath.Join(r.Dir, weightsFile)
	weights, digest, err := readWeights(path)
	if err != nil {
		return Weights{}, r.missing(weightsFile, err)
	}
	if r.Done() {
		if err := checkDigest(path, digest, r.Summary.SHA256[weightsFile]); err != nil {
			return Weights{}, err
		}
	}
	return weights, nil
}

// read returns the content of a file of the run, checked if the run is done.
func (r *Run) read(name string) ([]byte, error) {
	path := filepath.Join(r.Dir, name)
	data, err := readFile(path)
	if err != nil {
		return nil, r.missing(name, err)
	}
	if r.Done() {
		if err := checkDigest(path, digestOf(data), r.Summary.SHA256[name]); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// missing turns an error of reading a file of a finished run into a
// *DamagedError, unless the file is there and could not be read (permission, I/O).
func (r *Run) missing(name string, err error) error {
	var system *fs.PathError
	if !r.Done() || errors.As(err, &system) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return &DamagedError{filepath.Join(r.Dir, name), err}
}

// Done reports whether dir holds a finished run: result.json is there and intact.
func Done(dir string) bool {
	data, err := readFile(filepath.Join(dir, resultFile))
	if err != nil {
		return false
	}
	_, err = decodeSummary(data)
	return err == nil
}

// Verify compares every file of a finished run with its checksum. All damaged
// ones are named, each as a *DamagedError.
func Verify(dir string) error {
	run, err := Open(dir)
	if err != nil {
		return err
	}
	if !run.Done() {
		return fmt.Errorf("weightpath: verifying %s: the run is not finished", dir)
	}
	var damaged []error
	for _, name := range slices.Sorted(maps.Keys(run.Summary.SHA256)) {
		if _, err := run.read(name); err != nil {
			damaged = append(damaged, err)
		}
	}
	return errors.Join(damaged...)
}
