// Overlay writes what a build needs whose floating-point results are the same on every processor, and prints the flags of
// `go build` that use it:
//
//	go build $(go run ./internal/machine/overlay bin/portable) ./cmd/deeplimit
//
// Without them three things differ between processors in the last bits. The compiler fuses x*y + z where the processor
// has an instruction for it; here it fuses none, and math.FMA stays what it is. Gonum and the compressors have assembly
// on amd64 that sums in another order; the tag noasm leaves it out. Package math has assembly for Exp, Exp2, Log and Hypot on some
// processors; the overlay has every processor take the Go of the same package. machine.Arithmetic of the program reports
// whether it was built so, by computing.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: overlay DIR")
		os.Exit(2)
	}
	flags, err := write(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "overlay:", err)
		os.Exit(1)
	}
	fmt.Println(strings.Join(flags, " "))
}

// The functions of package math with assembly whose last bits differ from those of Go's, and their parameters. Others with
// assembly, such as Sqrt and Floor, are exact.
var functions = map[string]string{"Exp": "x", "Exp2": "x", "Log": "x", "Hypot": "p, q"}

// write writes the overlay into dir and returns the flags.
func write(dir string) ([]string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(dir, " \t\n") {
		return nil, fmt.Errorf("got the folder %q, want one without spaces in its path, as flags are separated by them", dir)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	sources := filepath.Join(strings.TrimSpace(string(root)), "src", "math")
	replace := map[string]string{}
	for function, parameters := range functions {
		name := strings.ToLower(function)
		declaration := filepath.Join(sources, name+"_asm.go")
		constraint, err := constraintOf(declaration)
		if err != nil {
			return nil, err
		}
		// Of the same processors as the file it stands for; the others have one that says the same.
		text := fmt.Sprintf("%s\n\npackage math\n\nconst haveArch%s = false\n\nfunc arch%s(%s float64) float64 { panic(\"math: no assembly\") }\n",
			constraint, function, function, parameters)
		replace[declaration] = filepath.Join(dir, "_"+name+".go") // no package of the tree that dir may stand in
		if err := replaceFile(replace[declaration], []byte(text)); err != nil {
			return nil, err
		}
		assembly, err := filepath.Glob(filepath.Join(sources, name+"_*.s"))
		if err != nil {
			return nil, err
		}
		for _, file := range assembly {
			replace[file] = "" // as if it were not there
		}
	}
	text, err := json.MarshalIndent(map[string]any{"Replace": replace}, "", "\t")
	if err != nil {
		return nil, err
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := replaceFile(overlay, append(text, '\n')); err != nil {
		return nil, err
	}
	return []string{"-tags=noasm", "-gcflags=all=-d=fmahash=qn", "-overlay=" + overlay}, nil
}

// constraintOf returns the line of a Go file that says for which processors it is.
func constraintOf(path string) (string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%w: this version of Go keeps its assembly elsewhere; see what stands there now, and change functions", err)
	}
	if err != nil {
		return "", err
	}
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte("//go:build ")) {
			return string(bytes.TrimSpace(line)), nil
		}
	}
	return "", fmt.Errorf("%s: got no line //go:build, want one", path)
}

// replaceFile writes a file whose name has the whole text or the one before, as several builds may go on at once.
func replaceFile(path string, text []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return nil
	}
	part, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = part.Write(text)
	if err = errors.Join(err, part.Close()); err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	return nil
}
