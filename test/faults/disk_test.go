package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/deeplimit/deeplimit/internal/cli"
	"github.com/deeplimit/deeplimit/internal/disk"
)

// A fault makes the n-th call of a kind fail: that one, or from then on all that a
// disk in such a state would refuse.
type fault struct {
	Op      disk.Op
	N       int    // from 1; 0 never
	Error   string // a key of faultErrors
	ForGood bool
	// Stop makes every call fail once two checkpoints of a run have been kept, as when
	// the machine stops there.
	Stop bool
	// Remove is a folder that somebody removes before the call of number N, of any kind.
	Remove string
}

var faultErrors = map[string]error{
	"EIO": syscall.EIO, "ENOSPC": syscall.ENOSPC, "EDQUOT": syscall.EDQUOT, "short": io.ErrShortWrite, "stop": errors.New("the machine stops here"),
}

func (f fault) String() string {
	if f.Remove != "" {
		return fmt.Sprintf("call %d: %s is removed", f.N, f.Remove)
	}
	often := "once"
	if f.ForGood {
		often = "for good"
	}
	return fmt.Sprintf("%s %d: %s %s", f.Op, f.N, f.Error, often)
}

// refuses says whether a disk on which f has struck for good fails such a call: a full
// one takes nothing new, a dead one does nothing.
func (f fault) refuses(op disk.Op) bool {
	if f.Error == "EIO" || f.Stop {
		return true
	}
	return op == f.Op || slices.Contains([]disk.Op{disk.OpCreate, disk.OpWrite, disk.OpSync, disk.OpMkdir}, op)
}

// removeNow removes a folder that others may be writing into.
func removeNow(dir string) {
	for range 100 {
		if os.RemoveAll(dir) == nil {
			return
		}
	}
	panic(dir + " cannot be removed")
}

// calls is what a process under a fault did.
type calls struct {
	Total  int
	Counts map[disk.Op]int
	Opened map[string]int // how often a file was opened to be read, by its path
	Struck []disk.Call
}

// faultyProgram is deeplimit on a disk with a fault: its first arguments are the fault
// and a file for the calls that were made.
func faultyProgram() {
	var f fault
	if err := json.Unmarshal([]byte(os.Args[1]), &f); err != nil {
		panic(err)
	}
	var mu sync.Mutex
	made, kept := calls{Counts: map[disk.Op]int{}, Opened: map[string]int{}}, 0
	disk.Intercept(func(c disk.Call) error {
		mu.Lock()
		defer mu.Unlock()
		made.Counts[c.Op]++
		if c.Op == disk.OpOpen {
			made.Opened[c.Path]++
		}
		if made.Total++; f.Remove != "" && made.Total == f.N {
			made.Struck = append(made.Struck, c)
			removeNow(f.Remove)
			return nil
		}
		if c.Op == disk.OpRename && filepath.Base(c.Path) == "previous.safetensors" {
			kept++
		}
		first := f.Remove == "" && len(made.Struck) == 0 && (c.Op == f.Op && made.Counts[c.Op] == f.N || f.Stop && kept >= 2)
		if first || len(made.Struck) > 0 && (f.ForGood || f.Stop) && f.refuses(c.Op) {
			made.Struck = append(made.Struck, c)
			return faultErrors[f.Error]
		}
		return nil
	})
	code := cli.Main(os.Args[3:], os.Stdout, os.Stderr)
	disk.Intercept(nil)
	text, err := json.Marshal(made)
	if err == nil {
		err = os.WriteFile(os.Args[2], text, 0o644)
	}
	if err != nil {
		panic(err)
	}
	os.Exit(code)
}
