//go:build unix

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/deeplimit/deeplimit/runfolder"
)

// worker is a `deeplimit run` of its own process.
type worker struct {
	*exec.Cmd
	stderr bytes.Buffer
	ended  chan error
}

// start begins a run of study.yaml in dir.
func start(t *testing.T, dir string, args ...string) *worker {
	t.Helper()
	return launch(t, dir, append([]string{"run", "study.yaml", "--no-report"}, args...)...)
}

// launch begins a command in dir.
func launch(t *testing.T, dir string, args ...string) *worker {
	t.Helper()
	w := &worker{Cmd: exec.CommandContext(t.Context(), "deeplimit", args...), ended: make(chan error, 1)}
	w.Dir, w.Stderr = dir, &w.stderr
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { w.ended <- w.Wait() }()
	return w
}

// end waits for the worker and returns what it has told.
func (w *worker) end(t *testing.T) string {
	t.Helper()
	select {
	case err := <-w.ended:
		if err != nil {
			t.Errorf("%v\n%s", err, w.stderr.String())
		}
	case <-time.After(60 * time.Second):
		t.Fatal("still running after 60 s")
	}
	return w.stderr.String()
}

// until waits for a condition.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %s after 30 s", what)
		}
	}
}

func writeStudy(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "study.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

const (
	manyRuns = "name: many\ndepths: [2, 3, 4, 5, 6, 7, 8]\nseeds: 6\ndata: {kind: separated, width: 4, samples: 3, distance: 0.3}\ntrain: {step: {rule: constant, value: 0.05}, stop: {iterations: 300}}\n"
	longRuns = "name: long\ndepths: [12]\nseeds: 2\ndata: {kind: rotation, width: 8, samples: 40, angle: 0.3}\ntrain: {method: adam, batch: 16, step: {schedule: cosine, value: 0.001}, stop: {iterations: 15000}}\n"
)

// TestSharedRuns has two and four processes begin one study at once. Every run is
// started once, every process ends well with the whole analysis, and the results are
// those of a process alone.
func TestSharedRuns(t *testing.T) {
	t.Parallel()
	dir := writeStudy(t, manyRuns)
	command(t, dir, "run", "study.yaml", "--no-report", "--out", "alone")
	for _, count := range []int{2, 4} {
		out := fmt.Sprint("shared", count)
		var workers []*worker
		for range count {
			workers = append(workers, start(t, dir, "--out", out, "--jobs", "1"))
		}
		all := ""
		for _, w := range workers {
			all += w.end(t)
		}
		if got := strings.Count(all, "start "); got != 42 {
			t.Errorf("%d processes: got %d starts, want one for each of 42 runs\n%s", count, got, all)
		}
		if got := strings.Count(all, "done "); got != 42*count {
			t.Errorf("%d processes: got %d runs told as done, want 42 by each", count, got)
		}
		if err := sameStudies(filepath.Join(dir, "alone"), filepath.Join(dir, out)); err != nil {
			t.Error(err)
		}
		if left := glob(t, filepath.Join(dir, out, "runs/*/lease.*")); len(left) > 0 {
			t.Errorf("got %v, want no lease of a finished run", left)
		}
	}
}

// TestSharedRunsSurviveAKill kills one of two processes at its work: the other takes its
// run over at once, from the checkpoint.
func TestSharedRunsSurviveAKill(t *testing.T) {
	t.Parallel()
	dir := writeStudy(t, longRuns)
	first := start(t, dir, "--out", "shared", "--jobs", "1", "--checkpoint", "20ms")
	until(t, "checkpoint", func() bool {
		return len(glob(t, filepath.Join(dir, "shared/runs/*/checkpoint/state.safetensors"))) > 0
	})
	second := start(t, dir, "--out", "shared", "--jobs", "1")
	until(t, "second run", func() bool { return len(glob(t, filepath.Join(dir, "shared/runs/*/lease.1"))) == 2 })
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-first.ended
	if told := second.end(t); strings.Count(told, "start ") != 2 {
		t.Errorf("got\n%s\nwant the second to have worked on both runs", told)
	}
	command(t, dir, "run", "study.yaml", "--no-report", "--out", "alone")
	if err := sameStudies(filepath.Join(dir, "alone"), filepath.Join(dir, "shared")); err != nil {
		t.Error(err)
	}
}

// TestSharedRunsSurviveASleep stops a process, as a machine that sleeps does, until
// another has taken its run over and finished it. Back again, it notices and leaves the
// other's files alone.
func TestSharedRunsSurviveASleep(t *testing.T) {
	t.Parallel()
	dir := writeStudy(t, strings.Replace(longRuns, "seeds: 2", "seeds: 1", 1))
	first := start(t, dir, "--out", "shared", "--jobs", "1", "--checkpoint", "20ms", "--heartbeat", "20ms")
	until(t, "checkpoint", func() bool {
		return len(glob(t, filepath.Join(dir, "shared/runs/*/checkpoint/state.safetensors"))) > 0
	})
	if err := first.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	second := start(t, dir, "--out", "shared", "--jobs", "1", "--heartbeat", "1s")
	if told := second.end(t); strings.Count(told, "start ") != 1 || !strings.Contains(told, "waiting ") {
		t.Errorf("got\n%s\nwant the second to have waited, and then worked on the run", told)
	}
	files := glob(t, filepath.Join(dir, "shared/runs/*/*"))
	before := contents(t, files)
	if err := first.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if told := first.end(t); !strings.Contains(told, "lost ") || !strings.Contains(told, "(elsewhere)") {
		t.Errorf("got\n%s\nwant the first to have noticed", told)
	}
	if after := glob(t, filepath.Join(dir, "shared/runs/*/*")); strings.Join(after, " ") != strings.Join(files, " ") || contents(t, after) != before {
		t.Errorf("the files of the run have changed: %v, then %v", files, after)
	}
	command(t, dir, "run", "study.yaml", "--no-report", "--out", "alone")
	if err := sameStudies(filepath.Join(dir, "alone"), filepath.Join(dir, "shared")); err != nil {
		t.Error(err)
	}
}

// TestJoinedStudyGrows has a process join a study that grows while it is at work: it goes
// on with what is new.
func TestJoinedStudyGrows(t *testing.T) {
	t.Parallel()
	dir := writeStudy(t, strings.Replace(longRuns, "seeds: 2", "seeds: 1", 1))
	begin := func(depths string) {
		command(t, dir, "run", "study.yaml", "--no-report", "--out", "shared", "--set", "depths="+depths, "--only", "depth == 1")
	}
	begin("[1, 12]")
	joined := launch(t, dir, "run", "shared", "--join", "--jobs", "1")
	until(t, "lease", func() bool { return len(glob(t, filepath.Join(dir, "shared/runs/*-L0012-*/lease.1"))) > 0 })
	begin("[1, 2, 12]")
	if told := joined.end(t); strings.Count(told, "start ") != 2 || !strings.Contains(told, "done     rotation-L0002-") {
		t.Errorf("got\n%s\nwant depths 12 and 2 done", told)
	}
}

// TestJoinEndsAtANotice interrupts the process that has started a study, and sends SIGUSR1,
// more than once, to one that has joined it: both leave a checkpoint and end.
func TestJoinEndsAtANotice(t *testing.T) {
	t.Parallel()
	dir := writeStudy(t, strings.NewReplacer("seeds: 2", "seeds: 1", "iterations: 15000", "iterations: 1000000000").Replace(longRuns))
	reached := func() int {
		for _, run := range glob(t, filepath.Join(dir, "out/runs/*")) {
			if saved, err := runfolder.ReadCheckpoint(run); err == nil {
				return saved.Iteration
			}
		}
		return 0
	}
	for _, c := range []struct {
		args    []string
		signals []os.Signal
	}{
		{[]string{"run", "study.yaml", "--no-report", "--out", "out"}, []os.Signal{os.Interrupt}},
		{[]string{"run", "out", "--join"}, []os.Signal{syscall.SIGUSR1, syscall.SIGUSR1}},
	} {
		before := reached()
		w := launch(t, dir, append(c.args, "--jobs", "1", "--checkpoint", "20ms")...)
		until(t, fmt.Sprintf("checkpoint after iteration %d", before), func() bool { return reached() > before })
		for _, signal := range c.signals {
			if err := w.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case <-w.ended:
		case <-time.After(60 * time.Second):
			t.Fatalf("%q: still running 60 s after the signal", c.args)
		}
		if code := w.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(w.stderr.String(), "paused ") {
			t.Errorf("%q: got exit code %d and\n%s\nwant %d and a paused run", c.args, code, w.stderr.String(), exitInterrupted)
		}
	}
}

// contents returns the content of all files.
func contents(t *testing.T, files []string) string {
	t.Helper()
	var all strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	return all.String()
}

// TestSaveSignal asks for checkpoints by SIGUSR1: each time one is written, later in the
// run than the one before, and the run goes on until it is interrupted.
func TestSaveSignal(t *testing.T) {
	t.Parallel()
	dir := writeStudy(t, strings.NewReplacer("seeds: 2", "seeds: 1", "iterations: 15000", "iterations: 1000000000").Replace(longRuns))
	w := start(t, dir, "--out", "out", "--jobs", "1")
	until(t, "live trace", func() bool { // a second into the run
		return len(glob(t, filepath.Join(dir, "out/runs/*/live.jsonl"))) > 0
	})
	run := glob(t, filepath.Join(dir, "out/runs/*"))[0]
	last := 0
	for range 2 {
		if err := w.Process.Signal(syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		until(t, fmt.Sprintf("checkpoint after iteration %d", last), func() bool {
			c, err := runfolder.ReadCheckpoint(run)
			if err != nil && !errors.Is(err, runfolder.ErrNoCheckpoint) {
				t.Fatal(err)
			}
			if err != nil || c.Iteration <= last {
				return false
			}
			last = c.Iteration
			return true
		})
	}
	if err := w.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case <-w.ended:
	case <-time.After(60 * time.Second):
		t.Fatal("still running 60 s after the interrupt")
	}
	if code := w.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(w.stderr.String(), "paused ") {
		t.Errorf("got exit code %d and\n%s\nwant %d and a paused run", code, w.stderr.String(), exitInterrupted)
	}
}
