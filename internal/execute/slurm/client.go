package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Client talks to a cluster through the programs that come with it, as its users
// do: they know where the cluster is and who asks.
type Client struct {
	// Path is where the programs are looked for, a list of folders; "" for PATH.
	Path string
}

// ErrAbsent says that this machine has no Slurm.
var ErrAbsent = errors.New("no Slurm on this machine")

// answer is how long a program may take. The programs themselves wait for a busy
// controller for MessageTimeout, and try again.
const answer = 5 * time.Minute

// command runs one of Slurm's programs and returns what it prints.
func (c Client) command(ctx context.Context, program string, args ...string) ([]byte, error) {
	path, err := c.find(program)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// What a user has squeue leave out (SQUEUE_STATES, SQUEUE_PARTITION …) would look lost
	// here. Lists of tasks are cut off after 64 bytes unless told otherwise.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "SQUEUE_") })
	cmd.Env = append(cmd.Env, "SLURM_BITSTR_LEN=0")
	if err := cmd.Run(); err != nil {
		if text := firstLine(stderr.Bytes()); text != "" {
			return nil, fmt.Errorf("slurm: %s: %s (%w)", program, text, err)
		}
		return nil, fmt.Errorf("slurm: %s: %w", program, err)
	}
	return stdout.Bytes(), nil
}

// find returns the path of one of Slurm's programs.
func (c Client) find(program string) (string, error) {
	if c.Path == "" {
		if path, err := exec.LookPath(program); err == nil {
			return path, nil
		}
	}
	for _, dir := range strings.Split(c.Path, string(os.PathListSeparator)) {
		if path, err := exec.LookPath(dir + "/" + program); dir != "" && err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("slurm: %w: got no %s in PATH, want a machine that submits to a cluster (a login node); without one leave the engine out, and start the same command on several machines that share the folder", ErrAbsent, program)
}

// firstLine returns what a program complains of first, without its name.
func firstLine(stderr []byte) string {
	for line := range strings.Lines(string(stderr)) {
		if line = strings.TrimSpace(line); line != "" {
			_, text, ok := strings.Cut(line, "error: ")
			if !ok {
				text = line
			}
			return text
		}
	}
	return ""
}

// jobID is what `sbatch --parsable` prints: the id, and with several clusters the
// cluster behind a semicolon.
var jobID = regexp.MustCompile(`^(\d+)(;\S+)?$`)

// sbatch submits a job and returns its id.
func (c Client) sbatch(ctx context.Context, args []string) (string, error) {
	out, err := c.command(ctx, "sbatch", args...)
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n") // sites' plugins print above it
	m := jobID.FindStringSubmatch(strings.TrimSpace(lines[len(lines)-1]))
	if m == nil {
		return "", fmt.Errorf("slurm: sbatch: got answer %q, want the id of a job", out)
	}
	return m[1], nil
}

// scancel takes jobs out of the queue.
func (c Client) scancel(ctx context.Context, jobs []string) error {
	_, err := c.command(ctx, "scancel", jobs...)
	return err
}

var maxArraySize = regexp.MustCompile(`(?m)^MaxArraySize\s*=\s*(\d+)\s*$`)

// MaxArraySize returns how many tasks an array of this cluster may have; an error that
// wraps ErrAbsent where there is no Slurm.
func (c Client) MaxArraySize(ctx context.Context) (int, error) {
	out, err := c.command(ctx, "scontrol", "show", "config")
	if err != nil {
		return 0, err
	}
	return parseMaxArraySize(out)
}

func parseMaxArraySize(config []byte) (int, error) {
	m := maxArraySize.FindSubmatch(config)
	if m == nil {
		return 0, errors.New("slurm: scontrol show config: got no MaxArraySize, want a line with it")
	}
	// The largest index is one less, so it is how many tasks there may be from 0 on.
	size, err := strconv.Atoi(string(m[1]))
	if err != nil || size < 1 {
		return 0, fmt.Errorf("slurm: scontrol show config: MaxArraySize: got %s, want at least 1: this cluster takes no job arrays", m[1])
	}
	return size, nil
}
