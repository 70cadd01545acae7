//go:build unix

package cli

import (
	"bufio"
	"bytes"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestServe opens the page at the address that is printed, and ends the server with an
// interrupt, which is its way to end: exit code 0.
func TestServe(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "deeplimit", "serve", t.TempDir(), "--addr", "127.0.0.1:0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("no address: %v; stderr %s", err, stderr.String())
	}
	response, err := http.Get(strings.TrimSpace(address))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("GET %s: %s", address, response.Status)
	}
	// A stream that is open must not keep the server from ending.
	stream, err := http.Get(strings.TrimSpace(address) + "api/events")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
		t.Errorf("after SIGINT: %v, stderr %q, want exit code 0 and nothing said", err, stderr.String())
	}
}
