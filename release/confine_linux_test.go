package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// confine has a command see nothing but the folder dir as its root, no network, and a user
// that no file knows, where the tests may ask for that; it says what was had.
func confine(t *testing.T, cmd *exec.Cmd, dir string) string {
	t.Helper()
	root := &syscall.SysProcAttr{Chroot: dir, Credential: &syscall.Credential{Uid: 54321, Gid: 54321}}
	try := exec.Command("/deeplimit", "version")
	try.SysProcAttr = root
	if os.Getuid() != 0 || try.Run() != nil {
		cmd.Path, cmd.Dir = dir+cmd.Path, dir
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(dir, 0o755) })
		return "as this user, with its root and network"
	}
	cmd.SysProcAttr = root
	try = exec.Command("true")
	try.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if try.Run() != nil {
		return "in an empty root, as user 54321, with a network"
	}
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET
	return "in an empty root, without a network, as user 54321"
}

// maxMemory returns the most memory in bytes that a process had.
func maxMemory(state *os.ProcessState) int64 {
	return state.SysUsage().(*syscall.Rusage).Maxrss * 1024
}
