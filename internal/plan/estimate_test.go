package plan

import (
	"math"
	"testing"

	"github.com/deeplimit/deeplimit/internal/train"
)

// TestSecondsOf plants what each thing takes, and wants it as often as a run does it, at its own
// depth and between those that were timed.
func TestSecondsOf(t *testing.T) {
	base := "name: s\ndepths: [16]\ndata: {kind: rotation, width: 3, samples: 20, test: 5, angle: 0.3}\n"
	for name, c := range map[string]struct {
		text  string
		costs train.Costs
		want  float64
	}{
		"steps":     {"train: {stop: {iterations: 50}}\n", train.Costs{Step: 2}, 100},
		"rows":      {"train: {stop: {iterations: 50}}\n", train.Costs{Row: 2}, 2 * 51},
		"test set":  {"train: {stop: {iterations: 500}}\n", train.Costs{Test: 3}, 3 * 35},
		"all tests": {"train: {test: {cadence: all}, stop: {iterations: 50}}\n", train.Costs{Test: 3}, 3 * 51},
		"epochs":    {"train: {method: sgd, batch: 5, stop: {iterations: 40}}\n", train.Costs{Full: 2}, 2 * 12},
		"norms":     {"train: {stop: {iterations: 16}}\n", train.Costs{Norms: 1}, 8 + 5 + 1},
		"measured":  {"train: {certify: {cadence: all}, stop: {iterations: 50}}\n", train.Costs{Measure: 1}, 52},
		"records":   {"train: {variation: 10, stop: {iterations: 50}}\n", train.Costs{Record: 1}, 7},
		"geometric": {"train: {stop: {iterations: 16}}\n", train.Costs{Record: 1}, 8 + 5 + 2},
		"no norms":  {"train: {norms: off, record: {cadence: off}, certify: {cadence: off}, stop: {iterations: 16}}\n", train.Costs{Norms: 1, Measure: 1, Record: 1, Full: 1}, 0},
	} {
		p := planned(t, base+c.text)
		run := &p.Runs[0]
		none := p.secondsOf(run, []timed{{depth: 16}}) // files
		if got := p.secondsOf(run, []timed{{depth: 16, costs: c.costs}}) - none; !(math.Abs(got-c.want) <= 1e-9*c.want) {
			t.Errorf("%s: got %g seconds, want %g", name, got, c.want)
		}
		// Half the time for a layer at depth 8, the whole at depth 32: three quarters in between.
		between := []timed{{depth: 8, costs: c.costs.Scale(0.25)}, {depth: 32, costs: c.costs.Scale(2)}}
		if got := p.secondsOf(run, between) - none; !(math.Abs(got-0.75*c.want) <= 1e-9*c.want) {
			t.Errorf("%s: got %g seconds between two depths, want %g", name, got, 0.75*c.want)
		}
	}
}

// TestEstimateCounts wants a study that measures curvature to take longer by about what its
// products with the Hessian take: each as much as some steps.
func TestEstimateCounts(t *testing.T) {
	const base = "name: s\ndepths: [16]\ndata: {kind: separated, width: 8, samples: 8, distance: 0.3}\ntrain: {norms: off, record: {cadence: off}, stop: {iterations: 10}, certify: "
	seconds := func(certify string) float64 {
		p := planned(t, base+certify+"}\n")
		e, err := p.Estimate(t.Context(), 1, nil)
		if err != nil || e.Runs != 1 {
			t.Fatal(e, err)
		}
		run := &p.Runs[0]
		return e.Seconds[run.ID] - p.secondsOf(run, []timed{{depth: 16}})
	}
	plain, measured := math.Inf(1), math.Inf(1)
	for range 3 { // the least, as other work on the machine adds to either
		plain, measured = min(plain, seconds("{cadence: off}")), min(measured, seconds("{cadence: ends, curvature: true}"))
	}
	const products = 2 * 1000 // at two iterates, up to the limit
	if ratio := measured / plain; !(ratio >= products/10 && ratio <= 100*products/10) {
		t.Errorf("got a ratio of %.3g, want between 1 and 100 steps for each of %d products beside 10 steps", ratio, products)
	}
}
