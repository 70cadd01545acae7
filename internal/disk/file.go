package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// A File is an open file or folder.
type File struct{ file *os.File }

// Open opens a file or a folder for reading.
func Open(path string) (*File, error) {
	if err := before(OpOpen, path); err != nil {
		return nil, err
	}
	file, err := openStored(path)
	if err != nil {
		return nil, err
	}
	return &File{file}, nil
}

// OpenFile opens a file with the flags of package os.
func OpenFile(path string, flag int, mode fs.FileMode) (*File, error) {
	op := OpOpen
	if flag&os.O_CREATE != 0 {
		op = OpCreate
	}
	if err := before(op, path); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, flag, mode)
	if err != nil {
		return nil, err
	}
	return &File{file}, nil
}

// Name returns the path that the file was opened with.
func (f *File) Name() string { return f.file.Name() }

// Read is io.Reader.
func (f *File) Read(data []byte) (int, error) {
	if err := before(OpRead, f.Name()); err != nil {
		return 0, err
	}
	return f.file.Read(data)
}

// ReadAt is io.ReaderAt.
func (f *File) ReadAt(data []byte, offset int64) (int, error) {
	if err := before(OpRead, f.Name()); err != nil {
		return 0, err
	}
	return f.file.ReadAt(data, offset)
}

// Write is io.Writer.
func (f *File) Write(data []byte) (int, error) {
	err := before(OpWrite, f.Name())
	switch {
	case errors.Is(err, io.ErrShortWrite):
		n, failed := f.file.Write(data[:len(data)/2])
		return n, errors.Join(err, failed)
	case err != nil:
		return 0, err
	}
	return f.file.Write(data)
}

// WriteAt is io.WriterAt.
func (f *File) WriteAt(data []byte, offset int64) (int, error) {
	err := before(OpWrite, f.Name())
	switch {
	case errors.Is(err, io.ErrShortWrite):
		n, failed := f.file.WriteAt(data[:len(data)/2], offset)
		return n, errors.Join(err, failed)
	case err != nil:
		return 0, err
	}
	return f.file.WriteAt(data, offset)
}

// Sync makes the content of a file, or the names in a folder, durable.
func (f *File) Sync() error {
	if err := before(OpSync, f.Name()); err != nil {
		return err
	}
	return f.file.Sync()
}

// Stat describes the file.
func (f *File) Stat() (fs.FileInfo, error) {
	if err := before(OpStat, f.Name()); err != nil {
		return nil, err
	}
	return f.file.Stat()
}

// Close closes the file, even if a test makes the call fail.
func (f *File) Close() error {
	return errors.Join(before(OpClose, f.Name()), f.file.Close())
}
