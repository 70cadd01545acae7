package sweep

import (
	"io/fs"
	"math"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plan/plantest"
	"github.com/deeplimit/deeplimit/internal/plan/study"
)

// stored returns the bytes of the files below a folder.
func stored(dir string) (bytes float64) {
	filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil // gone meanwhile
		}
		if info, err := entry.Info(); err == nil {
			bytes += float64(info.Size())
		}
		return nil
	})
	return bytes
}

// TestDiskBytes holds what a plan says that a run takes on the disk to its files, at the
// end and at any call of the operating system before.
func TestDiskBytes(t *testing.T) {
	for name, text := range map[string]string{
		"gd":      "depths: [40]\ndata: {kind: separated, width: 40, samples: 4, distance: 0.3}\ntrain: {stop: {iterations: 4}, certify: {cadence: off}}",
		"adam":    "dtype: float32\ndepths: [60]\ndata: {kind: separated, width: 50, samples: 4, distance: 0.3}\ntrain: {method: adam, stop: {iterations: 4}}",
		"trained": "depths: [60]\ndata: {kind: separated, width: 20, samples: 4, distance: 0.3}\nnetwork: {block: mlp, hidden: 30, bias: true, residual: layered, embed: trained}\ntrain: {method: momentum, stop: {iterations: 4}}",
		"records": "depths: [1000]\ndata: {kind: separated, width: 3, samples: 2, distance: 0.3}\ntrain: {step: {value: 0.1}, stop: {iterations: 25}, certify: {cadence: all}}",
		"trace":   "depths: [2]\ndata: {kind: separated, width: 2, samples: 2, distance: 0.3}\ntrain: {method: momentum, step: {value: 1e-3}, stop: {iterations: 1500}, norms: off}",
	} {
		t.Run(name, func(t *testing.T) {
			p, out := plantest.New(t, "s.yaml", "name: s\n"+text), t.TempDir()
			checkpoint := time.Nanosecond
			if name == "trace" {
				checkpoint = 0 // a thousand checkpoints take long
			}
			var mu sync.Mutex
			most := 0.0
			disk.Intercept(func(disk.Call) error {
				mu.Lock()
				defer mu.Unlock()
				most = max(most, stored(out))
				return nil
			})
			_, err := Run(t.Context(), p, Options{Out: out, Workers: 1, Checkpoint: checkpoint})
			disk.Intercept(nil)
			if err != nil {
				t.Fatal(err)
			}
			left, passing := diskBytes(p, []*study.Run{&p.Runs[0]}, 1)
			t.Logf("left %.3g of %.3g, most %.3g of %.3g", stored(out), left, most, left+passing)
			if got := stored(out); !(math.Abs(got/left-1) <= 0.1) {
				t.Errorf("got %g bytes in the end, want within 10 %% of %g", got, left)
			}
			// The last three checkpoints hold up to three measurements less than the files.
			if share := most / (left + passing); checkpoint > 0 && !(share >= 0.85 && share <= 1.02) {
				t.Errorf("got %g bytes at most, want %g or up to 15 %% less", most, left+passing)
			}
		})
	}
}

// TestDiskBytesAtWork takes the largest runs, as many as there are cores, to be at work.
func TestDiskBytesAtWork(t *testing.T) {
	p := plantest.New(t, "s.yaml", "name: s\ndepths: [10, 20, 30]\ndata: {kind: separated, width: 40, samples: 4, distance: 0.3}\n")
	all := []*study.Run{&p.Runs[0], &p.Runs[1], &p.Runs[2]}
	left, two := diskBytes(p, all, 2)
	_, deepest := diskBytes(p, all[2:], 1)
	_, middle := diskBytes(p, all[1:2], 1)
	_, none := diskBytes(p, nil, 2)
	if two != deepest+middle || none != 0 || !(left > two/2) {
		t.Errorf("got %g for two cores, want %g and %g; for no runs %g", two, deepest, middle, none)
	}
}
