package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// A platform is what a program is compiled for.
type platform struct{ os, arch string }

// platforms are those that a release serves.
var platforms = []platform{
	{"linux", "amd64"},
	{"linux", "arm64"},
	{"linux", "riscv64"},
	{"darwin", "arm64"},
	{"darwin", "amd64"},
	{"windows", "amd64"},
	{"windows", "arm64"},
	{"freebsd", "amd64"},
}

// choose returns the platforms with these names, all for "".
func choose(names string) ([]platform, error) {
	if names == "" {
		return platforms, nil
	}
	var chosen []platform
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(platforms, func(p platform) bool { return p.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("-platforms: got %q, want some of %v", name, platforms)
		}
		if slices.Contains(chosen, platforms[i]) {
			return nil, fmt.Errorf("-platforms: got %q twice", name)
		}
		chosen = append(chosen, platforms[i])
	}
	return chosen, nil
}

func (p platform) String() string { return p.os + "/" + p.arch }

// executable returns the name of the program's file.
func (p platform) executable() string {
	if p.os == "windows" {
		return "deeplimit.exe"
	}
	return "deeplimit"
}

// environ returns the environment in which the Go tool compiles for the platform: no cgo, so
// that the program needs no C library, and the base level of each architecture, as later ones
// change the last bits of results. What else could change the bytes is unset.
func (p platform) environ() []string {
	return append(os.Environ(), "GOOS="+p.os, "GOARCH="+p.arch, "CGO_ENABLED=0",
		"GOAMD64=v1", "GOARM64=v8.0", "GORISCV64=rva20u64", "GOFLAGS=", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off")
}
