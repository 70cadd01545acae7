package papers

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
	"github.com/deeplimit/deeplimit/scaling"
)

// longTime is figure 2 of [MWSB]: a long descent at one depth.
func longTime() Experiment {
	const (
		study = "long-time"
		// windows of the trace that the descent is held to be linear on; the first holds the
		// transient, in which all modes of the loss fall at once.
		windows = 20
		// perEntry turns J into the mean square over all entries, (2/d) J with d = 16.
		perEntry = 2. / 16
	)
	deepest := func(b *Bench) (analyze.Run, error) {
		result, err := b.Result(study)
		if err != nil {
			return analyze.Run{}, err
		}
		run := result.Runs[len(result.Runs)-1] // sorted by depth
		if len(run.LossTrace) < 2 {
			return run, fmt.Errorf("papers: %s: got no trace", run.ID)
		}
		return run, nil
	}
	ofDeepest := func(of func(analyze.Run) Measurement) func(*Bench) ([]Measurement, error) {
		return func(b *Bench) ([]Measurement, error) {
			run, err := deepest(b)
			if err != nil {
				return nil, err
			}
			return []Measurement{of(run)}, nil
		}
	}
	return Experiment{
		Name: study, Title: "Long descent", Source: "[MWSB], figure 2",
		Setup: `As above with hidden width 64, 50 samples, L = 64, step 0.005·L on the mean square over all entries (0.000625·L on J) and 10,000 steps.
Losses below are on the paper's scale, (2/d) J. Depths 16 and 32 are there to tell whether the weights are smooth in k. Locally linear is
read as: log J is a line on each of 20 windows of 500 steps, but for the first, which holds the transient.`,
		Steps: []Step{{
			Command: "run experiments/long-time.yaml --out {runs}/long-time --no-report",
			Small:   "--set 'depths=[16, 32]' --set data.samples=10 --set train.stop.iterations=800 --set train.step.value=0.0025",
		}},
		Claims: []Claim{
			{
				Key: "loss-start", Text: "the loss starts near 1.9", Source: "[MWSB], figure 2", Want: Range{1.7, 2.1},
				Measure: ofDeepest(func(r analyze.Run) Measurement { return Exactly("", perEntry*r.LossTrace[0], "one run") }),
			},
			{
				Key: "loss-end", Text: "and falls to about 10⁻² (within a factor of 2)", Source: "[MWSB], figure 2", Want: Range{0.005, 0.02},
				Measure: ofDeepest(func(r analyze.Run) Measurement { return Exactly("", perEntry*r.Loss, "one run") }),
			},
			{
				Key: "linear", Text: "locally linear: smallest R² of log J on windows of a twentieth of the run, after the first", Source: "[MWSB], local PL condition", Want: AtLeast(0.99),
				Measure: ofDeepest(func(r analyze.Run) Measurement {
					least := math.Inf(1)
					for _, rate := range analyze.LocalRates(r.LossIterations, r.LossTrace, windows)[1:] {
						if rate == nil {
							return missing("a window without a rate")
						}
						least = min(least, rate.R2)
					}
					return Exactly("", least, fmt.Sprintf("worst of %d windows", windows-1))
				}),
			},
			{
				Key: "rate", Text: "the loss is multiplied by about 0.9996 in a step, over the lower half of the fall", Source: "[MWSB], figure 2", Want: Range{0.9995, 0.9997},
				Measure: ofDeepest(func(r analyze.Run) Measurement {
					if r.Rate == nil {
						return missing(r.RateReason)
					}
					return Exactly("", r.Rate.Rho, "one run")
				}),
			},
			{
				Key: "regime", Text: "V and W stay smooth in k", Source: "[MWSB]", Want: Range{1, 1},
				Measure: eachPart(study, func(path analyze.GroupPath) Measurement { return ofRegime(path.Regime, scaling.SmoothLimit) }),
			},
		},
		Figures: func(b *Bench) ([]*report.Figure, error) { return b.Figures(study, "loss", "weights") },
	}
}
