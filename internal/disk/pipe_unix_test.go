//go:build unix

package disk

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestNotStored opens what is neither file nor folder: a pipe, which would keep its
// reader waiting for a writer, and a device, which would never end.
func TestNotStored(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, os.DevNull} {
		ended := make(chan error, 2)
		go func() {
			_, err := ReadFile(path, 1<<20)
			ended <- err
			_, err = Open(path)
			ended <- err
		}()
		for range 2 {
			select {
			case err := <-ended:
				if !errors.Is(err, errNotStored) {
					t.Errorf("%s: got %v, want %v", path, err, errNotStored)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: still waiting", path)
			}
		}
	}
}
