package runfolder

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// A Merged counts what Merge found.
type Merged struct {
	Copied     int // finished runs that are new in the folder
	Present    int // finished runs that it had already, with the same results
	Unfinished int // runs without a result, left where they are
}

// A ConflictError names two results of one run that differ in more than the clock.
type ConflictError struct {
	Paths [2]string
	What  string
}

// Error returns both paths.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("runfolder: merging: %s and %s: got two results of one run whose %s differ, want the same; remove the one that is wrong", e.Paths[0], e.Paths[1], e.What)
}

// Merge brings the finished runs of the study folders in into the study folder out, which
// is made when it is missing: the parts of one study that were computed in different
// places. Every file is held to its checksum. A run that is there already must have the
// same weights, and the same trace but for its clock; else it is a *ConflictError. A
// folder of another study is an error. So is, as a *MixtureError, a run that was computed by
// a program for another machine than the others. What was merged before is found present.
func Merge(out string, in []string) (Merged, error) {
	var merged Merged
	name := ""
	for _, dir := range in {
		study, err := StudyName(dir)
		if err != nil {
			return merged, err
		}
		if name != "" && study != name {
			return merged, fmt.Errorf("runfolder: merging: %s: got study %q, want %q as in %s", dir, study, name, in[0])
		}
		name = study
	}
	if err := oneKind(append([]string{out}, in...)); err != nil {
		return merged, err
	}
	for _, dir := range in {
		if err := mergeStudy(out, dir, name, &merged); err != nil {
			return merged, err
		}
	}
	return merged, nil
}

// oneKind returns a *MixtureError if the finished runs of the studies were computed by
// programs for different machines. What cannot be read is for Merge to find.
func oneKind(studies []string) error {
	var first computed
	for _, study := range studies {
		dirs, err := List(study)
		if err != nil {
			continue
		}
		for _, dir := range dirs {
			if run, err := Open(dir); err == nil && run.Done() {
				if err := first.with(dir, run.Meta.Arithmetic()); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// mergeStudy brings in one folder.
func mergeStudy(out, in, name string, merged *Merged) error {
	if err := checkStudy(out, name); err != nil {
		return err
	}
	if err := makeFolder(out); err != nil {
		return err
	}
	for _, file := range []string{recordFile, studyFile} {
		if err := copyNew(filepath.Join(in, file), filepath.Join(out, file)); err != nil {
			return err
		}
	}
	if err := makeSubfolder(filepath.Join(out, runsFolder)); err != nil {
		return err
	}
	if err := mergeManifest(out, in); err != nil {
		return err
	}
	if err := mergeNotes(out, in); err != nil {
		return err
	}
	dirs, err := List(in)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := mergeRun(out, dir, merged); err != nil {
			return err
		}
	}
	return nil
}

// mergeManifest adds the runs that the study in plans to those of out.
func mergeManifest(out, in string) error {
	other, err := ReadManifest(in)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	all, err := ReadManifest(out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	known := map[string]bool{}
	for _, run := range all.Runs {
		known[run.ID] = true
	}
	all.Study = other.Study
	for _, run := range other.Runs {
		if !known[run.ID] {
			all.Runs = append(all.Runs, run)
		}
	}
	return WriteManifest(out, all)
}

// mergeRun brings in one run.
func mergeRun(out, dir string, merged *Merged) error {
	run, err := Open(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !run.Done() {
		merged.Unfinished++
		return nil
	}
	if err != nil {
		return err
	}
	if err := Verify(dir); err != nil {
		return err
	}
	target := RunDir(out, filepath.Base(dir))
	done, err := hasResult(target)
	if err != nil {
		return err
	}
	if done {
		merged.Present++
		return sameResult(target, run)
	}
	if err := Vacant(target, run.Meta.Hash); err != nil {
		return err
	}
	if err := makeSubfolder(target); err != nil {
		return err
	}
	staging, err := Stage(target)
	if err != nil {
		return err
	}
	err = staging.end(func() error { return staging.copyRun(run) })
	if errors.Is(err, ErrDone) { // by a process that works there
		merged.Present++
		return sameResult(target, run)
	}
	if err == nil {
		merged.Copied++
	}
	return err
}

// copyRun puts all files of a finished run into the staging folder, as fill does.
func (s *Staging) copyRun(run *Run) error {
	for _, name := range append(slices.Sorted(maps.Keys(run.Summary.SHA256)), resultFile) {
		source, err := disk.Open(filepath.Join(run.Dir, name))
		if err != nil {
			return fmt.Errorf("runfolder: merging: %w", err)
		}
		_, err = writeFile(s.Dir, name, func(w io.Writer) error { _, err := io.Copy(w, source); return err })
		if err = errors.Join(err, source.Close()); err != nil {
			return err
		}
	}
	return s.settle(run.Summary.SHA256, run.Summary.Checksum)
}

// sameResult returns a *ConflictError unless the run in dir has the results of other.
func sameResult(dir string, other *Run) error {
	run, err := Open(dir)
	if err != nil {
		return err
	}
	conflict := func(what string) error { return &ConflictError{[2]string{dir, other.Dir}, what} }
	if run.Meta.Hash != other.Meta.Hash {
		return conflict("hashes")
	}
	if run.Summary.SHA256[weightsFile] != other.Summary.SHA256[weightsFile] {
		return conflict("weights")
	}
	var texts [2]bytes.Buffer
	for i, r := range []*Run{run, other} {
		rows, err := r.Trace()
		if err != nil {
			return err
		}
		for k := range rows {
			rows[k].Seconds = 0
		}
		if err := encodeTrace(&texts[i], rows, nil); err != nil {
			return err
		}
	}
	if !bytes.Equal(texts[0].Bytes(), texts[1].Bytes()) {
		return conflict("traces")
	}
	return nil
}

// copyNew copies a file durably, unless there is none to copy or the new name is taken.
func copyNew(from, to string) error {
	if _, err := disk.Stat(to); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("runfolder: merging: %w", err)
	}
	source, err := disk.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = disk.WriteFile(to, func(w io.Writer) error { _, err := io.Copy(w, source); return err })
		err = errors.Join(err, source.Close())
	}
	if err != nil {
		return fmt.Errorf("runfolder: merging: %w", err)
	}
	return nil
}
