package runfolder

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/yamltext"
)

// studyRecord is study.json: what a study is beside its text, and what that text was.
type studyRecord struct {
	Name   string   `json:"name"`
	Set    []string `json:"set,omitempty"` // path=value, in the order given
	SHA256 string   `json:"sha256"`        // of study.yaml
}

// CreateStudy makes the folder of a study:
//
//	study.yaml    the exact text of the study file
//	study.json    its name and overrides, and checksums
//	runs/<id>/    one folder for each run
//
// overrides are path=value, as on the command line. A folder of the same study is
// used again and takes the new text, as runs are told apart by their hash. A folder
// of another study, or with files but no study.yaml, is an *OccupiedError and left as
// it is. Without overrides the text must hold the name.
func CreateStudy(dir, name, text string, overrides []string) error {
	if len(overrides) == 0 {
		got, err := nameOf([]byte(text))
		if err != nil {
			return fmt.Errorf("runfolder: creating study folder %s: text: %w", dir, err)
		}
		if got != name {
			return fmt.Errorf("runfolder: creating study folder %s: text: name: got %q, want %q", dir, got, name)
		}
	}
	if err := checkStudy(dir, name); err != nil {
		return err
	}
	if err := makeFolder(dir); err != nil {
		return err
	}
	// Names first: another process that starts now must not take this for a folder that
	// holds something else.
	record, err := encodeWithChecksum(studyRecord{name, overrides, digestOf([]byte(text))})
	if err != nil {
		return fmt.Errorf("runfolder: creating study folder %s: %w", dir, err)
	}
	for _, file := range []struct {
		name    string
		content []byte
	}{{recordFile, record}, {studyFile, []byte(text)}} {
		if err := keepFile(dir, file.name, file.content); err != nil {
			return err
		}
	}
	return makeSubfolder(filepath.Join(dir, runsFolder))
}

// KeepStudy makes the folder of a study as CreateStudy does, but leaves the text of one that was
// started as it is: the runs that runs.json lists are those of that text.
func KeepStudy(dir, name, text string, overrides []string) error {
	switch _, err := disk.Stat(filepath.Join(dir, manifestFile)); {
	case err == nil:
		return checkStudy(dir, name)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("runfolder: %w", err)
	}
	return CreateStudy(dir, name, text, overrides)
}

// keepFile makes dir/name hold content, and leaves a file that does as it is.
func keepFile(dir, name string, content []byte) error {
	old, err := readFile(filepath.Join(dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil && bytes.Equal(old, content) {
		return nil
	}
	_, err = replaceFile(dir, name, func(w io.Writer) error { _, err := w.Write(content); return err })
	return err
}

// checkStudy returns nil when dir is missing, empty, or the folder of the named study.
func checkStudy(dir, name string) error {
	names, err := entries(dir)
	if err != nil || len(names) == 0 {
		return err
	}
	if len(names) == 1 && names[0] == runsFolder { // what is left when the folder was removed while it was made
		if runs, err := entries(filepath.Join(dir, runsFolder)); err != nil || len(runs) == 0 {
			return err
		}
	}
	old, err := presentName(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &OccupiedError{dir, fmt.Sprintf("%q and no %s", names[0], studyFile), fmt.Sprintf("an empty folder or one of study %q", name)}
	case err != nil:
		return err
	case old != name:
		return &OccupiedError{dir, fmt.Sprintf("study %q", old), fmt.Sprintf("an empty folder or one of study %q", name)}
	}
	return nil
}

// presentName returns the name of the study in dir even when one of its files is damaged,
// when a kill struck before the other was written, or when both were removed and runs.json
// was not.
func presentName(dir string) (string, error) {
	record, err := readRecord(dir)
	if err == nil {
		return record.Name, nil
	}
	data, failed := readFile(filepath.Join(dir, studyFile))
	if errors.Is(failed, fs.ErrNotExist) {
		if manifest, other := ReadManifest(dir); other == nil {
			return manifest.Study, nil
		}
		return "", err
	}
	if failed != nil {
		return "", failed
	}
	name, failed := nameOf(data)
	if failed != nil {
		return "", &DamagedError{filepath.Join(dir, studyFile), failed}
	}
	return name, nil
}

func readRecord(dir string) (studyRecord, error) {
	path := filepath.Join(dir, recordFile)
	data, err := readFile(path)
	if err != nil {
		return studyRecord{}, err
	}
	var record studyRecord
	if err := decodeWithChecksum(data, &record); err != nil {
		return studyRecord{}, &DamagedError{path, err}
	}
	return record, nil
}

// StudyName returns the name of the study in a study folder; an error that wraps
// fs.ErrNotExist when there is none. A study.json or study.yaml that is not what was
// written is a *DamagedError; study.yaml alone is enough.
func StudyName(dir string) (string, error) {
	record, err := readRecord(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	path := filepath.Join(dir, studyFile)
	text, failed := readFile(path)
	switch {
	case err == nil && errors.Is(failed, fs.ErrNotExist):
		return record.Name, nil // a kill struck before it was written
	case failed != nil:
		return "", failed
	case err == nil:
		return record.Name, checkDigest(path, digestOf(text), record.SHA256)
	}
	name, err := nameOf(text)
	if err != nil {
		return "", fmt.Errorf("runfolder: %s: %w", path, err)
	}
	return name, nil
}

// A Started study is what a worker needs to join it: the study as it was last started.
type Started struct {
	Manifest
	Text []byte   // of study.yaml
	Set  []string // overrides
}

// ReadStarted returns the study that was last started in a study folder; an error that
// wraps fs.ErrNotExist where none was. What is read while another process starts the study
// anew may be of both starts: its text, that is not what was written, is a *DamagedError,
// and its runs are not those of its text.
func ReadStarted(dir string) (Started, error) {
	manifest, err := ReadManifest(dir)
	if err != nil {
		return Started{}, err
	}
	record, err := readRecord(dir)
	if err != nil {
		return Started{}, err
	}
	path := filepath.Join(dir, studyFile)
	text, err := readFile(path)
	if err != nil {
		return Started{}, err
	}
	return Started{manifest, text, record.Set}, checkDigest(path, digestOf(text), record.SHA256)
}

// nameOf reads the name alone: package study checks the rest of the text.
func nameOf(text []byte) (string, error) {
	root, err := yamltext.Parse(text)
	if err != nil {
		return "", err
	}
	var study struct{ Name string }
	if err := root.Load(&study); err != nil || study.Name == "" {
		return "", errors.New(`name: got "", want the name of the study`)
	}
	return study.Name, nil
}

// RunDir returns the folder of the run called id in a study folder.
func RunDir(studyDir, id string) string { return filepath.Join(studyDir, runsFolder, id) }

// readRuns returns the entries of the folder of runs, none when it is missing.
func readRuns(studyDir string) ([]fs.DirEntry, error) {
	entries, err := disk.ReadDir(filepath.Join(studyDir, runsFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("runfolder: listing runs: %w", err)
	}
	return entries, nil
}
