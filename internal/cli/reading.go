package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"
)

// quietReading is how long a study is read without a word.
const quietReading = time.Second

// A readingLine tells on a terminal how far the reading of a study, or other work, is.
type readingLine struct {
	to          io.Writer
	work, what  string // what is done, and what is counted
	start       time.Time
	done, total atomic.Int64
	drawn       bool
}

// watchReading returns an observer for analyze.Options.Observe whose line is drawn on out
// if that is a terminal, and stop, which ends the drawing and clears the line.
func watchReading(out io.Writer, what string) (observe func(done, total int), stop func()) {
	return watchWork(out, "reading", what)
}

// watchWork is watchReading for work of another name.
func watchWork(out io.Writer, work, what string) (observe func(done, total int), stop func()) {
	file := fileOf(out)
	if file == nil || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil, func() {}
	}
	line := &readingLine{to: file, work: work, what: what, start: time.Now()}
	ended := make(chan struct{})
	var drawing sync.WaitGroup
	drawing.Go(func() {
		tick := time.NewTicker(redraw)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				line.draw(now)
			case <-ended:
				line.clear()
				return
			}
		}
	})
	return line.observe, sync.OnceFunc(func() { close(ended); drawing.Wait() })
}

func (l *readingLine) observe(done, total int) {
	l.total.Store(int64(total))
	for { // observers of several runs may come in any order
		before := l.done.Load()
		if int64(done) <= before || l.done.CompareAndSwap(before, int64(done)) {
			return
		}
	}
}

func (l *readingLine) draw(now time.Time) {
	if now.Sub(l.start) < quietReading {
		return
	}
	l.drawn = true
	fmt.Fprintf(l.to, "\r\x1b[K%s: %d of %d %s, %.0f s", l.work, l.done.Load(), l.total.Load(), l.what, now.Sub(l.start).Seconds())
}

// clear leaves the line empty.
func (l *readingLine) clear() {
	if l.drawn {
		fmt.Fprint(l.to, "\r\x1b[K")
	}
}
