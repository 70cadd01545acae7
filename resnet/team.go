package resnet

import "sync"

// A team is a fixed number of workers that do one phase of a step together. They
// live as long as the team, so that a step starts no goroutine and allocates
// nothing.
type team struct {
	workers int
	wake    []chan func(worker int)
	done    sync.WaitGroup
}

// newTeam starts workers − 1 goroutines; the caller of do is the last worker.
func newTeam(workers int) *team {
	t := &team{workers: workers}
	for worker := 1; worker < workers; worker++ {
		wake := make(chan func(int))
		t.wake = append(t.wake, wake)
		go func() {
			for phase := range wake {
				phase(worker)
				t.done.Done()
			}
		}()
	}
	return t
}

// do calls phase once for every worker at the same time and waits for all.
func (t *team) do(phase func(worker int)) {
	t.done.Add(len(t.wake))
	for _, wake := range t.wake {
		wake <- phase
	}
	phase(0)
	t.done.Wait()
}

// close ends the team's goroutines.
func (t *team) close() {
	for _, wake := range t.wake {
		close(wake)
	}
	t.wake = nil
}
