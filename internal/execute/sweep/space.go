package sweep

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
)

// checkSpace refuses a disk without room for the files that the runs to come leave behind, and
// for the checkpoints of those at work at the same time. A disk whose free space is not known
// is let pass: when it is full, writing says so.
func checkSpace(p *plan.Plan, options *Options, tasks []*task) error {
	var runs []*study.Run
	for _, t := range tasks {
		if t.summary == nil {
			runs = append(runs, t.run)
		}
	}
	out := cmp.Or(options.Store, options.Out)
	dir := filepath.Clean(out)
	if absent := missing(dir); len(absent) > 0 {
		dir = filepath.Dir(absent[len(absent)-1])
	}
	free, err := disk.Free(dir)
	if err != nil {
		return nil
	}
	left, passing := diskBytes(p, runs, 2*options.Workers) // as many are synced while others are at work
	if left+passing <= free {
		return nil
	}
	return fmt.Errorf("sweep: %s: got a disk with %.3g MB free, want at least %.3g MB: %.3g MB for the files of %d runs (weights, states, norms, trace, certificates) and %.3g MB for their checkpoints meanwhile; %s",
		out, free/1e6, (left+passing)/1e6, left/1e6, len(runs), passing/1e6, mend(syscall.ENOSPC))
}

// diskBytes returns how many bytes runs leave behind, and how many more those at work on that
// many cores take at a time at most.
func diskBytes(p *plan.Plan, runs []*study.Run, cores int) (left, passing float64) {
	var more []float64
	for _, run := range runs {
		files, checkpoint := p.DiskBytes(run)
		left += files
		// A new checkpoint is written beside the last two; then the files are, beside those two.
		more = append(more, max(3*checkpoint-files, 2*checkpoint))
	}
	slices.SortFunc(more, func(a, b float64) int { return cmp.Compare(b, a) })
	for _, bytes := range more[:min(cores, len(more))] {
		passing += bytes
	}
	return left, passing
}
