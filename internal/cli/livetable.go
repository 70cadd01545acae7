package cli

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/deeplimit/deeplimit/internal/execute/sweep"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/train"
)

// A liveTable is what `deeplimit run` shows on a terminal: a row for each run at work and,
// below, the progress of all. It is redrawn in place; what is to stay is printed above it.
type liveTable struct {
	out   io.Writer
	size  func() (width, height int)
	color bool
	now   func() time.Time

	begun time.Time
	whole map[string]float64 // operations of each run, at most, by ID
	rows  []*liveRow         // at work, in the order of their start
	drawn []int              // widths of the lines on the screen

	done, before, elsewhere, diverged, failed, paused int
	skipped, made, total                              float64 // operations: done before, done here, of all
}

// newLiveTable returns the table of the runs of a plan that only wants.
func newLiveTable(out io.Writer, plan *plan.Plan, only func(*study.Run) bool, size func() (int, int), color bool, now func() time.Time) *liveTable {
	t := &liveTable{out: out, size: size, color: color, now: now, begun: now(), whole: map[string]float64{}}
	for i := range plan.Runs {
		r := &plan.Runs[i]
		if !only(r) {
			continue
		}
		t.whole[r.ID] = plan.Flops(r) * float64(r.Steps())
		t.total += t.whole[r.ID]
	}
	return t
}

// observe takes note of an event, and prints above the table what is to stay.
func (t *liveTable) observe(e sweep.Event) {
	id := e.Run.ID
	at := slices.IndexFunc(t.rows, func(r *liveRow) bool { return r.id == id })
	switch e.Kind {
	case sweep.Started:
		t.rows = append(t.rows, newLiveRow(e.Run, t.now()))
		return
	case sweep.Advanced:
		if at >= 0 {
			t.rows[at].add(e.Row, t.now())
		}
		return
	case sweep.GoesOn, sweep.Anew:
		return // the plan has told
	case sweep.Warned, sweep.Waiting:
		t.print(eventText(e))
		return
	}
	if at >= 0 {
		t.rows = slices.Delete(t.rows, at, at+1)
	}
	stays := true
	switch e.Kind {
	case sweep.Skipped:
		t.before++
		t.skipped += t.whole[id]
		stays = false
	case sweep.Elsewhere:
		t.elsewhere++
		t.skipped += t.whole[id]
		stays = false
	case sweep.Failed:
		t.failed++
		t.made += t.whole[id]
	case sweep.Lost:
	default:
		switch e.Outcome.Stop {
		case train.StopDiverged:
			t.diverged++
			t.made += t.whole[id]
		case train.StopInterrupted:
			t.paused++
			stays = false
		default:
			t.done++
			t.made += t.whole[id]
			stays = false
		}
	}
	if stays {
		t.print(eventText(e))
	}
}

// The control sequences used: those that every terminal since the VT100 knows.
const (
	clearLine  = "\x1b[K"
	clearBelow = "\x1b[J"
	dim        = "\x1b[2m"
	alert      = "\x1b[33m"
	plainStyle = "\x1b[0m"
)

// print writes text above the table.
func (t *liveTable) print(text string) {
	text = plain.Lines(text)
	if t.color {
		text = alert + text + plainStyle
	}
	t.write(t.home() + clearBelow + text + "\n")
	t.drawn = nil
	t.draw()
}

// draw draws the table in the place of the last one.
func (t *liveTable) draw() {
	width, height := t.size()
	lines := t.lines(width-1, height-1) // a full last column would wrap on some terminals
	var b strings.Builder
	b.WriteString(t.home())
	t.drawn = t.drawn[:0]
	for i, line := range lines {
		t.drawn = append(t.drawn, utf8.RuneCountInString(line))
		if t.color && i == 0 && len(lines) > 1 {
			line = dim + line + plainStyle
		}
		b.WriteString(line + clearLine + "\n")
	}
	b.WriteString(clearBelow)
	t.write(b.String())
}

// home moves to the first line of the table on the screen. A terminal that has become
// narrower has broken long lines into several.
func (t *liveTable) home() string {
	width, _ := t.size()
	lines := 0
	for _, n := range t.drawn {
		lines += max(1, (n+width-1)/width)
	}
	if lines == 0 {
		return "\r"
	}
	return fmt.Sprintf("\r\x1b[%dA", lines)
}

// write hands text to the terminal; one that is gone is no reason to stop a study.
func (t *liveTable) write(text string) { io.WriteString(t.out, text) }

// close takes the table away and leaves a line on how the study went.
func (t *liveTable) close() {
	t.write(t.home() + clearBelow + t.summary() + "\n")
	t.drawn = nil
}

// summary is the line that stays.
func (t *liveTable) summary() string {
	var parts []string
	for _, c := range []struct {
		n    int
		text string
	}{
		{t.done, "done"},
		{t.diverged, "diverged"},
		{t.failed, "failed"},
		{t.paused, "paused"},
		{t.before, "done before"},
		{t.elsewhere, "done elsewhere"},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.text))
		}
	}
	if parts == nil {
		parts = []string{"nothing done"}
	}
	return fmt.Sprintf("%d runs in %s: %s", len(t.whole), duration(t.now().Sub(t.begun)), strings.Join(parts, ", "))
}

// lines returns the table as at most height lines of at most width runes: a header and a
// row for each run at work, and last the progress of all.
func (t *liveTable) lines(width, height int) []string {
	var out []string
	room := height - 2 // without header and progress
	rows := t.rows
	if len(rows) > room {
		rows = rows[:max(0, room-1)]
	}
	if len(rows) > 0 {
		out = append(out, layOut(width, rows)...)
	}
	if more := len(t.rows) - len(rows); more > 0 && room > 0 {
		out = append(out, cut(fmt.Sprintf("… and %d more at work", more), width))
	}
	return append(out, t.progressLine(width))
}

// progressLine is a bar over all runs, weighted by their operations.
func (t *liveTable) progressLine(width int) string {
	made := t.made
	for _, r := range t.rows {
		made += t.whole[r.id] * r.fraction()
	}
	share := 1.0
	if t.total > 0 {
		share = min(1, (t.skipped+made)/t.total)
	}
	elapsed := t.now().Sub(t.begun)
	ended := t.done + t.before + t.elsewhere + t.diverged + t.failed
	text := fmt.Sprintf(" %3.0f %%  %d of %d runs", 100*math.Floor(share*100)/100, ended, len(t.whole))
	if bad := t.diverged + t.failed; bad > 0 {
		text += fmt.Sprintf(", %d diverged or failed", bad)
	}
	text += "  " + duration(elapsed)
	// Early shares say little about the time that is left.
	if left := t.total - t.skipped - made; made > 0 && left > 0 && elapsed > time.Second {
		text += fmt.Sprintf(", %s left", duration(time.Duration(float64(elapsed)*min(left/made, 1e6))))
	}
	bar := min(24, width-utf8.RuneCountInString(text))
	if bar < 4 {
		return cut(strings.TrimLeft(text, " "), width)
	}
	full := int(share * float64(bar))
	return strings.Repeat("█", full) + strings.Repeat("░", bar-full) + text
}

// duration writes d in the two units that matter, such as 1m5s or 2h3m.
func duration(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		return d.Round(time.Second).String()
	case d < 100*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// cut returns s in at most width runes, with … where some are left out in the middle.
func cut(s string, width int) string {
	runes := []rune(s)
	switch {
	case len(runes) <= width:
		return s
	case width < 1:
		return ""
	}
	head := (width - 1) / 2
	return string(runes[:head]) + "…" + string(runes[len(runes)-(width-1-head):])
}
