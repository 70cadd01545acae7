package sweep

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/deeplimit/deeplimit/internal/plan/plantest"
)

// TestBytes holds the planned memory of a run to the most that is alive while it is executed,
// within a tenth, for studies of all kinds.
func TestBytes(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		workers int
	}{
		"gd": {text: "depths: [2000]\ndata: {kind: separated, width: 16, samples: 8, distance: 0.3}\ntrain: {stop: {iterations: 3}}\n"},
		// Certificates count as issued, which takes a copy of the weights in float32 alone.
		"float32":   {text: "depths: [3000]\ndtype: float32\ndata: {kind: separated, width: 16, samples: 8, distance: 0.3}\ntrain: {certify: {cadence: off}, stop: {iterations: 20}}\n"},
		"adam":      {text: "depths: [2000]\ndata: {kind: separated, width: 16, samples: 8, distance: 0.3}\ntrain: {method: adam, stop: {iterations: 3}}\n"},
		"armijo":    {text: "depths: [2000]\ndata: {kind: separated, width: 16, samples: 8, distance: 0.3}\ntrain: {step: {rule: armijo}, certify: {cadence: off}, stop: {iterations: 3}}\n"},
		"outer":     {text: "depths: [2000]\ndata: {kind: rotation, width: 16, samples: 40, angle: 0.5}\nnetwork: {block: outer, bias: true}\ntrain: {stop: {iterations: 3}}\n"},
		"mlp":       {text: "depths: [1000]\ndata: {kind: digits, samples: 300, test: 100}\nnetwork: {block: mlp, hidden: 20, width: 16, residual: layered, loss: cross-entropy, embed: trained, readout: trained}\ntrain: {method: momentum, stop: {iterations: 3}}\n", workers: 2},
		"batch":     {text: "depths: [1000]\ndtype: float32\ndata: {kind: digits, samples: 300, test: 100}\nnetwork: {width: 24}\ntrain: {method: sgd, batch: 50, certify: {cadence: ends}, stop: {iterations: 3}}\n"},
		"all":       {text: "depths: [1000]\ndata: {kind: separated, width: 12, samples: 8, distance: 0.3}\ntrain: {certify: {cadence: all}, stop: {iterations: 15}}\n"},
		"variation": {text: "depths: [2000]\ndata: {kind: separated, width: 16, samples: 8, distance: 0.3}\ntrain: {variation: 2, norms: off, certify: {cadence: off}, stop: {iterations: 3}}\n"},
		"curvature": {text: "depths: [500]\ndata: {kind: separated, width: 12, samples: 8, distance: 0.3}\ntrain: {certify: {cadence: ends, curvature: true, gram: true}, stop: {iterations: 2}}\n"},
		"limit":     {text: "depths: [3000]\ndata: {kind: rotation, width: 12, samples: 200, angle: 0.5}\ntrain: {memory: 4MB, certify: {cadence: off}, stop: {iterations: 2}}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.workers == 0 {
				c.workers = 1
			}
			p := plantest.New(t, "s.yaml", "name: s\n"+c.text)
			want := p.Bytes(&p.Runs[0], c.workers)
			// The samples are the plan's, and were there before.
			set := p.Set(&p.Runs[0])
			samples := 8 * float64(len(set.X)+len(set.Y)+len(set.Labels))
			if set.Test != nil {
				samples += 8 * float64(len(set.Test.X)+len(set.Test.Y)+len(set.Test.Labels))
			}
			// A collection on a busy machine counts what is made while it lasts, garbage or
			// not: it may say too much, and never too little.
			got := math.Inf(1)
			for attempt := 0; attempt < 3 && !(math.Abs(want-got) <= 0.1*got); attempt++ {
				dir := t.TempDir()
				got = min(got, samples+alive(func() {
					report, err := Run(t.Context(), p, Options{Out: dir, Workers: c.workers, Checkpoint: time.Nanosecond, Observe: func(e Event) {
						runtime.GC() // what the checkpoint before has left is none of the next one's
					}})
					if err != nil || len(report.Failed) > 0 {
						t.Fatal(err, report.Failed)
					}
				}))
			}
			t.Logf("planned %.2f MB, alive %.2f MB: %.3f", want/1e6, got/1e6, want/got)
			if !(math.Abs(want-got) <= 0.1*got) {
				t.Errorf("planned %.3g MB, %.3g MB were alive", want/1e6, got/1e6)
			}
		})
	}
}

// alive returns the most bytes that are alive at a time while f runs, beside those before:
// as of the collections of garbage, which come whenever 3 % more is taken.
func alive(f func()) float64 {
	defer debug.SetGCPercent(debug.SetGCPercent(3))
	read := func() float64 {
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(sample)
		return float64(sample[0].Value.Uint64())
	}
	runtime.GC()
	runtime.GC()
	before := read()
	done, most := make(chan struct{}), make(chan float64)
	go func() {
		highest := before
		for {
			select {
			case <-done:
				most <- highest
				return
			case <-time.After(200 * time.Microsecond):
				highest = max(highest, read())
			}
		}
	}()
	f()
	close(done)
	return <-most - before
}
