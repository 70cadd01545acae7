// Package survey tells how the runs of a study stand, from the files in its folder
// alone: it can be asked while any number of workers are at work, here or elsewhere,
// and changes nothing.
package survey

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deeplimit/deeplimit/runfolder"
)

// A State says how a run stands.
type State string

// The states of a run.
const (
	Pending     State = "pending"     // nobody has begun it
	Running     State = "running"     // a worker shows signs of life
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
	Iteration int           // reached, as far as it is known: of an interrupted run, where its checkpoint goes on
	Loss      float64       // there; NaN when it is not known
	Stop      string        // why it stopped, of a finished run
	Start     time.Time     // of the first attempt at a finished run, else of the last; zero while pending
	Beat      time.Time     // last sign of life, by the worker's clock; the end of a finished run
	Seconds   float64       // of training: of a finished run, or of the worker at work
	ETA       time.Duration // at most, for a running one; 0 when it is not known
	Host      string        // of the last worker
	Job       string        // of the last worker in a cluster's queue
	Version   string        // of the program that began or finished it
	Attempts  int           // how often a worker took an unfinished run
	Reason    string        // of a failure or an interruption
	Err       error         // why a file of the run could not be read; the run is failed then
}

// Read returns the runs of a study in the order of its file, then imported ones. A folder
// that no study was started in has only the latter. What an earlier form of the study
// left is passed over, as it is wherever runs are read (runfolder.List).
//
// Result files are the truth. A run without one is told by its lease: a worker of this
// machine is looked for among the processes; for one elsewhere this machine's clock is
// compared with its last sign of life, so with clocks that differ by a minute a run at
// work may be shown as interrupted, or the other way round. Nothing is decided by that.
func Read(studyDir string) ([]Run, error) {
	return ReadAdmitted(studyDir, func(string) error { return nil })
}

// ReadAdmitted is Read for folders that others may have filled: no file of a run is read
// unless admit returns nil for its ID, and a run that is not admitted is failed, with
// the error as its reason. Runs that exist not yet are asked for, too. admit is called
// from several goroutines.
func ReadAdmitted(studyDir string, admit func(id string) error) ([]Run, error) {
	manifest, err := runfolder.ReadManifest(studyDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		if _, err := runfolder.StudyName(studyDir); err != nil {
			return nil, fmt.Errorf("survey: %s: got a folder without study.yaml, want that of a study: %w", studyDir, err)
		}
	}
	runs := make([]Run, 0, len(manifest.Runs))
	planned := make(map[string]bool, len(manifest.Runs))
	for _, p := range manifest.Runs {
		runs = append(runs, Run{Planned: p, Dir: runfolder.RunDir(studyDir, p.ID)})
		planned[p.ID] = true
	}
	dirs, err := runfolder.List(studyDir)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		if id := filepath.Base(dir); !planned[id] {
			runs = append(runs, Run{Planned: runfolder.Planned{ID: id}, Dir: dir, Extra: true})
		}
	}
	now := time.Now()
	var group errgroup.Group
	group.SetLimit(4 * runtime.GOMAXPROCS(0)) // reading waits for the disk, or for a file server
	const batch = 64
	for from := 0; from < len(runs); from += batch {
		group.Go(func() error {
			for i := from; i < min(from+batch, len(runs)); i++ {
				runs[i].look(now, admit)
			}
			return nil
		})
	}
	return runs, group.Wait()
}
