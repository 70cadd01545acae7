package process

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// scope is the boot and the namespaces of process numbers and of times: in another namespace
// of times the same process has another start.
var scope = sync.OnceValue(func() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	times, err := os.Readlink("/proc/self/ns/time")
	if err != nil {
		times = "" // before Linux 5.6
	}
	return strings.TrimSpace(strings.TrimSpace(string(boot)) + " " + namespace + " " + times)
})

// listed reports whether /proc is that of this namespace of process numbers; that of another
// one may be mounted.
var listed = sync.OnceValue(func() bool {
	self, err := os.Readlink("/proc/self")
	return err == nil && self == strconv.Itoa(os.Getpid())
})

// exists reports whether there is a process with the number, whoever owns it.
func exists(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// started returns when a process (a number, or self) began, in clock ticks since the boot,
// and whether it has ended and is only waiting for its parent; "" where /proc hides it.
func started(pid string) (ticks string, ended bool) {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return "", false
	}
	// The name is in brackets and may hold any character. Behind it are the fields from the
	// state (field 3) to the start (field 22).
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return "", false
	}
	state := string(fields[0])
	return string(fields[19]), state == "Z" || state == "X"
}
