package table

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// extensions are those of files that are tables by their name.
var extensions = []string{".csv", ".tsv", ".txt", ".dat", ".parquet", ".pq"}

// Named reports whether path has the extension of a table, gzipped or not.
func Named(path string) bool {
	path = strings.TrimSuffix(strings.ToLower(path), ".gz")
	return slices.Contains(extensions, filepath.Ext(path))
}

// A File is a table in a file.
type File struct {
	*Reader
	file *os.File
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// leastLimit is the number of numbers that any file may hold.
const leastLimit = 1 << 22

// Open opens the table in a file: text, gzipped or not, or Parquet, which its first bytes tell. Numbers in memory stay within 64 times
// the size of the file, or 32 MiB, whatever o.Limit is. Errors do not name the path.
func Open(path string, o Options) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	reader, err := open(file, o)
	if err != nil {
		file.Close()
		return nil, bare(err)
	}
	return &File{reader, file}, nil
}

func open(file *os.File, o Options) (*Reader, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	limit := int(max(leastLimit, 8*min(info.Size(), 1<<58)))
	if o.Limit == 0 || limit < o.Limit {
		o.Limit = limit
	}
	buffered := bufio.NewReaderSize(file, 1<<16)
	magic, _ := buffered.Peek(4)
	switch {
	case strings.HasPrefix(string(magic), "\x1f\x8b"):
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, err
		}
		return NewReader(unzipped, o)
	case string(magic) == parquetMagic:
		return newParquet(file, info.Size(), o)
	case string(magic) == "PK\x03\x04":
		return nil, errors.New("got a zip archive (an Excel workbook is one), want text: export the table as CSV UTF-8")
	}
	return NewReader(buffered, o)
}

// bare strips the operation and the path from an error of package os, and says in words that a file ends
// too early.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file is cut short")
	}
	return err
}
