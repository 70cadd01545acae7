package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb" // formats, by name
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

// writePackage writes a package of a format, deb or rpm, with the program and the files of
// its archive where the system looks for them. dir is a folder for the files meanwhile.
func writePackage(out, dir, format string, id identity, p program, common []entry) error {
	packager, err := nfpm.Get(format)
	if err != nil {
		return err
	}
	contents := files.Contents{{Source: p.path, Destination: "/usr/bin/deeplimit", FileInfo: &files.ContentFileInfo{Mode: 0o755, MTime: id.time}}}
	for _, e := range common {
		destination, data, err := installed(format, e)
		if err != nil {
			return err
		}
		if destination == "" {
			continue
		}
		source := filepath.Join(dir, filepath.FromSlash(destination))
		if err := os.MkdirAll(filepath.Dir(source), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(source, data, 0o644); err != nil {
			return err
		}
		contents = append(contents, &files.Content{Source: source, Destination: destination, FileInfo: &files.ContentFileInfo{Mode: 0o644, MTime: id.time}})
	}
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: "deeplimit", Arch: p.arch, Platform: p.os, Version: packageVersion(id), Section: "science", Priority: "optional",
		Maintainer: "The deeplimit authors", Description: "Train deep residual networks at many depths and measure the limit",
		Homepage: "https://github.com/deeplimit/deeplimit", License: "MIT", MTime: id.time, DisableGlobbing: true,
		Overridables: nfpm.Overridables{Contents: contents, RPM: nfpm.RPM{BuildHost: "localhost"}},
	})
	if err := nfpm.PrepareForPackager(info, format); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := packager.Package(info, &b); err != nil {
		return fmt.Errorf("%s of %s: %w", format, p.platform, err)
	}
	return os.WriteFile(filepath.Join(out, packager.ConventionalFileName(info)), b.Bytes(), 0o644)
}

// packageVersion returns the version as packages have it; one that is none sorts below all.
func packageVersion(id identity) string {
	if !strings.HasPrefix(id.version, "v") {
		return "0.0.0-" + id.version
	}
	return id.version
}

// installed returns where a file of the archive stands in an installed system, "" for one
// that does not belong there, and what it holds.
func installed(format string, e entry) (destination string, data []byte, err error) {
	zsh := "/usr/share/zsh/vendor-completions"
	if format == "rpm" {
		zsh = "/usr/share/zsh/site-functions"
	}
	switch base := path.Base(e.name); {
	case strings.HasPrefix(e.name, "man/"):
		data, err = compressed(e.data)
		return "/usr/share/" + e.name + ".gz", data, err
	case base == "deeplimit.bash":
		return "/usr/share/bash-completion/completions/deeplimit", e.data, nil
	case base == "_deeplimit":
		return zsh + "/_deeplimit", e.data, nil
	case base == "deeplimit.fish":
		return "/usr/share/fish/vendor_completions.d/deeplimit.fish", e.data, nil
	case strings.HasPrefix(e.name, "completions/"):
		return "", nil, nil
	case e.name == "LICENSE" && format == "deb":
		return "/usr/share/doc/deeplimit/copyright", e.data, nil
	}
	return "/usr/share/doc/deeplimit/" + e.name, e.data, nil
}

// compressed returns data as gzip -9n writes it.
func compressed(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}
