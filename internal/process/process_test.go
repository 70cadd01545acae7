//go:build unix

package process

import (
	"os/exec"
	"runtime"
	"strconv"
	"testing"
)

func TestDead(t *testing.T) {
	self := Self()
	if self.Dead() {
		t.Errorf("got %+v dead, want this process alive", self)
	}
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	start, _ := started(strconv.Itoa(cmd.Process.Pid))
	child := Identity{self.Scope, cmd.Process.Pid, start}
	if child.Dead() {
		t.Errorf("got %+v dead, want it alive", child)
	}
	if runtime.GOOS == "linux" {
		if reused := (Identity{self.Scope, child.PID, "1"}); !reused.Dead() {
			t.Errorf("got %+v alive, want it dead: another process has its number", reused)
		}
	}
	if elsewhere := (Identity{"another machine", 1 << 30, ""}); elsewhere.Dead() {
		t.Error("got a process of another machine dead, want it unknown")
	}
	if unknown := (Identity{PID: 1 << 30}); unknown.Dead() {
		t.Error("got a process without scope dead, want it unknown")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if !child.Dead() {
		t.Errorf("got %+v alive after its end, want it dead", child)
	}
}
