//go:build unix

// Command many runs a study of very many tiny runs with the real program and holds what
// is not training to its bounds: 10 ms a run, 5 s for status and for analyze, 500 MB. It
// prints what a new file and its sync take on this disk beside, and exits 1 if a bound is
// exceeded. A disk on which many files were just removed is slow at making new ones.
//
//	go run ./test/acceptance/many -runs 10000 bin/deeplimit
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/deeplimit/deeplimit/runfolder"
)

const study = `name: many
depths: [2]
seeds: %d
data: {kind: separated, width: 4, samples: 2, distance: 0.3}
train: {step: {value: 2}, stop: {iterations: 5}}
`

func main() {
	runs := flag.Int("runs", 10000, "runs of the study")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: many [-runs N] PROGRAM")
		os.Exit(2)
	}
	dir, err := os.MkdirTemp("", "many")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	good, err := measure(flag.Arg(0), dir, *runs)
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if !good {
		os.Exit(1)
	}
}

// measure runs the study in dir and prints a line for each number.
func measure(program, dir string, runs int) (good bool, err error) {
	made, synced, err := latencies(dir)
	if err != nil {
		return false, err
	}
	fmt.Printf("on this disk a new file takes %v and its sync %v (medians)\n", made.Round(time.Microsecond), synced.Round(time.Microsecond))
	file, out := filepath.Join(dir, "many.yaml"), filepath.Join(dir, "out")
	if err := os.WriteFile(file, fmt.Appendf(nil, study, runs), 0o644); err != nil {
		return false, err
	}
	good = true
	check := func(name string, got, most float64, unit string) {
		verdict := "ok"
		if !(got <= most) {
			verdict, good = "OFF", false
		}
		fmt.Printf("%-4s %-24s %8.4g %s, want at most %g\n", verdict, name, got, unit, most)
	}
	for _, command := range []struct {
		name string
		args []string
	}{
		{"run", []string{"run", file, "--out", out, "--no-report"}},
		{"status", []string{"status", out}},
		{"analyze", []string{"analyze", out}},
	} {
		u, err := use(program, command.args...)
		if err != nil {
			return false, err
		}
		seconds := u.wall.Seconds()
		if command.name == "run" {
			training, err := trainingTime(out)
			if err != nil {
				return false, err
			}
			check("overhead of a run", 1e3*(seconds-training/float64(u.cores))/float64(runs), 10, "ms")
		} else {
			check(command.name, seconds, 5, "s")
		}
		check("memory of "+command.name, float64(u.memory)/1e6, 500, "MB")
		check("files open in "+command.name, float64(u.files), 64, "")
	}
	return good, nil
}

// usage is what a process took.
type usage struct {
	wall   time.Duration
	memory int64 // bytes, at most at a time
	files  int   // open at a time, as often as it was looked at
	cores  int
}

// use runs the program and looks at its open files while it runs.
func use(program string, args ...string) (usage, error) {
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return usage{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	u := usage{cores: runtime.GOMAXPROCS(0)}
	for {
		select {
		case err := <-ended:
			u.wall = time.Since(began)
			if err != nil {
				return u, fmt.Errorf("%s %v: %w", program, args, err)
			}
			if resources, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
				u.memory = resources.Maxrss * 1024 // kB on Linux
			}
			return u, nil
		case <-time.After(20 * time.Millisecond):
			if list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", cmd.Process.Pid)); err == nil {
				u.files = max(u.files, len(list))
			}
		}
	}
}

// trainingTime returns the seconds that the runs of a study trained, all together.
func trainingTime(out string) (seconds float64, err error) {
	folders, err := runfolder.List(out)
	if err != nil {
		return 0, err
	}
	for _, folder := range folders {
		run, err := runfolder.Open(folder)
		if err != nil {
			return 0, err
		}
		if !run.Done() {
			return 0, fmt.Errorf("%s is not finished", folder)
		}
		seconds += run.Summary.Seconds
	}
	return seconds, nil
}

// latencies returns the median times that making a file and syncing it take, a small one.
func latencies(dir string) (made, synced time.Duration, err error) {
	var makes, syncs []time.Duration
	for i := range 101 {
		began := time.Now()
		file, err := os.Create(filepath.Join(dir, fmt.Sprintf("sync%d", i)))
		makes = append(makes, time.Since(began))
		if err != nil {
			return 0, 0, err
		}
		if _, err := file.Write(make([]byte, 2000)); err != nil {
			return 0, 0, errors.Join(err, file.Close())
		}
		began = time.Now()
		err = file.Sync()
		syncs = append(syncs, time.Since(began))
		if err = errors.Join(err, file.Close()); err != nil {
			return 0, 0, err
		}
	}
	slices.Sort(makes)
	slices.Sort(syncs)
	return makes[len(makes)/2], syncs[len(syncs)/2], nil
}
