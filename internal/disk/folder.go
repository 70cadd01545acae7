package disk

import (
	"errors"
	"syscall"
)

// SyncFolder makes the names in a folder durable. File systems that cannot sync a
// folder (EINVAL, ENOTSUP) order their own renames, so that is no error.
func SyncFolder(path string) error {
	folder, err := Open(path)
	if err != nil {
		return err
	}
	if err = folder.Sync(); errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, folder.Close())
}
