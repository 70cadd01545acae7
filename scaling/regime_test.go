package scaling

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/pvar"
)

// checkVerdicts draws studies of every planted kind at depths 64 … 1024 and
// fails unless at least share of the verdicts are right.
func checkVerdicts(t *testing.T, draws, dim, seeds int, share float64) {
	depths := []int{64, 128, 256, 512, 1024}
	for k, kind := range plantedKinds {
		t.Run(fmt.Sprintf("%s/d=%d/seeds=%d", kind.name, dim, seeds), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(k), uint64(dim)))
			right, covered := 0, 0
			wrong := map[string]int{}
			for range draws {
				v, err := Regime(kind.study(rng, depths, seeds, dim))
				if err != nil {
					t.Fatal(err)
				}
				if v.Kind == kind.kind {
					right++
				} else {
					wrong[string(v.Kind)+": "+string(v.Rule)]++
				}
				if kind.index > 0 && v.Index != nil && v.Index.Low <= kind.index && kind.index <= v.Index.High {
					covered++
				}
			}
			t.Logf("%d of %d verdicts right; index in the interval %d times", right, draws, covered)
			if !(float64(right) >= share*float64(draws)) {
				t.Errorf("%d of %d verdicts right, want a share of %v; wrong: %v", right, draws, share, wrong)
			}
			// The interval is at 95 %; 90 % leaves three binomial standard deviations of 200 draws.
			if rough := kind.index > 1; rough && draws >= 200 && !(float64(covered) >= 0.9*float64(draws)) {
				t.Errorf("index %v in the interval in %d of %d draws", kind.index, covered, draws)
			}
		})
	}
}

func TestRegime(t *testing.T) { checkVerdicts(t, 8, 9, 5, 0.85) }

func TestRegimeConstant(t *testing.T) {
	var paths []DepthPath
	for _, depth := range []int{16, 64} {
		x := pvar.Points{Dim: 2, Data: make([]float64, 2*depth)}
		for i := range x.Data {
			x.Data[i] = 3
		}
		paths = append(paths, DepthPath{depth, 1, x})
	}
	v, err := Regime(paths)
	if err != nil || v.Kind != Smooth || v.Rule != AllConstant || v.Index.Index != 1 {
		t.Errorf("constant paths: got %+v, %v", v, err)
	}
}

// TestVerdictJSON: no statistic of a verdict is NaN or infinite, which JSON refuses.
func TestVerdictJSON(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for _, kind := range plantedKinds {
		for _, seeds := range []int{1, 2} {
			v, err := Regime(kind.study(rng, []int{16, 64}, seeds, 4))
			if err != nil {
				t.Errorf("%s: %v", kind.name, err)
				continue
			}
			if _, err := json.Marshal(v); err != nil {
				t.Errorf("%s, %d seeds: %v", kind.name, seeds, err)
			}
		}
	}
}

func TestRegimeErrors(t *testing.T) {
	x := noisePath(rand.New(rand.NewPCG(1, 1)), 16, 1, 1, gaussian)
	bad := pvar.Scalars(slices.Clone(x.Data))
	bad.Data[4] = math.Inf(1)
	for _, c := range []struct {
		paths []DepthPath
		want  string
	}{
		{nil, "scaling: regime: got no paths, want two depths or more"},
		{[]DepthPath{{7, 2, x}}, "scaling: regime: depth 7, seed 2: want a depth of 8 or more"},
		{[]DepthPath{{17, 2, x}}, "scaling: regime: depth 17, seed 2: got 16 numbers in dimension 1, want one point a layer"},
		{[]DepthPath{{16, 2, x}, {8, 2, pvar.Points{Dim: 2, Data: x.Data}}}, "scaling: regime: depth 8, seed 2: got dimension 2, want 1 as at depth 16"},
		{[]DepthPath{{16, 2, bad}}, "scaling: regime: depth 16, seed 2: layer 5: got +Inf, want a finite number"},
		{[]DepthPath{{16, 2, x}}, "scaling: regime: V_1: scaling: fit: got depth 16 alone, want two depths or more"},
		{
			[]DepthPath{{16, 2, x}, {32, 2, pvar.Scalars(make([]float64, 32))}},
			"scaling: regime: V_1: scaling: fit: depth 32, seed 2: got value 0, want a positive finite number",
		},
	} {
		if _, err := Regime(c.paths); err == nil || err.Error() != c.want {
			t.Errorf("got error %v, want %s", err, c.want)
		}
	}
}

// TestFewSeeds: with one seed or two a verdict is still right on clear cases, and its doubts are said.
func TestFewSeeds(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 12))
	doubtful := 0
	for _, kind := range plantedKinds {
		for _, seeds := range []int{1, 2} {
			v, err := Regime(kind.study(rng, []int{64, 256, 1024}, seeds, 25))
			if err != nil {
				t.Fatal(err)
			}
			if v.Kind != kind.kind {
				t.Errorf("%s, %d seeds: got %s: %s; %v", kind.name, seeds, v.Kind, v.Rule, v.Doubts)
			}
			if len(v.Doubts) > 0 {
				doubtful++
			}
		}
	}
	if doubtful == 0 {
		t.Error("no verdict from one or two seeds is doubted")
	}
}
