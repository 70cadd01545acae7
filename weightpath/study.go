package weightpath

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
)

// CreateStudy makes the folder of a study:
//
//	study.yaml    the exact text of the study file
//	runs/<id>/    one folder for each run
//
// A folder of the same study is used again and takes the new text, as runs are
// told apart by their hash. A folder of another study, or with files but no
// study.yaml, is an *OccupiedError and left as it is. The text must hold the name.
func CreateStudy(dir, name, text string) error {
	got, err := nameOf([]byte(text))
	if err != nil {
		return fmt.Errorf("weightpath: creating study folder %s: text: %w", dir, err)
	}
	if got != name {
		return fmt.Errorf("weightpath: creating study folder %s: text: name: got %q, want %q", dir, got, name)
	}
	names, err := entries(dir)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, studyFile)
	if len(names) > 0 {
		old, err := StudyName(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return &OccupiedError{dir, fmt.Sprintf("%q and no %s", names[0], studyFile), fmt.Sprintf("an empty folder or one of study %q", name)}
		case err != nil:
			return err
		case old != name:
			return &OccupiedError{dir, fmt.Sprintf("study %q", old), fmt.Sprintf("an empty folder or one of study %q", name)}
		}
	}
	if err := makeFolder(dir); err != nil {
		return err
	}
	if err := makeFolder(filepath.Join(dir, runsFolder)); err != nil {
		return err
	}
	if old, err := os.ReadFile(path); err == nil && string(old) == text {
		return nil
	}
	if _, err := replaceFile(dir, studyFile, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
		return err
	}
	return syncFolder(dir)
}

// StudyName returns the name in the study.yaml of a study folder; an error that
// wraps fs.ErrNotExist when there is none.
func StudyName(dir string) (string, error) {
	path := filepath.Join(dir, studyFile)
	data, err := readFile(path)
	if err != nil {
		return "", err
	}
	name, err := nameOf(data)
	if err != nil {
		return "", fmt.Errorf("weightpath: %s: %w", path, err)
	}
	return name, nil
}

// nameOf reads the name alone: package study checks the rest of the text.
func nameOf(text []byte) (string, error) {
	var study struct {
		Name string `yaml:"name"`
	}
	if err := yaml.Unmarshal(text, &study); err != nil {
		return "", fmt.Errorf("name: %w", err)
	}
	if study.Name == "" {
		return "", errors.New(`name: got "", want the name of the study`)
	}
	return study.Name, nil
}

// RunDir returns the folder of the run called id in a study folder.
func RunDir(studyDir, id string) string { return filepath.Join(studyDir, runsFolder, id) }

// List returns the run folders of a study folder, sorted by name; none when it
// has no folder runs yet. Hidden ones are passed over.
func List(studyDir string) ([]string, error) {
	list, err := os.ReadDir(filepath.Join(studyDir, runsFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("weightpath: listing runs: %w", err)
	}
	var dirs []string
	for _, entry := range list {
		if entry.IsDir() && entry.Name()[0] != '.' {
			dirs = append(dirs, RunDir(studyDir, entry.Name()))
		}
	}
	return dirs, nil
}
