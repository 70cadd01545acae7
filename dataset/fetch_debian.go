package dataset

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// downloadPackage downloads a Debian package into folder and unpacks it there. It does not
// install it, so it needs no privileges. It returns the root of the package's files.
func downloadPackage(ctx context.Context, name, folder string) (string, error) {
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("got no %s in PATH, want one to download the Debian package %s", program, name)
		}
	}
	if err := runIn(ctx, folder, "apt-get", "download", name); err != nil {
		return "", err
	}
	archives, err := filepath.Glob(filepath.Join(folder, name+"_*.deb"))
	if err == nil && len(archives) != 1 {
		err = fmt.Errorf("apt-get download %s: got %d archives, want one", name, len(archives))
	}
	if err != nil {
		return "", err
	}
	root := filepath.Join(folder, "files")
	return root, runIn(ctx, folder, "dpkg-deb", "--extract", archives[0], root)
}

// runIn runs a program in a folder. Its error includes the program's stderr.
func runIn(ctx context.Context, folder, program string, args ...string) error {
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = folder
	var stderr bytes.Buffer
	command.Stderr = &stderr
	err := command.Run()
	if stopped := ctx.Err(); stopped != nil {
		return stopped
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", program, args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return nil
}
