//go:build unix

package cli

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestInterrupt interrupts a study whose first run is under way. Checkpoints are
// left, and the same command then leaves the weights and the trace of a study that
// was never interrupted: with momentum and mini-batches too, whose state is more
// than the weights.
func TestInterrupt(t *testing.T) {
	for name, train := range map[string]string{
		"gd":   "{step: {value: 0.5}, stop: {iterations: 20000}}",
		"adam": "{method: adam, batch: 16, step: {schedule: cosine, value: 0.001}, stop: {iterations: 20000}}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			text := "name: long\ndepths: [12]\nseeds: 2\ndata: {kind: rotation, width: 8, samples: 40, angle: 0.3}\ntrain: " + train + "\n"
			if err := os.WriteFile(filepath.Join(dir, "study.yaml"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			run := func(out string, more ...string) []string {
				return append([]string{"run", "study.yaml", "--out", out, "--jobs", "1", "--no-report"}, more...)
			}
			command(t, dir, run("whole")...)

			cmd := exec.CommandContext(t.Context(), "deeplimit", run("broken", "--checkpoint", "20ms")...)
			cmd.Dir = dir
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			checkpoints := filepath.Join(dir, "broken/runs/*/checkpoint/*")
			for deadline := time.Now().Add(20 * time.Second); len(glob(t, checkpoints)) == 0; {
				if time.Now().After(deadline) {
					t.Error("no checkpoint after 20 s")
					break
				}
				time.Sleep(2 * time.Millisecond)
			}
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			err := cmd.Wait()
			if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 130 {
				t.Fatalf("got %v, want exit code 130\n%s", err, stderr.String())
			}
			want := "interrupted: 0 runs done; the same command goes on from the checkpoints\n"
			if got := stderr.String(); !strings.HasSuffix(got, want) || strings.Count(got, "paused ") != 1 {
				t.Errorf("got\n%s\nwant one paused run and\n%s", got, want)
			}
			if len(glob(t, checkpoints)) == 0 || len(glob(t, filepath.Join(dir, "broken/runs/*/result.json"))) > 0 {
				t.Error("want a checkpoint and no result")
			}

			command(t, dir, run("broken")...)
			if err := sameStudies(filepath.Join(dir, "whole"), filepath.Join(dir, "broken")); err != nil {
				t.Error(err)
			}
			if left := glob(t, checkpoints); len(left) > 0 {
				t.Errorf("got %v after the run, want no checkpoint", left)
			}
		})
	}
}

// TestSecondInterrupt wants a second Ctrl-C to end the program where it cannot stop
// soon: coupled fractional noise of this width takes a minute to draw.
func TestSecondInterrupt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := "name: slow\ndepths: [16]\ndata: {kind: rotation, width: 128, samples: 2, angle: 0.3}\ninitial: {kind: fractional-noise, coupled: true}\n"
	if err := os.WriteFile(filepath.Join(dir, "study.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "deeplimit", "run", "study.yaml", "--out", "out")
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for deadline := time.Now().Add(20 * time.Second); len(glob(t, filepath.Join(dir, "out/runs/*/lease.1"))) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no run has begun after 20 s")
		}
		time.Sleep(2 * time.Millisecond)
	}
	for deadline := time.After(20 * time.Second); ; {
		cmd.Process.Signal(syscall.SIGINT) // one that comes too late fails
		select {
		case err := <-ended:
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
				t.Errorf("got %v, want the end by an interrupt", err)
			}
			return
		case <-deadline:
			t.Fatal("still running 20 s after many interrupts")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return list
}
