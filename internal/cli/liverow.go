package cli

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"gonum.org/v1/gonum/stat"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/runfolder"
)

const (
	curvePoints = 64 // that a row keeps of its loss, evenly spread over its iterations
	recent      = 24 // records that the current rate is fitted to
)

// A liveRow is a run at work.
type liveRow struct {
	id     string
	steps  int     // at most
	target float64 // loss that stops the run, 0 for none
	begun  time.Time
	last   time.Time

	first, iteration int // of this start
	known            bool
	loss             float64
	fall             float64   // from the log J that was recorded first to that of target
	every            int       // records to one of curve
	seen             int       // records so far
	curve            []float64 // log J
	times, logs      []float64 // iterations and log J of recent records
}

func newLiveRow(run *study.Run, now time.Time) *liveRow {
	return &liveRow{id: plain.Text(run.ID), steps: run.Steps(), target: run.Train.Stop.Loss, begun: now, last: now, loss: math.NaN(), every: 1}
}

// add takes note of a record.
func (r *liveRow) add(row runfolder.Row, now time.Time) {
	if !r.known {
		r.first, r.known, r.begun = int(row.Iteration), true, now
	}
	r.iteration, r.last = int(row.Iteration), now
	loss := row.Loss
	if loss == nil {
		loss = row.BatchLoss
	}
	if loss == nil {
		return
	}
	r.loss = *loss
	log := math.Log(*loss)
	if math.IsNaN(log) || math.IsInf(log, 0) {
		return
	}
	if r.seen == 0 && r.target > 0 {
		r.fall = log - math.Log(r.target)
	}
	if r.seen%r.every == 0 {
		r.curve = append(r.curve, log)
	}
	r.seen++
	if len(r.curve) == curvePoints {
		for i := range curvePoints / 2 {
			r.curve[i] = r.curve[2*i]
		}
		r.curve, r.every = r.curve[:curvePoints/2], 2*r.every
	}
	r.times, r.logs = append(r.times, float64(r.iteration)), append(r.logs, log)
	if len(r.times) > recent {
		r.times, r.logs = append(r.times[:0], r.times[1:]...), append(r.logs[:0], r.logs[1:]...)
	}
}

// slope returns the fall of log J an iteration, NaN when it is not known yet.
func (r *liveRow) slope() float64 {
	if len(r.times) < 3 {
		return math.NaN()
	}
	_, slope := stat.LinearRegression(r.times, r.logs, nil, false)
	return slope
}

// remaining returns how many iterations are left at the current rate: to the loss that
// stops the run if it falls there in time, else to the last.
func (r *liveRow) remaining() float64 {
	left := float64(max(0, r.steps-r.iteration))
	if slope := r.slope(); r.target > 0 && slope < 0 && r.loss > r.target {
		left = min(left, (math.Log(r.loss)-math.Log(r.target))/-slope)
	}
	return left
}

// fraction is the share of the run that is done: of its iterations, or where it is more, of
// the fall of log J to the loss that stops it. The rate of its first iterations, which fall
// fastest, promises an end that is far too early.
func (r *liveRow) fraction() float64 {
	share := float64(r.iteration) / float64(max(1, r.steps))
	if r.fall > 0 && r.loss > 0 {
		share = max(share, 1-(math.Log(r.loss)-math.Log(r.target))/r.fall)
	}
	return min(1, share)
}

// left returns the time to the end of the run, false when nothing is known of it.
func (r *liveRow) left() (time.Duration, bool) {
	made := r.iteration - r.first
	if made < 1 || r.last.Equal(r.begun) {
		return 0, false
	}
	perIteration := r.last.Sub(r.begun).Seconds() / float64(made)
	seconds := min(perIteration*r.remaining(), 1e9)
	return time.Duration(seconds * float64(time.Second)), true
}

// sparks are eighths of a block.
var sparks = []rune("▁▂▃▄▅▆▇█")

// sparkline draws log J in width runes, from the highest to the lowest it was.
func (r *liveRow) sparkline(width int) string {
	n := len(r.curve)
	if n == 0 || width < 1 {
		return strings.Repeat(" ", max(0, width))
	}
	low, high := r.curve[0], r.curve[0]
	for _, v := range r.curve {
		low, high = min(low, v), max(high, v)
	}
	var b strings.Builder
	for i := range width {
		if n < width && i >= n {
			b.WriteByte(' ')
			continue
		}
		v := r.curve[i]
		if n > width {
			v = r.curve[(i*(n-1)+(width-1)/2)/max(1, width-1)]
		}
		height := len(sparks) - 1
		if high > low {
			height = int(math.Round((v - low) / (high - low) * float64(len(sparks)-1)))
		}
		b.WriteRune(sparks[height])
	}
	return b.String()
}

// cells returns what the row shows: run, iteration, loss, rate, time left.
func (r *liveRow) cells() [5]string {
	out := [5]string{r.id, fmt.Sprintf("%d/%d", r.iteration, r.steps), "", "", ""}
	if !math.IsNaN(r.loss) {
		out[2] = fmt.Sprintf("%.2e", r.loss)
	}
	if slope := r.slope(); !math.IsNaN(slope) {
		out[3] = fmt.Sprintf("%.4f", math.Exp(slope))
	}
	if left, ok := r.left(); ok {
		out[4] = duration(left)
	}
	return out
}

// layOut returns a header and the rows in columns, none wider than width. Where there is
// no room the curve goes first, then the rate, the time left and the iteration; the name
// of the run is cut in its middle.
func layOut(width int, rows []*liveRow) []string {
	const gap, widest = 2, 16 // runes between columns; of the curve
	header := [5]string{"RUN", "ITERATION", "LOSS", "RATE ρ", "LEFT"}
	table := [][5]string{header}
	for _, r := range rows {
		table = append(table, r.cells())
	}
	var columns [5]int
	for _, cells := range table {
		for j, text := range cells {
			columns[j] = max(columns[j], utf8.RuneCountInString(text))
		}
	}
	shown := [5]bool{true, true, true, true, true}
	const name = 12 // runes of a run's name that it keeps before a column goes
	need := func() int {
		n := min(columns[0], name)
		for j := 1; j < len(columns); j++ {
			if shown[j] {
				n += gap + columns[j]
			}
		}
		return n
	}
	for _, j := range []int{3, 4, 1} {
		if need() > width {
			shown[j] = false
		}
	}
	rest := width - need() + min(columns[0], name)
	curve := min(widest, rest-gap-columns[0])
	if curve < 6 {
		curve = 0
	}
	first := min(columns[0], rest)
	var out []string
	for i, cells := range table {
		line := pad(cut(cells[0], first), first, false)
		for j := 1; j < len(cells); j++ {
			if j == 4 && curve > 0 { // the curve stands before the time left
				text := pad("LOG LOSS", curve, false)
				if i > 0 {
					text = rows[i-1].sparkline(curve)
				}
				line += strings.Repeat(" ", gap) + cut(text, curve)
			}
			if shown[j] {
				line += strings.Repeat(" ", gap) + pad(cells[j], columns[j], true)
			}
		}
		out = append(out, cut(strings.TrimRight(line, " "), width))
	}
	return out
}

// pad fills s with blanks to width runes, in front of it when right is set.
func pad(s string, width int, right bool) string {
	blanks := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
	if right {
		return blanks + s
	}
	return s + blanks
}
