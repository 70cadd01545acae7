package disk

import (
	"errors"
	"io/fs"
	"os"
)

// LinkNew gives the file own, which is no larger than limit, a second name that is free;
// fs.ErrExist when it is taken. Of any number of processes, on any number of machines, one
// gets the name. It is not synced.
func LinkNew(own, name string, limit int64) error {
	err := Link(own, name)
	switch {
	case errors.Is(err, fs.ErrExist):
		// The reply to a link that was made can get lost on its way from a file server, and
		// the question asked again.
		mine, _ := Stat(own)
		taken, _ := Stat(name)
		if mine != nil && taken != nil && os.SameFile(mine, taken) {
			err = nil
		}
	case errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission):
		// No hard links here: the name is as exclusive, its content comes a moment later.
		text, failed := ReadFile(own, limit)
		if failed != nil {
			return failed
		}
		err = WriteNew(name, text)
	}
	return err
}

// WriteNew makes a file that is not there; fs.ErrExist where it is. It is not synced: what a
// crash of the machine takes away, the crash has ended.
func WriteNew(path string, content []byte) error {
	file, err := OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}

// RemoveIfThere deletes a file or an empty folder; none is no error.
func RemoveIfThere(path string) error {
	if err := Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
