package cli

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/deeplimit/deeplimit/sweep"
)

// progress shows how a study goes: a bar with ETA and the current loss on a
// terminal, else a line for each run that starts or ends.
type progress struct {
	out  io.Writer
	bar  *progressbar.ProgressBar // nil without a terminal
	mu   sync.Mutex
	cost map[string]*share
}

// share is a run's part of the bar, in units of floating-point operations over 10⁶.
type share struct {
	whole, told int64
	steps       int
}

// most bounds the sum of all shares, as iterations have no bound when time ends a run.
const most = 1e15

// newProgress returns the display of a plan about to run.
func newProgress(out io.Writer, plan *sweep.Plan) *progress {
	p := &progress{out: out, cost: map[string]*share{}}
	total := int64(0)
	for i := range plan.Runs {
		r := &plan.Runs[i]
		cost := min(plan.Flops(r)*float64(r.Steps())/1e6, most/float64(len(plan.Runs)))
		part := &share{whole: 1 + int64(cost), steps: max(1, r.Steps())}
		p.cost[r.ID] = part
		total += part.whole
	}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(out), progressbar.OptionSetWidth(24),
			progressbar.OptionSetPredictTime(true), progressbar.OptionSetElapsedTime(true), progressbar.OptionClearOnFinish(),
			progressbar.OptionUseANSICodes(os.Getenv("NO_COLOR") == ""), progressbar.OptionThrottle(100_000_000))
	}
	return p
}

// observe shows one event. A write that fails (a closed terminal) does not stop the study.
func (p *progress) observe(e sweep.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	part := p.cost[e.Run.ID]
	switch e.Kind {
	case sweep.Advanced:
		if p.bar == nil || part == nil {
			return
		}
		p.advance(part, int64(float64(part.whole)*float64(e.Row.Iteration)/float64(part.steps)))
		loss := e.Row.Loss
		if loss == nil {
			loss = e.Row.BatchLoss
		}
		p.bar.Describe(fmt.Sprintf("%s  loss %.2e", e.Run.ID, *loss))
		return
	case sweep.Started:
		if p.bar == nil {
			fmt.Fprintf(p.out, "start    %s\n", e.Run.ID)
		}
		return
	case sweep.Warned, sweep.Waiting, sweep.Lost:
		if p.bar != nil {
			p.bar.Clear()
		}
		fmt.Fprintf(p.out, "%-8s %s: %v\n", map[string]string{sweep.Warned: "warning", sweep.Waiting: "waiting", sweep.Lost: "lost"}[e.Kind], e.Run.ID, e.Err)
		return
	}
	if p.bar != nil {
		if part != nil {
			p.advance(part, part.whole)
		}
		if e.Kind == sweep.Ended {
			return
		}
		p.bar.Clear()
	}
	switch {
	case e.Kind == sweep.Skipped:
		fmt.Fprintf(p.out, "done     %s (before)\n", e.Run.ID)
	case e.Kind == sweep.Elsewhere:
		fmt.Fprintf(p.out, "done     %s (elsewhere)\n", e.Run.ID)
	case e.Kind == sweep.Failed:
		fmt.Fprintf(p.out, "failed   %s: %v\n", e.Run.ID, e.Err)
	default:
		fmt.Fprintf(p.out, "%-8s %s: %d iterations, loss %.3e, stopped by %s, %.2f s\n", word(e.Outcome.Stop), e.Run.ID, e.Outcome.Iterations, e.Outcome.Loss, e.Outcome.Stop, e.Outcome.Seconds)
		if e.Outcome.Detail != "" {
			fmt.Fprintf(p.out, "         %s\n", e.Outcome.Detail)
		}
	}
}

// word returns the first word of a run's line.
func word(stop string) string {
	switch stop {
	case "diverged":
		return "diverged"
	case "interrupted":
		return "paused"
	}
	return "done"
}

// advance moves the bar so that part has told units.
func (p *progress) advance(part *share, told int64) {
	if told > part.told {
		p.bar.Add64(told - part.told)
		part.told = told
	}
}

// close ends the bar.
func (p *progress) close() {
	if p.bar != nil {
		p.bar.Finish()
	}
}
