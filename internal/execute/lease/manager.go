package lease

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/process"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Heartbeat is the default time between two heartbeats of a worker.
const Heartbeat = 5 * time.Second

// A Manager takes runs for one worker, renews the leases of all that it holds, and judges
// whether the workers of other runs are alive. It has one goroutine.
type Manager struct {
	every time.Duration
	self  process.Identity
	host  string
	job   string

	// mistrust is set once another worker has taken a run of this one whose heartbeats went on:
	// it took the process for dead by its number, and would be taken so in turn.
	mistrust atomic.Bool

	mu    sync.Mutex
	held  map[*Held]bool
	seen  map[string]sighting // by run folder
	start sync.Once
	stop  chan struct{}
	done  chan struct{}
}

// A sighting is a lease of another worker as it was found, and when it was first found
// like that, by the clock of this machine alone.
type sighting struct {
	content []byte
	at      time.Time
	beaten  bool // a heartbeat came while this manager watched
}

// NewManager returns a manager with the given time between heartbeats, the default for
// 0; job is the worker's job in a cluster's queue, "" outside one. The caller closes it.
func NewManager(every time.Duration, job string) *Manager {
	if every <= 0 {
		every = Heartbeat
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return &Manager{
		every: every, self: process.Self(), host: host, job: job,
		held: map[*Held]bool{}, seen: map[string]sighting{},
		stop: make(chan struct{}), done: make(chan struct{}),
	}
}

// Acquire takes the run in dir, making the folder when it is missing. A run that
// another worker holds is a *HeldError; it is taken over when that worker
//
//   - has released it,
//   - was a process of this machine that is gone (unless such a judgement has cost this
//     manager a run while it was alive), or
//   - has sent no heartbeat while this manager watched, through calls of Acquire and Free,
//     for runfolder.MissedBeats of the worker's intervals by the clock of this machine. Where
//     the lease is damaged, the interval is this manager's own: a worker that is alive
//     repairs it with its next heartbeat.
//
// The context that is returned ends, with ErrLost as its cause, when another worker has
// taken over this one's run, and with ErrGone when somebody has removed its folder. Release
// or Finished ends the lease.
func (m *Manager) Acquire(ctx context.Context, dir string) (*Held, context.Context, error) {
	for {
		newest, err := m.Free(dir)
		if err != nil {
			return nil, nil, err
		}
		now := time.Now()
		record := runfolder.Lease{
			Owner: rand.Text(), Host: m.host, PID: m.self.PID, Scope: m.self.Scope, Started: m.self.Start, Job: m.job,
			Since: now.UTC(), Beat: now.UTC(), Every: m.every.Seconds(), Attempt: newest.Attempt + 1,
		}
		err = claim(dir, &record)
		if errors.Is(err, fs.ErrNotExist) { // the run was finished, and its folder tidied, unless that is gone
			if _, gone := disk.Stat(dir); gone == nil {
				err = fs.ErrExist
			}
		}
		if errors.Is(err, fs.ErrExist) {
			if ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			continue // the folder has changed since it was read
		}
		if err != nil {
			return nil, nil, fmt.Errorf("lease: taking run %s: %w", dir, err)
		}
		h := &Held{manager: m, dir: dir, record: record, due: now.Add(min(time.Second, m.every)), sent: now}
		ctx, h.cancel = context.WithCancelCause(ctx)
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.seen, dir)
		m.held[h] = true
		m.start.Do(func() { go m.beats() })
		return h, ctx, nil
	}
}

// Free returns the lease that Acquire would follow, Attempt 0 for none, or the
// *HeldError that it would return now. Watching through Free counts as through Acquire.
func (m *Manager) Free(dir string) (runfolder.Lease, error) {
	content, newest, err := runfolder.NewestLease(dir)
	if err != nil {
		return runfolder.Lease{}, err
	}
	if newest.Attempt > 0 && !newest.Released && !m.gone(&newest) && !m.silent(dir, content, &newest) {
		return newest, &HeldError{dir, newest}
	}
	return newest, nil
}

// gone reports whether the holder of a lease is known to be dead without waiting. Numbers
// of processes are told apart by boot and namespaces; should that fail, as on copies of one
// virtual machine, two workers would take a run from each other for ever.
func (m *Manager) gone(lease *runfolder.Lease) bool { return !m.mistrust.Load() && lease.Dead() }

// silent reports whether the worker of dir has sent no heartbeat for so long that it counts
// as dead.
func (m *Manager) silent(dir string, content []byte, lease *runfolder.Lease) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	last, ok := m.seen[dir]
	if !ok || !bytes.Equal(last.content, content) {
		m.seen[dir] = sighting{content, time.Now(), ok}
		return false
	}
	patience := lease.Patience()
	if lease.Damaged != nil {
		patience = runfolder.MissedBeats * m.every
	}
	return time.Since(last.at) > patience
}

// Alive reports whether the worker of another's run has just sent a heartbeat while this
// manager watched, through calls of Free and Acquire. One that is not alive counts as dead
// in the end, or sends a heartbeat, while the watching goes on.
func (m *Manager) Alive(held *HeldError) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := m.seen[held.Dir]
	return last.beaten && time.Since(last.at) <= 2*held.Lease.Patience()/runfolder.MissedBeats
}

// beats sends heartbeats until the manager is closed.
func (m *Manager) beats() {
	defer close(m.done)
	tick := time.NewTicker(min(time.Second, max(m.every/4, time.Millisecond)))
	defer tick.Stop()
	for {
		select {
		case <-m.stop:
			return
		case <-tick.C:
		}
		m.mu.Lock()
		held := make([]*Held, 0, len(m.held))
		for h := range m.held {
			held = append(held, h)
		}
		m.mu.Unlock()
		for _, h := range held {
			h.renew(time.Now())
		}
	}
}

// Close releases what is still held and ends the manager's goroutine.
func (m *Manager) Close() {
	m.start.Do(func() { close(m.done) })
	close(m.stop)
	<-m.done
	m.mu.Lock()
	held := m.held
	m.held = map[*Held]bool{}
	m.mu.Unlock()
	for h := range held {
		h.Release()
	}
}
