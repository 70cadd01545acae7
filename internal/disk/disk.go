// Package disk makes every call of the operating system on the folders that deeplimit
// writes: study and run folders, tables, pages. Its functions have the names and effects of
// those of package os. Because all calls pass through one place, a test can make any of them
// fail (Intercept), as a full or broken disk or a removed folder would.
package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
)

// An Op is a kind of call.
type Op string

// The kinds of call that can be intercepted.
const (
	OpOpen    Op = "open"    // of a file that exists, or of a folder
	OpCreate  Op = "create"  // open of a file, which is created if it does not exist
	OpRead    Op = "read"    // of part of a file
	OpWrite   Op = "write"   // of part of a file
	OpSync    Op = "sync"    // of a file or a folder
	OpClose   Op = "close"   // of a file or a folder
	OpRename  Op = "rename"  // Call.Path is the new name
	OpLink    Op = "link"    // Call.Path is the new name
	OpMkdir   Op = "mkdir"   // with its parents or alone
	OpRemove  Op = "remove"  // of a file, or of a folder with its content
	OpStat    Op = "stat"    // by name, or of an open file
	OpReadDir Op = "readdir" // of a whole folder
)

// A Call describes a call before it is made.
type Call struct {
	Op   Op
	Path string
}

var intercept atomic.Pointer[func(Call) error]

// Intercept makes every call ask f first, from any goroutine. If f returns an error, the
// call is not made and returns that error in an *fs.PathError; for io.ErrShortWrite a write
// is made with half of its bytes. A nil f ends the interception. Only tests call it.
func Intercept(f func(Call) error) {
	if f == nil {
		intercept.Store(nil)
		return
	}
	intercept.Store(&f)
}

// before returns the error that a call must return, and nil if it is to be made.
func before(op Op, path string) error {
	f := intercept.Load()
	if f == nil {
		return nil
	}
	if err := (*f)(Call{op, path}); err != nil {
		return &fs.PathError{Op: string(op), Path: path, Err: err}
	}
	return nil
}

// A TooLargeError says that a file is larger than any that the program writes or can use in
// its place. It was not read.
type TooLargeError struct {
	Path  string
	Size  int64 // bytes; one more than Limit where the file grew while it was read
	Limit int64
}

// Error returns the file, its size and the limit.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s: got a file of %d bytes, want at most %d; it was not read: put the right file in its place", e.Path, e.Size, e.Limit)
}

// ReadFile returns the content of a regular file of at most limit bytes. For a larger one it
// returns a *TooLargeError before it reads anything.
func ReadFile(path string, limit int64) ([]byte, error) {
	if err := before(OpOpen, path); err != nil {
		return nil, err
	}
	if err := before(OpRead, path); err != nil {
		return nil, err
	}
	file, err := openStored(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, &TooLargeError{path, info.Size(), limit}
	}
	var content bytes.Buffer
	content.Grow(int(info.Size()) + bytes.MinRead)
	if _, err = content.ReadFrom(io.LimitReader(file, limit+1)); err == nil && int64(content.Len()) > limit {
		err = &TooLargeError{path, limit + 1, limit}
	}
	return content.Bytes(), err
}

// errNotStored is the error of opening a pipe, a socket or a device.
var errNotStored = errors.New("neither a file nor a folder")

// openStored opens a file or a folder for reading. It does not wait for the writer of a pipe,
// and reads nothing from a device.
func openStored(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		err = &fs.PathError{Op: string(OpOpen), Path: path, Err: errNotStored}
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// ReadDir returns the entries of a folder, sorted by name.
func ReadDir(path string) ([]fs.DirEntry, error) {
	if err := before(OpReadDir, path); err != nil {
		return nil, err
	}
	return os.ReadDir(path)
}

// Stat describes the file that a name refers to, following links.
func Stat(path string) (fs.FileInfo, error) {
	if err := before(OpStat, path); err != nil {
		return nil, err
	}
	return os.Stat(path)
}

// Lstat describes what a name refers to, without following a link.
func Lstat(path string) (fs.FileInfo, error) {
	if err := before(OpStat, path); err != nil {
		return nil, err
	}
	return os.Lstat(path)
}

// Rename moves a file, and replaces one of the new name.
func Rename(from, to string) error {
	if err := before(OpRename, to); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// Link gives a file a second name. It fails with fs.ErrExist if that name exists.
func Link(from, to string) error {
	if err := before(OpLink, to); err != nil {
		return err
	}
	return os.Link(from, to)
}

// Symlink makes a symbolic link to target, which is relative to the folder of the link.
func Symlink(target, name string) error {
	if err := before(OpLink, name); err != nil {
		return err
	}
	return os.Symlink(target, name)
}

// Mkdir makes one folder.
func Mkdir(path string, mode fs.FileMode) error {
	if err := before(OpMkdir, path); err != nil {
		return err
	}
	return os.Mkdir(path, mode)
}

// Subfolder makes the folders dir/a, dir/a/b, … for names a, b, … that do not exist. Unlike
// MkdirAll it does not make dir, which somebody may have removed.
func Subfolder(dir string, names ...string) error {
	for _, name := range names {
		dir = filepath.Join(dir, name)
		if err := Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// Failed reports whether err comes from a call on a file that may exist: an error of the system
// other than that the file or its folder does not exist.
func Failed(err error) bool {
	_, system := errors.AsType[*fs.PathError](err)
	return system && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR)
}

// MkdirAll makes a folder and those above it that are missing.
func MkdirAll(path string, mode fs.FileMode) error {
	if err := before(OpMkdir, path); err != nil {
		return err
	}
	return os.MkdirAll(path, mode)
}

// Remove deletes a file or an empty folder.
func Remove(path string) error {
	if err := before(OpRemove, path); err != nil {
		return err
	}
	return os.Remove(path)
}

// RemoveAll deletes a folder with its content. A missing folder is no error.
func RemoveAll(path string) error {
	if err := before(OpRemove, path); err != nil {
		return err
	}
	return os.RemoveAll(path)
}
