package dataset

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/deeplimit/deeplimit/internal/machine"
)

// A source is an open file, decompressed while reading if it begins like a gzip file.
type source struct {
	*bufio.Reader
	size int64 // bytes to read, −1 if compression hides it
	file *os.File
}

// openSource opens a file. Its errors do not name the path.
func openSource(path string) (*source, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, hint(bare(err))
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		file.Close()
		return nil, bare(err)
	}
	if err := machine.Fits(copies * float64(info.Size())); err != nil {
		file.Close()
		return nil, fmt.Errorf("got %d bytes: %w", info.Size(), err)
	}
	s := &source{Reader: bufio.NewReaderSize(file, 1<<16), size: info.Size(), file: file}
	if magic, _ := s.Peek(2); string(magic) == "\x1f\x8b" {
		unzip, err := gzip.NewReader(s.Reader)
		if err != nil {
			file.Close()
			return nil, err
		}
		s.Reader, s.size = bufio.NewReaderSize(&bounded{r: unzip}, 1<<16), -1
	}
	return s, nil
}

// copies is the least memory that reading takes, in bytes for each byte of the file: the text
// of a row, which may be the whole file, grows in a buffer beside its numbers.
const copies = 3

// bounded returns a *machine.MemoryError once r exceeds the memory of the process: a small
// compressed file may expand to any size.
type bounded struct {
	r    io.Reader
	read int64
}

// Read implements io.Reader.
func (b *bounded) Read(data []byte) (int, error) {
	n, err := b.r.Read(data)
	b.read += int64(n)
	if tooLarge := machine.Fits(copies * float64(b.read)); tooLarge != nil {
		return 0, fmt.Errorf("got more than %d bytes unpacked: %w", b.read, tooLarge)
	}
	return n, err
}

func (s *source) Close() error { return s.file.Close() }

// fileSize returns the bytes of a regular file.
func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, bare(err)
	}
	if !info.Mode().IsRegular() {
		return 0, errors.New("not a regular file")
	}
	return info.Size(), nil
}

// hint adds to the error of a missing file where relative paths start.
func hint(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (relative paths start from the folder of the study file)", err)
	}
	return err
}

// bare strips the operation and the path from an error of package os.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// readBody returns the content of r, which must be n bytes. size is the length of r, −1 if
// unknown; a size that differs from n is an error before anything is allocated.
func readBody(r io.Reader, size, n int64) ([]byte, error) {
	if size >= 0 {
		if size != n {
			return nil, fmt.Errorf("got %d bytes of data, want %d (%s)", size, n, shortOrLong(size, n))
		}
		body := make([]byte, n)
		_, err := io.ReadFull(r, body)
		return body, bare(err)
	}
	// Allocate as data arrive, and not by what a header claims.
	body, err := io.ReadAll(io.LimitReader(r, n+1))
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, bare(err)
	}
	if got := int64(len(body)); err != nil || got != n {
		return nil, fmt.Errorf("got %d bytes of data, want %d (%s)", got, n, shortOrLong(got, n))
	}
	return body, nil
}

func shortOrLong(got, want int64) string {
	if got <= want {
		return "truncated"
	}
	return "more than the header says"
}
