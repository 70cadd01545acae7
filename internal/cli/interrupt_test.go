//go:build unix

package cli

import (
	"bytes"
	"errors"
	"math/rand/v2"
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

// TestInterruptAnywhere interrupts commands at random moments of stages that take long and
// leave no checkpoint: resolving a large grid, hashing and reading data, drawing, fitting.
// Each ends soon, though most of these never look at the signal.
func TestInterruptAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const samples = "data: {kind: separated, width: 4, samples: 2, distance: 0.3}\n"
	table := strings.Repeat("1.5,2.25,3.125,4\n", 1<<20)
	for name, text := range map[string]string{
		"grid.yaml":   "name: grid\ndepths: [4, 8]\nseeds: 50000\n" + samples,
		"drawn.yaml":  "name: drawn\ndepths: [16]\ndata: {kind: rotation, width: 128, samples: 2, angle: 0.3}\ninitial: {kind: fractional-noise, coupled: true}\n",
		"hashed.yaml": "name: hashed\ndepths: [4]\ndata: {kind: csv, path: sparse.csv}\n",
		"read.yaml":   "name: read\ndepths: [4]\ndata: {kind: csv, path: table.csv}\n",
		"steps.yaml":  "name: steps\ndepths: [3000]\ndata: {kind: rotation, width: 64, samples: 512, angle: 0.3}\ntrain: {stop: {iterations: 100000}}\n",
		"table.csv":   table,
		"sparse.csv":  "1,2\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(filepath.Join(dir, "sparse.csv"), 2<<30); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i, command := range [][]string{
		{"run", "grid.yaml", "--dry-run"},
		{"run", "grid.yaml", "--out", "grid"},
		{"edge", "grid.yaml"},
		{"probe", "grid.yaml", "--out", "probe"},
		{"run", "drawn.yaml", "--out", "drawn"},
		{"run", "hashed.yaml", "--dry-run"},
		{"run", "read.yaml", "--dry-run"},
		{"edge", "steps.yaml"},
		{"bench", "--time", "1h", "--shape", "64,2048,100"},
		{"serve", ".", "--addr", "127.0.0.1:0"},
	} {
		signal := []os.Signal{os.Interrupt, syscall.SIGTERM}[i%2]
		cmd := exec.CommandContext(t.Context(), "deeplimit", command...)
		cmd.Dir = dir
		var out bytes.Buffer
		cmd.Stderr = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		wait := 100*time.Millisecond + time.Duration(random.Float64()*float64(500*time.Millisecond))
		select {
		case err := <-ended:
			if command[0] != "run" { // reading may be over, on a quick machine
				t.Errorf("%q ended by itself within %s: %v\n%s", command, wait, err, out.String())
			}
			continue
		case <-time.After(wait):
		}
		begun := time.Now()
		cmd.Process.Signal(signal)
		select {
		case <-ended:
		case <-time.After(15 * time.Second): // half a second, where the machine has time
			t.Errorf("%q still runs 15 s after %v", command, signal)
			cmd.Process.Kill()
			<-ended
			continue
		}
		code, want := cmd.ProcessState.ExitCode(), exitInterrupted
		if command[0] == "serve" {
			want = exitDone
		}
		if code != want && code != exitBad { // refused input may be told first
			t.Errorf("%q after %v: got exit code %d, want %d\n%s", command, signal, code, want, out.String())
		}
		t.Logf("%q ended %s after %v", command, time.Since(begun).Round(time.Millisecond), signal)
	}
}
