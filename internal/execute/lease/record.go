package lease

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/runfolder"
)

// claim makes l the lease that holds, with the number Attempt. It is fs.ErrExist when
// another worker was faster. The run folder is made when it is missing, the folder of the
// runs is not: somebody has removed it.
func claim(dir string, l *runfolder.Lease) error {
	if err := disk.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	content, err := l.Encode()
	if err != nil {
		return err
	}
	own := filepath.Join(dir, fmt.Sprintf(".lease.%d.tmp", rand.Uint64()))
	if err := disk.WriteNew(own, content); err != nil {
		return err
	}
	return errors.Join(disk.LinkNew(own, runfolder.LeaseFile(dir, l.Attempt), int64(len(content))), disk.RemoveIfThere(own))
}

// check returns ErrLost, or ErrGone, unless the lease still holds.
func check(dir string, l *runfolder.Lease) error {
	// Opening the folder makes an NFS client ask the server what is in it now.
	if folder, err := disk.Open(dir); err == nil {
		folder.Close()
	}
	if _, err := disk.Stat(runfolder.LeaseFile(dir, l.Attempt+1)); err == nil {
		return fmt.Errorf("%w: %s", ErrLost, dir)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("lease: %w", err)
	}
	if _, err := disk.Stat(runfolder.LeaseFile(dir, l.Attempt)); errors.Is(err, fs.ErrNotExist) {
		if _, err := disk.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s", ErrGone, dir)
		}
		return fmt.Errorf("%w: %s", ErrLost, dir)
	} else if err != nil {
		return fmt.Errorf("lease: %w", err)
	}
	return nil
}

// write puts the lease into its file again, after a check that it still holds.
func write(dir string, l *runfolder.Lease) error {
	if err := check(dir, l); err != nil {
		return err
	}
	content, err := l.Encode()
	if err != nil {
		return err
	}
	file, err := disk.OpenFile(runfolder.LeaseFile(dir, l.Attempt), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s", ErrLost, dir)
	}
	if err != nil {
		return fmt.Errorf("lease: %w", err)
	}
	// A number is given once while the run is unfinished; when it was finished and
	// started again, the file behind this handle is somebody else's and is left alone.
	// One that is damaged is this worker's, and is repaired.
	old := make([]byte, len(content))
	n, _ := file.ReadAt(old, 0)
	if other, err := runfolder.DecodeLease(old[:n]); err == nil && other.Owner != l.Owner {
		return errors.Join(fmt.Errorf("%w: %s", ErrLost, dir), file.Close())
	}
	_, err = file.WriteAt(content, 0)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("lease: %w", err)
	}
	return nil
}
