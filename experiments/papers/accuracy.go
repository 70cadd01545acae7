package papers

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/deeplimit/deeplimit/internal/show/report"
)

// accuracyMap is the accuracy after training over residual scale and regularity [MFBV].
func accuracyMap() Experiment {
	const study, source = "accuracy-map", "[MFBV], figure 9"
	const regular, rough = "0.9", "0.1" // Hurst exponents
	return Experiment{
		Name: study, Title: "Accuracy over the residual scale and the regularity of the initial weights", Source: source,
		Setup: `MNIST, block A relu(h) of width 30, trained embedding and readout, Adam; initial weights are increments of fractional Brownian motion of
Hurst exponent H over the layers, of variance 1/width. Sums of L such weights are of size L^H, and where they alternate their products still add up to L^½:
so α = max(½, H) is critical. In every cell the best of five step sizes 10⁻⁴ … 1 counts. Depth 256 against 1000, 10,000 images against 60,000, 2 epochs
against 10, 5 × 5 cells against 10 × 10, no biases. Intervals are Wilson's over the test images, of one draw of the weights; a cell where every step size
diverged, or none does better, counts as the 0.1 of guessing. The thresholds are ours: the paper shows a map.

The edge of divergence is there at this size; the side of the identity is not: at depth 256 and after 2 epochs a network that is near the identity, whose
embedding and readout are trained, classifies as well as one on the ridge within the error of 2,000 test images, so that the ridge cannot be told from a plateau.
Whether it can with the paper's depth, epochs and images was not tried.`,
		Steps: []Step{
			{
				Command: "run experiments/accuracy-map.yaml --out {runs}/accuracy-map --no-report",
				Small:   "--set 'grid.network.alpha=[0.1, 0.5, 0.9]' --set 'grid.initial.hurst=[0.1, 0.9]' --set 'grid.train.step.value=[0.001, 0.01]' --set data.samples=2000 --set train.stop.iterations=80 --set 'depths=[128]'",
			},
			{Command: "figure map {runs}/accuracy-map --x initial.hurst --y network.alpha --best train.step.value"},
		},
		Claims: []Claim{
			{
				Key: "divergence", Text: "regular weights (H = 0.9) with a small α (0.1) explode and do not train: best accuracy at most ½", Source: source, Want: AtMost(0.5),
				Measure: oneCell(study, regular, "0.1"),
			},
			{
				Key: "rough-trains", Text: "rough weights (H = 0.1) at the same α do train: at least ⅔", Source: source, Want: AtLeast(trains),
				Measure: oneCell(study, rough, "0.1"),
			},
			{
				Key: "regular-trains", Text: "regular weights train at the α that fits them (0.9): at least ⅔", Source: source, Want: AtLeast(trains),
				Measure: oneCell(study, regular, "0.9"),
			},
			{
				Key: "edge", Text: "the edge of divergence moves with H: smallest α with best accuracy at least ⅔, that of H = 0.9 less that of H = 0.1", Source: source, Want: AtLeast(0.2),
				Measure: func(b *Bench) ([]Measurement, error) {
					there, err := smallestAlpha(b, study, regular)
					if err != nil {
						return nil, err
					}
					here, err := smallestAlpha(b, study, rough)
					if err != nil {
						return nil, err
					}
					if math.IsInf(there, 0) || math.IsInf(here, 0) {
						return []Measurement{missing("no α trains at one of the two")}, nil
					}
					return []Measurement{Exactly("", there-here, fmt.Sprintf("from α = %g on at H = %s, %g at H = %s", there, regular, here, rough))}, nil
				},
			},
			{
				Key: "ridge", Text: "the α with the best accuracy grows with H: that of H = 0.9 less that of H = 0.1", Source: source, Want: AtLeast(0.2),
				Measure: func(b *Bench) ([]Measurement, error) {
					there, _, err := ridge(b, study, regular)
					if err != nil {
						return nil, err
					}
					here, _, err := ridge(b, study, rough)
					return []Measurement{Exactly("", there-here, fmt.Sprintf("best α %g at H = %s, %g at H = %s", there, regular, here, rough))}, err
				},
			},
			{
				Key: "identity", Text: "beyond the ridge the network is near the identity and loses accuracy: H = 0.1, best over α less that at α = 0.9", Source: source, Want: AtLeast(0.01),
				Measure: func(b *Bench) ([]Measurement, error) {
					_, best, err := ridge(b, study, rough)
					if err != nil {
						return nil, err
					}
					cells, err := oneCell(study, rough, "0.9")(b)
					if err != nil {
						return nil, err
					}
					last := cells[0]
					// Independent errors; the images are the same, so this is wider than it need be.
					half := math.Hypot(best.High-best.Low, last.High-last.Low) / 2
					gap := best.Value - last.Value
					return []Measurement{{Value: gap, Low: gap - half, High: gap + half, Note: fmt.Sprintf("%s against %s", digits(best.Value), digits(last.Value))}}, nil
				},
			},
		},
		Figures: func(b *Bench) ([]*report.Figure, error) {
			f, err := report.Map(b.ctx, b.Dir(study), report.MapOptions{X: "initial.hurst", Y: "network.alpha", Best: "train.step.value"})
			return []*report.Figure{f}, err
		},
	}
}

// oneCell returns a Measure of the best test accuracy over step sizes of a cell.
func oneCell(study, hurst, alpha string) func(*Bench) ([]Measurement, error) {
	return func(b *Bench) ([]Measurement, error) {
		m, err := cell(b, study, hurst, alpha)
		return []Measurement{m}, err
	}
}

// cell returns the best test accuracy over step sizes, with Wilson's interval.
func cell(b *Bench, study, hurst, alpha string) (Measurement, error) {
	result, err := b.Result(study)
	if err != nil {
		return Measurement{}, err
	}
	best, step, tested, runs := 0.1, "no step size does better than guessing", 0, 0
	for _, r := range result.Runs {
		if r.Settings["initial.hurst"] != hurst || r.Settings["network.alpha"] != alpha {
			continue
		}
		runs++
		if tested == 0 {
			if tested, err = testImages(b, study, r.ID); err != nil {
				return Measurement{}, err
			}
		}
		if !r.Diverged() && r.TestAcc != nil && *r.TestAcc > best {
			best, step = *r.TestAcc, "step size "+r.Settings["train.step.value"]
		}
	}
	if runs == 0 {
		return Measurement{}, fmt.Errorf("papers: %s: got no run of H %s and α %s", study, hurst, alpha)
	}
	const z = 1.959963984540054
	n := float64(tested)
	center := (best + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(best*(1-best)/n+z*z/(4*n*n))
	return Measurement{Value: best, Low: center - half, High: center + half, Note: fmt.Sprintf("%s, %d test images", step, tested)}, nil
}

// testImages returns the number of test samples of a run.
func testImages(b *Bench, study, id string) (int, error) {
	run, err := b.Run(study, id)
	if err != nil {
		return 0, err
	}
	var config struct {
		Data struct {
			Test int `json:"test"`
		} `json:"data"`
	}
	if err := json.Unmarshal(run.Meta.Config, &config); err != nil {
		return 0, fmt.Errorf("papers: %s: run %s: %w", study, id, err)
	}
	if config.Data.Test < 1 {
		return 0, fmt.Errorf("papers: %s: run %s: got no test samples, want some", study, id)
	}
	return config.Data.Test, nil
}

// ridge returns the α with the best accuracy at a Hurst exponent.
func ridge(b *Bench, study, hurst string) (alpha float64, best Measurement, err error) {
	cells, err := column(b, study, hurst)
	for a, m := range cells {
		if m.Value > best.Value || m.Value == best.Value && a < alpha {
			alpha, best = a, m
		}
	}
	return alpha, best, err
}

// trains is the accuracy from which a cell counts as trained.
const trains = 2. / 3

// smallestAlpha returns the smallest α that trains at a Hurst exponent, +Inf if none does.
func smallestAlpha(b *Bench, study, hurst string) (float64, error) {
	cells, err := column(b, study, hurst)
	smallest := math.Inf(1)
	for a, m := range cells {
		if m.Value >= trains {
			smallest = min(smallest, a)
		}
	}
	return smallest, err
}

// column returns the cells of a Hurst exponent by α.
func column(b *Bench, study, hurst string) (map[float64]Measurement, error) {
	result, err := b.Result(study)
	if err != nil {
		return nil, err
	}
	cells := map[float64]Measurement{}
	for _, r := range result.Runs {
		text := r.Settings["network.alpha"]
		alpha, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, err
		}
		if _, seen := cells[alpha]; seen || r.Settings["initial.hurst"] != hurst {
			continue
		}
		if cells[alpha], err = cell(b, study, hurst, text); err != nil {
			return nil, err
		}
	}
	return cells, nil
}
