//go:build unix

package cli

import (
	"bufio"
	"bytes"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// served starts deeplimit serve and returns the address it prints.
func served(t *testing.T, env []string, args ...string) (cmd *exec.Cmd, address string, stderr *bytes.Buffer) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), "deeplimit", append([]string{"serve", t.TempDir(), "--addr", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	stderr = &bytes.Buffer{}
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if address, err = bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatalf("no address: %v; stderr %s", err, stderr.String())
	}
	return cmd, strings.TrimSpace(address), stderr
}

// TestServe opens the page at the address that is printed, which nobody else can, and ends
// the server with an interrupt, which is its way to end: exit code 0.
func TestServe(t *testing.T) {
	t.Parallel()
	cmd, address, stderr := served(t, nil)
	base, token, _ := strings.Cut(address, "?token=")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	status := func(client *http.Client, url string) int {
		t.Helper()
		response, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	mine, others := &http.Client{Jar: jar}, &http.Client{}
	if token == "" || status(others, base) != http.StatusUnauthorized || status(others, base+"api/studies") != http.StatusUnauthorized {
		t.Errorf("%s without a token: want one, and 401 without it", address)
	}
	if got := status(mine, address); got != http.StatusOK {
		t.Errorf("GET %s: %d", address, got)
	}
	if got := status(mine, base+"api/studies"); got != http.StatusOK {
		t.Errorf("with the cookie: %d", got)
	}
	// A stream that is open must not keep the server from ending.
	stream, err := mine.Get(base + "api/events")
	if err != nil || stream.StatusCode != http.StatusOK {
		t.Fatal(stream, err)
	}
	defer stream.Body.Close()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
		t.Errorf("after SIGINT: %v, stderr %q, want exit code 0 and nothing said", err, stderr.String())
	}
}

// TestServeOpen puts a program in the place of the desktop's: it is handed a file that its
// owner alone can read, which leads to the address, and no token stands in a list of
// processes. The file goes with the server.
func TestServeOpen(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	note := filepath.Join(bin, "note")
	script := "#!/bin/sh\nprintenv DEEPLIMIT_TOKEN > " + note + ".env\necho \"$@\" > " + note + ".tmp\nmv " + note + ".tmp " + note + "\n"
	for _, name := range []string{"xdg-open", "open"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const token = "a-token-of-the-variable"
	cmd, address, _ := served(t, []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "DEEPLIMIT_TOKEN=" + token}, "--open")
	for deadline := time.Now().Add(30 * time.Second); len(glob(t, note)) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing was opened")
		}
	}
	args, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	file := strings.TrimSpace(string(args))
	if strings.Contains(file, token) {
		t.Errorf("opened %s, want no token in it", file)
	}
	if env, _ := os.ReadFile(note + ".env"); strings.Contains(string(env), token) {
		t.Error("the browser has the token in its environment")
	}
	for path, want := range map[string]fs.FileMode{file: 0o600, filepath.Dir(file): fs.ModeDir | 0o700} {
		if status, err := os.Stat(path); err != nil || status.Mode() != want {
			t.Errorf("%s: got %v, %v, want mode %v", path, status, err, want)
		}
	}
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if to := regexp.MustCompile(`content="0;url=([^"]*)"`).FindSubmatch(page); to == nil || string(to[1]) != address {
		t.Errorf("got a page\n%s\nwant one that leads to %s", page, address)
	}
	cmd.Process.Signal(syscall.SIGINT)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(file)); !os.IsNotExist(err) {
		t.Errorf("%s after the end: %v, want it gone", file, err)
	}
}

// TestServeNoToken lets everyone in where that is asked for.
func TestServeNoToken(t *testing.T) {
	t.Parallel()
	cmd, address, _ := served(t, []string{"DEEPLIMIT_TOKEN=a-token-of-the-variable"}, "--no-token")
	response, err := http.Get(address + "api/studies")
	if err != nil || response.StatusCode != http.StatusOK || strings.Contains(address, "token") {
		t.Errorf("%s: got %v, %v, want 200 without a token", address, response, err)
	}
	cmd.Process.Signal(syscall.SIGINT)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
