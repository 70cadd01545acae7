package machine

import (
	"bytes"
	"os"
	"strconv"
	"syscall"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// addressSpace returns the limit on the address space less what this process has reserved so
// far, most of which is unused.
func addressSpace() (uint64, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		return 0, err
	}
	if limit.Cur == ^uint64(0) {
		return 0, memlimit.ErrNoLimit
	}
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return limit.Cur, nil
	}
	first, _, _ := bytes.Cut(text, []byte(" "))
	pages, err := strconv.ParseUint(string(first), 10, 64)
	if err != nil {
		return limit.Cur, nil
	}
	if taken := pages * uint64(os.Getpagesize()); taken < limit.Cur {
		return limit.Cur - taken, nil
	}
	return 1, nil
}
