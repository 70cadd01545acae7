package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// options say what is built, and where it is written.
type options struct {
	root, out string
	platforms []platform
	hatchling string // "" for no wheels
}

// build writes a release.
func build(ctx context.Context, o options) error {
	work, err := os.MkdirTemp("", "deeplimit-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	flags, err := portable(ctx, o.root, work)
	if err != nil {
		return err
	}
	var programs []program
	for _, p := range o.platforms {
		built, err := compile(ctx, o.root, work, flags, p)
		if err != nil {
			return err
		}
		programs = append(programs, built)
	}
	id, err := identify(programs[0].path)
	if err != nil {
		return err
	}
	if err := checkChangelog(o.root, id); err != nil {
		return err
	}
	if err := emptyFolder(o.out); err != nil {
		return err
	}
	modules, err := linked(ctx, o.root, o.platforms)
	if err != nil {
		return err
	}
	others, err := unlinked(ctx, o.root, modules)
	if err != nil {
		return err
	}
	bill, err := components(id, modules, others)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(o.out, id.name("sbom.cdx.json")), bill, 0o644); err != nil {
		return err
	}
	common, err := commonFiles(o.root, id, modules)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2) // each holds a program several times in memory
	for _, p := range programs {
		group.Go(func() error { return o.write(ctx, work, id, p, common) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return writeChecksums(o.out)
}

// write writes all that a release has for one platform.
func (o *options) write(ctx context.Context, work string, id identity, p program, common []entry) error {
	if err := writeArchive(o.out, id, p, common); err != nil {
		return err
	}
	if o.hatchling != "" {
		if err := writeWheel(ctx, o, id, p); err != nil {
			return err
		}
	}
	if p.os != "linux" {
		return nil
	}
	for _, format := range []string{"deb", "rpm"} {
		if err := writePackage(o.out, filepath.Join(work, p.arch, format), format, id, p, common); err != nil {
			return err
		}
	}
	return writeImage(filepath.Join(o.out, id.name("image-"+p.arch+".tar")), id, p)
}

// emptyFolder makes dir an empty folder. One that holds something other than a release is left
// alone: -out may name the wrong folder.
func emptyFolder(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for _, file := range files {
		if name := file.Name(); !strings.HasPrefix(name, "deeplimit") && name != checksumsName {
			return fmt.Errorf("%s: got %s in it, want a folder of nothing but a release, or an empty one", dir, name)
		}
	}
	for _, file := range files {
		if err := os.RemoveAll(filepath.Join(dir, file.Name())); err != nil {
			return err
		}
	}
	return os.MkdirAll(dir, 0o755)
}

// checkChangelog wants a chapter of CHANGELOG.md for a version that is released.
func checkChangelog(root string, id identity) error {
	if !id.tagged() {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	if !bytes.Contains(text, []byte("\n## "+strings.TrimPrefix(id.version, "v"))) {
		return fmt.Errorf("CHANGELOG.md: got no chapter of %s, want \"## %s\" above what it brings", id.version, strings.TrimPrefix(id.version, "v"))
	}
	return nil
}

// commonFiles returns what every archive holds beside the program.
func commonFiles(root string, id identity, modules []module) ([]entry, error) {
	terms, err := notices(root, modules)
	if err != nil {
		return nil, err
	}
	pages, err := manual(id)
	if err != nil {
		return nil, err
	}
	scripts, err := completions()
	if err != nil {
		return nil, err
	}
	entries := slices.Concat([]entry{{"THIRD-PARTY-NOTICES.txt", 0o644, terms}}, pages, scripts)
	for _, pattern := range []string{"LICENSE", "README.md", "CHANGELOG.md", "CITATION.cff", "docs/*.md", "examples/*.yaml", "examples/*/*.yaml", "examples/*/*.py"} {
		paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			return nil, err
		}
		if len(paths) == 0 {
			return nil, fmt.Errorf("%s: got no %s, want the clone of the repository", root, pattern)
		}
		for _, path := range paths {
			name, err := filepath.Rel(root, path)
			if err != nil {
				return nil, err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			entries = append(entries, entry{filepath.ToSlash(name), 0o644, data})
		}
	}
	return entries, nil
}

// writeArchive writes the archive of a platform: a zip for Windows, else a tar.gz, with one
// folder that has the archive's name.
func writeArchive(out string, id identity, p program, common []entry) error {
	executable, err := os.ReadFile(p.path)
	if err != nil {
		return err
	}
	folder := id.name(p.os + "-" + p.arch)
	entries := []entry{{folder + "/" + p.executable(), 0o755, executable}}
	for _, e := range common {
		entries = append(entries, entry{folder + "/" + e.name, e.mode, e.data})
	}
	write, ending := writeTarGz, ".tar.gz"
	if p.os == "windows" {
		write, ending = writeZip, ".zip"
	}
	return createFile(filepath.Join(out, folder+ending), func(w io.Writer) error { return write(w, entries, id.time) })
}

// createFile makes a file of what write writes.
func createFile(path string, write func(w io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(file); err != nil {
		file.Close()
		return fmt.Errorf("%s: %w", path, err)
	}
	return file.Close()
}

// wheelless are the platforms for which Python's packages have no name.
var wheelless = []string{"freebsd/amd64"}

// writeWheel has hatchling build the Python package with the program in it.
func writeWheel(ctx context.Context, o *options, id identity, p program) error {
	if slices.Contains(wheelless, p.String()) {
		return nil
	}
	out, err := filepath.Abs(o.out)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, o.hatchling, "build", "-t", "wheel", "-d", out)
	cmd.Dir = filepath.Join(o.root, "python")
	cmd.Env = append(os.Environ(), "DEEPLIMIT_PLATFORM="+p.String(), "DEEPLIMIT_PROGRAM="+p.path, fmt.Sprintf("SOURCE_DATE_EPOCH=%d", id.time.Unix()))
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("wheel of %s: %w\n%s", p.platform, err, text)
	}
	return nil
}

// checksumsName is the file of a release that holds the SHA-256 of the others.
const checksumsName = "checksums.txt"

// writeChecksums writes it as sha256sum does, by name.
func writeChecksums(dir string) error {
	files, err := os.ReadDir(dir) // sorted
	if err != nil {
		return err
	}
	var list strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(data), file.Name())
	}
	return os.WriteFile(filepath.Join(dir, checksumsName), []byte(list.String()), 0o644)
}
