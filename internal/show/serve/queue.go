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

// A queue lets maxWork requests work at a time and serves the clients in turn, so that a client
// with many requests delays only itself.
type queue struct {
	mu      sync.Mutex
	working int
	waiting map[client][]chan struct{}
	turn    []client // clients that wait, the next one first
}

func newQueue() *queue { return &queue{waiting: map[client][]chan struct{}{}} }

// enter waits until the request may work. The caller must call release. A client with too many
// waiting requests gets an error at once.
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
	if i < 0 { // the request has just got its turn
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

// pass gives a place to the next client in turn. The caller holds mu.
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
