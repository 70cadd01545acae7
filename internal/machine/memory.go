// Package machine says how much memory this process may take, so that work that cannot fit is
// refused before it starts, and what its arithmetic is compiled for.
package machine

import (
	"fmt"
	"math"
	"runtime/debug"
	"sync"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/pbnjay/memory"
)

// Memory returns the bytes that this process may take, the lowest of the machine's memory, the
// limit of its control group (version 1 or 2: a container, a job of a cluster), the limit on
// its address space (ulimit -v) and GOMEMLIMIT; 0 if none is known.
var Memory = sync.OnceValue(func() int64 {
	return lowest(memory.TotalMemory(), memlimit.FromCgroup, addressSpace, func() (uint64, error) {
		return uint64(debug.SetMemoryLimit(-1)), nil // math.MaxInt64 where there is none
	})
})

// lowest returns the lowest of the machine's memory, 0 where it is not known, and limits,
// each an error where there is none.
func lowest(machine uint64, limits ...memlimit.Provider) int64 {
	most := machine
	for _, limit := range limits {
		if bytes, err := limit(); err == nil && bytes > 0 && (most == 0 || bytes < most) {
			most = bytes
		}
	}
	if most >= math.MaxInt64 {
		return 0
	}
	return int64(most)
}

// A MemoryError says that something does not fit into memory.
type MemoryError struct {
	Need  float64 // bytes, at least
	Limit int64   // bytes that this process may take
}

// Error returns the memory available and needed. The caller adds how to mend it.
func (e *MemoryError) Error() string {
	return fmt.Sprintf("got %.3g GB of memory for this process, want at least %.3g GB", float64(e.Limit)/1e9, e.Need/1e9)
}

// Fits returns a *MemoryError unless need bytes are within what this process may take. If that
// is not known, the limit is what a process can address.
func Fits(need float64) error {
	limit := Memory()
	if limit == 0 {
		limit = 1 << 47
	}
	if !(need <= float64(limit)) {
		return &MemoryError{need, limit}
	}
	return nil
}
