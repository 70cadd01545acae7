package machine

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

func TestLowest(t *testing.T) {
	none := func() (uint64, error) { return 0, memlimit.ErrNoLimit }
	for _, c := range []struct {
		machine uint64
		limits  []memlimit.Provider
		want    int64
	}{
		{16 << 30, []memlimit.Provider{memlimit.Limit(4 << 30)}, 4 << 30},
		{4 << 30, []memlimit.Provider{memlimit.Limit(16 << 30)}, 4 << 30},
		{4 << 30, []memlimit.Provider{memlimit.Limit(math.MaxUint64)}, 4 << 30},
		{4 << 30, []memlimit.Provider{none, memlimit.Limit(3 << 30), memlimit.Limit(2 << 30)}, 2 << 30},
		{4 << 30, []memlimit.Provider{none}, 4 << 30},
		{0, []memlimit.Provider{memlimit.Limit(2 << 30)}, 2 << 30},
		{0, []memlimit.Provider{none}, 0},
		{0, []memlimit.Provider{memlimit.Limit(math.MaxUint64)}, 0},
		{0, []memlimit.Provider{memlimit.Limit(math.MaxInt64)}, 0},
	} {
		if got := lowest(c.machine, c.limits...); got != c.want {
			t.Errorf("machine %d: got %d, want %d", c.machine, got, c.want)
		}
	}
}

func TestFits(t *testing.T) {
	if err := Fits(1e6); err != nil {
		t.Errorf("a megabyte: got %v", err)
	}
	for _, need := range []float64{1e15, 1e300, math.Inf(1), math.NaN()} {
		if err := Fits(need); !errors.As(err, new(*MemoryError)) {
			t.Errorf("%g bytes: got %v, want a *MemoryError", need, err)
		}
	}
}

// TestOwnLimits starts this test again under limits of its own.
func TestOwnLimits(t *testing.T) {
	const inside = "MACHINE_TEST_INSIDE"
	if os.Getenv(inside) != "" {
		os.Stdout.WriteString("memory " + strconv.FormatInt(Memory(), 10) + "\n")
		return
	}
	for name, c := range map[string]struct {
		command     string
		least, most int64
	}{
		"GOMEMLIMIT":    {"GOMEMLIMIT=123MiB exec $0 -test.run TestOwnLimits", 123 << 20, 123 << 20},
		"address space": {"ulimit -v 6291456; exec $0 -test.run TestOwnLimits", 1 << 30, 6 << 30},
	} {
		cmd := exec.Command("sh", "-c", c.command, os.Args[0])
		cmd.Env = append(os.Environ(), inside+"=1")
		out, err := cmd.CombinedOutput()
		_, rest, _ := strings.Cut(string(out), "memory ")
		number, _, _ := strings.Cut(rest, "\n")
		got, _ := strconv.ParseInt(number, 10, 64)
		if err != nil || got < c.least || got > c.most {
			t.Errorf("%s: got %d, %v, want from %d to %d\n%s", name, got, err, c.least, c.most, out)
		}
	}
}
