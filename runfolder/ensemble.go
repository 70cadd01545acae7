package runfolder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// ensembleFolder holds the ensembles of a study folder.
const ensembleFolder = "ensembles"

// An Ensemble is the result of `deeplimit probe` for one network: many draws of its initial
// weights, untrained. For each, a study folder holds
//
//	ensembles/<id>.json       this struct; written last, so its presence means "done"
//	ensembles/<id>.parquet    Draws, one row for each seed
type Ensemble struct {
	ID       string            `json:"id"`
	Group    string            `json:"group"` // of the runs that start from these draws: ensembles of a group differ in depth
	Study    string            `json:"study"`
	Data     string            `json:"data"`
	Settings map[string]string `json:"settings,omitempty"`

	Depth      int     `json:"depth"`
	Width      int     `json:"width"`
	Hidden     int     `json:"hidden,omitempty"`
	Samples    int     `json:"samples"` // that every number of a draw is a mean over
	DType      string  `json:"dtype"`
	Block      string  `json:"block"`
	Activation string  `json:"activation"`
	Alpha      float64 `json:"alpha"`

	// ExpectedForward and ExpectedBackward are the exact expectations of the columns
	// forward and backward, where they are known in closed form.
	ExpectedForward  *float64 `json:"expected_forward,omitempty"`
	ExpectedBackward *float64 `json:"expected_backward,omitempty"`

	Config  json.RawMessage `json:"config"`  // that of the first draw as a run
	Version string          `json:"version"` // of the program
	SHA256  string          `json:"sha256"`  // of the table

	Draws []Draw `json:"-"`
}

// A Draw is one untrained network: how it changes the length of hidden states h_k and of the
// adjoints p_k = ∂J/∂h_k. Ratios that overflow are infinite, those of zeros NaN.
type Draw struct {
	Seed           uint64  `parquet:"seed"`            // of the run that starts from these weights
	Forward        float64 `parquet:"forward"`         // ‖h_L‖²/‖h_0‖²
	Change         float64 `parquet:"change"`          // ‖h_L − h_0‖²/‖h_0‖²
	Backward       float64 `parquet:"backward"`        // ‖p_0‖²/‖p_L‖²
	BackwardChange float64 `parquet:"backward_change"` // ‖p_0 − p_L‖²/‖p_L‖²
}

// WriteEnsemble writes e into a study folder and replaces an earlier one of its ID.
func WriteEnsemble(studyDir string, e Ensemble) error {
	if e.ID == "" || e.ID != filepath.Base(e.ID) || e.Depth < 1 || len(e.Draws) == 0 {
		return fmt.Errorf("runfolder: writing an ensemble: got id %q, depth %d and %d draws, want the name of a file, a depth and draws", e.ID, e.Depth, len(e.Draws))
	}
	dir := filepath.Join(studyDir, ensembleFolder)
	if err := makeSubfolder(dir); err != nil {
		return err
	}
	// Remove the old description first, so that it never describes the new table.
	if err := disk.Remove(filepath.Join(dir, e.ID+".json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("runfolder: replacing an ensemble: %w", err)
	}
	var err error
	if e.SHA256, err = replaceFile(dir, e.ID+".parquet", func(w io.Writer) error { return encodeTable(w, e.Draws) }); err != nil {
		return err
	}
	if _, err = replaceFile(dir, e.ID+".json", func(w io.Writer) error { return writeWithChecksum(w, e) }); err != nil {
		return err
	}
	return syncFolder(dir)
}

// ReadEnsemble reads an ensemble. The error wraps fs.ErrNotExist if it does not exist or is
// unfinished, and is a *DamagedError if a file is not what was written.
func ReadEnsemble(studyDir, id string) (Ensemble, error) {
	path := filepath.Join(studyDir, ensembleFolder, id)
	text, err := readFile(path + ".json")
	if err != nil {
		return Ensemble{}, err
	}
	var e Ensemble
	if err := decodeWithChecksum(text, &e); err != nil {
		return Ensemble{}, &DamagedError{path + ".json", err}
	}
	if e.ID != id || e.Depth < 1 || math.IsNaN(e.Alpha) {
		return Ensemble{}, &DamagedError{path + ".json", fmt.Errorf("got ensemble %q of depth %d", e.ID, e.Depth)}
	}
	data, err := readFile(path + ".parquet")
	if err != nil {
		return Ensemble{}, err
	}
	if err := checkDigest(path+".parquet", digestOf(data), e.SHA256); err != nil {
		return Ensemble{}, err
	}
	if e.Draws, err = decodeTable[Draw](data); err != nil {
		return Ensemble{}, &DamagedError{path + ".parquet", err}
	}
	return e, nil
}

// Ensembles reads all ensembles of a study folder, sorted by ID; nil if there are none.
func Ensembles(studyDir string) ([]Ensemble, error) {
	names, err := entries(filepath.Join(studyDir, ensembleFolder))
	if err != nil {
		return nil, err
	}
	var list []Ensemble
	for _, name := range names {
		if filepath.Ext(name) != ".json" {
			continue
		}
		e, err := ReadEnsemble(studyDir, name[:len(name)-len(".json")])
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}
