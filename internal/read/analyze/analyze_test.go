package analyze

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/runfolder"
)

var update = flag.Bool("update", false, "write the golden files anew")

func mustStudy(t *testing.T, dir string, options Options) *Result {
	t.Helper()
	result, err := Study(t.Context(), dir, options)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestPlantedNumbers(t *testing.T) {
	result := mustStudy(t, writeStudy(t, plant(16, 1)), Options{Exponents: []float64{1, 2, 2.5}})
	run := result.Runs[0]
	// Rescaled increments are (0, ±2 zigzag L^−½, moved/L), all of norm a; the third
	// coordinate grows steadily, so skipping layers gains for large p only.
	L := 16.0
	a := math.Hypot(2*0.5/math.Sqrt(L), 0.5/L)
	scale := math.Pow(L, -0.25)
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"max_frobenius", run.MaxFrobenius, scale * math.Hypot(1, 0.5)},
		{"displacement", run.Displacement, scale * 0.5},
		{"max_increment", run.MaxIncrement, scale * a},
		{"quadratic_variation", run.QuadraticVariation, 15 * a * a},
		{"V_1", run.PVariation["1"], 15 * a},
		{"displacement_variation", run.DisplacementVariation, 15 * 0.5 / 16},
		{"rho", run.Rate.Rho, 0.6},
		{"r2", run.Rate.R2, 1},
	} {
		if !near(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, c.got, c.want)
		}
	}
	sum := 0.0
	for k := 1.0; k <= L; k++ {
		sum += scale * scale * (1 + 0.25*k*k/L/L)
	}
	if !near(run.RootSumSquares, math.Sqrt(sum)) {
		t.Errorf("root_sum_squares: got %v, want %v", run.RootSumSquares, math.Sqrt(sum))
	}
	if len(run.PVariation) != 3 || !(run.PVariation["2.5"] > 0) {
		t.Errorf("p_variation %v", run.PVariation)
	}
	if group := result.Groups[0]; len(group.Exponents)+len(group.VariationSlope) != 0 || group.AlphaPlusBeta != nil {
		t.Errorf("one depth has exponents: %+v", group)
	}
}

func TestPlantedExponents(t *testing.T) {
	var runs []planted
	for _, depth := range []int{256, 16, 64} {
		for seed := range uint64(3) {
			if depth == 64 && seed == 2 {
				continue // one depth is missing for one seed
			}
			p := plant(depth, seed)
			p.moved = 0
			p.zigzag = 1 / float64(seed+1)
			runs = append(runs, p)
		}
	}
	// Without displacement: ‖A_k‖ = L^−β, rescaled increments 2·zigzag·L^−½, and the
	// zigzag's V_p is the sum over all layers, (L−1) (2·zigzag)^p L^{−p/2}.
	result := mustStudy(t, writeStudy(t, runs...), Options{Workers: 2})
	if len(result.Groups) != 1 || len(result.Runs) != 8 {
		t.Fatalf("%d groups, %d runs, want 1 and 8", len(result.Groups), len(result.Runs))
	}
	group := result.Groups[0]
	if !slices.Equal(group.Depths, []int{16, 64, 256}) || !slices.Equal(group.Seeds, []uint64{0, 1, 2}) {
		t.Errorf("depths %v, seeds %v", group.Depths, group.Seeds)
	}
	if !slices.IsSortedFunc(result.Runs, func(a, b Run) int { return 1000*(a.Depth-b.Depth) + int(a.Seed) - int(b.Seed) }) {
		t.Error("runs are not sorted by depth and seed")
	}
	if group.AlphaPlusBeta == nil || !near(group.AlphaPlusBeta.Value, 1) {
		t.Errorf("alpha_plus_beta: got %v, want 1", group.AlphaPlusBeta)
	}
	for name, want := range map[string]float64{"max_frobenius": -0.25, "max_increment": -0.75, "root_sum_squares": 0.25} {
		if got := group.Exponents[name]; !near(got.Slope, want) || got.Method != "seeds" {
			t.Errorf("%s: got %+v, want slope %v from seeds", name, got, want)
		}
	}
	// (L−1) instead of L bends V_p upwards: the slope from L to 4L is 1 − p/2 +
	// log4((4L−1)/(4L−4)), at most 1 − p/2 + 0.036 for L = 16.
	for p, flat := range map[string]float64{"1": 0.5, "1.5": 0.25, "2": 0, "2.5": -0.25, "3": -0.5} {
		if got := group.VariationSlope[p].Slope; !(got >= flat && got <= flat+0.036) {
			t.Errorf("V_%s: slope %v, want %v to %v", p, got, flat, flat+0.036)
		}
	}
	if _, ok := group.Exponents["displacement"]; ok {
		t.Error("a displacement of zero has an exponent")
	}
	if want := "displacement: left out, as the value is 0: 8 runs, planted-L0016-s0, planted-L0016-s1, planted-L0016-s2 and others"; !slices.Contains(group.Notes, want) {
		t.Errorf("notes %q, want %q among them", group.Notes, want)
	}
	if group.Rate == nil || !near(*group.Rate.MinRho, 0.6) || !near(*group.Rate.MaxRho, 0.6) || !near(group.Rate.MinR2, 1) {
		t.Errorf("rate range %+v", group.Rate)
	}
}

func TestTrainedDeltaAndBlockMLP(t *testing.T) {
	var runs []planted
	for _, depth := range []int{4, 16, 64} {
		p := plant(depth, 1)
		p.change = func(meta *runfolder.Meta, weights *runfolder.Weights, _ *runfolder.Summary) {
			meta.Block, meta.Residual = "mlp", "layered"
			tensors := weights.Tensors
			delta := runfolder.Tensor{DType: "F64", Shape: []int{depth}, Data: make([]float64, depth)}
			for k := range delta.Data {
				// The mean over an even number of layers is L^−0.75.
				delta.Data[k] = math.Pow(float64(depth), -0.75) * (1 + math.Copysign(0.5, float64(k%2)-0.5))
			}
			twice := runfolder.Tensor{DType: "F64", Shape: tensors["A"].Shape, Data: slices.Clone(tensors["A"].Data)}
			for i := range twice.Data {
				twice.Data[i] *= 2
			}
			weights.Tensors = map[string]runfolder.Tensor{
				"V": twice, "V_initial": twice, "W": tensors["A"], "W_initial": tensors["A_initial"], "delta": delta,
			}
		}
		runs = append(runs, p)
	}
	result := mustStudy(t, writeStudy(t, runs...), Options{})
	if slope := result.Groups[0].Exponents["delta"]; !near(slope.Slope, -0.75) || slope.Method != "regression" {
		t.Errorf("delta: %+v, want slope −0.75 from regression", slope)
	}
	run := result.Runs[0]
	v, w := run.Parts["V"], run.Parts["W"]
	if len(run.Parts) != 2 || !near(v.MaxFrobenius, 2*w.MaxFrobenius) || v.Displacement != 0 || w.Displacement == 0 {
		t.Errorf("parts V %+v, W %+v", v, w)
	}
	if diff := cmp.Diff(v, run.PathNumbers, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("the numbers of a run of block mlp are those of V (-want +got)\n%s", diff)
	}
	if len(run.Delta) != 4 {
		t.Errorf("delta %v", run.Delta)
	}
}

func TestDivergedRunsAreLeftOut(t *testing.T) {
	diverged := plant(256, 1)
	diverged.change = func(_ *runfolder.Meta, weights *runfolder.Weights, summary *runfolder.Summary) {
		weights.Tensors["A"].Data[7] = math.NaN()
		summary.Stop, summary.Loss = runfolder.Diverged, math.Inf(1)
	}
	result := mustStudy(t, writeStudy(t, plant(16, 1), plant(64, 1), diverged), Options{Trace: true})
	group := result.Groups[0]
	if group.Diverged != 1 || !slices.Equal(group.Depths, []int{16, 64, 256}) || !near(group.AlphaPlusBeta.Value, 1) {
		t.Errorf("group %+v", group)
	}
	last := result.Runs[2]
	if last.Rate != nil || last.RateReason != "the run diverged" {
		t.Errorf("rate %v, reason %q", last.Rate, last.RateReason)
	}
	if want := []string{
		"A: pvar: path: point 2, entry 1: got NaN, want a finite number",
		"A: displacement: pvar: path: point 2, entry 1: got NaN, want a finite number",
	}; !slices.Equal(last.Notes, want) {
		t.Errorf("notes %q, want %q", last.Notes, want)
	}
	data, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Runs []map[string]any `json:"runs"`
	}
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"loss", "rate", "max_frobenius", "displacement", "quadratic_variation"} {
		if v, ok := back.Runs[2][name]; v != nil || !ok {
			t.Errorf("%s: got %v, want null", name, v)
		}
	}
	if trace := back.Runs[0]["loss_trace"].([]any); len(trace) != 31 || trace[0] != 0.5 {
		t.Errorf("loss_trace %v", trace)
	}
}

func TestUnfinishedAndDamagedRuns(t *testing.T) {
	dir := writeStudy(t, plant(16, 1), plant(16, 2), plant(64, 1))
	begun := plant(64, 2)
	if err := runfolder.Create(runfolder.RunDir(dir, begun.id()), begun.meta()); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(runfolder.RunDir(dir, "planted-L0256-s1"), 0o755); err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(runfolder.RunDir(dir, plant(16, 2).id()), "weights.safetensors")
	data, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(damaged, data, 0o644); err != nil {
		t.Fatal(err)
	}
	result, err := Study(t.Context(), dir, Options{})
	var damage *runfolder.DamagedError
	if !errors.As(err, &damage) || damage.Path != damaged {
		t.Fatalf("error %v, want one that names %s", err, damaged)
	}
	if len(result.Runs) != 2 || result.Groups[0].AlphaPlusBeta == nil {
		t.Errorf("the other runs were not analysed: %+v", result)
	}
	if want := []string{"planted-L0064-s2", "planted-L0256-s1"}; !slices.Equal(result.Unfinished, want) {
		t.Errorf("unfinished %v, want %v", result.Unfinished, want)
	}
	if len(result.Damaged) != 1 || result.Damaged[0].ID != "planted-L0016-s2" || result.Damaged[0].Error != err.Error() {
		t.Errorf("damaged %+v", result.Damaged)
	}
	var table bytes.Buffer
	if err := result.WriteTable(&table, View{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nunfinished: planted-L0064-s2, planted-L0256-s1\n", "\ndamaged: planted-L0016-s2: runfolder: "} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table has no %q:\n%s", want, table.String())
		}
	}
}

func TestSingleRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "alone")
	plant(16, 1).write(t, dir)
	result := mustStudy(t, dir, Options{})
	if result.Study != "planted" || len(result.Runs) != 1 || len(result.Groups) != 1 || result.Runs[0].ID != "planted-L0016-s1" {
		t.Errorf("%+v", result)
	}
}

func TestStudyRefuses(t *testing.T) {
	empty := t.TempDir()
	_, err := Study(t.Context(), empty, Options{})
	if want := "analyze: " + empty + ": got a folder with neither study.yaml nor run.json, want that of a study or of a run"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	_, err = Study(t.Context(), empty, Options{Exponents: []float64{2, 0.5}})
	var wrong *field.Error
	if !errors.As(err, &wrong) || err.Error() != "exponents: got 0.5, want finite numbers, at least 1" {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Study(ctx, writeStudy(t, plant(4, 1)), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}

	for name, c := range map[string]struct {
		want   string
		change func(*runfolder.Meta, *runfolder.Weights, *runfolder.Summary)
	}{
		"no weights": {`analyze: {dir}: runfolder: weights: no tensor "A" among `, func(_ *runfolder.Meta, w *runfolder.Weights, _ *runfolder.Summary) {
			w.Tensors = nil
		}},
		"another shape": {
			"analyze: {dir}: runfolder: difference of paths: got shapes (4,1,3) and (4,3,1), want the same",
			func(_ *runfolder.Meta, w *runfolder.Weights, _ *runfolder.Summary) {
				w.Tensors["A_initial"] = runfolder.Tensor{DType: "F64", Shape: []int{4, 3, 1}, Data: make([]float64, 12)}
			},
		},
		"no delta": {`analyze: {dir}: weights: residual is "shared" and there is no tensor "delta"`, func(m *runfolder.Meta, _ *runfolder.Weights, _ *runfolder.Summary) {
			m.Residual = "shared"
		}},
	} {
		p := plant(4, 1)
		p.change = c.change
		dir := filepath.Join(t.TempDir(), "run")
		p.write(t, dir)
		if _, err := Study(t.Context(), dir, Options{}); err == nil || err.Error() != strings.ReplaceAll(c.want, "{dir}", dir) {
			t.Errorf("%s: error %v, want %s", name, err, c.want)
		}
	}
}

func TestWeightsWithoutInitial(t *testing.T) {
	p := plant(4, 1)
	p.change = func(_ *runfolder.Meta, w *runfolder.Weights, _ *runfolder.Summary) { delete(w.Tensors, "A_initial") }
	run := mustStudy(t, writeStudy(t, p), Options{}).Runs[0]
	if want := []string{`A: no tensor "A_initial", so no displacement`}; !slices.Equal(run.Notes, want) || !math.IsNaN(run.Displacement) {
		t.Errorf("notes %q, displacement %v", run.Notes, run.Displacement)
	}
}

// TestGolden compares what `deeplimit analyze` prints, as JSON and as a table.
func TestGolden(t *testing.T) {
	var runs []planted
	for _, depth := range []int{16, 64, 256} {
		for seed := range uint64(3) {
			p := plant(depth, seed)
			p.wobble = 0.01
			p.zigzag = 0.5 + 0.1*float64(seed)*math.Pow(float64(depth), -0.1)
			runs = append(runs, p)
		}
	}
	runs[4].change = func(_ *runfolder.Meta, _ *runfolder.Weights, s *runfolder.Summary) {
		s.Stop, s.Loss = runfolder.Diverged, math.NaN()
	}
	runs[8].steps = 3
	dir := writeStudy(t, runs...)
	begun := plant(1024, 1)
	if err := runfolder.Create(runfolder.RunDir(dir, begun.id()), begun.meta()); err != nil {
		t.Fatal(err)
	}
	result := mustStudy(t, dir, Options{Exponents: []float64{1, 2}})
	got, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	if err := result.WriteTable(&table, View{}); err != nil {
		t.Fatal(err)
	}
	if *update {
		for name, data := range map[string][]byte{"result.json": append(got, '\n'), "table.txt": table.Bytes()} {
			if err := os.WriteFile(filepath.Join("testdata", name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	golden, err := os.ReadFile(filepath.Join("testdata", "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	var wantTree, gotTree any
	if err := errors.Join(json.Unmarshal(golden, &wantTree), json.Unmarshal(got, &gotTree)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantTree, gotTree, cmpopts.EquateApprox(1e-9, 1e-13)); diff != "" {
		t.Errorf("JSON (-want +got)\n%s", diff)
	}
	text, err := os.ReadFile(filepath.Join("testdata", "table.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), table.String()); diff != "" {
		t.Errorf("table (-want +got)\n%s", diff)
	}
}

// BenchmarkStudy analyses 200 runs of depth 16 with 31 rows each.
func BenchmarkStudy(b *testing.B) {
	var runs []planted
	for seed := range uint64(200) {
		runs = append(runs, plant(16, seed))
	}
	dir := writeStudy(b, runs...)
	for b.Loop() {
		if _, err := Study(b.Context(), dir, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
