package runfolder

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/process"
)

// A Lease says who works on a run, and how far that worker is.
//
// Leases are the files lease.1, lease.2 … of a run folder: the one with the highest
// number holds. A worker takes the run by giving the next number to a file that is
// complete under another name, with a hard link, which the file server lets only one
// do; nothing that others rely on is ever renamed or removed while the run is
// unfinished. So of any number of contenders for a run at most one wins, and a worker
// that was taken for dead finds a higher number and stops.
type Lease struct {
	Owner   string    `json:"owner"` // random: no two leases have the same
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Scope   string    `json:"scope,omitempty"`   // process.Identity of the worker
	Started string    `json:"started,omitempty"` // the same
	Job     string    `json:"job,omitempty"`     // of Slurm, such as "12_3"
	Since   time.Time `json:"since"`
	Beat    time.Time `json:"beat"`  // last sign of life, by the worker's clock
	Beats   int       `json:"beats"` // signs of life so far
	// Every is the time between signs of life, in seconds; Patience of them missed in a
	// row and the worker is taken for dead.
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

// Patience is the number of signs of life after which a silent worker is taken for dead.
const Patience = 12

// recordSize is the size of a lease in its file, filled up with spaces, so that a new
// one written over the old one in a single call leaves nothing of that.
const recordSize = 1024

// ErrLost says that another worker has taken over a run: this one was silent for too
// long, as when its machine sleeps.
var ErrLost = errors.New("runfolder: another worker has taken over the run")

// ErrGone says that somebody has removed the folder of a run while a worker was at it.
var ErrGone = errors.New("runfolder: the run folder was removed while a worker was at it")

// A HeldError says that another worker works on a run.
type HeldError struct {
	Dir   string
	Lease Lease
}

// Error returns who works on which run.
func (e *HeldError) Error() string {
	switch {
	case e.Lease.Damaged != nil:
		return e.Lease.Damaged.Error()
	case e.Lease.Owner == "": // gone before it was read
		return fmt.Sprintf("runfolder: %s: another worker works on this run", e.Dir)
	}
	return fmt.Sprintf("runfolder: %s: process %d on %s works on this run since %s", e.Dir, e.Lease.PID, e.Lease.Host, e.Lease.Since.Format(time.RFC3339))
}

// Dead reports whether the worker is known to be dead, without waiting for signs of
// life: a process of this machine that is gone.
func (l *Lease) Dead() bool {
	return process.Identity{Scope: l.Scope, PID: l.PID, Start: l.Started}.Dead()
}

// Alive reports whether there is reason to think that somebody works on the run, for
// tables. It compares the clock of this machine with the worker's, which the takeover
// of a run never does.
func (l *Lease) Alive(now time.Time) bool {
	return !l.Released && !l.Dead() && now.Sub(l.Beat) <= l.patience()
}

// patience returns for how long the worker may be silent.
func (l *Lease) patience() time.Duration {
	return time.Duration(Patience * l.Every * float64(time.Second))
}

// ReadLease returns the lease that holds in a run folder, a released one too; an error
// that wraps fs.ErrNotExist where nobody has worked, or the run is finished.
func ReadLease(dir string) (Lease, error) {
	_, lease, err := newestLease(dir)
	if err == nil && lease.Attempt == 0 {
		err = fmt.Errorf("runfolder: lease of %s: %w", dir, fs.ErrNotExist)
	}
	return lease, err
}

// newestLease returns the lease with the highest number and its file's content; Attempt
// is 0 where there is none.
func newestLease(dir string) (content []byte, lease Lease, err error) {
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
	path := leasePath(dir, highest)
	for range 2 { // what is being written is whole at the second look
		content, err = disk.ReadFile(path, maxLease)
		if errors.Is(err, fs.ErrNotExist) { // the run has just been finished
			return nil, Lease{}, nil
		}
		if err != nil {
			return nil, Lease{}, fmt.Errorf("runfolder: lease: %w", err)
		}
		if lease, err = decodeLease(content); err == nil {
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

func leasePath(dir string, attempt int) string {
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

// record returns the lease as its file holds it, with a checksum: a damaged process
// number would make a worker look dead that is not.
func (l *Lease) record() ([]byte, error) {
	text, err := encodeSealed(l)
	if err != nil {
		return nil, err
	}
	size := (len(text)/recordSize + 1) * recordSize
	return append(append(text, bytes.Repeat([]byte{' '}, size-len(text)-1)...), '\n'), nil
}

// decodeLease reads what record returned.
func decodeLease(content []byte) (Lease, error) {
	var lease Lease
	text := append(bytes.TrimRight(content, " \n"), '\n')
	if err := decodeSealed(text, &lease); err != nil {
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
		return errors.New("got no time of its beginning or of a sign of life, want both")
	case !(l.Every > 0 && l.Every < maxEvery):
		return fmt.Errorf("every: got %v, want the seconds between signs of life", l.Every)
	case l.Iteration < 0 || l.From < 0:
		return fmt.Errorf("iteration: got %d from %d, want numbers of steps", l.Iteration, l.From)
	}
	return nil
}

// maxEvery is more seconds than anybody waits between two signs of life.
const maxEvery = 1e6

// claim makes lease the one that holds, with the number Attempt. It is fs.ErrExist when
// another worker was faster. The run folder is made when it is missing, the folder of the
// runs is not: somebody has removed it.
func (l *Lease) claim(dir string) error {
	if err := disk.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	content, err := l.record()
	if err != nil {
		return err
	}
	own := filepath.Join(dir, fmt.Sprintf(".lease.%d.tmp", rand.Uint64()))
	if err := writeNew(own, content); err != nil {
		return err
	}
	return errors.Join(linkNew(own, leasePath(dir, l.Attempt)), removeIfThere(own))
}

// check returns ErrLost, or ErrGone, unless the lease still holds.
func (l *Lease) check(dir string) error {
	// Opening the folder makes an NFS client ask the server what is in it now.
	if folder, err := disk.Open(dir); err == nil {
		folder.Close()
	}
	if _, err := disk.Stat(leasePath(dir, l.Attempt+1)); err == nil {
		return fmt.Errorf("%w: %s", ErrLost, dir)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("runfolder: lease: %w", err)
	}
	if _, err := disk.Stat(leasePath(dir, l.Attempt)); errors.Is(err, fs.ErrNotExist) {
		if _, err := disk.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s", ErrGone, dir)
		}
		return fmt.Errorf("%w: %s", ErrLost, dir)
	} else if err != nil {
		return fmt.Errorf("runfolder: lease: %w", err)
	}
	return nil
}

// write puts the lease into its file again, after a look whether it still is this one's.
func (l *Lease) write(dir string) error {
	if err := l.check(dir); err != nil {
		return err
	}
	content, err := l.record()
	if err != nil {
		return err
	}
	file, err := disk.OpenFile(leasePath(dir, l.Attempt), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s", ErrLost, dir)
	}
	if err != nil {
		return fmt.Errorf("runfolder: lease: %w", err)
	}
	// A number is given once while the run is unfinished; when it was finished and
	// started again, the file behind this handle is somebody else's and is left alone.
	// One that is damaged is this worker's, and is mended.
	old := make([]byte, len(content))
	n, _ := file.ReadAt(old, 0)
	if other, err := decodeLease(old[:n]); err == nil && other.Owner != l.Owner {
		return errors.Join(fmt.Errorf("%w: %s", ErrLost, dir), file.Close())
	}
	_, err = file.WriteAt(content, 0)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("runfolder: lease: %w", err)
	}
	return nil
}
