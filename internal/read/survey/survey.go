// Package survey tells how the runs of a study stand, from the files in its folder
// alone: it can be asked while any number of workers are at work, here or elsewhere,
// and changes nothing.
package survey

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"sync"
	"time"

	"github.com/deeplimit/deeplimit/runfolder"
)

// A State says how a run stands.
type State string

// The states of a run.
const (
	Pending     State = "pending"     // nobody has begun it
	Running     State = "running"     // a worker sends heartbeats
	Interrupted State = "interrupted" // begun and unfinished, and nobody is at work
	Done        State = "done"
	Diverged    State = "diverged" // done: its loss grew beyond bounds
	Failed      State = "failed"   // the last attempt ended with an error, or the result is damaged or broke a promise
)

// States holds every state in the order of tables.
var States = []State{Done, Running, Interrupted, Pending, Diverged, Failed}

// A Run is how one run of a study stands.
type Run struct {
	runfolder.Planned
	Dir   string
	State State
	// Extra marks a run that the study does not plan: an imported one.
	Extra     bool
	Iteration int     // reached, as far as it is known: of an interrupted run, where its checkpoint goes on
	Loss      float64 // there; NaN when it is not known
	// Accuracies are shares of samples in their class there, by AccuracyColumns. A survey leaves them nil, as they stand in the
	// traces: Accuracies finds them there.
	Accuracies map[string]float64
	Stop       string    // why it stopped, of a finished run
	Start      time.Time // of the first attempt at a finished run, else of the last; zero while pending
	Beat       time.Time // last heartbeat, by the worker's clock; the end of a finished run
	Seconds    float64   // of training: of a finished run, or of the worker at work
	// LayerIterations is the sum of depth times steps, of a finished run.
	LayerIterations int
	ETA             time.Duration // at most, for a running one; 0 when it is not known
	Host            string        // of the last worker
	Job             string        // of the last worker in a cluster's queue
	Version         string        // of the program that began or finished it
	Attempts        int           // how often a worker took an unfinished run
	Reason          string        // of a failure or an interruption
	Err             error         // why a file of the run could not be read; the run is failed then
}

// AccuracyColumns are the columns of a trace that hold shares of samples in their class: of the training, validation and test set.
var AccuracyColumns = []string{"accuracy", "validation_accuracy", "test_accuracy"}

// Accuracies returns the last of each in a trace, without those that it has not; nil for a run that learns no classification.
func Accuracies(rows []runfolder.Row) map[string]float64 {
	var last map[string]float64
	for i := range rows {
		row := &rows[i]
		for k, v := range []*float64{row.Accuracy, row.ValidationAccuracy, row.TestAccuracy} {
			if v == nil {
				continue
			}
			if last == nil {
				last = map[string]float64{}
			}
			last[AccuracyColumns[k]] = *v
		}
	}
	return last
}

// Read returns the runs of a study in the order of its file, then imported ones. A folder
// that no study was started in has only the latter. What an earlier form of the study
// left is passed over, as it is wherever runs are read (runfolder.List); others are its folders.
//
// Result files are the truth. A run without one is told by its lease: a worker of this
// machine is looked for among the processes; for one elsewhere this machine's clock is
// compared with its last heartbeat, so with clocks that differ by a minute a run at
// work may be shown as interrupted, or the other way round. Nothing is decided by that.
func Read(studyDir string) (runs []Run, others []string, err error) {
	return ReadAdmitted(studyDir, everyRun)
}

func everyRun(string) error { return nil }

// ReadNamed is Read for a folder of which runfolder.StudyName gave the name of a study.
func ReadNamed(studyDir string) (runs []Run, others []string, err error) {
	listing, runs, err := read(studyDir, everyRun)
	if err != nil {
		return nil, nil, err
	}
	return runs, listing.Others, nil
}

// ReadAdmitted is Read for folders that others may have filled: no file of a run is read
// unless admit returns nil for its ID, and a run that is not admitted is failed, with
// the error as its reason. Runs that exist not yet are asked for, too. admit is called
// from several goroutines.
func ReadAdmitted(studyDir string, admit func(id string) error) (runs []Run, others []string, err error) {
	listing, runs, err := read(studyDir, admit)
	if err != nil {
		return nil, nil, err
	}
	if listing.Manifest == nil {
		if _, err := runfolder.StudyName(studyDir); err != nil {
			return nil, nil, fmt.Errorf("survey: %s: got a folder without study.yaml, want that of a study: %w", studyDir, err)
		}
	}
	return runs, listing.Others, nil
}

func read(studyDir string, admit func(id string) error) (listing *runfolder.Listing, runs []Run, err error) {
	now := time.Now()
	var mu sync.Mutex
	looked := map[string]Run{} // by ID
	listing, err = runfolder.OpenStudy(studyDir, admit, func(m *runfolder.Member) {
		r := Look(m, now, runfolder.ReadProgress)
		mu.Lock()
		defer mu.Unlock()
		looked[m.ID] = r
	})
	if err != nil {
		return nil, nil, err
	}
	runs = InOrder(studyDir, listing, looked)
	for i := range runs {
		if r := &runs[i]; r.State == Pending {
			if err := admit(r.ID); err != nil {
				r.State, r.Reason = Failed, err.Error()
			}
		}
	}
	return listing, runs, nil
}

// LookOthers returns how the run folders stand that Read found to be no part of the study; a
// folder that holds no run is left out.
func LookOthers(dirs []string) ([]Run, error) {
	var runs []Run
	now := time.Now()
	for _, dir := range dirs {
		if holds, err := runfolder.Holds(dir); err != nil || !holds {
			if err != nil {
				return nil, fmt.Errorf("survey: %w", err)
			}
			continue
		}
		m := runfolder.Member{ID: filepath.Base(dir), Dir: dir}
		m.Run, m.Err = runfolder.Open(dir)
		runs = append(runs, Look(&m, now, runfolder.ReadProgress))
	}
	return runs, nil
}

// LookStored returns how the run in a folder of a store stands, nil where nobody has begun it.
func LookStored(dir string) *Run {
	m := runfolder.Member{ID: filepath.Base(dir), Dir: dir}
	if m.Run, m.Err = runfolder.Open(dir); errors.Is(m.Err, fs.ErrNotExist) {
		return nil
	}
	r := Look(&m, time.Now(), runfolder.ReadProgress)
	return &r
}

// InOrder returns the runs of a study as Read does, of which looked holds those that have a
// folder.
func InOrder(studyDir string, listing *runfolder.Listing, looked map[string]Run) []Run {
	var runs []Run
	if listing.Manifest != nil {
		for _, p := range listing.Manifest.Runs {
			r, ok := looked[p.ID]
			if !ok {
				r = Run{Planned: p, Dir: runfolder.RunDir(studyDir, p.ID), State: Pending, Loss: math.NaN()}
			}
			runs = append(runs, r)
		}
	}
	for _, m := range listing.Members {
		if m.Plan == nil {
			runs = append(runs, looked[m.ID])
		}
	}
	return runs
}
