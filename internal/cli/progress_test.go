package cli

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"github.com/hinshun/vt10x"

	"github.com/deeplimit/deeplimit/internal/execute/sweep"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/plantest"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/runfolder"
)

// displayed is a plan of runs at depths 8, 16 … with as many seeds.
func displayed(t *testing.T, seeds int) *plan.Plan {
	t.Helper()
	return plantest.New(t, "study.yaml", fmt.Sprintf("name: shown\ndepths: [8, 16]\nseeds: %d\ndata: {kind: separated, width: 4, samples: 3, distance: 0.3}\ntrain: {stop: {loss: 1e-8, iterations: 1000}}\n", seeds))
}

// screen is a table on an emulated terminal, with a clock that stands.
type screen struct {
	*liveTable
	vt10x.Terminal
	raw   strings.Builder
	width int
	tall  int
	clock time.Time
}

func newScreen(t *testing.T, seeds, width, height int) *screen {
	s := &screen{Terminal: vt10x.New(vt10x.WithSize(width, height)), width: width, tall: height, clock: time.Unix(1000, 0)}
	// A terminal turns a line feed into carriage return and line feed.
	out := writerFunc(func(b []byte) (int, error) {
		s.raw.Write(b)
		s.Terminal.Write([]byte(strings.ReplaceAll(string(b), "\n", "\r\n")))
		return len(b), nil
	})
	s.liveTable = newLiveTable(out, displayed(t, seeds), all, func() (int, int) { return s.width, s.tall }, false, func() time.Time { return s.clock })
	return s
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// text is what stands on the terminal, without blank ends.
func (s *screen) text() string {
	lines := strings.Split(s.Terminal.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// start begins a run and gives it n records of a loss that falls by ρ = ½, a second each.
func (s *screen) start(run *study.Run, n int) {
	s.liveTable.observe(sweep.Event{Kind: sweep.Started, Run: run})
	for i := range n {
		loss := math.Pow(0.5, float64(i))
		s.clock = s.clock.Add(time.Second)
		s.liveTable.observe(sweep.Event{Kind: sweep.Advanced, Run: run, Row: runfolder.Row{Iteration: int64(i), Loss: &loss}})
	}
}

func TestLiveTable(t *testing.T) {
	plan := displayed(t, 3)
	s := newScreen(t, 3, 90, 12)
	runs := plan.Runs
	s.liveTable.observe(sweep.Event{Kind: sweep.Skipped, Run: &runs[0]})
	s.start(&runs[1], 11)
	s.start(&runs[2], 2)
	s.draw()
	// ln(2^−10 / 10^−8) / ln 2 = 16.6 iterations are left of the first at a second each.
	want := strings.Join([]string{
		"RUN                          ITERATION      LOSS  RATE ρ  LOG LOSS            LEFT",
		runs[1].ID + "    10/1000  9.77e-04  0.5000  █▇▇▆▅▅▄▃▂▂▁          17s",
		runs[2].ID + "     1/1000  5.00e-01          █▁                16m39s",
		// Of 3·1 + 3·2 units of work 1 was done before and 10/26.6 and 1/26.6 here, in 13 s.
		"███░░░░░░░░░░░░░░░░░░░░░  15 %  1 of 6 runs  13s, 3m58s left",
	}, "\n")
	got := s.text()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("screen (-want +got):\n%s", diff)
	}
	// What stays is printed above, and the table is there once.
	s.liveTable.observe(sweep.Event{Kind: sweep.Failed, Run: &runs[2], Err: errors.New("no \x1b[31mroom")})
	got = s.text()
	if !strings.HasPrefix(got, "failed   "+runs[2].ID+": no \\x1b[31mroom\nRUN ") || strings.Count(got, "RUN") != 1 || strings.Count(got, runs[2].ID) != 1 {
		t.Errorf("after a failure the screen is\n%s", got)
	}
	s.liveTable.observe(sweep.Event{Kind: sweep.Ended, Run: &runs[1], Outcome: train.Outcome{Stop: train.StopDiverged, Detail: "why"}})
	s.liveTable.observe(sweep.Event{Kind: sweep.Started, Run: &runs[3]})
	s.liveTable.observe(sweep.Event{Kind: sweep.Ended, Run: &runs[3], Outcome: train.Outcome{Stop: train.StopLoss}})
	s.close()
	got = s.text()
	if want := "6 runs in 13s: 1 done, 1 diverged, 1 failed, 1 done before"; !strings.HasSuffix(got, "\n"+want) || strings.Contains(got, "RUN") {
		t.Errorf("the screen ends as\n%s\nwant %s", got, want)
	}
	if strings.Contains(s.raw.String(), "\x1b[2m") || strings.Contains(s.raw.String(), alert) {
		t.Error("there is colour without leave")
	}
}

func all(*study.Run) bool { return true }

// TestLiveTableOnly counts the runs that are wanted, and of a run that has just begun and
// falls fast only what is done.
func TestLiveTableOnly(t *testing.T) {
	plan := displayed(t, 3)
	s := newScreen(t, 3, 90, 12)
	s.liveTable = newLiveTable(s.out, plan, func(r *study.Run) bool { return r.Seed == 1 }, s.size, false, s.now)
	run := &plan.Runs[0]
	s.liveTable.observe(sweep.Event{Kind: sweep.Started, Run: run})
	if got := s.progressLine(80); !strings.Contains(got, "  0 %  0 of 2 runs") {
		t.Errorf("got %q for a run that has just started, want 0 %% and 0 of 2 runs", got)
	}
	for i, loss := range []float64{1, 1e-3, 1e-4, 1e-4} {
		s.clock = s.clock.Add(time.Second)
		s.liveTable.observe(sweep.Event{Kind: sweep.Advanced, Run: run, Row: runfolder.Row{Iteration: int64(i), Loss: &loss}})
	}
	// Half of the way to 1e-8, in the run of depth 8 beside one of depth 16.
	if got := s.progressLine(80); !strings.Contains(got, " 16 %  0 of 2 runs") {
		t.Errorf("got %q, want 16 %% and 0 of 2 runs", got)
	}
	s.liveTable.observe(sweep.Event{Kind: sweep.Ended, Run: run, Outcome: train.Outcome{Stop: train.StopLoss}})
	s.close()
	if got := s.text(); !strings.Contains(got, "2 runs in ") {
		t.Errorf("got\n%s\nwant 2 runs", got)
	}
}

// TestLiveTableFits looks at narrow and low terminals: no line is wider, none is lost.
func TestLiveTableFits(t *testing.T) {
	for width := 1; width <= 130; width += 3 {
		for _, height := range []int{1, 2, 3, 5, 30} {
			s := newScreen(t, 12, width, height)
			for i := range 20 {
				s.start(&displayedRuns[i%len(displayedRuns)], 5)
			}
			for _, line := range s.lines(width-1, height-1) {
				if n := utf8.RuneCountInString(line); n > width-1 {
					t.Fatalf("width %d: line %q takes %d", width, line, n)
				}
			}
			if n := len(s.lines(width-1, height-1)); n > max(1, height-1) {
				t.Fatalf("height %d: got %d lines", height, n)
			}
		}
	}
	s := newScreen(t, 12, 100, 8)
	for i := range displayedRuns {
		s.start(&displayedRuns[i], 3)
	}
	s.draw()
	if got := s.text(); !strings.Contains(got, "… and 8 more at work") || strings.Count(got, "\n") != 6 {
		t.Errorf("12 runs on 8 lines:\n%s", got)
	}
}

// displayedRuns are runs without a plan.
var displayedRuns = func() []study.Run {
	runs := make([]study.Run, 12)
	for i := range runs {
		runs[i].ID = fmt.Sprintf("a-data-set-with-a-long-name-L0256-s%d-3f2a9c01", i)
		runs[i].Train.Stop.Iterations = new(1000)
	}
	return runs
}()

// TestLiveTableOnceNarrower draws on a terminal that was made narrower, and breaks the
// lines it shows as terminals do.
func TestLiveTableOnceNarrower(t *testing.T) {
	s := newScreen(t, 1, 80, 10)
	s.start(&s.planRuns(t)[0], 4)
	s.draw()
	if got := s.drawn; len(got) != 3 || got[0] < 45 {
		t.Fatalf("drew lines of %v runes", got)
	}
	s.width = 40
	want := 0
	for _, n := range s.drawn {
		want += (n + 39) / 40
	}
	if got := s.home(); got != fmt.Sprintf("\r\x1b[%dA", want) || want <= 3 {
		t.Errorf("goes home by %q, want %d lines up", got, want)
	}
}

func (s *screen) planRuns(t *testing.T) []study.Run { return displayed(t, 1).Runs }

func TestLiveRowOddLosses(t *testing.T) {
	r := newLiveRow(&displayedRuns[0], time.Unix(0, 0))
	for i, loss := range []float64{math.NaN(), 0, math.Inf(1), -1} {
		r.add(runfolder.Row{Iteration: int64(i), Loss: &loss}, time.Unix(int64(i), 0))
	}
	r.add(runfolder.Row{Iteration: 9}, time.Unix(9, 0))
	if got := r.sparkline(4); got != "    " {
		t.Errorf("sparkline is %q", got)
	}
	loss := 3.0
	for i := range 500 {
		r.add(runfolder.Row{Iteration: int64(10 + i), BatchLoss: &loss}, time.Unix(int64(10+i), 0))
	}
	if got := r.sparkline(4); got != "████" || len(r.curve) >= curvePoints {
		t.Errorf("a constant loss: sparkline is %q of %d points", got, len(r.curve))
	}
	if left, ok := r.left(); !ok || left != 491*time.Second {
		t.Errorf("left is %v, want 491 s", left)
	}
}

// TestProgressOnATerminal runs the display on a pseudo-terminal, with colour and without.
func TestProgressOnATerminal(t *testing.T) {
	for _, quiet := range []string{"", "1"} {
		t.Setenv("NO_COLOR", quiet)
		t.Setenv("TERM", "xterm")
		ours, theirs, err := pty.Open()
		if err != nil {
			t.Skipf("no pseudo-terminals here: %v", err)
		}
		if err := pty.Setsize(theirs, &pty.Winsize{Rows: 20, Cols: 100}); err != nil {
			t.Fatal(err)
		}
		read := make(chan string)
		go func() {
			data, _ := io.ReadAll(ours) // ends in an error when the other side closes
			read <- string(data)
		}()
		plan := displayed(t, 1)
		p := newProgress(theirs, plan, all)
		loss := 0.5
		p.observe(sweep.Event{Kind: sweep.Started, Run: &plan.Runs[0]})
		p.observe(sweep.Event{Kind: sweep.Advanced, Run: &plan.Runs[0], Row: runfolder.Row{Iteration: 7, Loss: &loss}})
		time.Sleep(3 * redraw)
		p.observe(sweep.Event{Kind: sweep.Ended, Run: &plan.Runs[0], Outcome: train.Outcome{Stop: train.StopLoss}})
		p.close()
		theirs.Close()
		var raw string
		select {
		case raw = <-read:
		case <-time.After(10 * time.Second):
			t.Fatal("the terminal does not end")
		}
		ours.Close()
		emulated := vt10x.New(vt10x.WithSize(100, 20))
		emulated.Write([]byte(raw))
		if got := strings.TrimSpace(emulated.String()); !strings.HasPrefix(got, "2 runs in ") || !strings.HasSuffix(got, ": 1 done") {
			t.Errorf("NO_COLOR=%q: the screen ends as %q", quiet, got)
		}
		if !strings.Contains(raw, plan.Runs[0].ID) || !strings.Contains(raw, "7/1000") || !strings.Contains(raw, "5.00e-01") {
			t.Errorf("NO_COLOR=%q: the run was not shown in %q", quiet, raw)
		}
		if coloured := strings.Contains(raw, dim); coloured != (quiet == "") {
			t.Errorf("NO_COLOR=%q: colour is %t", quiet, coloured)
		}
	}
}

// TestProgressElsewhere wants plain lines where there is no terminal.
func TestProgressElsewhere(t *testing.T) {
	var b strings.Builder
	plan := displayed(t, 1)
	p := newProgress(&b, plan, all)
	loss := 0.5
	p.observe(sweep.Event{Kind: sweep.Started, Run: &plan.Runs[0]})
	p.observe(sweep.Event{Kind: sweep.Advanced, Run: &plan.Runs[0], Row: runfolder.Row{Loss: &loss}})
	p.observe(sweep.Event{Kind: sweep.Ended, Run: &plan.Runs[0], Outcome: train.Outcome{Stop: train.StopLoss, Iterations: 3, Loss: 0.5, Seconds: 0.25}})
	p.close()
	id := plan.Runs[0].ID
	if want := "start    " + id + "\ndone     " + id + ": 3 iterations, loss 5.000e-01, stopped by loss, 0.25 s\n"; b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
