//go:build unix

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// mostMemory is what a command that refuses its input may take, in bytes: a few times
// what it takes to start.
const mostMemory = 1 << 30

// limited runs a command, wants its exit code, and neither a stack trace nor more than
// mostMemory.
func limited(t *testing.T, dir string, code int, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "deeplimit", args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	text := out.String()
	if got := cmd.ProcessState.ExitCode(); got != code || strings.Contains(text, "goroutine ") {
		t.Errorf("%q: got exit code %d, want %d\n%.2000s", args, got, code, text)
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		if bytes := usage.Maxrss * maxrssUnit; bytes > mostMemory {
			t.Errorf("%q: took %d bytes of memory, want at most %d", args, bytes, mostMemory)
		}
	}
	return text
}

// TestSizesBeyondTheMachine gives every command sizes that no machine has: an estimate or
// an error that says what is wanted, before anything is allocated.
func TestSizesBeyondTheMachine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	study := func(name, keys string) string {
		t.Helper()
		text := "name: s\nseeds: 2\n" + keys + "\n"
		if !strings.Contains(keys, "data:") {
			text += "data: {kind: separated, width: 4, samples: 2, distance: 0.3}\n"
		}
		if !strings.Contains(keys, "depths:") {
			text += "depths: [8, 16]\n"
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	refusal := regexp.MustCompile(`of memory for this process, want at least|got a disk with .* free, want at least|want .*at most|parameters in all|do not fit into the memory|a whole number of at most 64 bits|from 1 to 1000000`)
	for name, c := range map[string]struct {
		keys string
		dry  int // exit code of --dry-run: an estimate where the run may fit elsewhere
	}{
		"depth":      {"depths: [1000000000]", 0},
		"depths":     {"depths: [8, 9000000000000000000]", 2},
		"width":      {"network: {width: 1000000}", 0},
		"hidden":     {"network: {block: mlp, hidden: 1000000000}", 0},
		"both":       {"depths: [1000000000]\nnetwork: {width: 1000000}", 2},
		"overflow":   {"network: {width: 9000000000000000000}", 2},
		"samples":    {"data: {kind: rotation, width: 4, samples: 1000000000000, angle: 0.1}", 2},
		"sum":        {"data: {kind: rotation, width: 4, samples: 9000000000000000000, test: 9000000000000000000, angle: 0.1}", 2},
		"data width": {"data: {kind: rotation, width: 1000000000, samples: 8, angle: 0.1}", 2},
		"seeds":      {"seeds: 1000000000000", 2},
		"sharp":      {"depths: [1000000000000]\nnetwork: {block: mlp, hidden: 1000000000000, width: 1000000}", 2},
	} {
		t.Run(name, func(t *testing.T) {
			keys := c.keys
			file := study(name+".yaml", keys)
			if strings.Contains(keys, "seeds:") {
				text, _ := os.ReadFile(filepath.Join(dir, file))
				os.WriteFile(filepath.Join(dir, file), bytes.Replace(text, []byte("seeds: 2\n"), nil, 1), 0o644)
			}
			for _, args := range [][]string{{"run", file, "--dry-run"}, {"run", file, "--dry-run", "--json"}, {"run", file, "--out", name}, {"edge", file}, {"probe", file, "--out", name + "-probe"}} {
				code := 2
				if args[len(args)-1] == "--dry-run" || args[len(args)-1] == "--json" {
					code = c.dry
				}
				text := limited(t, dir, code, args...)
				if args[len(args)-1] != "--json" && !refusal.MatchString(text) {
					t.Errorf("%q: got\n%s\nwant what does not fit", args, text)
				}
			}
		})
	}
	for _, args := range [][]string{
		{"bench", "--shape", "1000000,8,1000000"}, {"bench", "--shape", "9000000000000000000,9000000000000000000,9"}, {"bench", "--shape", "10,8,1000000000000000000"},
	} {
		if text := limited(t, dir, 2, args...); !refusal.MatchString(text) {
			t.Errorf("%q: got %s", args, text)
		}
	}
	// A number of iterations takes no memory of its own.
	limited(t, dir, 0, "run", study("iterations.yaml", "train: {stop: {iterations: 9007199254740992}}"), "--dry-run")
	limited(t, dir, 0, "run", study("done.yaml", "depths: [32, 64]\ntrain: {stop: {iterations: 5}}"), "--out", "done", "--no-report")
	for _, depth := range []string{"1000000000000", "9000000000000000000", "1000000000"} {
		if text := limited(t, dir, 2, "transfer", "done", "--depth", depth); !strings.Contains(text, "depth "+depth) && !refusal.MatchString(text) {
			t.Errorf("transfer --depth %s: got %s", depth, text)
		}
	}
	var ps []string
	for i := range 5_000 {
		ps = append(ps, fmt.Sprintf("%g", 1+float64(i)/1e4))
	}
	if err := os.WriteFile(filepath.Join(dir, "path.csv"), []byte("a,b\n"+strings.Repeat("1,2\n3,4.5\n", 50)), 0o644); err != nil {
		t.Fatal(err)
	}
	limited(t, dir, 0, "pvar", "path.csv", "--p", strings.Join(ps, ","))
}

// TestManyRuns counts the runs of grids before it makes any.
func TestManyRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	values := "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"
	keys := []string{"network.alpha", "train.step.value", "train.stop.loss", "data.distance", "data.samples", "initial.amplitude", "initial.exponent", "train.stop.iterations", "train.stop.divergence", "network.width"}
	for n := 7; n <= len(keys); n++ {
		text := "name: s\ndepths: [4]\ndata: {kind: separated, width: 4, samples: 2, distance: 0.3}\ngrid:\n"
		for _, key := range keys[:n] {
			text += "  " + key + ": " + values + "\n"
		}
		if err := os.WriteFile(filepath.Join(dir, "study.yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		want := "got 1" + strings.Repeat("0", n) + " runs (1" + strings.Repeat("0", n) + " data sets and grid points), want at most 100000; --max-runs raises the limit"
		for _, args := range [][]string{{"run", "study.yaml"}, {"run", "study.yaml", "--dry-run"}, {"edge", "study.yaml"}, {"probe", "study.yaml"}} {
			if got := limited(t, dir, 2, args...); !strings.Contains(got, want) {
				t.Errorf("%q: got %s, want %s", args, got, want)
			}
		}
	}
	small := "name: s\ndepths: [4, 8]\nseeds: 3\ndata: {kind: separated, width: 4, samples: 2, distance: 0.3}\n"
	if err := os.WriteFile(filepath.Join(dir, "small.yaml"), []byte(small), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := limited(t, dir, 2, "run", "small.yaml", "--dry-run", "--max-runs", "5"); !strings.Contains(got, "got 6 runs (2 depths × 3 seeds), want at most 5; --max-runs raises the limit") {
		t.Errorf("--max-runs 5: got %s", got)
	}
	limited(t, dir, 0, "run", "small.yaml", "--dry-run", "--max-runs", "6")
}

// TestFilesBeyondTheMachine hands files to commands that would fill the memory, or end the
// program, if they were read. The other study of the folder is shown by status.
func TestFilesBeyondTheMachine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string, size int64) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
		if size > 0 {
			if err := os.Truncate(path, size); err != nil {
				t.Fatal(err)
			}
		}
		return name
	}
	const good = "name: good\ndepths: [8, 16]\ndata: {kind: separated, width: 4, samples: 2, distance: 0.3}\ntrain: {stop: {iterations: 5}}\n"
	limited(t, dir, 0, "run", write("good.yaml", good, 0), "--out", "studies/good", "--no-report")
	deep := strings.Repeat("[", 100_000)
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'n'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 10), ", "))
	}
	for name, c := range map[string]struct {
		file, want string
	}{
		"sparse":   {write("sparse.yaml", good, 12<<30), "sparse.yaml: got a file of 12884901888 bytes, want at most 1048576"},
		"brackets": {write("brackets.yaml", "name: s\ndata: "+deep, 0), "brackets.yaml:2:39: got values nested too deep, want at most 32 levels"},
		"closed":   {write("closed.yaml", "name: s\ndata: "+deep+strings.Repeat("]", 100_000), 0), "got values nested too deep"},
		"aliases":  {write("aliases.yaml", bomb, 0), "more than a million values"},
		"device":   {"/dev/zero", "/dev/zero: got a file of 1048577 bytes, want at most 1048576"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, args := range [][]string{{"run", c.file}, {"run", c.file, "--dry-run"}, {"edge", c.file}, {"probe", c.file}} {
				if got := limited(t, dir, 2, args...); !strings.Contains(got, c.want) {
					t.Errorf("%q: got %.300s, want %s", args, got, c.want)
				}
			}
		})
	}
	write("studies/manifest/runs.json", "", 200<<30)
	write("studies/manifest/study.json", "{}", 0)
	write("studies/nested/study.yaml", "name: s\ndata: "+deep, 0)
	write("studies/long/study.yaml", good, 12<<30)
	for _, args := range [][]string{{"status", "studies"}, {"status", "studies", "--json"}} {
		got := limited(t, dir, 2, args...)
		for _, want := range []string{"good", "nested too deep", "12884901888 bytes"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q: got %.1000s, want %s", args, got, want)
			}
		}
	}
	for _, bad := range []string{"manifest", "nested", "long"} {
		for _, command := range []string{"status", "analyze", "report", "export", "transfer"} {
			args := []string{command, "studies/" + bad}
			if command == "export" {
				args = append(args, "--out", "tables")
			}
			limited(t, dir, 2, args...)
		}
	}
	// A run folder with files beyond all limits is damaged; nothing is read whole.
	for _, name := range []string{"run.json", "result.json", "trace.parquet", "weights.safetensors"} {
		limited(t, dir, 0, "run", "good.yaml", "--out", "one", "--no-report")
		path := glob(t, filepath.Join(dir, "one/runs/*-L0008-*", name))[0]
		if err := os.Truncate(path, 200<<30); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"analyze", "status"} {
			cmd := exec.CommandContext(t.Context(), "deeplimit", command, "one")
			cmd.Dir = dir
			out, _ := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() == 0 && command == "analyze" && !strings.Contains(string(out), name) || strings.Contains(string(out), "goroutine ") {
				t.Errorf("%s with %s: got\n%s\nwant it named", command, name, out)
			}
		}
		if err := os.RemoveAll(filepath.Join(dir, "one")); err != nil {
			t.Fatal(err)
		}
	}
	// Data of a user: an array that its header fits, a table, and one that unpacks to more.
	header := "{'descr': '<f8', 'fortran_order': False, 'shape': (1073741824, 25), }"
	header += strings.Repeat(" ", 128-10-1-len(header)) + "\n"
	write("X.npy", "\x93NUMPY\x01\x00"+string([]byte{byte(len(header)), 0})+header, 128+200<<30)
	write("files.yaml", "name: s\ndepths: [8]\ndata: {kind: files, inputs: X.npy, targets: X.npy}\n", 0)
	write("table.csv", "1,2\n", 200<<30)
	write("csv.yaml", "name: s\ndepths: [8]\ndata: {kind: csv, path: table.csv}\n", 0)
	write("initial.yaml", "name: s\ndepths: [8]\ndata: {kind: separated, width: 4, samples: 2, distance: 0.3}\ninitial: {kind: file, path: X.npy}\n", 0)
	for file, want := range map[string]string{"files.yaml": "X.npy", "csv.yaml": "table.csv", "initial.yaml": "X.npy"} {
		if got := limited(t, dir, 2, "run", file, "--dry-run"); !strings.Contains(got, want) {
			t.Errorf("%s: got %.300s, want %s named", file, got, want)
		}
	}
	if got := limited(t, dir, 2, "pvar", "X.npy"); !strings.Contains(got, "of memory for this process, want at least") {
		t.Errorf("pvar: got %.300s", got)
	}
}
