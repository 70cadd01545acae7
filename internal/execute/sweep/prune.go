package sweep

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/deeplimit/deeplimit/internal/execute/lease"
	"github.com/deeplimit/deeplimit/runfolder"
)

// ErrMember says that a run is part of the study, which Prune was not to remove.
var ErrMember = errors.New("sweep: the run is part of the study as it was last started")

// PruneOptions says how Prune removes runs.
type PruneOptions struct {
	// Members lets runs go that the study as it was last started has.
	Members   bool
	Heartbeat time.Duration // as of Options
	// Waiting, if not nil, is told once of each worker that has given no sign for long and is
	// watched, until it does or counts as dead.
	Waiting func(*lease.HeldError)
}

// Prune removes the named runs of a study folder, each under its lease, so that none goes that
// somebody works on: that is a *lease.HeldError. A worker that has given no sign for long is
// watched as before a take-over. What earlier calls that were cut short have left goes, too.
// The errors are by run; one run that stays keeps no other.
func Prune(ctx context.Context, studyDir string, ids []string, options PruneOptions) map[string]error {
	manager := lease.NewManager(options.Heartbeat, "")
	defer manager.Close()
	failed := map[string]error{}
	for _, id := range ids {
		manager.Free(runfolder.RunDir(studyDir, id)) // the watching of all begins now
	}
	for _, id := range ids {
		if err := prune(ctx, manager, studyDir, id, &options); err != nil {
			failed[id] = err
		}
	}
	if err := runfolder.RemoveHidden(studyDir); err != nil {
		failed[""] = err
	}
	return failed
}

// prune removes one run.
func prune(ctx context.Context, manager *lease.Manager, studyDir, id string, options *PruneOptions) error {
	dir := runfolder.RunDir(studyDir, id)
	if id == "" || id != filepath.Base(id) {
		return fmt.Errorf("sweep: got %q, want the name of a run", id)
	}
	if err := whenFree(ctx, manager, dir, options.Waiting); err != nil {
		return err
	}
	release := func() error { return nil }
	if linked, err := runfolder.Linked(dir); err != nil {
		return err
	} else if !linked { // the run of a link stays in its store, and its files as they are
		held, _, err := manager.Acquire(ctx, dir)
		if err != nil {
			return err
		}
		release = held.Release
		if runfolder.Done(dir) {
			release = held.Finished
		}
	}
	if err := checkMember(studyDir, id, options.Members); err != nil {
		return errors.Join(err, release())
	}
	if err := runfolder.Remove(dir); err != nil {
		return errors.Join(err, release())
	}
	return nil
}

// checkMember returns ErrMember for a run that the study has, unless that may go.
func checkMember(studyDir, id string, members bool) error {
	if members {
		return nil
	}
	manifest, err := runfolder.ReadManifest(studyDir)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(manifest.Runs, func(r runfolder.Planned) bool { return r.ID == id }) {
		return ErrMember
	}
	return nil
}

// whenFree returns when nobody works on the run in dir, and a *lease.HeldError when somebody
// does.
func whenFree(ctx context.Context, manager *lease.Manager, dir string, waiting func(*lease.HeldError)) error {
	for told := false; ; {
		_, err := manager.Free(dir)
		held, ok := errors.AsType[*lease.HeldError](err)
		if !ok {
			return err
		}
		if held.Lease.Alive(time.Now()) || manager.Alive(held) {
			return held
		}
		if !told && waiting != nil {
			told = true
			waiting(held)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(time.Second, max(held.Lease.Patience()/runfolder.MissedBeats, 10*time.Millisecond))):
		}
	}
}
