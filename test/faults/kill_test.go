//go:build unix

package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// methods are studies of two runs each whose state between two steps differs: weights
// alone, the order of mini-batches, a momentum, two moments and their count.
var methods = map[string]string{
	"gd":       "{step: {value: 0.5}, stop: {iterations: 500}}",
	"sgd":      "{method: sgd, batch: 4, step: {schedule: decay, value: 0.2, factor: 0.5, every: 100}, stop: {iterations: 500}}",
	"momentum": "{method: momentum, step: {value: 0.1}, stop: {iterations: 500}}",
	"adam":     "{method: adam, batch: 8, step: {schedule: cosine, value: 0.01}, stop: {iterations: 500}}",
}

// TestKills ends programs with SIGKILL at moments drawn evenly over the time that the
// study takes, some of them again while they take it up again: the program that is left
// in peace then gives the result of one that never was disturbed.
func TestKills(t *testing.T) {
	t.Parallel()
	for name, train := range methods {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "name: killed\ndepths: [3, 6]\ndata: {kind: rotation, width: 5, samples: 16, angle: 0.3}\ntrain: " + train + "\n"
			study := writeStudy(t, text)
			whole := filepath.Join(t.TempDir(), "whole")
			began := time.Now()
			analysis, err := child(t, killArgs(study, whole), time.Hour)
			span := time.Since(began)
			if err != nil {
				t.Fatal(err)
			}
			want, err := resultOf(whole, analysis)
			if err != nil {
				t.Fatal(err)
			}
			random := rand.New(rand.NewPCG(*seed, uint64(len(name))))
			killed, resumed, studies := 0, 0, 0
			for killed < max(1, *kills/len(methods)) {
				out := filepath.Join(t.TempDir(), "out")
				moments := []time.Duration{}
				for range 1 + random.IntN(4) {
					moment := time.Duration(random.Int64N(int64(span)))
					if _, err := child(t, killArgs(study, out), moment); err == nil {
						break // it was done before
					} else if !wasKilled(err) {
						t.Fatalf("after kills at %v: %v", moments, err)
					}
					moments = append(moments, moment.Round(time.Millisecond))
				}
				killed += len(moments)
				studies++
				states, err := filepath.Glob(filepath.Join(out, "runs/*/checkpoint/*.safetensors"))
				if err != nil {
					t.Fatal(err)
				}
				if len(states) > 0 {
					resumed++
				}
				analysis, err := child(t, killArgs(study, out), time.Hour)
				if err != nil {
					t.Fatalf("after kills at %v: %v", moments, err)
				}
				if err := want.stands(out, analysis); err != nil {
					t.Fatalf("after kills at %v: %v", moments, err)
				}
				if err := os.RemoveAll(out); err != nil {
					t.Fatal(err)
				}
			}
			t.Logf("%d kills of %d studies of %v, %d of which left a checkpoint", killed, studies, span.Round(time.Millisecond), resumed)
		})
	}
}

// killArgs is a run with checkpoints a few steps apart.
func killArgs(study, out string) []string {
	return []string{"run", study, "--out", out, "--jobs", "1", "--checkpoint", "3ms", "--no-report", "--json"}
}

// child runs the program in a process of its own, which is killed after some time, and
// returns what it prints.
func child(t *testing.T, args []string, life time.Duration) (stdout string, err error) {
	ctx, cancel := context.WithTimeout(t.Context(), life)
	defer cancel()
	cmd := exec.CommandContext(ctx, *binary, args...)
	var out, text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &text
	err = cmd.Run()
	if cmd.ProcessState != nil && cmd.ProcessState.Success() {
		err = nil // it ended at the moment that its time was up
	}
	if err != nil {
		return out.String(), fmt.Errorf("deeplimit %s: %w\n%s", strings.Join(args, " "), err, text.String())
	}
	return out.String(), nil
}

// wasKilled says whether a process ended by SIGKILL.
func wasKilled(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}
