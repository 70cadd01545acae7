//go:build slurm

package slurm

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A tree is a program that a test started, with every process that came of it. Slurm's
// daemons leave theirs behind on purpose, in sessions of their own, so a keeper stands
// above the program: this test binary once more, which inherits what was left behind and
// ends it all when the test says so or is gone itself.
type tree struct {
	keeper *exec.Cmd
	hold   io.Closer // the keeper's standard input: its end is the sign
	once   sync.Once
}

// keeperWord is the argument that makes a keeper of the test binary.
const keeperWord = "keep-processes"

// grow starts the program of a command under a keeper.
func grow(cmd *exec.Cmd) (*tree, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	keeper := exec.Command(self, append([]string{keeperWord}, cmd.Args...)...)
	keeper.Env, keeper.Stdout, keeper.Stderr = cmd.Env, cmd.Stdout, cmd.Stderr
	keeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a ^C is for the test alone
	hold, err := keeper.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &tree{keeper: keeper, hold: hold}, keeper.Start()
}

// end kills all processes of the tree at once, and returns when none is left.
func (r *tree) end() {
	r.once.Do(func() {
		r.hold.Close()
		r.keeper.Wait()
	})
}

// keep is the keeper: it runs a program, and returns when that and all that came of it
// have ended. It kills its own children alone, whose numbers are theirs until it has
// waited for them; the children of one that was killed become its own.
func keep(args []string) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl: %w", err)
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	released := make(chan bool)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(released)
	}()
	for over := false; ; {
		select {
		case <-released:
			over, released = true, nil
		case <-ended:
		}
		if over {
			for _, child := range children(os.Getpid()) {
				syscall.Kill(child, syscall.SIGKILL)
			}
		}
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			if err == syscall.ECHILD {
				return nil
			}
			if err == nil && pid == 0 {
				break
			}
		}
	}
}

// children returns the processes whose parent the given one is.
func children(parent int) []int {
	var list []int
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for word := range strings.FieldsSeq(string(text)) {
			if pid, err := strconv.Atoi(word); err == nil {
				list = append(list, pid)
			}
		}
	}
	return list
}

// TestTree ends a tree whose program is gone, and has left behind one in a session of
// its own, with a child: what a daemon does that dies before its job step.
func TestTree(t *testing.T) {
	t.Parallel()
	pids := filepath.Join(t.TempDir(), "pids")
	r, err := grow(exec.Command("sh", "-c", `setsid sh -c 'sleep 1000 & echo $$ $! > "$0.new"; mv "$0.new" "$0"; wait' "$0" & exit`, pids))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.end)
	var text []byte
	for end := time.Now().Add(patience); len(text) == 0; time.Sleep(10 * time.Millisecond) {
		if text, _ = os.ReadFile(pids); time.Now().After(end) {
			t.Fatal("the program never started")
		}
	}
	r.end()
	for word := range strings.FieldsSeq(string(text)) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			t.Fatalf("got %q, want numbers of processes", text)
		}
		if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
			t.Errorf("process %d: got %v, want it gone", pid, err)
		}
	}
}
