package plan

import (
	"time"

	"github.com/deeplimit/deeplimit/internal/plan/study"
)

// What a run takes on one core of a machine that is not new, for plans: a core with
// AVX2 does several times as many operations on wide networks.
const (
	flopsPerSecond = 5e9
	perStep        = 10 * time.Microsecond // besides the products: trace, method, norms
	perRun         = 50 * time.Millisecond // initial weights, certificates, files
)

// Duration returns about how long run takes on one core if none of its stopping rules
// but the number of iterations ends it, and at most what stop.seconds says.
func (p *Plan) Duration(run *study.Run) time.Duration {
	steps := float64(run.Steps())
	seconds := perRun.Seconds() + steps*(p.Flops(run)/flopsPerSecond+perStep.Seconds())
	if limit := run.Train.Stop.Seconds; limit > 0 {
		seconds = min(seconds, limit)
	}
	const most = 1e9 // 30 years: a time.Duration ends at 292
	return time.Duration(min(seconds, most) * float64(time.Second))
}
