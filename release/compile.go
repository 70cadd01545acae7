package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A program is the compiled program of a platform.
type program struct {
	platform
	path string
}

// portable returns the flags with which the program of a clone computes the same bits on every processor; files that they
// name go into dir.
func portable(ctx context.Context, root, dir string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "run", "./internal/machine/overlay", filepath.Join(dir, "overlay"))
	cmd.Dir = root
	text, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w\n%s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("flags of the compiler: %w", err)
	}
	return strings.Fields(string(text)), nil
}

// compile builds the program of a clone for a platform into dir, with further flags.
func compile(ctx context.Context, root, dir string, flags []string, p platform) (program, error) {
	path := filepath.Join(dir, p.os+"-"+p.arch, p.executable())
	cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{"build", "-trimpath", "-buildvcs=auto", "-ldflags=-s -w"}, flags, []string{"-o", path, "./cmd/deeplimit"})...)
	cmd.Dir, cmd.Env = root, p.environ()
	if text, err := cmd.CombinedOutput(); err != nil {
		return program{}, fmt.Errorf("%s: %w\n%s", p, err, text)
	}
	return program{p, path}, nil
}

// An identity says what is released.
type identity struct {
	version   string // such as v1.0.0, as the program says
	commit    string // "" outside a repository
	toolchain string // such as go1.26.8
	// time stands for every time in a release: that of the commit.
	time time.Time
}

// identify reads what the Go tool has stored in a program. SOURCE_DATE_EPOCH, seconds since
// 1970, replaces the time of the commit; sources without a repository have the first time
// that a zip can hold.
func identify(path string) (identity, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return identity{}, err
	}
	id := identity{version: info.Main.Version, toolchain: info.GoVersion, time: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	if id.version == "" || id.version == "(devel)" {
		id.version = "devel"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			id.commit = s.Value
		case "vcs.time":
			if id.time, err = time.Parse(time.RFC3339, s.Value); err != nil {
				return identity{}, fmt.Errorf("%s: vcs.time: %w", path, err)
			}
		}
	}
	if text := os.Getenv("SOURCE_DATE_EPOCH"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return identity{}, fmt.Errorf("SOURCE_DATE_EPOCH: got %q, want seconds since 1970", text)
		}
		id.time = time.Unix(seconds, 0)
	}
	id.time = id.time.UTC()
	return id, nil
}

// tagged reports whether the version is that of a release and not of a commit between two.
func (id identity) tagged() bool {
	return strings.HasPrefix(id.version, "v") && !strings.ContainsAny(id.version, "-+")
}

// name returns the name of a file of the release: deeplimit, the version, and what tells it
// from the others.
func (id identity) name(rest string) string { return "deeplimit-" + id.version + "-" + rest }
