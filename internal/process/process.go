// Package process tells a process of this machine from every other one, so that what a
// dead process left can be told from what a living one is working on.
package process

import (
	"os"
	"strconv"
)

// An Identity names a process. Two processes never have equal identities unless Scope
// is empty, as it is on systems that do not say enough.
type Identity struct {
	// Scope is what numbers of processes are unique within, and times of their start mean
	// the same: one boot of one machine, one container.
	Scope string
	PID   int
	// Start tells processes apart that had the same number one after the other.
	Start string
}

// Self returns the identity of this process.
func Self() Identity {
	start, _ := started("self")
	return Identity{Scope: scope(), PID: os.Getpid(), Start: start}
}

// Dead reports whether the process is known to have ended. It is false for a process
// out of sight: of another machine, container or boot.
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
