// Package process identifies processes, so that the files of a dead process can be told from
// those of a living one.
package process

import (
	"os"
	"strconv"
)

// An Identity identifies a process. Two processes have equal identities only if Scope is empty,
// as on systems that do not give enough information.
type Identity struct {
	// Scope is the range in which process numbers are unique and start times comparable: one
	// boot of one machine, one container.
	Scope string
	PID   int
	// Start distinguishes processes that had the same number one after the other.
	Start string
}

// Self returns the identity of this process.
func Self() Identity {
	start, _ := started("self")
	return Identity{Scope: scope(), PID: os.Getpid(), Start: start}
}

// Dead reports whether the process is known to have ended. It is false for a process that
// cannot be observed: of another machine, container or boot.
func (id Identity) Dead() bool {
	if id.Scope == "" || id.Scope != scope() {
		return false
	}
	if !exists(id.PID) {
		return true
	}
	if !listed() {
		return false
	}
	start, ended := started(strconv.Itoa(id.PID))
	return ended || start != "" && id.Start != "" && start != id.Start
}
