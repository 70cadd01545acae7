package runfolder

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// The files of a run folder, and the study file of the folder above.
const (
	runFile          = "run.json"
	traceFile        = "trace.parquet"
	weightsFile      = "weights.safetensors"
	resultFile       = "result.json"
	checkpointFolder = "checkpoint"
	stateFile        = "state.safetensors"
	previousFile     = "previous.safetensors"
	studyFile        = "study.yaml"
	recordFile       = "study.json"
	manifestFile     = "runs.json"
	runsFolder       = "runs"
	finishFile       = "finish.json"
	liveFile         = "live.jsonl"
	failureFile      = "failure.json"
	transferFile     = "transfer.json"
	kernelFile       = "kernel.json"
	transferFolder   = "transfer"
	limitFile        = "limit.safetensors"
)

// A DamagedError names a stored file whose content is not what was written.
type DamagedError struct {
	Path string
	Err  error // what is wrong with it
}

// Error returns the path and what is wrong.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("runfolder: %s is damaged: %v", e.Path, e.Err)
}

// Unfinished reports whether the file is the run.json of an unfinished run, on which nothing
// rests.
func (e *DamagedError) Unfinished() bool {
	_, unfinished := errors.AsType[begun](e.Err)
	return unfinished
}

// begun is what is wrong with the run.json of an unfinished run, which nothing rests on:
// a checkpoint says itself what run it is of.
type begun struct{ error }

// Unwrap returns what is wrong.
func (b begun) Unwrap() error { return b.error }

// Unwrap returns what is wrong with the file.
func (e *DamagedError) Unwrap() error { return e.Err }

// Unreadable reports whether err says that a stored file is there and cannot be read, or
// is not what was written. A file that an unfinished run does not have yet is neither.
func Unreadable(err error) bool {
	_, damaged := errors.AsType[*DamagedError](err)
	return damaged || disk.Failed(err)
}

// An OccupiedError says that a folder holds something else and was left as it is.
type OccupiedError struct {
	Dir  string
	Got  string // what the folder holds
	Want string // what it may hold
}

// Error returns what the folder holds, what it may hold, and how to mend it.
func (e *OccupiedError) Error() string {
	return fmt.Sprintf("runfolder: %s: got a folder with %s, want %s; choose another folder", e.Dir, e.Got, e.Want)
}

// pending is a file that is written under a temporary name.
type pending struct {
	*disk.Pending
	SHA256 string // of its content, hex
}

// prepare writes a temporary file beside dir/name. The caller ends with Replace,
// which syncs it, or with Discard.
func prepare(dir, name string, write func(io.Writer) error) (*pending, error) {
	path := filepath.Join(dir, name)
	file, err := disk.NewPending(path)
	if err != nil {
		return nil, fmt.Errorf("runfolder: writing %s: %w", path, err)
	}
	sum, err := writeHashed(file, write)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("runfolder: writing %s: %w", path, err), file.Discard())
	}
	return &pending{file, sum}, nil
}

// buffers holds those of writeHashed: ten thousand tiny runs write as many small files.
var buffers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 1<<16) }}

// writeHashed hands what write produces to w and returns its SHA-256 in hex.
func writeHashed(w io.Writer, write func(io.Writer) error) (string, error) {
	digest := sha256.New()
	buffer := buffers.Get().(*bufio.Writer)
	defer buffers.Put(buffer)
	buffer.Reset(io.MultiWriter(w, digest))
	defer buffer.Reset(nil)
	if err := write(buffer); err != nil {
		return "", err
	}
	if err := buffer.Flush(); err != nil {
		return "", err
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// replaceFile puts what write produces in the place of dir/name and returns its
// SHA-256 in hex. At any moment the name stands for the old content or for the
// whole new one; that the new one survives a power cut needs syncFolder(dir) too.
func replaceFile(dir, name string, write func(io.Writer) error) (string, error) {
	file, err := prepare(dir, name, write)
	if err != nil {
		return "", err
	}
	if err := file.Replace(); err != nil {
		return "", errors.Join(fmt.Errorf("runfolder: writing %s: %w", filepath.Join(dir, name), err), file.Discard())
	}
	return file.SHA256, nil
}

// writeFile makes dir/name hold what write produces and returns its SHA-256 in hex. It
// is for files that are nothing yet, in a folder of one's own, and durable only after
// syncFiles.
func writeFile(dir, name string, write func(io.Writer) error) (string, error) {
	path := filepath.Join(dir, name)
	file, err := disk.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return "", fmt.Errorf("runfolder: writing %s: %w", path, err)
	}
	sum, err := writeHashed(file, write)
	if err = errors.Join(err, file.Close()); err != nil {
		return "", fmt.Errorf("runfolder: writing %s: %w", path, err)
	}
	return sum, nil
}

// syncFiles makes the content of files and the names in folders durable, all at once: a
// file system commits the calls that wait together as one.
func syncFiles(paths, folders []string) error {
	var group errgroup.Group
	for _, dir := range folders {
		group.Go(func() error { return syncFolder(dir) })
	}
	for _, path := range paths {
		group.Go(func() error {
			if err := disk.SyncFile(path); err != nil {
				return fmt.Errorf("runfolder: syncing %s: %w", path, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// syncFolder makes the names in dir durable.
func syncFolder(dir string) error {
	if err := disk.SyncFolder(dir); err != nil {
		return fmt.Errorf("runfolder: syncing folder: %w", err)
	}
	return nil
}

// makeFolder makes dir, with parents, and makes its name durable.
func makeFolder(dir string) error {
	if err := disk.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("runfolder: making folder: %w", err)
	}
	return syncFolder(filepath.Dir(filepath.Clean(dir)))
}

// makeSubfolder makes dir in a folder that is there, and makes its name durable.
func makeSubfolder(dir string) error {
	if err := disk.Subfolder(filepath.Split(filepath.Clean(dir))); err != nil {
		return fmt.Errorf("runfolder: making folder: %w", err)
	}
	return syncFolder(filepath.Dir(filepath.Clean(dir)))
}

// entries returns the names in dir apart from leftovers; none when dir is missing.
func entries(dir string) ([]string, error) {
	list, err := disk.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("runfolder: listing folder: %w", err)
	}
	var names []string
	for _, entry := range list {
		if !disk.Temporary(entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// removeLeftovers deletes what a killed process left in dir. Only the process
// that holds the run may call it.
func removeLeftovers(dir string) error {
	list, err := disk.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("runfolder: listing folder: %w", err)
	}
	for _, entry := range list {
		if disk.Temporary(entry.Name()) {
			if err := disk.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
				return fmt.Errorf("runfolder: removing a leftover: %w", err)
			}
		}
	}
	return nil
}

// digestOf returns the SHA-256 of data in hex.
func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// digestFile returns the SHA-256 of a file in hex.
func digestFile(path string) (string, error) {
	file, err := disk.Open(path)
	if err != nil {
		return "", err
	}
	digest := sha256.New()
	_, err = io.Copy(digest, file)
	return hex.EncodeToString(digest.Sum(nil)), errors.Join(err, file.Close())
}

// checkDigest returns a *DamagedError unless got is want.
func checkDigest(path, got, want string) error {
	if got == want {
		return nil
	}
	return &DamagedError{path, fmt.Errorf("sha256 is %s, want %s", got, want)}
}
