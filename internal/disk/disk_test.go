package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestSubfolder makes the folders named and none above them.
func TestSubfolder(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if err := Subfolder(dir, "a", "b"); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "a", "b")); err != nil || !info.IsDir() {
		t.Errorf("got %v, want a folder", err)
	}
	if err := Subfolder(filepath.Join(dir, "gone"), "b"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that the folder above is not there", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "gone")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want no folder", err)
	}
}

// TestFailed tells a file that cannot be read from one that is not there.
func TestFailed(t *testing.T) {
	_, missing := ReadFile(filepath.Join(t.TempDir(), "missing"), 1<<20)
	_, folder := ReadFile(t.TempDir(), 1<<20)
	_, inFile := ReadFile(filepath.Join(os.DevNull, "file"), 1<<20)
	for _, c := range []struct {
		err  error
		want bool
	}{{nil, false}, {errors.New("other"), false}, {missing, false}, {inFile, false}, {folder, true}, {fmt.Errorf("wrapped: %w", folder), true}} {
		if got := Failed(c.err); got != c.want {
			t.Errorf("%v: got %v, want %v", c.err, got, c.want)
		}
	}
}

// TestReadFile reads files as they are, whatever their length.
func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, size := range []int{0, 1, 511, 512, 513, 100_000} {
		want := make([]byte, size)
		for i := range want {
			want[i] = byte(i)
		}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadFile(path, 1<<20); err != nil || string(got) != string(want) {
			t.Errorf("%d bytes: got %d, %v", size, len(got), err)
		}
	}
	if _, err := ReadFile(filepath.Dir(path), 1<<20); err == nil {
		t.Error("a folder was read as a file")
	}
	if _, err := ReadFile(path+"x", 1<<20); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
}

// TestTooLarge reads nothing of a file that is larger than it may be, such as a sparse
// one of 200 GB, and reads one of just the size.
func TestTooLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("12345678"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadFile(path, 8); err != nil || string(got) != "12345678" {
		t.Errorf("8 bytes of 8: got %q, %v", got, err)
	}
	for _, size := range []int64{9, 200 << 30} {
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
		_, err := ReadFile(path, 8)
		large, ok := errors.AsType[*TooLargeError](err)
		if !ok || *large != (TooLargeError{path, size, 8}) {
			t.Errorf("%d bytes: got %v, want a *TooLargeError", size, err)
		}
	}
}
