package analyze

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// contrastLoss is the loss of a run: falling in depth with an exponent that the method decides, lowest at step 2 for gd and
// at step 4, the largest, for sgd.
func contrastLoss(method string, depth int, seed uint64, step float64) float64 {
	power, best := -0.5, 2.0
	if method == "sgd" {
		power, best = -1, 4
	}
	wobble := 0.05*float64(seed*seed%7) + 0.02*float64(len(method)*int(seed)%5) + 0.01*float64(len(method)*int(seed)%5)*math.Log(float64(depth))
	return math.Exp(power*math.Log(float64(depth)) + wobble + math.Abs(math.Log(step/best)))
}

// contrastStudy has two methods, three steps, two depths and four seeds, one of which diverges with gd at step 1, depth 4.
func contrastStudy(t *testing.T) string {
	var runs []planted
	for _, method := range []string{"gd", "sgd"} {
		for _, step := range []float64{1, 2, 4} {
			for _, depth := range []int{4, 16} {
				for seed := range uint64(4) {
					p := plant(depth, seed+1)
					p.steps = 3
					p.change = func(m *runfolder.Meta, w *runfolder.Weights, s *runfolder.Summary) {
						m.ID = fmt.Sprintf("%s-%v-%d-%d", method, step, depth, seed)
						m.Hash, m.Group = m.ID, fmt.Sprint(method, step)
						m.Settings = map[string]string{"train.method": method, "train.step.value": fmt.Sprint(step)}
						m.Drawn = &runfolder.Drawn{Data: new(uint64(1)), Weights: true, Batches: method == "sgd"}
						s.Loss = contrastLoss(method, depth, seed+1, step)
						s.TestLoss, s.ValidationLoss = new(2*s.Loss), new(1/s.Loss)
						w.Tensors["A"].Data[0] += 1e-6 * (step + float64(seed)) // or seeds would be copies
						if method == "gd" && step == 1 && depth == 4 && seed == 0 {
							s.Stop = runfolder.Diverged
						}
					}
					runs = append(runs, p)
				}
			}
		}
	}
	return writeContrastStudy(t, runs)
}

func writeContrastStudy(t *testing.T, runs []planted) string {
	dir := writeStudy(t)
	for _, p := range runs {
		meta, weights, summary := p.meta(), p.weights(), runfolder.Summary{}
		p.change(&meta, &weights, &summary)
		p.write(t, runfolder.RunDir(dir, meta.ID))
	}
	return dir
}

func TestContrast(t *testing.T) {
	dir := contrastStudy(t)
	t.Run("pairs", func(t *testing.T) { testContrasts(t, dir) })
	t.Run("best", func(t *testing.T) { testContrastsAtBest(t, dir) })
	t.Run("refuses", func(t *testing.T) { testContrastRefuses(t, dir) })
}

// testContrasts compares contrasts with sums over the seeds.
func testContrasts(t *testing.T, dir string) {
	result := mustStudy(t, dir, Options{Contrast: "train.method", Of: "loss"})
	found := 0
	for _, c := range result.Contrasts {
		step := 0.0
		fmt.Sscan(c.At["train.step.value"], &step)
		var want []float64
		for seed := range uint64(4) {
			log := func(method string, depth int) float64 { return math.Log(contrastLoss(method, depth, seed+1, step)) }
			switch {
			case c.Of == "exponent" && (step > 1 || seed > 0):
				slope := func(method string) float64 { return (log(method, 16) - log(method, 4)) / math.Log(4) }
				want = append(want, slope("sgd")-slope("gd"))
			case c.At["depth"] == "4" && (step > 1 || seed > 0):
				want = append(want, log("sgd", 4)-log("gd", 4))
			case c.At["depth"] == "16":
				want = append(want, log("sgd", 16)-log("gd", 16))
			}
		}
		mean := 0.0
		for _, v := range want {
			mean += v / float64(len(want))
		}
		if c.Of == "value" {
			mean = math.Exp(mean)
		}
		if c.A != "gd" || c.B != "sgd" || c.Pairs != len(want) || !(math.Abs(c.Difference.Value-mean) <= 1e-9) {
			t.Errorf("%+v: want %v over %d pairs", c, mean, len(want))
		}
		if !slices.Equal(c.Averages, []string{"initial weights", "order of batches"}) {
			t.Errorf("averages over %v", c.Averages)
		}
		found++
	}
	if found != 9 { // 3 steps at 2 depths, and their exponents
		t.Errorf("got %d contrasts, want 9: %+v", found, result.Contrasts)
	}
	var p, holm []float64
	for _, c := range result.Contrasts {
		if c.Of == "value" && c.P != nil {
			p, holm = append(p, *c.P), append(holm, *c.Holm)
		}
	}
	if !slices.Equal(holm, scaling.Holm(p)) {
		t.Errorf("Holm: got %v of %v", holm, p)
	}
}

// testContrastsAtBest wants each method at its own best step, by the loss of the validation set for that of the test set.
func testContrastsAtBest(t *testing.T, dir string) {
	for _, c := range []struct{ of, gd, sgd, gdEnd, sgdEnd string }{
		{"loss", "2", "4", "", "high"},
		// The planted validation loss is 1/loss: it prefers the worst step at which no run diverged.
		{"test_loss", "4", "1", "high", "low"},
	} {
		result := mustStudy(t, dir, Options{Contrast: "train.method", Of: c.of, Best: "train.step.value"})
		for _, l := range result.Levels {
			best, end := c.gd, c.gdEnd
			if l.Value == "sgd" {
				best, end = c.sgd, c.sgdEnd
			}
			if c.of == "test_loss" && l.Value == "gd" && l.At["depth"] == "16" {
				continue // steps 1 and 4 are equally bad there
			}
			if l.Of == "value" && (l.Best != best || l.End != end) {
				t.Errorf("%s: %+v: got best %s (%s), want %s (%s)", c.of, l, l.Best, l.End, best, end)
			}
		}
		if len(result.ContrastNotes) != 2 {
			t.Errorf("notes: got %q, want one on the run that diverged, and one on the ends", result.ContrastNotes)
		}
	}
}

// testContrastRefuses wants errors for what cannot be compared.
func testContrastRefuses(t *testing.T, dir string) {
	for _, o := range []Options{
		{Contrast: "network.width"},
		{Contrast: "train.method", Against: "adam"},
		{Contrast: "train.method", Of: "speed"},
		{Contrast: "train.method", Best: "train.method"},
		{Contrast: "train.method", Best: "network.width"},
	} {
		if result, err := Study(t.Context(), dir, o); err == nil {
			t.Errorf("%+v: got %+v, want an error", o, result.Contrasts)
		}
	}
}

// TestContrastOfOneUnitTwice wants values refused of which two are of one seed, on either side.
func TestContrastOfOneUnitTwice(t *testing.T) {
	of := func(id string, seed uint64) compared {
		return compared{unit: unit{seed: seed}, value: 1, runs: []*outcome{{run: Run{ID: id, Seed: seed}}}}
	}
	for _, sides := range [][2][]compared{
		{{of("a", 1), of("b", 1)}, {of("c", 1)}},
		{{of("a", 1)}, {of("b", 1), of("c", 1)}},
	} {
		if paired, err := (&Contrast{}).pair(sides[0], sides[1]); err == nil {
			t.Errorf("got pairs %v of %+v, want an error", paired, sides)
		}
	}
}
