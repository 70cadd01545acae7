package cli

import (
	"fmt"
	"io"

	"github.com/deeplimit/deeplimit/internal/plan"
)

// writeCascades says through which depths the wanted runs with a cascade go, once for each depth.
func writeCascades(w io.Writer, p *plan.Plan, wanted map[string]bool) error {
	told := map[string]bool{}
	for i := range p.Runs {
		run := &p.Runs[i]
		levels := run.Train.Levels(run.Depth)
		if !wanted[run.ID] || len(levels) < 2 {
			continue
		}
		line := fmt.Sprintf("cascade of depth %d: levels %v by %s", run.Depth, levels, run.Train.Cascade.Prolong)
		if told[line] {
			continue
		}
		told[line] = true
		if len(told) == 1 {
			fmt.Fprintln(w, "\nMFLOP/STEP, MEMORY and TIME are those of the last level, as if all steps were made there.")
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
