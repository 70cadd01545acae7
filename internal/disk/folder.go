package disk

import (
	"errors"
	"os"
	"syscall"
)

// SyncFile makes the content of a file durable that was written and closed.
func SyncFile(path string) error {
	file, err := OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

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
