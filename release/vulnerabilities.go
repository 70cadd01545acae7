package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/vuln/scan"
)

// database is the module in which the database of Go's vulnerabilities is kept.
const database = "golang.org/x/vulndb"

// checkVulnerabilities looks for known vulnerabilities that the program can reach, in the
// database that govulncheck asks, or else in the newest version of the module that keeps it.
// One that is found is an error. Where neither is reached it says so: nothing was checked then.
func checkVulnerabilities(ctx context.Context, w io.Writer, root string) error {
	text, err := govulncheck(ctx, root, "")
	if err == nil || !unreached(err) {
		fmt.Fprintf(w, "%s", text)
		return err
	}
	first := err
	version, dir, err := download(ctx)
	if err != nil {
		fmt.Fprintf(w, "vulnerabilities: NOT CHECKED, as no database was reached:\n%v\n%v\n", first, err)
		return nil
	}
	fmt.Fprintf(w, "vulnerabilities: the database itself was not reached; this is %s %s\n", database, version)
	place := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(dir, "data", "osv"))}
	text, err = govulncheck(ctx, root, place.String())
	fmt.Fprintf(w, "%s", text)
	return err
}

// govulncheck scans the program against a database, "" for its own.
func govulncheck(ctx context.Context, root, place string) (text []byte, err error) {
	args := []string{"-C", root}
	if place != "" {
		args = append(args, "-db", place)
	}
	cmd := scan.Command(ctx, append(args, "./cmd/deeplimit")...)
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	err = cmd.Wait()
	return out.Bytes(), err
}

// unreached reports whether a scan ended because there was no database.
func unreached(err error) bool { return strings.Contains(err.Error(), "fetching vulnerabilities") }

// download returns the newest version of the module of the database, and its folder.
func download(ctx context.Context) (version, dir string, err error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", database+"@latest")
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if cmd.Dir, err = os.MkdirTemp("", "deeplimit-vulnerabilities-"); err != nil { // a folder without go.mod, which it would change
		return "", "", err
	}
	defer os.RemoveAll(cmd.Dir)
	out, failed := cmd.Output()
	var got struct{ Version, Dir, Error string }
	if err := json.Unmarshal(out, &got); err != nil {
		return "", "", errors.Join(told(failed), err)
	}
	if failed != nil || got.Error != "" {
		return "", "", fmt.Errorf("%s: %s", database, strings.TrimSpace(got.Error))
	}
	return got.Version, got.Dir, nil
}
