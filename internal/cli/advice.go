package cli

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/execute/lease"
	"github.com/deeplimit/deeplimit/runfolder"
)

// withAdvice returns the text of an error in which every damaged file is followed by what
// mends it.
func withAdvice(err error) string {
	text := err.Error()
	var told []string
	for _, damaged := range damagedIn(err, nil) {
		before := damaged.Error()
		if advice := mend(damaged); advice != "" && !slices.Contains(told, before) {
			told = append(told, before)
			text = strings.ReplaceAll(text, before, before+"; "+advice)
		}
	}
	return text
}

// damagedIn adds every *runfolder.DamagedError in the tree of err to found.
func damagedIn(err error, found []*runfolder.DamagedError) []*runfolder.DamagedError {
	switch e := err.(type) {
	case *runfolder.DamagedError:
		return append(found, e)
	case *lease.HeldError:
		return damagedIn(e.Lease.Damaged, found)
	case interface{ Unwrap() error }:
		return damagedIn(e.Unwrap(), found)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			found = damagedIn(inner, found)
		}
	}
	return found
}

// mend says what mends a damaged file, "" where an older checkpoint does.
func mend(damaged *runfolder.DamagedError) string {
	name := filepath.Base(damaged.Path)
	switch folder := filepath.Base(filepath.Dir(damaged.Path)); {
	case folder == "checkpoint":
		return ""
	case folder == "ensembles":
		return "call deeplimit probe again"
	case damaged.Unfinished():
		return "deeplimit run writes it anew and goes on"
	case strings.HasPrefix(name, "lease."):
		return "its run is taken over unless a worker repairs it"
	}
	switch name {
	case "study.yaml", "study.json", "runs.json":
		return "deeplimit run with the study's own file writes it anew"
	case "notes.json":
		return "deeplimit status --note and --tag write it anew once it is removed"
	case "failure.json":
		return "the run can be started again"
	case runfolder.Tune + ".json":
		return "call deeplimit tune again"
	case runfolder.Families + ".json":
		return "call deeplimit import again"
	case "transfer.json", "limit.safetensors":
		return "call deeplimit transfer again"
	case "submission.json":
		return "end the job of that name with scancel and remove the folder, then submit again"
	}
	return "remove its run folder to compute the run again"
}
