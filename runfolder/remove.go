package runfolder

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// Remove deletes a run folder. The folder takes a hidden name first, and that is durable before
// a file goes, so that nobody meets a part of a run, also after a kill; what a kill leaves is
// for RemoveHidden. Of a link to a store the link alone is removed, as other studies may use
// the run. No folder is no error.
func Remove(dir string) error {
	dir = filepath.Clean(dir)
	info, err := disk.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("runfolder: removing a run: %w", err)
	}
	parent, name := filepath.Split(dir)
	if info.Mode()&fs.ModeSymlink != 0 {
		if err := disk.RemoveIfThere(dir); err != nil {
			return fmt.Errorf("runfolder: removing a link to a run: %w", err)
		}
		return syncFolder(filepath.Clean(parent))
	}
	hidden := filepath.Join(parent, fmt.Sprintf(".%s.%d.tmp", name, rand.Uint32()))
	if err := disk.Rename(dir, hidden); err != nil {
		return fmt.Errorf("runfolder: removing a run: %w", err)
	}
	if err := syncFolder(filepath.Clean(parent)); err != nil {
		return err
	}
	if err := disk.RemoveAll(hidden); err != nil {
		return fmt.Errorf("runfolder: removing a run: %w", err)
	}
	return nil
}

// Hidden returns what calls of Remove that were cut short have left in a study folder.
func Hidden(studyDir string) ([]string, error) {
	entries, err := readRuns(studyDir)
	if err != nil {
		return nil, err
	}
	var left []string
	for _, entry := range entries {
		if entry.IsDir() && disk.Temporary(entry.Name()) {
			left = append(left, filepath.Join(studyDir, runsFolder, entry.Name()))
		}
	}
	return left, nil
}

// RemoveHidden deletes what Hidden returns.
func RemoveHidden(studyDir string) error {
	left, err := Hidden(studyDir)
	for _, dir := range left {
		if failed := disk.RemoveAll(dir); failed != nil {
			err = errors.Join(err, fmt.Errorf("runfolder: removing the rest of a run: %w", failed))
		}
	}
	return err
}

// Holds reports whether a folder is that of a run: one with a run.json or result.json, damaged
// or not, or with no other files than a run has before its run.json.
func Holds(dir string) (bool, error) {
	names, err := entries(dir)
	if err != nil {
		return false, err
	}
	foreign := func(name string) bool {
		return leaseNumber(name) == 0 && !slices.Contains([]string{checkpointFolder, liveFile, failureFile, finishFile}, name)
	}
	return slices.Contains(names, runFile) || slices.Contains(names, resultFile) || !slices.ContainsFunc(names, foreign), nil
}
