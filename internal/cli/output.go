package cli

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"unicode/utf8"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// An output is standard output or standard error as commands write to it. Characters of
// names and error texts that would steer a terminal, or hide, are escaped. A write that
// fails (a closed pipe, a full disk) is no error to the command, which has work on disk to
// finish; what follows is dropped, and Main says so in the end.
type output struct {
	to io.Writer

	mu   sync.Mutex
	rest []byte // the beginning of a character that is not whole yet
	err  error  // of the first write that failed
}

func newOutput(to io.Writer) *output { return &output{to: to} }

// Write implements io.Writer. It never fails.
func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return len(text), nil
	}
	if len(o.rest) == 0 && isASCII(text) {
		_, o.err = o.to.Write(text)
		return len(text), nil
	}
	all := append(o.rest, text...)
	whole := wholeRunes(all)
	if _, o.err = io.WriteString(o.to, plain.Lines(string(all[:whole]))); o.err == nil {
		o.rest = append([]byte(nil), all[whole:]...)
	}
	return len(text), nil
}

// isASCII reports whether text is of characters that stand for themselves.
func isASCII(text []byte) bool {
	for _, c := range text {
		if (c < ' ' || c > '~') && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// wholeRunes returns where a character begins that the end of text cuts off, else the
// length of text.
func wholeRunes(text []byte) int {
	for i := len(text) - 1; i >= max(0, len(text)-utf8.UTFMax); i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRune(text[i:]) {
				return i
			}
			break
		}
	}
	return len(text)
}

// failed returns the error of the first write that failed.
func (o *output) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// close writes what is left and returns the error of the first write that failed.
func (o *output) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil && len(o.rest) > 0 {
		_, o.err = io.WriteString(o.to, plain.Lines(string(o.rest)))
	}
	return o.err
}

// fileOf returns the file behind what a command writes to, for one that draws on a
// terminal; nil where there is none.
func fileOf(w io.Writer) *os.File {
	if o, ok := w.(*output); ok {
		w = o.to
	}
	file, _ := w.(*os.File)
	return file
}

// outputFailed returns the error of a write to w that failed, for commands that would
// print forever.
func outputFailed(w io.Writer) error {
	if o, ok := w.(*output); ok {
		return o.failed()
	}
	return nil
}

// keepPipe lets a write to a closed pipe be an error, as of any other file, instead of
// the end of the program. (An ignored signal would be ignored by programs we start, too.)
func keepPipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// isClosedPipe reports whether nobody reads what was written, as behind head -1.
func isClosedPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
