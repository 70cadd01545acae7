package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/deeplimit/deeplimit/internal/execute/sweep"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
)

// progress shows how a study goes: a live table of the runs at work on a terminal, else a
// line for each run that starts or ends.
type progress struct {
	mu    sync.Mutex
	out   io.Writer
	table *liveTable // nil without a terminal
	stop  func()     // ends the drawing
}

// redraw is the time between two drawings of the table: ten a second look alive.
const redraw = 100 * time.Millisecond

// newProgress returns the display of the runs of a plan that only wants, about to run.
func newProgress(out io.Writer, plan *plan.Plan, only func(*study.Run) bool) *progress {
	p := &progress{out: out, stop: func() {}}
	file := fileOf(out)
	if file == nil || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" {
		return p
	}
	size := func() (int, int) {
		width, height, err := term.GetSize(int(file.Fd()))
		if err != nil || width < 1 || height < 1 {
			return 80, 24
		}
		return width, height
	}
	p.table = newLiveTable(file, plan, only, size, os.Getenv("NO_COLOR") == "", time.Now)
	done := make(chan struct{})
	var drawing sync.WaitGroup
	drawing.Go(func() {
		tick := time.NewTicker(redraw)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.mu.Lock()
				p.table.draw()
				p.mu.Unlock()
			case <-done:
				return
			}
		}
	})
	p.stop = sync.OnceFunc(func() { close(done); drawing.Wait() })
	return p
}

// observe shows one event. A write that fails (a closed terminal) does not stop the study.
func (p *progress) observe(e sweep.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.table != nil {
		p.table.observe(e)
		return
	}
	if text := eventText(e); text != "" {
		fmt.Fprintln(p.out, text)
	}
}

// close ends the display and leaves, on a terminal, a summary.
func (p *progress) close() {
	p.stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.table != nil {
		p.table.close()
	}
}

// eventText returns what to print of an event, "" for nothing.
func eventText(e sweep.Event) string {
	switch e.Kind {
	case sweep.Advanced:
		return ""
	case sweep.Started:
		return "start    " + e.Run.ID
	case sweep.GoesOn:
		return fmt.Sprintf("goes on  %s: from iteration %d of %s", e.Run.ID, e.Source.Iteration, plain.Text(e.Source.Run.Meta.ID))
	case sweep.Anew:
		return fmt.Sprintf("anew     %s: %v", e.Run.ID, e.Err)
	case sweep.Warned:
		return fmt.Sprintf("warning  %s: %s", e.Run.ID, withAdvice(e.Err))
	case sweep.Waiting:
		return fmt.Sprintf("waiting  %s: %s", e.Run.ID, withAdvice(e.Err))
	case sweep.Lost:
		return fmt.Sprintf("lost     %s: %v", e.Run.ID, e.Err)
	case sweep.Skipped:
		return fmt.Sprintf("done     %s (before)", e.Run.ID)
	case sweep.Elsewhere:
		return fmt.Sprintf("done     %s (elsewhere)", e.Run.ID)
	case sweep.Failed:
		return fmt.Sprintf("failed   %s: %s", e.Run.ID, withAdvice(e.Err))
	}
	text := fmt.Sprintf("%-8s %s: %d iterations, loss %.3e, stopped by %s, %.2f s", word(e.Outcome.Stop), e.Run.ID, e.Outcome.Iterations, e.Outcome.Loss, e.Outcome.Stop, e.Outcome.Seconds)
	if e.Outcome.Detail != "" {
		text += "\n         " + e.Outcome.Detail
	}
	return text
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
