package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// A module is what the program is compiled from beside its own sources: a Go module, Go's
// standard library, or files of others in the tree.
type module struct {
	path, version string
	sum           string // of the Go module, as in go.sum
	kind          string // of a package URL: golang, npm
	licences      []licence
}

// A licence is a file that says under what terms a module may be used.
type licence struct {
	file string   // name within the module
	ids  []string // SPDX identifiers of the texts that it holds
	text []byte
}

// ids returns the identifiers of all licences of a module, each once.
func (m *module) ids() []string {
	var ids []string
	for _, l := range m.licences {
		ids = append(ids, l.ids...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// linked lists what the programs of these platforms are compiled from, by path.
func linked(ctx context.Context, root string, chosen []platform) ([]module, error) {
	found := map[string]*module{}
	folders := map[string][2]string{} // a folder of a package → path and folder of its module
	for _, p := range chosen {
		if err := listPackages(ctx, root, p, found, folders); err != nil {
			return nil, err
		}
	}
	for dir, of := range folders {
		if err := found[of[0]].read(dir, of[1]); err != nil {
			return nil, err
		}
		if file, offers := chosenLicences[of[0]]; offers {
			if err := found[of[0]].add(of[1], file); err != nil {
				return nil, err
			}
		}
	}
	standard, err := standardLibrary(ctx, root)
	if err != nil {
		return nil, err
	}
	chart, err := uPlot(root)
	if err != nil {
		return nil, err
	}
	list := []module{standard, chart}
	for _, path := range slices.Sorted(maps.Keys(found)) {
		list = append(list, *found[path])
	}
	for _, m := range list {
		slices.SortFunc(m.licences, func(a, b licence) int { return cmp.Compare(a.file, b.file) })
		if len(m.licences) == 0 {
			return nil, fmt.Errorf("%s %s: got no file of a licence, want one, as in LICENSE", m.path, m.version)
		}
	}
	return list, nil
}

// listPackages adds the modules and folders of the packages that a platform's program holds.
func listPackages(ctx context.Context, root string, p platform, found map[string]*module, folders map[string][2]string) error {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-json=Dir,Standard,Module", "./cmd/deeplimit")
	cmd.Dir, cmd.Env = root, p.environ()
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("go list: %w", told(err))
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg struct {
			Dir      string
			Standard bool
			Module   *struct {
				Path, Version, Dir, Sum string
				Main                    bool
				Replace                 *struct{ Path string }
			}
		}
		if err := decoder.Decode(&pkg); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("go list: %w", err)
		}
		m := pkg.Module
		if pkg.Standard || m == nil || m.Main {
			continue
		}
		if m.Replace != nil {
			return fmt.Errorf("%s: got a replacement by %s, want the module itself", m.Path, m.Replace.Path)
		}
		if found[m.Path] == nil {
			found[m.Path] = &module{path: m.Path, version: m.Version, sum: m.Sum, kind: "golang"}
		}
		folders[pkg.Dir] = [2]string{m.Path, m.Dir}
	}
}

// told returns the error of a command with what it wrote to standard error.
func told(err error) error {
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return fmt.Errorf("%w\n%s", err, failed.Stderr)
	}
	return err
}

// chosenLicences names the file of the licence that we take where a module offers several.
var chosenLicences = map[string]string{
	"github.com/golang/freetype": "licenses/ftl.txt", // or the GPL
}

// licenceNames are what files of licences are called.
var licenceNames = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|copyright|notice|patents)([-._].*)?$`)

// read adds the licences in the folder of a package and in those above it, up to the
// module's.
func (m *module) read(dir, top string) error {
	for ; ; dir = filepath.Dir(dir) {
		files, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, file := range files {
			if file.IsDir() || !licenceNames.MatchString(file.Name()) || strings.HasSuffix(file.Name(), ".go") {
				continue
			}
			name, err := filepath.Rel(top, filepath.Join(dir, file.Name()))
			if err != nil {
				return err
			}
			if err := m.add(top, filepath.ToSlash(name)); err != nil {
				return err
			}
		}
		if dir == top || !strings.HasPrefix(dir, top) {
			return nil
		}
	}
}

// add adds a licence once.
func (m *module) add(top, name string) error {
	if slices.ContainsFunc(m.licences, func(l licence) bool { return l.file == name }) {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	l := licence{file: name, text: text}
	for _, match := range licensecheck.Scan(text).Match {
		if !match.IsURL && !slices.Contains(l.ids, match.ID) {
			l.ids = append(l.ids, match.ID)
		}
	}
	m.licences = append(m.licences, l)
	return nil
}

// standardLibrary returns Go's own, which is compiled into every program.
func standardLibrary(ctx context.Context, root string) (module, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOROOT", "GOVERSION")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return module{}, fmt.Errorf("go env: %w", told(err))
	}
	place, version, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	m := module{path: "std", version: strings.TrimPrefix(version, "go"), kind: "golang"}
	return m, errors.Join(m.add(place, "LICENSE"), m.add(place, "PATENTS"))
}

// uPlotVersion finds the version in the README beside the files.
var uPlotVersion = regexp.MustCompile(`^uPlot (\d[\w.]*) \(MIT`)

// uPlot returns the library of the live page's charts, whose files the program holds.
func uPlot(root string) (module, error) {
	dir := filepath.Join(root, "internal", "show", "serve", "web", "uplot")
	text, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		return module{}, err
	}
	version := uPlotVersion.FindSubmatch(text)
	if version == nil {
		return module{}, fmt.Errorf("%s: got no version of uPlot in the first line of README.md, want one", dir)
	}
	m := module{path: "uplot", version: string(version[1]), kind: "npm"}
	return m, m.add(dir, "LICENSE")
}
