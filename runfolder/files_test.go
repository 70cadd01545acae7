package runfolder

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func replaceDir(text, dir string) string { return strings.ReplaceAll(text, "{dir}", dir) }

func TestReplaceFileKeepsOldContentOnError(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, []byte("old"), dir, traceFile)
	full := errors.New("disk full")
	_, err := replaceFile(dir, traceFile, func(w io.Writer) error {
		if _, err := w.Write(make([]byte, 1<<17)); err != nil {
			return err
		}
		return full
	})
	if !errors.Is(err, full) {
		t.Fatalf("error %v, want %v", err, full)
	}
	checkError(t, err, dir, "runfolder: writing {dir}/trace.parquet: disk full")
	if got := mustRead(t, dir, traceFile); string(got) != "old" {
		t.Errorf("content %q, want the old one", got)
	}
	if list, _ := os.ReadDir(dir); len(list) != 1 {
		t.Errorf("%d files left, want 1", len(list))
	}
}

func TestReplaceFileReturnsDigest(t *testing.T) {
	dir := t.TempDir()
	got, err := replaceFile(dir, "x", func(w io.Writer) error { _, err := io.WriteString(w, "abc"); return err })
	// FIPS 180-2, appendix B.1.
	if want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; err != nil || got != want {
		t.Errorf("digest %s, %v, want %s", got, err, want)
	}
}

func TestWritingIntoMissingOrReadOnlyFolder(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "gone")
	if err := WriteTrace(filepath.Join(missing, traceFile), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing folder: error %v, want %v", err, os.ErrNotExist)
	}
	if os.Getuid() == 0 {
		t.Log("the read-only case is not run as root, who may write anywhere")
		return
	}
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o555); err != nil {
		t.Fatal(err)
	}
	if err := Create(filepath.Join(closed, "run"), sampleMeta()); !errors.Is(err, os.ErrPermission) {
		t.Errorf("read-only folder: error %v, want %v", err, os.ErrPermission)
	}
}
