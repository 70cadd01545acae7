package serve

import (
	"math"

	"github.com/deeplimit/deeplimit/internal/read/survey"
)

// studyETA returns the seconds until the last run of a study ends at the present pace: the
// remaining operations of the running and the pending runs, by estimate, over the speed of the
// runs whose speed is known. It is null while nothing runs or no speed is known.
func studyETA(runs []survey.Run) number {
	var left, operations, spent, longest float64
	running := 0
	for i := range runs {
		r := &runs[i]
		whole := r.Flops * float64(r.Iterations)
		switch r.State {
		case survey.Running:
			running++
			left += r.Flops * float64(max(0, r.Iterations-r.Iteration))
			longest = max(longest, r.ETA.Seconds())
		case survey.Pending, survey.Interrupted:
			left += whole
		}
		if r.Seconds > 0 && r.Iteration > 0 {
			operations += r.Flops * float64(r.Iteration)
			spent += r.Seconds
		}
	}
	if running == 0 || operations == 0 || left == 0 {
		return number(math.NaN())
	}
	return number(math.Ceil(max(longest, left/(operations/spent)/float64(running))))
}
