package transfer

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/internal/npy/npytest"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/random"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// TestSimulatedErrors compares strong and weak errors of a linear equation with their closed form. With one unit,
// h_L = x Π_k (1 + a ξ_k/√L), and for draws that refine one path E (h_L − h_R)² = E h_R² − E h_L², as E h_L h_R = E h_L²,
// where E h_L² = x² (1 + a²/L)^L. The mean is x at every depth, so that the error of the mean is 0.
func TestSimulatedErrors(t *testing.T) {
	dir := t.TempDir()
	x := []float64{1, 2}
	if err := os.WriteFile(filepath.Join(dir, "x.npy"), npytest.File(npytest.Array{Shape: []int{2, 1}, Values: x}), 0o644); err != nil {
		t.Fatal(err)
	}
	const a, reference, draws = 1.0, 128, 20000
	out := trained(t, dir, `
name: sde
depths: [8]
data: {kind: files, inputs: x.npy, targets: x.npy}
network: {block: inner, activation: identity, alpha: 0.5}
initial: {kind: normal, coupled: true, amplitude: 1, exponent: 0}
train: {stop: {iterations: 0}}
`)
	results, err := Study(t.Context(), out, Options{Depths: []int{4, 8, 16}, Reference: reference, Draws: draws, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	size := func(depth int) float64 {
		return (x[0]*x[0] + x[1]*x[1]) / 2 * math.Pow(1+a*a/float64(depth), float64(depth))
	}
	for _, target := range results[0].Targets {
		e, want := target.Errors, size(reference)-size(target.Depth)
		if e.Strong == nil || e.WeakSquare == nil {
			t.Fatalf("depth %d: got %+v, want a strong error and one of squares", target.Depth, e)
		}
		if e.Draws != draws || !(math.Abs(*e.Strong/math.Sqrt(want)-1) <= 0.05) {
			t.Errorf("depth %d: strong error: got %v over %d draws, want %v", target.Depth, *e.Strong, e.Draws, math.Sqrt(want))
		}
		// The deviation of (h_L − h_R)(h_L + h_R), twice what independent factors have, over √draws.
		chance := 4 * math.Sqrt(want*size(reference)/draws)
		if !(math.Abs(*e.WeakSquare-want) <= 4*chance) {
			t.Errorf("depth %d: weak error of squares: got %v, want %v", target.Depth, *e.WeakSquare, want)
		}
		if e.Weak != nil && !(*e.Weak <= 4*math.Sqrt(want/draws)) {
			t.Errorf("depth %d: error of the mean: got %v, want none", target.Depth, *e.Weak)
		}
	}
	i := slices.IndexFunc(results[0].Orders, func(o runfolder.TransferOrder) bool { return o.Of == "strong" })
	if i < 0 {
		t.Fatalf("got orders %+v, want a strong one", results[0].Orders)
	}
	if o := results[0].Orders[i]; !(*o.Low <= -0.5 && -0.58 <= *o.High && *o.High-*o.Low <= 0.2) {
		t.Errorf("strong order: got %+v, want −½ in it", o)
	}
}

// TestSimulatedDraw wants the outputs of draw 0 to be those of the run's own initial weights, and the sums to be what
// two outputs give.
func TestSimulatedDraw(t *testing.T) {
	out := trained(t, "", `
name: draw
depths: [8]
data: {kind: rotation, width: 3, samples: 4, angle: 0.5}
initial: {coupled: true}
train: {stop: {iterations: 0}}
`)
	results, err := Study(t.Context(), out, Options{Depths: []int{16}, Reference: 64})
	if err != nil {
		t.Fatal(err)
	}
	chains, err := find(out)
	if err != nil {
		t.Fatal(err)
	}
	p, err := newProblem(chains[0].deepest(), "", 1)
	if err != nil {
		t.Fatal(err)
	}
	outputs := func(depth int) []float64 {
		at, err := p.At(depth)
		if err != nil {
			t.Fatal(err)
		}
		theta, err := plan.Initial[float64](at)
		if err != nil {
			t.Fatal(err)
		}
		y, err := p.outputs(at, theta, 2)
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	square := 0.0
	y := outputs(64)
	for i, v := range outputs(16) {
		square += (v - y[i]) * (v - y[i]) / 4
	}
	e := results[0].Targets[0].Errors
	if !(math.Abs(*e.Strong-math.Sqrt(square)) <= 1e-12) || e.Weak != nil || !resnet.Coupled(p.Run.Initial) {
		t.Errorf("got strong %v and weak %v, want %v and none", *e.Strong, e.Weak, math.Sqrt(square))
	}
}

// TestCoverageOrders simulates differences of means c/L and deviations L^−½ of one path, and wants intervals that hold the
// weak orders, 1, in 0.9 of the draws or more.
func TestCoverageOrders(t *testing.T) {
	const draws, each, mean = 200, 50, 3.0
	depths := []int{4, 8, 16, 32}
	rng := random.New(1, "orders")
	weak, held := []string{"weak", "weak_square"}, map[string]int{}
	for range draws {
		c := &chain{problem: &problem{Problem: &plan.Problem{Samples: resnet.Samples{X: []float64{1}}, Network: &resnet.Network{Inputs: 1}}}}
		for _, depth := range depths {
			c.record.Targets = append(c.record.Targets, runfolder.TransferTarget{Depth: depth, Errors: &runfolder.TransferErrors{Strong: new(1.0), Draws: blocks * each}})
		}
		for range blocks {
			row := make([]sums, len(depths))
			for i := range row {
				row[i].difference = make([]float64, 1)
			}
			for range each {
				z, common := rng.NormFloat64(), rng.NormFloat64()
				for i, depth := range depths {
					L := float64(depth)
					d := mean/L + (z+0.5*rng.NormFloat64())/math.Sqrt(L)
					s := mean/L + (common+0.5*rng.NormFloat64())/math.Sqrt(L)
					row[i].add(&sums{1, []float64{d}, d * d, s, s * s})
				}
			}
			c.sums = append(c.sums, row)
		}
		for _, of := range weak {
			o, why := simulatedOrder([]*chain{c}, of, depths)
			if why != "" {
				t.Fatal(of, why)
			}
			if *o.Low <= -1 && -1 <= *o.High {
				held[of]++
			}
		}
	}
	for _, of := range weak {
		if share := float64(held[of]) / draws; !(share >= 0.9) {
			t.Errorf("%s: the interval holds the order in %v of the draws, want 0.9 or more", of, share)
		}
	}
}

// TestLossLimit recovers the constant of a polynomial in 1/L of degree 2 exactly.
func TestLossLimit(t *testing.T) {
	var targets []runfolder.TransferTarget
	for _, depth := range []int{10, 24, 64, 100} {
		L := float64(depth)
		targets = append(targets, runfolder.TransferTarget{Depth: depth, Trend: 0.3 + 2/L - 7/(L*L)})
	}
	got := lossLimit(targets)
	if !(math.Abs(got.Value-0.3) <= 1e-12) || !slices.Equal(got.Depths, []int{24, 64, 100}) || !(got.Error > 0) {
		t.Errorf("got %+v, want 0.3 from depths 24, 64, 100", got)
	}
	if lossLimit(targets[:1]) != nil {
		t.Error("got a limit of one depth, want none")
	}
}

// TestOneChoice wants one choice between extrapolation and the deepest path for all seeds of a group, by the mean of what
// it gains, and none where a seed has one depth.
func TestOneChoice(t *testing.T) {
	for _, c := range []struct {
		gains []float64
		want  bool
	}{
		{[]float64{-2, 1}, true}, {[]float64{-1, 2}, false}, {[]float64{-5, math.Inf(1)}, false}, {[]float64{math.NaN(), -1}, false},
	} {
		var chains []*chain
		for _, g := range c.gains {
			chains = append(chains, &chain{group: "a", gain: g})
		}
		choose(chains)
		for _, got := range chains {
			if got.extrapolated != c.want {
				t.Errorf("gains %v: got %v, want %v", c.gains, got.extrapolated, c.want)
			}
		}
	}
}
