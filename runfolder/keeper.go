package runfolder

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/process"
)

// Heartbeat is the default time between a worker's signs of life.
const Heartbeat = 5 * time.Second

// A Keeper takes runs for one worker, gives signs of life of all it holds, and judges
// whether the holders of other runs are alive. It has one goroutine.
type Keeper struct {
	every time.Duration
	self  process.Identity
	host  string
	job   string

	// mistrust is set once another worker has taken a run of this one that was giving signs
	// of life: it took the process for dead by its number, and would be taken so in turn.
	mistrust atomic.Bool

	mu    sync.Mutex
	holds map[*Hold]bool
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
	beaten  bool // its holder has shown a sign of life under the eyes of this keeper
}

// NewKeeper returns a keeper with the given time between signs of life, the default for
// 0; job is the worker's job in a cluster's queue, "" outside one. The caller closes it.
func NewKeeper(every time.Duration, job string) *Keeper {
	if every <= 0 {
		every = Heartbeat
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return &Keeper{
		every: every, self: process.Self(), host: host, job: job,
		holds: map[*Hold]bool{}, seen: map[string]sighting{},
		stop: make(chan struct{}), done: make(chan struct{}),
	}
}

// A Hold is a run that this worker has taken.
type Hold struct {
	keeper *Keeper
	dir    string
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	lease Lease
	beat  time.Time // when the next sign of life is due
	shown time.Time // when the last one was given
}

// Acquire takes the run in dir, making the folder when it is missing. A run that
// another worker holds is a *HeldError; it is taken over when that worker
//
//   - has released it,
//   - was a process of this machine that is gone (unless such a judgement has cost this
//     keeper a run while it was alive), or
//   - has shown no sign of life while this keeper looked on, through calls of Acquire and Free,
//     for Patience times the worker's interval by the clock of this machine. Clocks are
//     never compared. Where the lease is damaged, the interval is this keeper's own: a
//     worker that is alive mends it with its next sign of life.
//
// The context that is returned ends, with ErrLost as its cause, when another worker has
// taken over this one's run, and with ErrGone when somebody has removed its folder. Release ends the hold; Finish does, too.
func (k *Keeper) Acquire(ctx context.Context, dir string) (*Hold, context.Context, error) {
	for {
		newest, err := k.Free(dir)
		if err != nil {
			return nil, nil, err
		}
		now := time.Now()
		lease := Lease{
			Owner: rand.Text(), Host: k.host, PID: k.self.PID, Scope: k.self.Scope, Started: k.self.Start, Job: k.job,
			Since: now.UTC(), Beat: now.UTC(), Every: k.every.Seconds(), Attempt: newest.Attempt + 1,
		}
		err = lease.claim(dir)
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
			return nil, nil, fmt.Errorf("runfolder: taking run %s: %w", dir, err)
		}
		h := &Hold{keeper: k, dir: dir, lease: lease, beat: now.Add(min(time.Second, k.every)), shown: now}
		ctx, h.cancel = context.WithCancelCause(ctx)
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.seen, dir)
		k.holds[h] = true
		k.start.Do(func() { go k.beats() })
		return h, ctx, nil
	}
}

// Free returns the lease that Acquire would follow, Attempt 0 for none, or the
// *HeldError that it would return now. Looking on through Free counts as through Acquire.
func (k *Keeper) Free(dir string) (Lease, error) {
	content, newest, err := newestLease(dir)
	if err != nil {
		return Lease{}, err
	}
	if newest.Attempt > 0 && !newest.Released && !k.gone(&newest) && !k.silent(dir, content, &newest) {
		return newest, &HeldError{dir, newest}
	}
	return newest, nil
}

// gone reports whether the holder of a lease is known to be dead without waiting. Numbers
// of processes are told apart by boot and namespaces; should that fail, as on copies of one
// virtual machine, two workers would take a run from each other for ever.
func (k *Keeper) gone(lease *Lease) bool { return !k.mistrust.Load() && lease.Dead() }

// silent reports whether the holder of dir has shown no sign of life for so long that it
// is taken for dead.
func (k *Keeper) silent(dir string, content []byte, lease *Lease) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	last, ok := k.seen[dir]
	if !ok || !bytes.Equal(last.content, content) {
		k.seen[dir] = sighting{content, time.Now(), ok}
		return false
	}
	patience := lease.patience()
	if lease.Damaged != nil {
		patience = Patience * k.every
	}
	return time.Since(last.at) > patience
}

// Alive reports whether the holder of another's run has just shown a sign of life while
// this keeper looked on, through calls of Free and Acquire. A holder that is not alive is
// taken for dead at last, or shows a sign of life, while the looks go on.
func (k *Keeper) Alive(held *HeldError) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	last := k.seen[held.Dir]
	return last.beaten && time.Since(last.at) <= 2*held.Lease.patience()/Patience
}

// beats gives signs of life until the keeper is closed.
func (k *Keeper) beats() {
	defer close(k.done)
	tick := time.NewTicker(min(time.Second, max(k.every/4, time.Millisecond)))
	defer tick.Stop()
	for {
		select {
		case <-k.stop:
			return
		case <-tick.C:
		}
		k.mu.Lock()
		holds := make([]*Hold, 0, len(k.holds))
		for h := range k.holds {
			holds = append(holds, h)
		}
		k.mu.Unlock()
		for _, h := range holds {
			h.giveSign(time.Now())
		}
	}
}

// Close releases what is still held and ends the keeper's goroutine.
func (k *Keeper) Close() {
	k.start.Do(func() { close(k.done) })
	close(k.stop)
	<-k.done
	k.mu.Lock()
	holds := k.holds
	k.holds = map[*Hold]bool{}
	k.mu.Unlock()
	for h := range holds {
		h.Release()
	}
}

// Progress sets what the next sign of life says; the first call says where this worker
// started. A loss that is not finite is not told.
func (h *Hold) Progress(iteration int, loss float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lease.Loss == nil && h.lease.Iteration == 0 {
		h.lease.From = iteration
	}
	h.lease.Iteration, h.lease.Loss = iteration, nil
	if !math.IsNaN(loss) && !math.IsInf(loss, 0) {
		h.lease.Loss = &loss
	}
}

// Check returns ErrLost when another worker has taken over the run, ErrGone when its folder
// was removed.
func (h *Hold) Check() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.note(h.lease.check(h.dir))
}

// Attempt returns how often a worker took the run, this time included.
func (h *Hold) Attempt() int { return h.lease.Attempt }

// Owner returns the name of this hold, which no other one has.
func (h *Hold) Owner() string { return h.lease.Owner }

// giveSign writes the lease when a sign of life is due. Errors of the system are left
// to the next one: what they cost is that the worker may be taken for dead.
func (h *Hold) giveSign(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Before(h.beat) {
		return
	}
	h.beat = now.Add(h.keeper.every)
	h.lease.Beat = now.UTC()
	h.lease.Beats++
	if h.note(h.lease.write(h.dir)) == nil {
		h.shown = now
	}
}

// note ends the hold's context when err says that the run is lost, or gone.
func (h *Hold) note(err error) error {
	for _, end := range []error{ErrLost, ErrGone} {
		if errors.Is(err, end) {
			if end == ErrLost && time.Since(h.shown) < h.lease.patience()/2 {
				h.keeper.mistrust.Store(true)
			}
			h.cancel(end)
			h.drop()
		}
	}
	return err
}

// drop takes the hold from the keeper's list.
func (h *Hold) drop() {
	h.keeper.mu.Lock()
	defer h.keeper.mu.Unlock()
	delete(h.keeper.holds, h)
}

// Release lets others take the run at once. It does nothing to a run that is finished,
// or lost.
func (h *Hold) Release() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.cancel(context.Canceled)
	h.drop()
	h.lease.Released = true
	h.lease.Beat = time.Now().UTC()
	if err := h.lease.write(h.dir); err != nil && !errors.Is(err, ErrLost) && !errors.Is(err, ErrGone) {
		return err
	}
	return nil
}

// Finished ends the hold of a run that turned out to be finished, and tidies it.
func (h *Hold) Finished() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.cancel(context.Canceled)
	h.drop()
	return Tidy(h.dir)
}
