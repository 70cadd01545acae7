package cli

import (
	"context"
	"sync"
	"time"

	"github.com/deeplimit/deeplimit/internal/execute/sweep"
)

// The time from a signal to the end of the program: the command has that long to end by
// itself, apart from runs that are to leave a checkpoint.
const (
	patience = 500 * time.Millisecond
	glance   = 20 * time.Millisecond
)

// A guard ends the program soon after a signal, whatever the command is doing: reading,
// resolving a million runs, fitting, drawing. Files are written under other names and
// renamed, so that what an end leaves behind is what a kill would. Only an iteration of a
// run is waited for, as its checkpoint is what the signal asks for.
type guard struct {
	mu       sync.Mutex
	training map[string]bool // runs that have begun to iterate, by ID
}

type guardKey struct{}

// newGuard returns a guard and the context by which commands find it.
func newGuard(ctx context.Context) (*guard, context.Context) {
	g := &guard{training: map[string]bool{}}
	return g, context.WithValue(ctx, guardKey{}, g)
}

// watching returns observe with its events told to the guard of the context, too.
func watching(ctx context.Context, observe func(sweep.Event)) func(sweep.Event) {
	g, ok := ctx.Value(guardKey{}).(*guard)
	if !ok {
		return observe
	}
	return func(e sweep.Event) {
		g.mu.Lock()
		switch e.Kind {
		case sweep.Advanced:
			g.training[e.Run.ID] = true
		case sweep.Ended, sweep.Failed, sweep.Lost:
			delete(g.training, e.Run.ID)
		}
		g.mu.Unlock()
		observe(e)
	}
}

// busy reports whether a run is between its first iteration and its end.
func (g *guard) busy() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.training) > 0
}

// wait returns what the command ends with, or false once a signal has come and the
// command has had its time. slow is called when that is over and a run is still at an
// iteration.
func (g *guard) wait(ctx context.Context, done <-chan error, slow func()) (err error, ended bool) {
	select {
	case err := <-done:
		return err, true
	case <-ctx.Done():
	}
	told := false
	for deadline := time.Now().Add(patience); ; {
		select {
		case err := <-done:
			return err, true
		case <-time.After(glance):
		}
		switch {
		case time.Now().Before(deadline):
		case !g.busy():
			return nil, false
		case !told:
			told = true
			slow()
		}
	}
}
