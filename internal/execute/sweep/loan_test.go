package sweep

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plan/plantest"
)

// TestIdleCores wants the one core to compute a run while the files of another are synced, and no third run begun meanwhile.
func TestIdleCores(t *testing.T) {
	p := plantest.New(t, "s.yaml", strings.Replace(text, "[2, 4]", "[2, 3, 4, 5]", 1))
	var mu sync.Mutex
	begun, ended, most := 0, 0, 0
	second := make(chan struct{})
	disk.Intercept(func(c disk.Call) error {
		if c.Op == disk.OpSync && strings.Contains(filepath.Dir(c.Path), ".finish.") {
			select {
			case <-second:
			case <-time.After(20 * time.Second):
				t.Error("no run has begun while another was synced")
			}
			time.Sleep(5 * time.Millisecond) // a slow disk
		}
		return nil
	})
	defer disk.Intercept(nil)
	report, err := Run(t.Context(), p, Options{Out: filepath.Join(t.TempDir(), "out"), Workers: 1, Observe: func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		switch e.Kind {
		case Started:
			if begun++; begun == 2 {
				close(second)
			}
			most = max(most, begun-ended)
		case Ended:
			ended++
		}
	}})
	if err != nil || report.Done != 4 || len(report.Failed) != 0 {
		t.Fatalf("got %+v, %v, want four runs done", report, err)
	}
	if most != 2 {
		t.Errorf("%d runs at a time, want 2: one that computes, one that is synced", most)
	}
}
