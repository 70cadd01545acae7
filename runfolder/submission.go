package runfolder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"time"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// A Submission is one array of equal tasks that was handed to a cluster's queue: what
// status, cancel and logs find it by. Which run a task works on stands in the lease of the run.
type Submission struct {
	Name    string    `json:"name"`           // of the job in the queue and of the folder here, unique
	Time    time.Time `json:"time"`           // of the submission
	Job     string    `json:"job,omitempty"`  // what the queue calls it; "" when its answer never came
	Tasks   int       `json:"tasks"`          // their indices start at 0
	Only    []string  `json:"only,omitempty"` // conditions on the runs that the tasks take; none for all
	Command []string  `json:"command"`        // what the job was submitted with
}

const (
	slurmFolder    = "slurm"
	submissionFile = "submission.json"
	scriptFile     = "job.sh"
)

// submissionName is what a Submission may be called: safe as a file's and as a job's name.
var submissionName = regexp.MustCompile(`^[\pL\pN][\pL\pN._-]*$`)

// SubmissionDir returns the folder of the named submission in a study folder: its
// submission.json, its batch script, and the log of each task.
func SubmissionDir(studyDir, name string) string {
	return filepath.Join(studyDir, slurmFolder, name)
}

// SubmissionLog returns the log of a submission's task.
func SubmissionLog(studyDir, name string, task int) string {
	return filepath.Join(SubmissionDir(studyDir, name), fmt.Sprintf("%d.log", task))
}

// WriteSubmission makes the folder of s with submission.json and the batch script,
// durably, or writes both again, and returns the script's path.
func WriteSubmission(studyDir string, s Submission, script string) (string, error) {
	if !submissionName.MatchString(s.Name) {
		return "", fmt.Errorf("runfolder: writing a submission: name: got %q, want letters, digits, dots, dashes, underscores", s.Name)
	}
	dir := SubmissionDir(studyDir, s.Name)
	if err := makeSubfolder(filepath.Dir(dir)); err != nil {
		return "", err
	}
	if err := makeSubfolder(dir); err != nil {
		return "", err
	}
	if _, err := replaceFile(dir, scriptFile, func(w io.Writer) error { _, err := io.WriteString(w, script); return err }); err != nil {
		return "", err
	}
	text, err := encodeWithChecksum(s)
	if err != nil {
		return "", fmt.Errorf("runfolder: writing a submission: %w", err)
	}
	if err := checkWritten(filepath.Join(dir, submissionFile), text, fmt.Sprintf("%d conditions", len(s.Only))); err != nil {
		return "", err
	}
	if _, err := replaceFile(dir, submissionFile, func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
		return "", err
	}
	return filepath.Join(dir, scriptFile), syncFolder(dir)
}

// ReadSubmission reads the named submission of a study folder. Content that is not
// what was written is a *DamagedError.
func ReadSubmission(studyDir, name string) (Submission, error) {
	path := filepath.Join(SubmissionDir(studyDir, name), submissionFile)
	data, err := readFile(path)
	if err != nil {
		return Submission{}, err
	}
	var s Submission
	if err := decodeWithChecksum(data, &s); err != nil {
		return Submission{}, &DamagedError{path, err}
	}
	if s.Name != name {
		return Submission{}, &DamagedError{path, fmt.Errorf("name: got %q, want %q", s.Name, name)}
	}
	return s, nil
}

// Submissions reads all submissions of a study folder, sorted by name; none when
// nothing was ever submitted. A folder whose submission.json was never written
// belongs to a program that died before it submitted anything, and is passed over.
func Submissions(studyDir string) ([]Submission, error) {
	list, err := disk.ReadDir(filepath.Join(studyDir, slurmFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("runfolder: listing submissions: %w", err)
	}
	var all []Submission
	for _, entry := range list {
		if !entry.IsDir() {
			continue
		}
		s, err := ReadSubmission(studyDir, entry.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// RemoveSubmission deletes the folder of a submission that the queue does not have.
func RemoveSubmission(studyDir, name string) error {
	if err := disk.RemoveAll(SubmissionDir(studyDir, name)); err != nil {
		return fmt.Errorf("runfolder: removing a submission: %w", err)
	}
	return nil
}
