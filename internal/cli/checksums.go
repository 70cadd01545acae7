package cli

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// checksumsName is the file of a release that holds the SHA-256 of the others.
const checksumsName = "checksums.txt"

// A listed is one line of a file of checksums.
type listed struct {
	line int
	sum  string // SHA-256 in lower-case hexadecimal digits
}

// checkDownload compares the SHA-256 of a file with the one that a file of checksums lists
// under its name; "" stands for checksums.txt beside the file.
func checkDownload(w io.Writer, file, checksums string) error {
	if checksums == "" {
		checksums = filepath.Join(filepath.Dir(file), checksumsName)
	}
	sum, err := sumOf(file)
	if err != nil {
		return err
	}
	want, err := findChecksum(checksums, filepath.Base(file))
	if err != nil {
		return err
	}
	if sum != want.sum {
		return fmt.Errorf("version: %s: got SHA-256 %s, want %s (%s:%d); the file is damaged, or of another release: download both again",
			plain.Text(file), sum, want.sum, plain.Text(checksums), want.line)
	}
	_, err = fmt.Fprintf(w, "%s: SHA-256 %s, as in %s\n", plain.Text(file), sum, plain.Text(checksums))
	return err
}

// sumOf returns the SHA-256 of a file.
func sumOf(path string) (string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("version: --check: %s: got no such file, want one of a release", plain.Text(path))
	} else if err != nil {
		return "", fmt.Errorf("version: --check: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return "", fmt.Errorf("version: --check: %s: got a folder, want a file of a release", plain.Text(path))
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", fmt.Errorf("version: --check: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// findChecksum returns the line of a file of checksums for the file called name. Folders
// before a listed name do not count, as a download has none of them; two lines that differ
// are refused, since nothing tells which one is meant.
func findChecksum(path, name string) (listed, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return listed{}, fmt.Errorf("version: %s: got no such file, want the %s of the release beside the download, or --checksums FILE", plain.Text(path), checksumsName)
	} else if err != nil {
		return listed{}, fmt.Errorf("version: --checksums: %w", err)
	}
	defer f.Close()
	var found listed
	lines := bufio.NewScanner(f)
	for at := 1; lines.Scan(); at++ {
		text := strings.TrimRight(lines.Text(), "\r")
		if strings.TrimSpace(text) == "" {
			continue
		}
		sum, file, ok := splitChecksum(text)
		if !ok {
			return listed{}, fmt.Errorf("version: %s:%d: got %q, want a SHA-256 of 64 hexadecimal digits, two blanks and a file name, as sha256sum writes", plain.Text(path), at, text)
		}
		if file[strings.LastIndexAny(file, `/\`)+1:] != name {
			continue
		}
		if found.line > 0 && found.sum != sum {
			return listed{}, fmt.Errorf("version: %s: got two SHA-256 of %s, in lines %d and %d, want one", plain.Text(path), plain.Text(name), found.line, at)
		}
		found = listed{line: at, sum: sum}
	}
	if err := lines.Err(); err != nil {
		return listed{}, fmt.Errorf("version: %s: %w", plain.Text(path), err)
	}
	if found.line == 0 {
		return listed{}, fmt.Errorf("version: %s: got no line for %s, want one: has the file been renamed, or is it of another release?", plain.Text(path), plain.Text(name))
	}
	return found, nil
}

// splitChecksum splits a line of sha256sum: the digits, a blank, a second blank or the star
// of a binary file, and the name.
func splitChecksum(line string) (sum, file string, ok bool) {
	if len(line) <= 2*sha256.Size+2 {
		return "", "", false
	}
	sum, mark, file := line[:2*sha256.Size], line[2*sha256.Size:][:2], line[2*sha256.Size+2:]
	raw, err := hex.DecodeString(sum)
	return hex.EncodeToString(raw), file, err == nil && (mark == "  " || mark == " *")
}
