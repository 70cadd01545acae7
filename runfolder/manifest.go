package runfolder

import (
	"errors"
	"fmt"
	"path/filepath"
)

// A Manifest is runs.json: the runs that a study consists of, as it was last started.
type Manifest struct {
	Study string    `json:"study"`
	File  string    `json:"file,omitempty"` // study file, absolute: its relative paths start beside it; "" where runs were merged
	Runs  []Planned `json:"runs"`
}

// A Planned run is one of a study, before and after it is computed.
type Planned struct {
	ID         string            `json:"id"` // name of its folder
	Hash       string            `json:"hash"`
	Group      string            `json:"group"`
	Data       string            `json:"data"`
	Depth      int               `json:"depth"`
	Seed       uint64            `json:"seed"`
	Settings   map[string]string `json:"settings,omitempty"`
	Iterations int               `json:"iterations"` // at most
	Flops      float64           `json:"step_flops"` // floating-point operations of a step
	Bytes      float64           `json:"bytes"`      // estimate of the memory that it takes
}

// WriteManifest puts m into the study folder, unless the same is there already.
func WriteManifest(studyDir string, m Manifest) error {
	text, err := encodeWithChecksum(m)
	if err != nil {
		return fmt.Errorf("runfolder: manifest of %s: %w", studyDir, err)
	}
	if err := checkWritten(filepath.Join(studyDir, manifestFile), text, fmt.Sprintf("%d runs", len(m.Runs))); err != nil {
		return err
	}
	if err := keepFile(studyDir, manifestFile, text); err != nil {
		return err
	}
	return syncFolder(studyDir)
}

// ReadManifest returns the runs that a study consists of; an error that wraps
// fs.ErrNotExist for a folder that no study was started in, as of imported runs.
func ReadManifest(studyDir string) (Manifest, error) {
	path := filepath.Join(studyDir, manifestFile)
	data, err := readFile(path)
	if err != nil {
		return Manifest{}, err
	}
	var m Manifest
	if err := decodeWithChecksum(data, &m); err != nil {
		return Manifest{}, &DamagedError{path, err}
	}
	for _, run := range m.Runs {
		if run.ID == "" || run.ID != filepath.Base(run.ID) || run.Hash == "" {
			return Manifest{}, &DamagedError{path, errors.New("want an id and a hash for every run")}
		}
	}
	return m, nil
}
