package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestReadingLine wants nothing in the first second, then how far the reading is, and an
// empty line in the end.
func TestReadingLine(t *testing.T) {
	var out bytes.Buffer
	start := time.Unix(1e9, 0)
	l := &readingLine{to: &out, work: "reading", what: "runs", start: start}
	l.observe(3, 40)
	l.observe(2, 40) // of a slower goroutine
	l.draw(start.Add(quietReading - time.Millisecond))
	l.clear()
	if out.Len() > 0 {
		t.Errorf("got %q within a second, want nothing", out.String())
	}
	l.draw(start.Add(4 * time.Second))
	if want := "\r\x1b[Kreading: 3 of 40 runs, 4 s"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	if l.clear(); !strings.HasSuffix(out.String(), "s\r\x1b[K") {
		t.Errorf("got %q, want the line cleared", out.String())
	}
}

// TestReadingIsWatchedOnTerminalsAlone wants no observer for a file or buffer.
func TestReadingIsWatchedOnTerminalsAlone(t *testing.T) {
	observe, stop := watchReading(newOutput(&bytes.Buffer{}), "runs")
	defer stop()
	if observe != nil {
		t.Error("got an observer for a buffer, want none")
	}
}
