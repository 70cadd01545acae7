package cli

import (
	"errors"
	"fmt"
	"testing"

	"github.com/deeplimit/deeplimit/internal/execute/lease"
	"github.com/deeplimit/deeplimit/runfolder"
)

// TestWithAdvice wants what mends a file behind its name, wherever in an error it stands.
func TestWithAdvice(t *testing.T) {
	damaged := func(path string) error { return &runfolder.DamagedError{Path: path, Err: errors.New("torn")} }
	for want, err := range map[string]error{
		"no file": errors.New("no file"),
		"runfolder: r/trace.parquet is damaged: torn; remove its run folder to compute the run again":                                            damaged("r/trace.parquet"),
		"sweep: runfolder: s/runs.json is damaged: torn; deeplimit run with the study's own file writes it anew":                                 fmt.Errorf("sweep: %w", damaged("s/runs.json")),
		"runfolder: r/transfer.json is damaged: torn; call deeplimit transfer again\nrunfolder: r/checkpoint/state.safetensors is damaged: torn": errors.Join(damaged("r/transfer.json"), damaged("r/checkpoint/state.safetensors")),
		"runfolder: s/tune.json is damaged: torn; call deeplimit tune again":                                                                     damaged("s/tune.json"),
		"runfolder: ensembles/a.parquet is damaged: torn; call deeplimit probe again":                                                            damaged("ensembles/a.parquet"),
		"runfolder: r/lease.3 is damaged: torn; its run is taken over unless a worker repairs it":                                                &lease.HeldError{Dir: "r", Lease: runfolder.Lease{Damaged: damaged("r/lease.3")}},
	} {
		if got := withAdvice(err); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
