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

// A Pending is a file written under a temporary name, to replace another by an atomic rename:
// at any moment the final name refers to the whole old or the whole new content. It ends with
// Replace or Discard.
type Pending struct {
	*File
	Path   string // final name
	closed bool
}

// temporary matches the names of Pending files.
var temporary = regexp.MustCompile(`^\..+\.\d+\.tmp$`)

// Temporary reports whether a name is that of a Pending file. In a folder that no process
// writes, such a file was left by a killed process.
func Temporary(name string) bool { return temporary.MatchString(name) }

// NewPending makes an empty file that is to replace path.
func NewPending(path string) (*Pending, error) {
	dir, name := filepath.Split(path)
	for range 1000 { // other processes may use the same names
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

// Replace finishes the file, if Finish was not called, and renames it to Path. The new name is
// durable after SyncFolder.
func (p *Pending) Replace() error {
	if !p.closed {
		if err := p.Finish(); err != nil {
			return err
		}
	}
	return Rename(p.Name(), p.Path)
}

// Discard removes the temporary file; a missing one is no error.
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

// WriteFile replaces the file at path by what write produces. The content is durable, the name
// after SyncFolder. After an error the old content is unchanged.
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

// WriteBytes is WriteFile for content that is at hand.
func WriteBytes(path string, content []byte) error {
	return WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}
