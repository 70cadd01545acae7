package runfolder

import (
	"fmt"
	"io"
	"path/filepath"
)

// Names of answers.
const (
	Tune     = "tune"     // of `deeplimit tune`: tune.json
	Families = "families" // of `deeplimit import`: families.json
)

// WriteAnswer writes the answer to a question about a whole study into its folder, as NAME.json, in
// the place of an earlier one.
func WriteAnswer(studyDir, name string, answer any) error {
	text, err := encodeWithChecksum(answer)
	if err != nil {
		return fmt.Errorf("runfolder: writing %s: %w", filepath.Join(studyDir, name+".json"), err)
	}
	if err := checkWritten(filepath.Join(studyDir, name+".json"), text, "an answer"); err != nil {
		return err
	}
	if _, err := replaceFile(studyDir, name+".json", func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
		return err
	}
	return syncFolder(studyDir)
}

// ReadAnswer reads an answer into the value that answer points to. The error wraps fs.ErrNotExist if there is
// none, and is a *DamagedError if the file is not what was written.
func ReadAnswer(studyDir, name string, answer any) error {
	path := filepath.Join(studyDir, name+".json")
	data, err := readFile(path)
	if err != nil {
		return err
	}
	if err := decodeWithChecksum(data, answer); err != nil {
		return &DamagedError{path, err}
	}
	return nil
}
