//go:build unix

package faults

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/deeplimit/deeplimit/internal/cli"
)

// limitedProgram is deeplimit where no file may be larger than its first argument says,
// in bytes: what quotas and `ulimit -f` do.
func limitedProgram() {
	size, err := strconv.ParseUint(os.Args[1], 10, 64)
	if err == nil {
		var limit syscall.Rlimit
		put(&limit.Cur, size)
		put(&limit.Max, size)
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
	}
	if err != nil {
		panic(err)
	}
	os.Exit(cli.Main(os.Args[2:], os.Stdout, os.Stderr))
}

// put sets the number of a limit, whose type differs between systems.
func put[T int64 | uint64](at *T, size uint64) { *at = T(size) }

// run runs a command of its own process and returns its exit code, -1 for a signal.
func run(t *testing.T, cmd *exec.Cmd) (code int, stdout, stderr string) {
	t.Helper()
	var out, text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &text
	if err := cmd.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		code = exit.ExitCode()
	}
	return code, out.String(), text.String()
}

// TestFileSizes lets no file be larger than a limit, from one byte to the size of the
// largest file: the program ends with an error that names the file, the fault and what
// to do, never by the signal that the system sends, and a run without the limit
// completes the study.
func TestFileSizes(t *testing.T) {
	t.Parallel()
	study := writeStudy(t, small)
	want := undisturbed(t, study)
	ended, completed := 0, 0
	for size := 1; size < 64_000; size += 1 + size/4 + *stride*2 {
		out := filepath.Join(t.TempDir(), "out")
		code, stdout, stderr := run(t, exec.CommandContext(t.Context(), "limited", append([]string{strconv.Itoa(size)}, runArgs(study, out)...)...))
		switch {
		case code == 0:
			completed++
			if err := want.stands(out, stdout); err != nil {
				t.Errorf("files up to %d bytes, completed: %v", size, err)
			}
			continue
		case code != 2 || !strings.Contains(stderr, syscall.EFBIG.Error()) || !strings.Contains(stderr, out+"/") || !strings.Contains(stderr, "ulimit -f"):
			t.Errorf("files up to %d bytes: got code %d and a message that does not tell all\n%s", size, code, stderr)
		}
		ended++
		code, stdout, stderr = program(runArgs(study, out)...)
		if code != 0 {
			t.Errorf("files up to %d bytes: the next run ends with code %d:\n%s", size, code, stderr)
		}
		if err := want.stands(out, stdout); err != nil {
			t.Errorf("files up to %d bytes, in the next run: %v", size, err)
		}
	}
	t.Logf("%d sizes ended the program, %d did not", ended, completed)
	if ended == 0 || completed == 0 {
		t.Error("want both")
	}
}

// nobody is a user without rights.
const nobody = 65534

// asNobody returns a command of this program that the folder's owner's rights do not
// reach. Tests that run as root become somebody else for it; the binary is found through
// /proc, as its own folder may be closed to them.
func asNobody(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", args...)
	cmd.Args[0], cmd.Dir = "deeplimit", "/"
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return cmd
}

// TestReadOnly runs and takes up studies in folders that may be read and not written: an
// error names the folder and what to do, everything stays as it was, and what only reads
// works.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the program is started again through /proc, which Linux alone has")
	}
	root := t.TempDir()
	for _, dir := range []string{root, filepath.Dir(root)} { // others are to get in
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := asNobody(t, "version").Run(); err != nil {
		t.Skipf("this system lets nobody else run the program: %v", err)
	}
	study := filepath.Join(root, "study.yaml")
	if err := os.WriteFile(study, []byte(small), 0o644); err != nil {
		t.Fatal(err)
	}
	want := undisturbed(t, study)
	interrupted := interruptedStudy(t, study)
	for _, start := range []struct{ name, from string }{{"empty", ""}, {"interrupted", interrupted}} {
		t.Run(start.name, func(t *testing.T) {
			out := filepath.Join(root, start.name)
			if err := os.Mkdir(out, 0o755); err != nil {
				t.Fatal(err)
			}
			if start.from != "" {
				if err := os.CopyFS(out, os.DirFS(start.from)); err != nil {
					t.Fatal(err)
				}
			}
			setMode(t, out, 0o555, 0o444)
			defer setMode(t, out, 0o755, 0o644)
			before := storedFiles(t, out)
			code, _, stderr := run(t, asNobody(t, runArgs(study, out)...))
			if code != 2 || !strings.Contains(stderr, out) || !strings.Contains(stderr, "permission denied") {
				t.Errorf("got code %d, want an error that names %s\n%s", code, out, stderr)
			}
			if start.from == "" && !strings.Contains(stderr, "choose an --out that can be written") {
				t.Errorf("got no advice:\n%s", stderr)
			}
			if after := storedFiles(t, out); strings.Join(after, "\n") != strings.Join(before, "\n") {
				t.Errorf("got files %v, want %v", after, before)
			}
			setMode(t, out, 0o755, 0o644)
			code, stdout, stderr := program(runArgs(study, out)...)
			if code != 0 {
				t.Errorf("the next run ends with code %d:\n%s", code, stderr)
			}
			if err := want.stands(out, stdout); err != nil {
				t.Errorf("in the next run: %v", err)
			}
		})
	}
	t.Run("finished", func(t *testing.T) {
		out := filepath.Join(root, "finished")
		analysis := mustRun(t, runArgs(study, out)...)
		setMode(t, out, 0o555, 0o444)
		defer setMode(t, out, 0o755, 0o644)
		for _, args := range [][]string{{"analyze", out, "--json"}, runArgs(study, out)} {
			if code, stdout, stderr := run(t, asNobody(t, args...)); code != 0 || stdout != analysis {
				t.Errorf("%s: got code %d, want the analysis\n%s", args[0], code, stderr)
			}
		}
		code, _, stderr := run(t, asNobody(t, "report", out))
		if want := "deeplimit: report: mkdir " + filepath.Join(out, "report") + ": permission denied"; code != 2 || !strings.HasPrefix(stderr, want) {
			t.Errorf("report: got code %d, want %s\n%s", code, want, stderr)
		}
	})
}

// setMode sets the modes of all folders and files of a folder.
func setMode(t *testing.T, dir string, folders, files os.FileMode) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.Chmod(path, folders)
		}
		return os.Chmod(path, files)
	})
	if err != nil {
		t.Fatal(err)
	}
}
