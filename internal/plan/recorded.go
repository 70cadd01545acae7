package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Recorded returns the problem of a run as run.json has it, so that neither the study file
// nor its overrides are needed, and loads its samples. A base replaces the recorded folder
// that relative names of files start from, unless it is "".
//
// It is an error if the run was not trained by deeplimit, or if a data file has changed
// since.
func Recorded(recorded *runfolder.Run, base string) (*Problem, error) {
	return (&Recorder{Base: base}).Problem(recorded)
}

// recordedRun returns the resolved run of run.json.
func recordedRun(recorded *runfolder.Run, base string) (*study.Run, error) {
	var run study.Run
	if config := recorded.Meta.Config; len(config) > 0 {
		var err error
		if run, err = study.ParseConfig(config); err != nil {
			return nil, fmt.Errorf("run.json: config: %w", err)
		}
	}
	if run.Data.Kind == "" {
		return nil, errors.New("run.json: config: got no data, want a run that deeplimit trained: weights from elsewhere have no samples to evaluate a loss on")
	}
	if base == "" {
		base = recorded.Meta.Base
	}
	run.ID, run.Hash, run.Group, run.Base = recorded.Meta.ID, recorded.Meta.Hash, recorded.Meta.Group, base
	return &run, nil
}

// checkFiles returns an error unless the data files are those that the run was trained on.
func checkFiles(run *study.Run) error {
	paths, err := dataset.Files(run.Data, run.Base)
	if err != nil {
		return err
	}
	want := map[string]string{}
	for _, f := range run.Files {
		want[f.Role] = f.SHA256
	}
	for i, path := range paths {
		digest, err := digestOf(path)
		if err != nil {
			return fmt.Errorf("data of the run: %w; put the file back, or name the folder that relative names start from (now %q) with --base", err, run.Base)
		}
		if sum := want["data."+strconv.Itoa(i)]; sum != digest {
			return fmt.Errorf("data of the run: %s: got sha256 %s, want %s: the file has changed since the run", path, digest, sum)
		}
	}
	return nil
}

func digestOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
