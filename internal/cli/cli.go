// Package cli is the command line: one file for each command, which parses its
// arguments into options and hands them to the package that does the work.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit codes of the command.
const (
	exitDone        = 0
	exitDiverged    = 1   // all runs ended, some of them diverged
	exitBad         = 2   // bad input, or an error of the system
	exitInterrupted = 130 // stopped by a signal; checkpoints are left
	exitPipe        = 141 // nobody read the output to its end, as behind head -1
)

// errDiverged, errInterrupted and errFailed end a command whose output has said all there is to say.
var (
	errDiverged    = errors.New("some runs diverged")
	errInterrupted = errors.New("interrupted")
	errFailed      = errors.New("some runs failed")
)

// Main runs the command with these arguments (without the program's name) and
// returns its exit code. Errors go to stderr as one line each. SIGINT and SIGTERM end a
// run at its next iteration with a checkpoint, and anything else within a second; a second
// one ends the program at once, as an iteration may be long. A stdout that does not take
// what is written stops no work on disk; it is told in the end, by the exit code too.
func Main(args []string, stdout, stderr io.Writer) int {
	keepPipe()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	out, errs := newOutput(stdout), newOutput(stderr)
	guard, guarded := newGuard(ctx)
	done := make(chan error, 1)
	go func() { done <- execute(guarded, args, out, errs) }()
	err, ended := guard.wait(ctx, done, func() {
		fmt.Fprintln(errs, "deeplimit: a run ends its iteration to leave a checkpoint; another interrupt ends it at once")
	})
	if !ended {
		tell(stderr, "deeplimit: interrupted; files are whole, and the same command goes on\n")
		return exitInterrupted
	}
	code := exitCode(ctx, err, errs)
	if failed := out.close(); failed != nil && code != exitInterrupted {
		if isClosedPipe(failed) {
			code = exitPipe
		} else {
			code = exitBad
			fmt.Fprintf(errs, "deeplimit: standard output: %v; what the command writes to disk is there\n", failed)
		}
	}
	errs.close()
	return code
}

// execute runs the command.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	root := Command()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	return asFlag(cmd, err)
}

// exitCode returns the code that tells err, and prints what is not printed yet.
func exitCode(ctx context.Context, err error, stderr io.Writer) int {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errDiverged):
		return exitDiverged
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.Is(err, errFailed):
		return exitBad
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "deeplimit: interrupted")
		return exitInterrupted
	}
	for _, line := range strings.Split(withAdvice(err), "\n") {
		fmt.Fprintln(stderr, "deeplimit: "+line)
	}
	return exitBad
}

// tell writes a last text without waiting for a reader that takes nothing.
func tell(w io.Writer, text string) {
	written := make(chan struct{})
	go func() {
		io.WriteString(w, text)
		close(written)
	}()
	select {
	case <-written:
	case <-time.After(5 * glance):
	}
}

// Command returns the program's commands, from which manual pages and completions are made too.
// Their help is the same on every machine.
func Command() *cobra.Command {
	root := &cobra.Command{
		Use:   "deeplimit",
		Short: "Train deep residual networks at many depths and measure the limit",
		Long: `deeplimit trains deep residual networks h_k = h_{k-1} + L^-alpha f_k(h_{k-1}) by
gradient descent at many depths L, and measures what happens as L grows: the
linear rate, the scaling exponents of the trained weights, and the p-variation of
their path over the layers (Cont, Rossier, Xu, arXiv 2204.07261).

  deeplimit demo                a small study, and what to look at in it
  deeplimit init study.yaml     write a commented study file
  deeplimit run study.yaml      train, analyse and report
  deeplimit analyze DIR         the numbers again, from the folder of a study

Exit codes: 0 done, 1 some runs diverged, 2 bad input or a system error,
130 interrupted (the same command goes on where it stopped), 141 output not read.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(flagFault)
	for _, g := range []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{"train", "Train:", []*cobra.Command{newDemo(), newInit(), newRun(), newStatus(), newPrune(), newData()}},
		{"ask", "Ask of a study or a network:", []*cobra.Command{newTransfer(), newCompare(), newDepth(), newEdge(), newTune(), newCoordinateCheck(), newProbe(), newPVar(), newImport(), newBench()}},
		{"read", "Read what runs left:", []*cobra.Command{newAnalyze(), newReport(), newFigure(), newServe(), newCertify(), newVerify(), newExport(), newCite(), newExplain()}},
		{"share", "Share runs between machines:", []*cobra.Command{newMerge(), newLogs(), newCancel()}},
	} {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, command := range g.commands {
			command.GroupID = g.id
			root.AddCommand(command)
		}
	}
	root.AddCommand(newDoctor(), newVersion(), newPipe(), newRecord())
	for _, command := range root.Commands() {
		sayCores(command.Flags())
	}
	return root
}

// sayCores has the help of flags whose default is the number of cores say so instead of a number.
func sayCores(flags *pflag.FlagSet) {
	for _, name := range []string{"jobs", "workers"} {
		if flag := flags.Lookup(name); flag != nil && flag.DefValue == strconv.Itoa(runtime.GOMAXPROCS(0)) {
			flag.DefValue = "all cores"
		}
	}
}
