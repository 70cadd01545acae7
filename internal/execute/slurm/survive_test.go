//go:build slurm

package slurm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/deeplimit/deeplimit/runfolder"
)

// TestStudy runs a study of nine short runs, which by their limits might be long, from one
// command to its analysis: as many tasks as an array of this cluster has share them.
func TestStudy(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	text := "name: kürzer\ndepths: [2, 4, 8]\nseeds: 3\ndata: {kind: separated, width: 4, samples: 3, distance: 0.3}\ntrain: {stop: {iterations: 100000000, loss: 1e-3}}\n" +
		"engine: {kind: slurm, partition: debug, time: \"5\", sbatch-args: [--nice=1]}\n"
	file := filepath.Join(s.cluster.dir, "short.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out := s.must(s.program, "run", file, "--out", s.dir, "--wait")
	if strings.Count(out, "submitted job ") != 1 || !strings.Contains(out, ": 4 tasks for 9 runs\n") || !strings.Contains(out, "study kürzer: runs 9, groups 1") || !strings.Contains(out, "9 of 9 runs done") {
		t.Errorf("got\n%s\nwant an array of 4 tasks and the analysis", out)
	}
	local := filepath.Join(s.cluster.dir, "local")
	s.must(s.program, "run", file, "--out", local, "--engine", "local", "--no-report")
	s.runs = local
	s.checkOnce(9)
	if out = s.must(s.program, "run", file, "--out", s.dir, "--no-report"); strings.Contains(out, "submitted") || !strings.Contains(out, "study kürzer: runs 9") {
		t.Errorf("all done: got\n%s\nwant the analysis alone", out)
	}
	if out = s.must(s.program, "logs", s.dir, "L0004-s2"); strings.Count(out, "==> ") != 1 || !strings.Contains(out, "done     separated-L0004-s2-") {
		t.Errorf("logs: got\n%s", out)
	}
	if out = s.must(s.program, "cancel", s.dir); out != "cancelled 0 tasks, 0 of them at work\n" {
		t.Errorf("cancel: got %q", out)
	}
}

// TestNodeFails lets a node die with all that runs on it. Where this machine allows
// namespaces, the node is a machine of its own: no other one sees that the worker's
// process is gone, and its run is taken over when its lease gets too old.
func TestNodeFails(t *testing.T) {
	t.Parallel()
	far, refused := newNamespace(t)
	if far == nil {
		t.Logf("the node shares this machine's processes: %s", refused)
	}
	s := newSite(t, far)
	s.submitToFar("2")
	s.waitCheckpoint()
	s.crashNode("n2")
	crash := time.Now()
	s.waitMissed()
	s.waitDone(2)
	s.checkOnce(2, crash)
	for _, e := range s.events() {
		if e.Node == "n2" && e.Time.After(crash) {
			t.Errorf("got %+v after n2 died", e)
		}
	}
}

// TestTimeLimit gives a task less time than its runs take. Its program is held until the
// notice comes, so that this does not depend on how fast the machine is.
func TestTimeLimit(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	// Slurm looks at limits every 30 s: the notice comes 20 s to 50 s after the start, the
	// limit strikes 30 s later.
	s.submit("2", "--time", "1", "--notice", "10")
	lease, err := runfolder.ReadLease(s.waitCheckpoint())
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(lease.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	s.waitFor("the notice to reach the program", func() bool { return pending(t, lease.PID, syscall.SIGUSR1) })
	if err := syscall.Kill(lease.PID, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	s.waitEvent("paused", "")
	s.waitTask("PENDING")
	s.waitDone(2)
	s.checkOnce(2)
	logs, err := Logs(s.dir)
	if err != nil || len(logs) != 1 {
		t.Errorf("got %d logs and error %v, want one: the task went on by itself", len(logs), err)
	}
}

// pending reports whether a signal waits for a process that is stopped.
func pending(t *testing.T, pid int, signal syscall.Signal) bool {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\nShdPnd:")
	var set uint64
	if _, err := fmt.Sscanf(rest, "%x", &set); err != nil {
		t.Fatalf("ShdPnd in %s: %v", text, err)
	}
	return set&(1<<(signal-1)) != 0
}

// TestCancel cancels a task at work, finds a checkpoint, and submits again.
func TestCancel(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.submit("2")
	s.waitCheckpoint()
	if out := s.must(s.program, "cancel", s.dir); out != "cancelled 1 tasks, 1 of them at work\n" {
		t.Errorf("got %q", out)
	}
	s.waitFor("an empty queue", func() bool { return len(s.queue()) == 0 && s.answers() })
	s.waitEvent("paused", "")
	if out := s.submit("2"); !strings.Contains(out, "submitted job") {
		t.Errorf("got %q, want what was cancelled submitted again", out)
	}
	s.waitDone(2)
	s.checkOnce(2)
}

// TestRequeuedTwice takes a task off its node twice.
func TestRequeuedTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.submit("2")
	for restarts := range 2 {
		s.waitCheckpoint()
		task := s.waitTask("RUNNING")
		s.waitFor("its start of a run", func() bool { return len(s.events()) > 2*restarts })
		s.must("scontrol", "requeue", task.ID())
		s.waitTask("PENDING")
	}
	s.waitDone(2)
	s.checkOnce(2)
}

// TestStartedTwice hands the queue the same array again, as a controller does that lost
// its memory of having started it.
func TestStartedTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.submit("3")
	submissions, err := runfolder.Submissions(s.dir)
	if err != nil || len(submissions) != 1 {
		t.Fatalf("got %d submissions and error %v, want one", len(submissions), err)
	}
	again := append(submissions[0].Command[1:], filepath.Join(runfolder.SubmissionDir(s.dir, submissions[0].Name), "job.sh"))
	s.must("sbatch", again...)
	s.waitFor("two tasks at work", func() bool {
		running := 0
		for _, task := range s.queue() {
			if task.Running() {
				running++
			}
		}
		return running == 2
	})
	s.waitDone(3)
	s.checkOnce(3)
}

// TestGrows lets a study grow while its task waits, and again while it is at work: the
// same task computes what is new.
func TestGrows(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, node := range []string{"n1", "n2"} {
		s.must("scontrol", "update", "NodeName="+node, "State=DRAIN", "Reason=test")
	}
	s.submit("1")
	s.waitTask("PENDING")
	grow := func(seeds string) {
		if out := s.submit(seeds); !strings.Contains(out, "nothing to submit: ") {
			t.Errorf("grown to %s: got\n%s\nwant the task that the queue has to do", seeds, out)
		}
	}
	grow("2")
	s.must("scontrol", "update", "NodeName=n2", "State=RESUME")
	s.waitCheckpoint()
	grow("3")
	s.waitDone(3)
	s.checkOnce(3)
	if logs, err := Logs(s.dir); err != nil || len(logs) != 1 {
		t.Errorf("got %d logs and error %v, want one", len(logs), err)
	}
}

// TestTaskKilled kills the program of the only task, as a limit on memory does: Slurm
// does not start it again, and the same command submits what it has left.
func TestTaskKilled(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.submit("2")
	lease, err := runfolder.ReadLease(s.waitCheckpoint())
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(lease.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	s.waitFor("an empty queue", func() bool { return len(s.queue()) == 0 && s.answers() })
	if out := s.try(s.program, "status", s.dir); !strings.Contains(out, "interrupted") || !strings.Contains(out, lease.Job) {
		t.Errorf("got status\n%s\nwant a run that %s has left", out, lease.Job)
	}
	if out := s.submit("2"); !strings.Contains(out, "submitted job") {
		t.Errorf("got %q, want what was left submitted again", out)
	}
	s.waitDone(2)
	s.checkOnce(2, killed)
}

// TestControllerDies kills slurmctld right after it has taken the tasks of three groups, starts it
// again, and submits again whatever it makes of them.
func TestControllerDies(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	submit := func() {
		for seed := range 3 {
			s.submit("3", "--only", fmt.Sprintf("seed == %d", seed+1))
		}
	}
	submit()
	s.controller.end()
	s.startController()
	s.waitFor("the controller to answer", s.answers)
	submit()
	s.waitDone(3)
	s.checkOnce(3)
}

// TestNetworkCut takes a node's cable out while a task is at work there: the task goes
// on computing, Slurm gives its place to another one on the other node.
func TestNetworkCut(t *testing.T) {
	t.Parallel()
	far, refused := newNamespace(t)
	if far == nil {
		t.Skipf("no network of its own for a node: %s", refused)
	}
	s := newSite(t, far)
	s.submitToFar("4")
	far.cut(t)
	s.waitMissed()
	s.waitFor("all runs done", func() bool {
		s.hurry()
		dirs, err := runfolder.List(s.dir)
		return err == nil && len(dirs) == 4 && allDone(dirs)
	})
	far.join(t)
	s.waitDone(4)
	s.checkOnce(4)
}
