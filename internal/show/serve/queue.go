package serve

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

const (
	maxWork    = 4  // requests that read files at a time
	maxWaiting = 64 // requests of one client that wait to
)

// errBusy wraps what statusOf answers with "service unavailable".
var errBusy = fmt.Errorf("serve: %d requests of this client wait, which is as many as may: %w", maxWaiting, context.DeadlineExceeded)

// A queue lets maxWork requests work at a time and gives what comes free to the clients in
// turn, so that one with many requests waits for itself.
type queue struct {
	mu      sync.Mutex
	working int
	waiting map[client][]chan struct{}
	turn    []client // of those who wait, the next first
}

func newQueue() *queue { return &queue{waiting: map[client][]chan struct{}{}} }

// enter waits for leave to work; release must follow. A client that has too many requests
// waiting is refused at once.
func (q *queue) enter(ctx context.Context, who client) (release func(), err error) {
	q.mu.Lock()
	if q.working < maxWork {
		q.working++
		q.mu.Unlock()
		return sync.OnceFunc(q.leave), nil
	}
	if len(q.waiting[who]) >= maxWaiting {
		q.mu.Unlock()
		return nil, errBusy
	}
	ready := make(chan struct{})
	if len(q.waiting[who]) == 0 {
		q.turn = append(q.turn, who)
	}
	q.waiting[who] = append(q.waiting[who], ready)
	q.mu.Unlock()
	select {
	case <-ready:
		return sync.OnceFunc(q.leave), nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting[who], ready)
	if i < 0 { // the turn came a moment ago
		q.pass()
		return nil, ctx.Err()
	}
	q.waiting[who] = slices.Delete(q.waiting[who], i, i+1)
	if len(q.waiting[who]) == 0 {
		delete(q.waiting, who)
		q.turn = slices.DeleteFunc(q.turn, func(c client) bool { return c == who })
	}
	return nil, ctx.Err()
}

// leave ends the work of a request.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pass()
}

// pass hands a place to the next client whose turn it is. The caller holds mu.
func (q *queue) pass() {
	if len(q.turn) == 0 {
		q.working--
		return
	}
	who := q.turn[0]
	q.turn = q.turn[1:]
	close(q.waiting[who][0])
	if q.waiting[who] = q.waiting[who][1:]; len(q.waiting[who]) > 0 {
		q.turn = append(q.turn, who)
	} else {
		delete(q.waiting, who)
	}
}
