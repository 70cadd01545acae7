package disk

import (
	"errors"
	"os"
	"runtime"
	"syscall"
)

// SyncFile makes the content of a closed file durable.
func SyncFile(path string) error {
	file, err := OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// SyncFolder makes the names in a folder durable. It ignores EINVAL and ENOTSUP: file systems
// that cannot sync a folder order their renames themselves. Windows has no such call, and its
// file systems keep a journal of names.
func SyncFolder(path string) error {
	folder, err := Open(path)
	if err != nil {
		return err
	}
	if runtime.GOOS == "windows" {
		return folder.Close()
	}
	if err = folder.Sync(); errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, folder.Close())
}
