package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/vuln/scan"
)

// database is the module in which the database of Go's vulnerabilities is kept.
const database = "golang.org/x/vulndb"

// A finding is a known vulnerability that the program can reach.
type finding struct {
	id, summary            string
	module, version, fixed string // fixed is "" where no version is
}

// checkVulnerabilities prints known vulnerabilities that the program can reach, from the
// database that govulncheck asks, or else from the newest version of the module that keeps it.
// One that a newer module mends is an error; those of Go itself wait for another Go on the
// machine that compiles. Where no database is reached it says so: nothing was checked then.
func checkVulnerabilities(ctx context.Context, w io.Writer, root string) error {
	found, err := govulncheck(ctx, root, "")
	if err != nil && unreached(err) {
		version, dir, failed := download(ctx)
		if failed != nil {
			fmt.Fprintf(w, "vulnerabilities: NOT CHECKED, as no database was reached:\n%v\n%v\n", err, failed)
			return nil
		}
		fmt.Fprintf(w, "vulnerabilities: the database itself was not reached; this is %s %s\n", database, version)
		place := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(dir, "data", "osv"))}
		found, err = govulncheck(ctx, root, place.String())
	}
	if err != nil {
		return err
	}
	return tell(w, found)
}

// tell prints findings, and returns an error of those that a newer module mends.
func tell(w io.Writer, found []finding) error {
	var wrong []error
	for _, f := range found {
		mend := "no version mends it"
		switch {
		case f.fixed == "":
		case f.module == "stdlib":
			mend = "compile with Go " + strings.TrimPrefix(f.fixed, "v")
		default:
			mend = "go get " + f.module + "@" + f.fixed
			wrong = append(wrong, fmt.Errorf("%s: got %s %s, want %s or later: %s", f.id, f.module, f.version, f.fixed, mend))
		}
		fmt.Fprintf(w, "%s  %s %s: %s; %s\n", f.id, f.module, f.version, f.summary, mend)
	}
	fmt.Fprintf(w, "vulnerabilities: %d that the program can reach, of which newer modules mend %d\n", len(found), len(wrong))
	return errors.Join(wrong...)
}

// govulncheck scans the program against a database, "" for its own.
func govulncheck(ctx context.Context, root, place string) ([]finding, error) {
	args := []string{"-C", root, "-format", "json"}
	if place != "" {
		args = append(args, "-db", place)
	}
	cmd := scan.Command(ctx, append(args, "./cmd/deeplimit")...)
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, said.Bytes())
	}
	return findings(&out)
}

// findings reads the messages of govulncheck. Of a vulnerability it tells of the module, of
// the package and of each function; those of a function that is reached count, once.
func findings(messages io.Reader) ([]finding, error) {
	summaries := map[string]string{}
	var found []finding
	for decoder := json.NewDecoder(messages); ; {
		var m struct {
			OSV     *struct{ ID, Summary string }
			Finding *struct {
				OSV          string
				FixedVersion string `json:"fixed_version"`
				Trace        []struct{ Module, Version, Function string }
			}
		}
		if err := decoder.Decode(&m); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("govulncheck: %w", err)
		}
		if m.OSV != nil {
			summaries[m.OSV.ID] = m.OSV.Summary
		}
		if f := m.Finding; f != nil && len(f.Trace) > 0 && f.Trace[0].Function != "" {
			found = append(found, finding{id: f.OSV, module: f.Trace[0].Module, version: f.Trace[0].Version, fixed: f.FixedVersion})
		}
	}
	slices.SortFunc(found, func(a, b finding) int { return cmp.Or(cmp.Compare(a.module, b.module), cmp.Compare(a.id, b.id)) })
	found = slices.Compact(found)
	for i := range found {
		found[i].summary = summaries[found[i].id]
	}
	return found, nil
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
