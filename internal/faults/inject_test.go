package faults

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// A fault makes the n-th call of a kind fail: that one, or from then on all that a
// disk in such a state would refuse.
type fault struct {
	op      disk.Op
	n       int // from 1
	err     error
	forGood bool
}

func (f fault) String() string {
	often := "once"
	if f.forGood {
		often = "for good"
	}
	return fmt.Sprintf("%s %d: %v %s", f.op, f.n, f.err, often)
}

// refuses says whether a disk on which f has struck for good fails such a call: a full
// one takes nothing new, a dead one does nothing.
func (f fault) refuses(op disk.Op) bool {
	switch f.err {
	case syscall.EIO:
		return true
	default:
		return op == f.op || slices.Contains([]disk.Op{disk.OpCreate, disk.OpWrite, disk.OpSync, disk.OpMkdir}, op)
	}
}

// during makes the calls of do fail that the fault says, and returns them.
func (f fault) during(do func()) (struck []disk.Call) {
	var mu sync.Mutex
	count := 0
	disk.Intercept(func(c disk.Call) error {
		mu.Lock()
		defer mu.Unlock()
		if c.Op == f.op {
			count++
		}
		first := len(struck) == 0 && c.Op == f.op && count == f.n
		if first || len(struck) > 0 && f.forGood && f.refuses(c.Op) {
			struck = append(struck, c)
			return f.err
		}
		return nil
	})
	defer disk.Intercept(nil)
	do()
	return struck
}

// census counts the calls of each kind that do makes.
func census(do func()) map[disk.Op]int {
	var mu sync.Mutex
	counts := map[disk.Op]int{}
	disk.Intercept(func(c disk.Call) error {
		mu.Lock()
		defer mu.Unlock()
		counts[c.Op]++
		return nil
	})
	defer disk.Intercept(nil)
	do()
	return counts
}

// faultsOf returns every fault that calls in such numbers can meet.
func faultsOf(counts map[disk.Op]int) (list []fault) {
	for _, op := range slices.Sorted(maps.Keys(counts)) {
		errs := []error{syscall.EIO}
		switch op {
		case disk.OpWrite:
			errs = append(errs, syscall.ENOSPC, io.ErrShortWrite)
		case disk.OpCreate, disk.OpMkdir, disk.OpSync, disk.OpRename, disk.OpLink:
			errs = append(errs, syscall.ENOSPC)
		}
		for n := 1; n <= counts[op]; n++ {
			for _, err := range errs {
				list = append(list, fault{op, n, err, false}, fault{op, n, err, true})
			}
		}
	}
	return list
}

// TestEveryCall makes every call of the operating system fail in turn, of a study that
// is run from its start and of one that is taken up again after a fault: the program
// names the file and the fault, or does without; and a later run gives the results of
// one that nothing befell.
func TestEveryCall(t *testing.T) {
	study := writeStudy(t, small)
	want := undisturbed(t, study)
	interrupted := interruptedStudy(t, study)
	for _, start := range []struct {
		name string
		from string // folder to begin with, "" for none
	}{{"new", ""}, {"resumed", interrupted}} {
		t.Run(start.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			begin := func() {
				if err := os.RemoveAll(out); err != nil {
					t.Fatal(err)
				}
				if start.from != "" {
					if err := os.CopyFS(out, os.DirFS(start.from)); err != nil {
						t.Fatal(err)
					}
				}
			}
			begin()
			counts := census(func() { mustRun(t, runArgs(study, out)...) })
			survived, tried := 0, 0
			for i, f := range faultsOf(counts) {
				if i%*stride != 0 {
					continue
				}
				tried++
				begin()
				var (
					code           int
					stdout, stderr string
				)
				struck := f.during(func() { code, stdout, stderr = program(runArgs(study, out)...) })
				switch {
				case len(struck) == 0:
					t.Fatalf("%v: never happened, of %v", f, counts)
				case code == 0:
					survived++
					if err := want.stands(out, stdout); err != nil {
						t.Errorf("%v at %v, survived: %v", f, struck[0], err)
					}
				default:
					if !f.named(struck, stderr) {
						t.Errorf("%v: the message names none of %v:\n%s", f, struck, stderr)
					}
				}
				code, stdout, stderr = program(runArgs(study, out)...)
				if code != 0 {
					t.Errorf("%v at %v: the next run ends with code %d:\n%s", f, struck[0], code, stderr)
				}
				if err := want.stands(out, stdout); err != nil {
					t.Errorf("%v at %v, in the next run: %v", f, struck[0], err)
				}
			}
			t.Logf("%v: %d faults tried, %d survived", counts, tried, survived)
		})
	}
}

// temporary matches the name of a file that is being written, and its own name in it.
var temporary = regexp.MustCompile(`\.([^/]+)\.\d+\.tmp$`)

// named says whether the program's message names the fault and a file that it struck.
func (f fault) named(struck []disk.Call, stderr string) bool {
	return strings.Contains(stderr, f.err.Error()) && slices.ContainsFunc(struck, func(c disk.Call) bool {
		return strings.Contains(stderr, c.Path) || strings.Contains(stderr, temporary.ReplaceAllString(c.Path, "$1"))
	})
}

// interruptedStudy returns a study folder whose disk failed in the middle: the first
// run has checkpoints, a file that was half-written is left.
func interruptedStudy(t *testing.T, study string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "interrupted")
	checkpoints := 0
	died := errors.New("the machine stops here")
	disk.Intercept(func(c disk.Call) error {
		if c.Op == disk.OpRename && filepath.Base(c.Path) == "state.safetensors" {
			checkpoints++
		}
		if checkpoints >= 3 {
			return died
		}
		return nil
	})
	defer disk.Intercept(nil)
	if code, _, stderr := program(runArgs(study, out)...); code == 0 || !strings.Contains(stderr, died.Error()) {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	return out
}
