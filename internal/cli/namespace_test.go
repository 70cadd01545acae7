//go:build linux

package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNamespacesShareARun has two workers in different namespaces of times or of process
// numbers, as in two containers, at one run: the first keeps it.
func TestNamespacesShareARun(t *testing.T) {
	for name, namespace := range map[string][]string{
		"times":   {"--time", "--boottime", "100000", "--fork", "--kill-child"},
		"numbers": {"--pid", "--fork", "--kill-child", "--mount-proc"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if out, err := exec.Command("unshare", append(namespace, "true")...).CombinedOutput(); err != nil {
				t.Skipf("this system lets nobody make such namespaces: %v: %s", err, out)
			}
			dir := t.TempDir()
			text := "name: s\ndepths: [8]\ndata: {kind: rotation, width: 8, samples: 8, angle: 0.3}\ntrain: {step: {value: 1e-9}, stop: {iterations: 100000000}}\n"
			if err := os.WriteFile(filepath.Join(dir, "study.yaml"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			args := []string{"deeplimit", "run", "study.yaml", "--out", "s", "--jobs", "1", "--heartbeat", "300ms", "--no-report"}
			var logs [2]bytes.Buffer
			var workers [2]*exec.Cmd
			leases := filepath.Join(dir, "s/runs/*/lease.*")
			for i, command := range [][]string{args, append(append([]string{"unshare"}, namespace...), args...)} {
				workers[i] = exec.CommandContext(t.Context(), command[0], command[1:]...)
				workers[i].Dir, workers[i].Stderr = dir, &logs[i]
				if err := workers[i].Start(); err != nil {
					t.Fatal(err)
				}
				for deadline := time.Now().Add(30 * time.Second); len(glob(t, leases)) == 0; time.Sleep(5 * time.Millisecond) {
					if time.Now().After(deadline) {
						t.Fatalf("no run has begun\n%s", logs[i].String())
					}
				}
			}
			time.Sleep(1500 * time.Millisecond) // less than the patience, many looks of the second worker
			if got := glob(t, leases); len(got) != 1 || !strings.HasSuffix(got[0], "lease.1") {
				t.Errorf("got leases %v, want the first worker's alone", got)
			}
			for _, w := range workers {
				w.Process.Signal(syscall.SIGKILL)
				w.Wait()
			}
			if text := logs[0].String() + logs[1].String(); strings.Contains(text, "lost ") || strings.Contains(text, "0001-01-01") {
				t.Errorf("got\n%s\nwant no run lost", text)
			}
		})
	}
}
