package analyze

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// plantedDepths makes runs at depths 16 … 256 with two seeds.
func plantedDepths(change func(*runfolder.Meta, *runfolder.Weights, *runfolder.Summary)) []planted {
	var runs []planted
	for _, depth := range []int{16, 32, 64, 128, 256} {
		for seed := range uint64(2) {
			p := plant(depth, seed+1)
			p.zigzag += 0.01 * float64(seed)
			p.change = change
			runs = append(runs, p)
		}
	}
	return runs
}

func TestLimitOfPlantedPaths(t *testing.T) {
	for _, coupled := range []bool{true, false} {
		runs := plantedDepths(func(m *runfolder.Meta, _ *runfolder.Weights, _ *runfolder.Summary) { m.Coupled = coupled })
		group := mustStudy(t, writeStudy(t, runs...), Options{}).Groups[0]
		if group.Coupled != coupled || group.Limit == nil || len(group.Limit.Distances) != 8 {
			t.Fatalf("coupled %v: got %+v, want 4 distances of each of 2 seeds", coupled, group.Limit)
		}
		for i, d := range group.Limit.Distances {
			if want := 16 << (i / 2); d.Depth != want || d.Next != 2*want || d.Seed != uint64(i%2)+1 {
				t.Errorf("distance %d: got depths %d, %d, seed %d", i, d.Depth, d.Next, d.Seed)
			}
			// The ramps ½⌈sL⌉/L and ½⌈2sL⌉/2L differ by 1/(4L) on half of [0,1].
			if want := math.Sqrt(0.5) / (4 * float64(d.Depth)); d.Displacement == nil || !near(*d.Displacement, want) {
				t.Errorf("depth %d: got distance of displacements %v, want %v", d.Depth, d.Displacement, want)
			}
		}
		if !coupled {
			if group.Limit.Integral != nil || group.Limit.Displacement != nil || group.Limit.Deepest != nil || group.Limit.ToDeepest != nil {
				t.Errorf("independent draws: got rates %+v, want none", group.Limit)
			}
			continue
		}
		if n := len(group.Limit.Deepest); n != 8 {
			t.Errorf("got %d distances to the deepest run, want one for each of 4 depths and 2 seeds", n)
		}
		// Fitted at depths 16 and 32 of 256, where the distances themselves say it.
		if s, d := group.Limit.ToDeepest, group.Limit.Deepest; s == nil || len(s.Residuals) != 4 || d[0].Depth != 16 || d[2].Depth != 32 ||
			!near(s.Slope, (math.Log2(d[2].L2/d[0].L2)+math.Log2(d[3].L2/d[1].L2))/2) {
			t.Errorf("got slope %+v of %+v", s, d)
		}
		if s := group.Limit.Displacement; s == nil || !near(s.Slope, -1) || s.Method != scaling.BySeeds || len(s.Residuals) != 8 {
			t.Errorf("displacement: got slope %+v, want −1 over seeds with 8 residuals", s)
		}
		if s := group.Limit.Integral; s == nil || !(math.Abs(s.Slope+1) <= 0.2) {
			t.Errorf("integral: got slope %+v, want about −1", s)
		}
	}
}

func TestRegimeOfPlantedPaths(t *testing.T) {
	result := mustStudy(t, writeStudy(t, plantedDepths(nil)...), Options{})
	group := result.Groups[0]
	// Steps of size L^−½ that alternate: V_1 grows like L^½, nothing accumulates. No noise alternates exactly.
	if x := group.VariationIndex; x != nil || group.Missing["variation_index"] == "" || len(group.VariationSlope) == 0 {
		t.Errorf("got variation index %+v, want a reason why there is none", x)
	}
	if r := group.Regime; r == nil || r.Verdict != "" || !r.Unexplained || r.Why == "" || r.Evidence.Variation.Method != scaling.BySeeds {
		t.Errorf("got regime %+v, want none, unexplained, with its evidence", r)
	}
	text, err := json.Marshal(group)
	if err != nil {
		t.Fatal(err)
	}
	// The exponents of the primary part stand in the group itself, as they always did.
	var tree struct {
		Exponents map[string]Slope          `json:"exponents"`
		Index     Index                     `json:"variation_index"`
		Regime    struct{ Verdict *string } `json:"regime"`
		Parts     map[string]struct {
			Slopes map[string]Slope `json:"variation_slopes"`
		} `json:"parts"`
	}
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	if tree.Exponents["max_frobenius"].Slope == 0 || tree.Regime.Verdict != nil || tree.Parts["A"].Slopes["1"].Slope == 0 {
		t.Errorf("got %s", text)
	}
	var table strings.Builder
	if err := result.WriteTable(&table, View{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nlimit ", " not settled", "\n16, 32 ", "\n128, 256 "} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("table: got no %q in\n%s", want, &table)
		}
	}
}

// TestPathMemory wants whole seeds left out, with a note, when paths do not fit.
func TestPathMemory(t *testing.T) {
	dir := writeStudy(t, plantedDepths(func(m *runfolder.Meta, _ *runfolder.Weights, _ *runfolder.Summary) { m.Width = 3 })...)
	const seed = 2 * 8 * 9 * (16 + 32 + 64 + 128 + 256) // bytes of paths and displacements, by run.json
	for _, c := range []struct {
		memory    int64
		distances int
	}{{2 * seed, 8}, {2*seed - 1, 4}, {seed - 1, 0}} {
		group := mustStudy(t, dir, Options{PathMemory: c.memory}).Groups[0]
		distances := 0
		if group.Limit != nil {
			distances = len(group.Limit.Distances)
		}
		if distances != c.distances || group.Regime.told() != (c.distances > 4) { // of two seeds
			t.Errorf("%d bytes: got %d distances and regime %v, want %d", c.memory, distances, group.Regime, c.distances)
		}
		if noted := len(group.Notes) > 0 && strings.HasPrefix(group.Notes[0], "regime and limit: left out from seed"); noted != (c.distances < 8) {
			t.Errorf("%d bytes: got notes %q", c.memory, group.Notes)
		}
	}
}

func TestTransferOfPlantedRuns(t *testing.T) {
	runs := plantedDepths(nil)
	dir := writeStudy(t, runs...)
	if group := mustStudy(t, dir, Options{}).Groups[0]; group.Transfer != nil {
		t.Errorf("without transfer.json: got %+v", group.Transfer)
	}
	for _, p := range runs {
		run, err := runfolder.Open(runfolder.RunDir(dir, p.id()))
		if err != nil {
			t.Fatal(err)
		}
		trained := run.Summary.Loss
		stored := runfolder.Transfer{TrendLoss: trained + 1/float64(p.depth)}
		if p.depth == 256 {
			stored.Sources = []int{128, 256}
			for _, depth := range []int{512, 1024, 2048} {
				redrawn := trained + math.Pow(float64(depth), -1.5)
				stored.Targets = append(stored.Targets, runfolder.TransferTarget{Depth: depth, Trend: trained + math.Pow(float64(depth), -2), Redrawn: &redrawn})
			}
		}
		if err := run.WriteTransfer(stored, nil); err != nil {
			t.Fatal(err)
		}
	}
	result := mustStudy(t, dir, Options{})
	transfer := result.Groups[0].Transfer
	if transfer == nil || len(transfer.Losses) != 6 || transfer.Losses[2].Depth != 1024 || transfer.Losses[3].Seed != 2 {
		t.Fatalf("got %+v, want the losses of 3 depths and 2 seeds", transfer)
	}
	for name, c := range map[string]struct {
		slope *Slope
		want  float64
	}{"trend": {transfer.Trend, -2}, "redrawn": {transfer.Redrawn, -1.5}, "trend only": {transfer.TrendOnly, -1}} {
		// An excess of 2e-7 over a loss of 1e-7 keeps 15 digits.
		if c.slope == nil || !(math.Abs(c.slope.Slope-c.want) <= 1e-8) {
			t.Errorf("%s: got slope %+v, want %v", name, c.slope, c.want)
		}
	}
	if r := result.Runs[0]; r.TrendLoss == nil || !near(*r.TrendLoss, r.Loss+1.0/16) {
		t.Errorf("got trend loss %v", r.TrendLoss)
	}
	var table strings.Builder
	if err := result.WriteTable(&table, View{}); err != nil {
		t.Fatal(err)
	}
	if want := "\nexcess of the trend, exponent "; !strings.Contains(table.String(), want) {
		t.Errorf("table: got no %q in\n%s", want, &table)
	}
}

// Numbers have the precision of the shortest floats that hold them all.
func TestRounding(t *testing.T) {
	for _, c := range []struct {
		bits int // of the mantissa, the leading one included
		want float64
	}{{53, 0x1p-53}, {24, 0x1p-24}, {11, 0x1p-11}, {8, 0x1p-8}} {
		var data []float64
		for i := range 200 {
			v, exponent := math.Frexp(math.Sin(float64(i + 1)))
			data = append(data, math.Ldexp(math.Round(math.Ldexp(v, c.bits)), exponent-c.bits))
		}
		if got := rounding(data); got != c.want {
			t.Errorf("%d bits: got %g, want %g", c.bits, got, c.want)
		}
		if got := rounding(data[:20]); got != 0x1p-53 {
			t.Errorf("20 numbers of %d bits: got %g, want the precision of float64", c.bits, got)
		}
	}
}
