package runfolder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// ErrDone says that a run folder holds a finished run.
var ErrDone = errors.New("runfolder: the run is done")

// Create makes the run folder dir, with parents, and does what Claim and Begin do.
func Create(dir string, meta Meta) error {
	if err := Claim(dir, meta.Hash); err != nil {
		return err
	}
	if err := makeFolder(dir); err != nil {
		return err
	}
	return Begin(dir, meta)
}

// Begin writes run.json into the run folder dir, which is there, or leaves the one of an
// unfinished run; a damaged one gives way. A run that ends soon needs none before Finish:
// Begin is for one that is to be looked at, or to leave a checkpoint.
func Begin(dir string, meta Meta) error {
	if err := meta.check(); err != nil {
		return fmt.Errorf("runfolder: creating %s: %w", dir, err)
	}
	if err := beginMeta(dir, meta); err != nil {
		return err
	}
	if err := syncFolder(filepath.Dir(filepath.Clean(dir))); err != nil {
		return err
	}
	return syncFolder(dir)
}

// Claim readies the run folder dir, if it is there, for the run with this hash. A folder
// that holds another run or other files is an *OccupiedError, a finished run ErrDone, a
// damaged result.json, or run.json of a finished run, a *DamagedError; all three are left
// as they are. A run whose result was decided when its worker died is completed
// first, and then ErrDone. What a killed process left half-written is removed, so
// the caller must hold the lease of this run.
func Claim(dir, hash string) error {
	if err := complete(dir); err != nil {
		return err
	}
	if err := Vacant(dir, hash); err != nil {
		return err
	}
	return errors.Join(removeLeftovers(dir), removeLeftovers(filepath.Join(dir, checkpointFolder)), disk.RemoveIfThere(filepath.Join(dir, failureFile)))
}

// Vacant returns nil when dir is missing, empty, an unfinished run with this hash or with
// a run.json that is lost or damaged, or one that is being finished; else an error as of
// Claim.
func Vacant(dir, hash string) error {
	names, err := entries(dir)
	// A lease is taken before the folder is filled.
	names = slices.DeleteFunc(names, func(name string) bool { return leaseNumber(name) > 0 || name == failureFile })
	if err != nil || len(names) == 0 {
		return err
	}
	if slices.Contains(names, finishFile) && !slices.Contains(names, runFile) {
		return nil // its files are moving up, or were when their worker died: for Claim
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == checkpointFolder || name == liveFile })
	if len(names) == 0 { // run.json was damaged and a kill struck before it was there again
		return nil
	}
	if _, err := disk.Stat(filepath.Join(dir, runFile)); errors.Is(err, fs.ErrNotExist) {
		return &OccupiedError{dir, fmt.Sprintf("%q and no %s", names[0], runFile), "an empty folder or one of this run"}
	}
	run, err := Open(dir)
	if errors.As(err, new(begun)) {
		return nil
	}
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

// beginMeta writes run.json unless there is a good one. Never in the place of another:
// that would be the final one for a worker who sleeps between looking and writing.
func beginMeta(dir string, meta Meta) error {
	path := filepath.Join(dir, runFile)
	switch _, err := Open(dir); {
	case err == nil:
		return nil
	case errors.As(err, new(begun)):
		if err := setAside(path); err != nil {
			return fmt.Errorf("runfolder: writing %s anew: %w", path, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	file, err := prepare(dir, runFile, func(w io.Writer) error { return writeWithChecksum(w, meta) })
	if err != nil {
		return err
	}
	if err = file.Finish(); err == nil {
		err = disk.Link(file.Name(), path)
	}
	if errors.Is(err, fs.ErrExist) {
		err = nil
	} else if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) { // no hard links here
		err = file.Replace()
	}
	if err = errors.Join(err, file.Discard()); err != nil {
		return fmt.Errorf("runfolder: writing %s: %w", path, err)
	}
	return nil
}

// setAside moves a damaged run.json out of the way, under a name that Claim and Tidy
// remove, and back if it turns out to be a good one: a worker who slept may have missed
// that the run was finished.
func setAside(path string) error {
	aside := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d.tmp", runFile, rand.Uint32()))
	if err := disk.Rename(path, aside); err != nil {
		return err
	}
	data, err := disk.ReadFile(aside, maxRecord)
	if err == nil {
		if _, damaged := decodeMeta(data); damaged == nil {
			return disk.Rename(aside, path)
		}
		err = disk.Remove(aside)
	}
	return err
}

// Reset makes the run in dir one that nobody has begun; its lease stays. result.json goes
// first, so that a kill in between leaves no folder that looks done.
func Reset(dir string) error {
	if err := disk.RemoveIfThere(filepath.Join(dir, resultFile)); err != nil {
		return fmt.Errorf("runfolder: starting %s again: %w", dir, err)
	}
	if err := syncFolder(dir); err != nil {
		return err
	}
	list, err := disk.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("runfolder: starting %s again: %w", dir, err)
	}
	for _, entry := range list {
		if leaseNumber(entry.Name()) > 0 {
			continue
		}
		if err := disk.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return fmt.Errorf("runfolder: starting %s again: %w", dir, err)
		}
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
	if err := run.readSummary(); err != nil {
		return nil, err
	}
	if err := run.readMeta(); err != nil {
		return nil, err
	}
	return run, nil
}

// readSummary reads result.json if there is one.
func (r *Run) readSummary() error {
	path := filepath.Join(r.Dir, resultFile)
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	summary, err := decodeSummary(data)
	if err != nil {
		return &DamagedError{path, err}
	}
	r.Summary = &summary
	return nil
}

// readMeta reads run.json, for a finished run checked against its checksum.
func (r *Run) readMeta() error {
	data, err := r.read(runFile)
	if err != nil {
		return err
	}
	if r.Meta, err = decodeMeta(data); err != nil {
		if !r.Done() {
			err = begun{err}
		}
		return &DamagedError{filepath.Join(r.Dir, runFile), err}
	}
	return nil
}

// Done reports whether the run is finished.
func (r *Run) Done() bool { return r.Summary != nil }

// Trace reads trace.parquet, checked against its checksum. While the run is
// unfinished there is none (fs.ErrNotExist).
func (r *Run) Trace() ([]Row, error) { return r.TraceColumns(traceColumns...) }

// TraceColumns is Trace with the columns of these names alone, as trace.parquet has them; the other fields of the rows are zero or nil.
func (r *Run) TraceColumns(names ...string) ([]Row, error) {
	data, err := r.read(traceFile)
	if err != nil {
		return nil, err
	}
	rows, err := decodeColumns(data, names)
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
	done, err := hasResult(dir)
	return done && err == nil
}

// hasResult is Done with an error where result.json is there and cannot be read.
func hasResult(dir string) (bool, error) {
	data, err := readFile(filepath.Join(dir, resultFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, damaged := decodeSummary(data)
	return damaged == nil, nil
}

// Verify compares every file of a finished run with its checksum. All damaged
// ones are named, each as a *DamagedError.
func Verify(dir string) error {
	run, err := Open(dir)
	if err != nil {
		return err
	}
	if !run.Done() {
		return fmt.Errorf("runfolder: verifying %s: the run is not finished", dir)
	}
	var damaged []error
	for _, name := range slices.Sorted(maps.Keys(run.Summary.SHA256)) {
		path := filepath.Join(dir, name)
		if digest, err := digestFile(path); err != nil {
			damaged = append(damaged, run.missing(name, err))
		} else if err := checkDigest(path, digest, run.Summary.SHA256[name]); err != nil {
			damaged = append(damaged, err)
		}
	}
	return errors.Join(damaged...)
}
