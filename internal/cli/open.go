package cli

import (
	"errors"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// openPage asks the desktop to open an address that holds a token. Arguments of a program
// are seen by every user of the machine, so what is opened is a file that only this user
// can read and that leads to the address. close removes it.
func openPage(address string) (close func() error, err error) {
	dir, err := os.MkdirTemp("", "deeplimit-") // for this user alone
	if err != nil {
		return nil, err
	}
	close = func() error { return os.RemoveAll(dir) }
	file := filepath.Join(dir, "open.html")
	if err := os.WriteFile(file, []byte(leadsTo(address)), 0o600); err != nil {
		return nil, errors.Join(err, close())
	}
	if err := browse(file); err != nil {
		return nil, errors.Join(err, close())
	}
	return close, nil
}

// browse asks the desktop to open a file.
func browse(file string) error {
	command := opener()
	cmd := exec.Command(command[0], append(command[1:], file)...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, tokenVariable+"=") })
	return cmd.Start()
}

// opener returns the program that opens a file as the desktop would, with its first arguments.
func opener() []string {
	switch runtime.GOOS {
	case "darwin":
		return []string{"open"}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	return []string{"xdg-open"}
}

// hasDesktop reports whether a browser can be expected to show itself to this user.
func hasDesktop() bool {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		return os.Getenv("SSH_CONNECTION") == ""
	}
	_, err := exec.LookPath(opener()[0])
	return err == nil && (os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "")
}

// leadsTo returns a page that goes on to an address.
func leadsTo(address string) string {
	to := html.EscapeString(address)
	return fmt.Sprintf(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url=%s">
<title>deeplimit</title>
<p><a href="%s">Open the page</a></p>
</html>
`, to, to)
}
