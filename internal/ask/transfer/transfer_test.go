package transfer

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/execute/sweep"
	"github.com/deeplimit/deeplimit/internal/npy/npytest"
	"github.com/deeplimit/deeplimit/internal/plan/plantest"
	"github.com/deeplimit/deeplimit/internal/prolong"
	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// trained runs a study and returns its folder.
func trained(t *testing.T, dir, text string) string {
	t.Helper()
	p := plantest.New(t, filepath.Join(dir, "study.yaml"), text)
	out := filepath.Join(t.TempDir(), "out")
	report, err := sweep.Run(t.Context(), p, sweep.Options{Out: out, Workers: 2})
	if err != nil || len(report.Failed) > 0 || report.Diverged > 0 {
		t.Fatal(err, report)
	}
	return out
}

// TestOwnDepth wants the deepest path, put into a network of its own depth with its own
// initial weights, to be the trained network, for every kind of parameter group.
func TestOwnDepth(t *testing.T) {
	for name, network := range map[string]string{
		"inner":   "{block: inner, alpha: 0.5}",
		"outer":   "{block: outer, alpha: 0.75, bias: true}",
		"mlp":     "{block: mlp, hidden: 6, alpha: 1, bias: true}",
		"layered": "{block: inner, alpha: 0.5, activation: relu, residual: layered}",
		"shared":  "{block: inner, alpha: 0.5, residual: shared}",
		"frames":  "{block: inner, alpha: 0.5, width: 5, embed: trained, readout: trained}",
	} {
		t.Run(name, func(t *testing.T) {
			out := trained(t, "", `
name: own
depths: [8, 12]
seeds: 2
data: {kind: rotation, width: 4, samples: 6, angle: 0.5}
network: `+network+`
train: {stop: {iterations: 15}}
`)
			results, err := Study(t.Context(), out, Options{Depths: []int{12}, Deepest: true, Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			if len(results) != 2 || results[0].Seed != 1 || results[1].Seed != 2 {
				t.Fatalf("got %d results, want one for each of the seeds 1, 2", len(results))
			}
			for _, r := range results {
				got := r.Targets[0].Redrawn
				// Adding a difference to what was subtracted rounds each of the weights, and
				// the rescaling twice more: a few ulps in each.
				if got == nil || !(math.Abs(*got-r.Loss) <= 1e-12*r.Loss) {
					t.Errorf("seed %d: got loss %v, want %v as trained", r.Seed, got, r.Loss)
				}
				if r.Targets[0].Trend != r.TrendLoss {
					t.Errorf("seed %d: trend at its own depth: got loss %v, want %v", r.Seed, r.Targets[0].Trend, r.TrendLoss)
				}
				if fmt.Sprint(r.Sources) != "[12]" {
					t.Errorf("seed %d: got sources %v, want [12]", r.Seed, r.Sources)
				}
			}
		})
	}
}

// TestRate wants the loss of networks rebuilt from the extrapolated limit to fall like
// L^−2 in their depth L: the discretisation error of L steps, and what coupled noise
// adds up to, are of first order in 1/L and enter the loss squared.
func TestRate(t *testing.T) {
	out := trained(t, "", `
name: rate
depths: [32, 64, 128]
seeds: 2
data: {kind: separated, width: 10, samples: 8, distance: 0.3}
initial: {coupled: true}
train: {step: {rule: depth, value: 8}, stop: {loss: 1e-14, iterations: 2000}}
`)
	results, err := Study(t.Context(), out, Options{Depths: []int{1024, 128, 256, 512, 256}})
	if err != nil {
		t.Fatal(err)
	}
	var trend, redrawn []scaling.Sample
	for _, r := range results {
		if fmt.Sprint(r.Sources) != "[64 128]" {
			t.Errorf("got sources %v, want [64 128]", r.Sources)
		}
		for _, target := range r.Targets {
			trend = append(trend, scaling.Sample{Depth: target.Depth, Seed: r.Seed, Value: target.Trend - r.Loss})
			redrawn = append(redrawn, scaling.Sample{Depth: target.Depth, Seed: r.Seed, Value: *target.Redrawn - r.Loss})
		}
	}
	for name, samples := range map[string][]scaling.Sample{"trend": trend, "redrawn": redrawn} {
		if len(samples) != 8 {
			t.Fatalf("%s: got %d losses, want those of 4 depths and 2 seeds", name, len(samples))
		}
		slope, err := scaling.Fit(samples)
		if err != nil {
			t.Fatal(err)
		}
		// The second-order error of the limit from depths 64 and 128 bends the line, most
		// for the trend, where it meets a first-order error ten times smaller.
		if tolerance := map[string]float64{"trend": 0.35, "redrawn": 0.05}[name]; !(math.Abs(slope.Slope+2) <= tolerance) {
			t.Errorf("%s: loss falls like L^%.3f, want L^−2 to within %v (%v)", name, slope.Slope, tolerance, samples)
		}
	}
}

// TestUnconverged wants the path of the deepest run where an extrapolation would be
// worse: depths that were stopped at different losses differ by more than their depth.
func TestUnconverged(t *testing.T) {
	out := trained(t, "", `
name: unconverged
depths: [8, 12]
data: {kind: rotation, width: 4, samples: 6, angle: 0.5}
train: {step: {rule: constant, value: 0.2}, stop: {iterations: 3}}
`)
	results, err := Study(t.Context(), out, Options{Depths: []int{12}})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(results[0].Sources); got != "[12]" {
		t.Errorf("got sources %v, want [12]", got)
	}
}

// TestResample holds the midpoint convention: paths that are straight in s stay so,
// and what the layers add up to is kept.
func TestResample(t *testing.T) {
	line := func(n int) pvar.Points {
		x := pvar.Points{Dim: 2}
		for k := range n {
			s := (float64(k) + 0.5) / float64(n)
			x.Data = append(x.Data, 1+3*s, -2*s)
		}
		return x
	}
	for _, sizes := range [][2]int{{2, 7}, {7, 2}, {5, 5}, {64, 4096}, {3, 1}} {
		got, want := prolong.Linear(line(sizes[0]), sizes[1]), line(sizes[1])
		for i := range want.Data {
			if !(math.Abs(got.Data[i]-want.Data[i]) <= 1e-13) {
				t.Fatalf("%v: entry %d: got %v, want %v", sizes, i, got.Data[i], want.Data[i])
			}
		}
	}
	if got := prolong.Linear(pvar.Scalars([]float64{5}), 3); fmt.Sprint(got.Data) != "[5 5 5]" {
		t.Errorf("one layer: got %v, want the constant path", got.Data)
	}
}

// TestExtrapolate wants the limit of paths that approach it like 1/L, exactly.
func TestExtrapolate(t *testing.T) {
	at := func(depth int) *estimate {
		x := pvar.Points{Dim: 1}
		for k := range depth {
			s := (float64(k) + 0.5) / float64(depth)
			x.Data = append(x.Data, 2-s+(1+4*s)/float64(depth))
		}
		return &estimate{sources: []int{depth}, groups: []groupEstimate{{name: "A", layered: true, trend: x, displacement: x}}}
	}
	limit := extrapolate(at(8), at(24))
	if fmt.Sprint(limit.sources) != "[8 24]" {
		t.Errorf("got sources %v, want [8 24]", limit.sources)
	}
	for k, v := range limit.groups[0].trend.Data {
		if want := 2 - (float64(k)+0.5)/24; !(math.Abs(v-want) <= 1e-14) {
			t.Errorf("layer %d: got %v, want %v", k+1, v, want)
		}
	}
}

// TestFiles wants the data that a run was trained on, and no other.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, shift float64) {
		values := make([]float64, 12)
		for i := range values {
			values[i] = math.Sin(float64(i)) + shift
		}
		if err := os.WriteFile(filepath.Join(dir, name), npytest.File(npytest.Array{Shape: []int{4, 3}, Values: values}), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("x.npy", 0)
	write("y.npy", 0.1)
	out := trained(t, dir, `
name: files
depths: [8]
data: {kind: files, inputs: x.npy, targets: y.npy}
train: {stop: {iterations: 3}}
`)
	results, err := Study(t.Context(), out, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(results[0].Targets); got != 3 || results[0].Targets[0].Depth != 16 || results[0].Targets[2].Depth != 64 {
		t.Errorf("default depths: got %+v, want 16, 32, 64", results[0].Targets)
	}
	moved := t.TempDir()
	for _, name := range []string{"x.npy", "y.npy"} {
		if err := os.Rename(filepath.Join(dir, name), filepath.Join(moved, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Study(t.Context(), out, Options{}); err == nil || !strings.Contains(err.Error(), "x.npy: no such file or directory; put the file back, or name the folder that relative names start from") {
		t.Errorf("data gone: got %v", err)
	}
	if _, err := Study(t.Context(), out, Options{Base: moved}); err != nil {
		t.Errorf("data moved, base given: %v", err)
	}
	write("x.npy", 0)
	write("y.npy", 0.2)
	if _, err := Study(t.Context(), out, Options{}); err == nil || !strings.HasSuffix(err.Error(), "the file has changed since the run") {
		t.Errorf("data changed: got %v", err)
	}
}

// TestLeavesOut wants the limit of what remains when runs are shallow, diverged, missing or damaged.
func TestLeavesOut(t *testing.T) {
	out := trained(t, "", "name: mixed\ndepths: [4, 8, 12, 16, 20, 24, 28]\nseeds: 2\ndata: {kind: separated, width: 3, samples: 2, distance: 0.3}\ntrain: {stop: {iterations: 3}}\n")
	at := func(depth, seed int) string {
		found, err := filepath.Glob(filepath.Join(out, "runs", fmt.Sprintf("separated-L%04d-s%d-*", depth, seed)))
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		return found[0]
	}
	want := Options{Depths: []int{32}}
	whole, err := Study(t.Context(), out, want)
	if err != nil || len(whole) != 2 {
		t.Fatal(whole, err)
	}
	for _, err := range []error{
		os.RemoveAll(at(12, 1)),
		os.Truncate(filepath.Join(at(20, 1), "result.json"), 20),
		os.Remove(filepath.Join(at(24, 1), "result.json")),
		os.Truncate(filepath.Join(at(28, 1), "weights.safetensors"), 200),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var noted []string
	want.Note = func(o Omitted) { noted = append(noted, fmt.Sprint(o.Depth)) }
	results, err := Study(t.Context(), out, want)
	if err != nil || len(results) != 2 {
		t.Fatal(results, err)
	}
	var reasons []string
	for _, o := range results[0].Omitted {
		reason, _, _ := strings.Cut(o.Reason, ":")
		reasons = append(reasons, fmt.Sprint(o.Depth, " ", reason))
	}
	if got, want := strings.Join(reasons, ", "), "4 fewer than 8 layers, 12 no folder, 20 damaged, 24 not finished, 28 damaged"; got != want {
		t.Errorf("left out of seed 1: %s; want %s", got, want)
	}
	if fmt.Sprint(results[0].Sources) != "[16]" && fmt.Sprint(results[0].Sources) != "[8 16]" {
		t.Errorf("the limit comes from %v, want it from 8 and 16", results[0].Sources)
	}
	if len(results[1].Omitted) != 1 || results[1].Targets[0].Trend != whole[1].Targets[0].Trend {
		t.Errorf("seed 2: got %+v, want the result of before", results[1])
	}
	if got := strings.Join(noted, " "); got != "4 12 20 24 28 4" {
		t.Errorf("noted depths %s", got)
	}
}

// TestTrainingPrecision wants a study in float32 trained in float32, with losses in float64: the
// same network, trained at the depth of a run from its own initial weights, ends where it did.
func TestTrainingPrecision(t *testing.T) {
	for _, dtype := range []string{"float32", "float64"} {
		out := trained(t, "", "name: precision\ndtype: "+dtype+"\ndepths: [8, 16]\ndata: {kind: rotation, width: 4, samples: 6, angle: 0.5}\ntrain: {stop: {iterations: 40}}\n")
		results, err := Study(t.Context(), out, Options{Depths: []int{16}, Train: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := results[0].Targets[0].Training.Scratch; got.Loss == nil || *got.Loss != results[0].Loss {
			t.Errorf("%s: from scratch got loss %v, want %v as trained", dtype, got.Loss, results[0].Loss)
		}
	}
}

func TestRefuses(t *testing.T) {
	if _, err := Study(t.Context(), t.TempDir(), Options{}); err == nil || !strings.Contains(err.Error(), "got a folder without runs") {
		t.Errorf("empty folder: got %v", err)
	}
	if _, err := Study(t.Context(), t.TempDir(), Options{Depths: []int{0}}); err == nil || err.Error() != "depth: got 0, want at least 1" {
		t.Errorf("depth 0: got %v", err)
	}
	out := trained(t, "", "name: shallow\ndepths: [4]\ndata: {kind: separated, width: 3, samples: 2, distance: 0.3}\ntrain: {stop: {iterations: 3}}\n")
	if _, err := Study(t.Context(), out, Options{}); err == nil || !strings.HasSuffix(err.Error(), ": fewer than 8 layers)") || !strings.Contains(err.Error(), "got no run that a limit can come from, want at least 1 that is finished, not diverged and of depth 8 or more (left out: separated-L0004-s1-") {
		t.Errorf("4 layers: got %v", err)
	}
	// A fractional path on a grid has no values at depths that do not divide it.
	out = trained(t, "", "name: grid\ndepths: [8]\ninitial: {kind: fractional-noise, coupled: true}\ndata: {kind: separated, width: 3, samples: 2, distance: 0.3}\ntrain: {stop: {iterations: 3}}\n")
	if _, err := Study(t.Context(), out, Options{Depths: []int{12}}); err == nil || !strings.Contains(err.Error(), "which the depth must divide") {
		t.Errorf("depth off the grid: got %v", err)
	}
	runs, err := runfolder.List(out)
	if err != nil {
		t.Fatal(err)
	}
	if results, err := Study(t.Context(), runs[0], Options{Depths: []int{16}}); err != nil || len(results) != 1 {
		t.Errorf("folder of one run: got %d results, %v", len(results), err)
	}
}
