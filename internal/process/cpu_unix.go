//go:build unix

package process

import (
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime returns the time that this process has had on all cores so far, false where the
// system does not say.
func CPUTime() (time.Duration, bool) {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0, false
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), true
}
