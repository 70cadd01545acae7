//go:build linux || darwin || freebsd

package disk

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Free returns the free space of the disk that holds an existing folder, as far
// as this user may fill it.
func Free(dir string) (float64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	if s.Blocks == 0 { // some network and virtual file systems do not count
		return 0, errors.ErrUnsupported
	}
	return float64(s.Bavail) * float64(s.Bsize), nil
}
