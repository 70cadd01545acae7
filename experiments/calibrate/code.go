package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// drawn are the packages that a draw comes from.
var drawn = []string{"./scaling", "./internal/planted"}

// folderOf returns the folder in keep of the draws of this code: its name is a checksum of the packages of this module
// that draws come from, without comments, of the versions of the others, and of compiler and processor.
func folderOf(keep string) (string, error) {
	// A line for each package: its folder, or for those of other modules their module and version.
	const template = `{{with .Module}}{{if .Main}}{{$.Dir}}{{else}}{{.Path}}@{{.Version}}{{end}}{{end}}`
	list, err := exec.Command("go", append([]string{"list", "-deps", "-f", template}, drawn...)...).Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w (run it in the root of the module)", err)
	}
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOARCH)
	for _, dir := range slices.Compact(strings.Fields(string(list))) {
		if !filepath.IsAbs(dir) {
			fmt.Fprintln(sum, dir)
			continue
		}
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			return "", err
		}
		for _, name := range files {
			code, err := codeOf(name)
			if err != nil {
				return "", err
			}
			fmt.Fprintln(sum, filepath.Base(name), len(code))
			sum.Write(code)
		}
	}
	return filepath.Join(keep, hex.EncodeToString(sum.Sum(nil))[:12]), nil
}

// codeOf returns a file of Go without its comments, a file of assembly as it is, and nothing of others.
func codeOf(name string) ([]byte, error) {
	switch {
	case strings.HasSuffix(name, "_test.go"):
		return nil, nil
	case strings.HasSuffix(name, ".s"):
		return os.ReadFile(name)
	case !strings.HasSuffix(name, ".go"):
		return nil, nil
	}
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var code bytes.Buffer
	err = format.Node(&code, files, parsed)
	return code.Bytes(), err
}
