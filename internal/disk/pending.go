package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
)

// A Pending is a new file that is written under a temporary name beside the one whose
// place it is to take. At any moment that name stands for the old content or for the
// whole new one. After the first write it ends with Replace or Discard.
type Pending struct {
	*File
	Path   string // the name to take
	closed bool
}

// temporary matches the names of Pending files.
var temporary = regexp.MustCompile(`^\..+\.\d+\.tmp$`)

// Temporary reports whether a name in a folder is that of a Pending file: when nobody
// is writing there, what a killed process left behind.
func Temporary(name string) bool { return temporary.MatchString(name) }

// NewPending makes an empty file to take the place of path.
func NewPending(path string) (*Pending, error) {
	dir, name := filepath.Split(path)
	for range 1000 { // names that others have taken
		file, err := OpenFile(filepath.Join(dir, fmt.Sprintf(".%s.%d.tmp", name, rand.Uint32())), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return &Pending{File: file, Path: path}, nil
	}
	return nil, &fs.PathError{Op: string(OpCreate), Path: path, Err: fs.ErrExist}
}

// Finish makes the content durable and closes the file, which keeps its temporary name.
func (p *Pending) Finish() error {
	if err := p.Sync(); err != nil {
		return err
	}
	p.closed = true
	return p.Close()
}

// Replace lets the file, finished by now or not, take its place. The new name is
// durable once the folder is synced.
func (p *Pending) Replace() error {
	if !p.closed {
		if err := p.Finish(); err != nil {
			return err
		}
	}
	return Rename(p.Name(), p.Path)
}

// Discard removes the file under its temporary name, unless that is gone already.
func (p *Pending) Discard() error {
	var err error
	if !p.closed {
		p.closed = true
		err = p.Close()
	}
	if removed := Remove(p.Name()); !errors.Is(removed, fs.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}

// WriteFile puts what write produces in the place of the file at path, durably but for
// its name (SyncFolder). An error leaves the old content.
func WriteFile(path string, write func(io.Writer) error) error {
	file, err := NewPending(path)
	if err != nil {
		return err
	}
	if err = write(file); err == nil {
		err = file.Replace()
	}
	if err != nil {
		return errors.Join(err, file.Discard())
	}
	return nil
}
