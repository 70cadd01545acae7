package resnet

import (
	"runtime"
	"sync/atomic"
	"time"
)

// A team is a fixed number of workers that do one phase of a step together. They
// live as long as the team, so that a step starts no goroutine and allocates
// nothing. A step may take less than waking a sleeping thread, so workers look for
// the next phase for a while before they sleep.
type team struct {
	workers int
	phase   func(worker int)
	active  int          // workers of the phase
	number  atomic.Int64 // phases begun; negative once the team is closed
	working atomic.Int64 // helpers that have not finished the phase
	helpers []*helper
}

// A helper is a worker other than the caller of do.
type helper struct {
	asleep atomic.Bool
	wake   chan struct{} // receives once for every asleep that another has cleared
}

// newTeam starts workers − 1 goroutines; the caller of do is the last worker.
func newTeam(workers int) *team {
	t := &team{workers: workers}
	for worker := 1; worker < workers; worker++ {
		h := &helper{wake: make(chan struct{}, 1)}
		t.helpers = append(t.helpers, h)
		go t.help(h, worker)
	}
	return t
}

// help does every phase until the team is closed.
func (t *team) help(h *helper, worker int) {
	for seen := int64(0); ; {
		for spins := 0; t.number.Load() == seen; spins++ {
			if pause(spins); spins >= looks+idle {
				h.sleep(&t.number, seen)
			}
		}
		if t.number.Load() < 0 {
			return
		}
		seen++
		if worker < t.active {
			t.phase(worker)
		}
		t.working.Add(-1)
	}
}

// sleep waits until the number is no longer seen.
func (h *helper) sleep(number *atomic.Int64, seen int64) {
	h.asleep.Store(true)
	if number.Load() == seen || !h.asleep.CompareAndSwap(true, false) {
		<-h.wake
	}
}

// set publishes a number and wakes who sleeps.
func (t *team) set(number int64) {
	t.number.Store(number)
	for _, h := range t.helpers {
		if h.asleep.CompareAndSwap(true, false) {
			h.wake <- struct{}{}
		}
	}
}

// do calls phase once for each of the first workers at the same time and waits for all.
func (t *team) do(workers int, phase func(worker int)) {
	if workers == 1 {
		phase(0)
		return
	}
	t.phase, t.active = phase, workers
	t.working.Store(int64(len(t.helpers)))
	t.set(t.number.Load() + 1)
	phase(0)
	for spins := 0; t.working.Load() > 0; spins++ {
		pause(spins)
	}
}

// close ends the team's goroutines.
func (t *team) close() { t.set(-1) }

// A worker who waits looks again at once, then lets other goroutines run, which takes
// a tenth of a microsecond when there are none, and at last leaves its core: soon when a
// step may be over, late within a phase, as sleeping takes up to a millisecond.
const (
	looks = 1 << 9
	idle  = 1 << 9
	late  = 1 << 13
	nap   = 20 * time.Microsecond
)

// pause passes a moment of waiting after that many looks.
func pause(spins int) {
	if spins < looks {
		return
	}
	if spins < looks+late {
		runtime.Gosched()
		return
	}
	time.Sleep(nap)
}
