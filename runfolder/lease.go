package runfolder

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/process"
)

// A Lease is the record of the worker that computes a run, and of how far that is: the files
// lease.1, lease.2 … of a run folder, of which the one with the highest number holds. This
// package has their names and format, for those who read them; package
// internal/execute/lease takes, renews and releases them, and states the protocol.
type Lease struct {
	Owner   string    `json:"owner"` // random: no two leases have the same
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Scope   string    `json:"scope,omitempty"`   // process.Identity of the worker
	Started string    `json:"started,omitempty"` // the same
	Job     string    `json:"job,omitempty"`     // of Slurm, such as "12_3"
	Since   time.Time `json:"since"`
	Beat    time.Time `json:"beat"`  // last heartbeat, by the worker's clock
	Beats   int       `json:"beats"` // heartbeats so far
	// Every is the time between heartbeats, in seconds; MissedBeats of them missed in a
	// row and the worker counts as dead.
	Every     float64  `json:"every"`
	From      int      `json:"from"`      // iteration that this worker started at
	Iteration int      `json:"iteration"` // as of Beat
	Loss      *float64 `json:"loss"`      // as of Beat; null when not known or not finite
	// Released is set by a worker that stopped in good order.
	Released bool `json:"released,omitempty"`
	// Attempt is the number of the lease: how often a worker took the run.
	Attempt int `json:"-"`
	// Damaged is a *DamagedError when the file is not what was written, or is being
	// written: of the rest nothing but Attempt is known then.
	Damaged error `json:"-"`
}

// MissedBeats is the number of missed heartbeats after which a worker counts as dead.
const MissedBeats = 12

// recordSize is the size of a lease in its file, filled up with spaces, so that a new
// one written over the old one in a single call leaves nothing of that.
const recordSize = 1024

// Dead reports whether the worker is known to be dead without waiting for heartbeats: a
// process of this machine that is gone.
func (l *Lease) Dead() bool {
	return process.Identity{Scope: l.Scope, PID: l.PID, Start: l.Started}.Dead()
}

// Alive reports whether there is reason to think that somebody works on the run, for
// tables. It compares the clock of this machine with the worker's, which the takeover
// of a run never does.
func (l *Lease) Alive(now time.Time) bool {
	return !l.Released && !l.Dead() && now.Sub(l.Beat) <= l.Patience()
}

// Patience returns how long the worker may go without a heartbeat.
func (l *Lease) Patience() time.Duration {
	return time.Duration(MissedBeats * l.Every * float64(time.Second))
}

// ReadLease returns the lease that holds in a run folder, a released one too; an error
// that wraps fs.ErrNotExist where nobody has worked, or the run is finished.
func ReadLease(dir string) (Lease, error) {
	_, lease, err := NewestLease(dir)
	if err == nil && lease.Attempt == 0 {
		err = fmt.Errorf("runfolder: lease of %s: %w", dir, fs.ErrNotExist)
	}
	return lease, err
}

// NewestLease returns the lease with the highest number and its file's content; Attempt
// is 0 where there is none.
func NewestLease(dir string) (content []byte, lease Lease, err error) {
	list, err := disk.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Lease{}, nil
	}
	if err != nil {
		return nil, Lease{}, fmt.Errorf("runfolder: lease: %w", err)
	}
	highest := 0
	for _, entry := range list {
		highest = max(highest, leaseNumber(entry.Name()))
	}
	if highest == 0 {
		return nil, Lease{}, nil
	}
	path := LeaseFile(dir, highest)
	for range 2 { // what is being written is whole at the second look
		content, err = disk.ReadFile(path, maxLease)
		if errors.Is(err, fs.ErrNotExist) { // the run has just been finished
			return nil, Lease{}, nil
		}
		if err != nil {
			return nil, Lease{}, fmt.Errorf("runfolder: lease: %w", err)
		}
		if lease, err = DecodeLease(content); err == nil {
			lease.Attempt = highest
			return content, lease, nil
		}
	}
	return content, Lease{Attempt: highest, Damaged: &DamagedError{path, err}}, nil
}

// leasePrefix begins the names of leases. They have no folder of their own: that would
// be made and removed once for every run, and file systems are slow to reuse the places
// of what was just removed.
const leasePrefix = "lease."

// LeaseFile returns the path of the lease with that number.
func LeaseFile(dir string, attempt int) string {
	return filepath.Join(dir, leasePrefix+strconv.Itoa(attempt))
}

// leaseNumber returns the number of the lease that a file of that name is, 0 for none.
func leaseNumber(name string) int {
	text, ok := strings.CutPrefix(name, leasePrefix)
	number, err := strconv.Atoi(text)
	if !ok || err != nil {
		return 0
	}
	return max(0, number)
}

// Encode returns the lease as its file holds it, with a checksum: a damaged process
// number would make a worker look dead that is not.
func (l *Lease) Encode() ([]byte, error) {
	text, err := encodeWithChecksum(l)
	if err != nil {
		return nil, err
	}
	size := (len(text)/recordSize + 1) * recordSize
	return append(append(text, bytes.Repeat([]byte{' '}, size-len(text)-1)...), '\n'), nil
}

// DecodeLease reads what Encode returned.
func DecodeLease(content []byte) (Lease, error) {
	var lease Lease
	text := append(bytes.TrimRight(content, " \n"), '\n')
	if err := decodeWithChecksum(text, &lease); err != nil {
		return Lease{}, err
	}
	return lease, lease.valid()
}

// valid refuses what no worker writes.
func (l *Lease) valid() error {
	switch {
	case l.Owner == "" || l.PID <= 0:
		return fmt.Errorf("got owner %q and process %d, want those of a worker", l.Owner, l.PID)
	case l.Since.IsZero() || l.Beat.IsZero():
		return errors.New("got no time of its beginning or of a heartbeat, want both")
	case !(l.Every > 0 && l.Every < maxEvery):
		return fmt.Errorf("every: got %v, want the seconds between heartbeats", l.Every)
	case l.Iteration < 0 || l.From < 0:
		return fmt.Errorf("iteration: got %d from %d, want numbers of steps", l.Iteration, l.From)
	}
	return nil
}

// maxEvery is more seconds than anybody waits between two heartbeats.
const maxEvery = 1e6
