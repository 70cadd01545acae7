//go:build !unix

package process

import "time"

// CPUTime returns the time that this process has had on all cores so far, false where the
// system does not say.
func CPUTime() (time.Duration, bool) { return 0, false }
