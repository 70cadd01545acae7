package papers

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// realDataProofs asks of real data what [CRX] proves of separated inputs, and has proofs for answers.
func realDataProofs() Experiment {
	const trained, descended = "real-data-proofs", "real-data-descent"
	return Experiment{
		Name: trained, Title: "The same on real data, with proofs", Source: "[CRX], practical settings; deeplimit bounds",
		Setup: `Networks as in [real-data](#real-data), 500 steps of gradient descent or SGD, at depths 16 and 64 on 100 samples of diabetes and 30 of digits, for which certificates from
the tangent kernel take minutes in all. [Polish](certificates.md) makes Newton steps from the trained network and proves that an exact zero-loss network lies within a known distance of it. Descent is the statement that
gradient descent from this very network converges linearly. It needs a loss of about 10⁻¹⁰, which 500 steps do not come near; so a second study descends on 50 samples of diabetes, with bias, for as long as it takes.

What this settles of the claims of real-data: that no certificate is issued there is for the bounds of norms, and holds of tanh no longer, where an exact fit is proved to be near. ReLU is refused by name, as σ″ jumps, and stays open.
Whether the loss falls linearly is not settled by polish: 500 steps end long before the part of descent that is proved linear, so that a bent fit of log J against t and a linear end do not contradict each other. The second study shows such an end: every step lowers the loss, and the fit is straight.

Three seeds cannot tell what every seed does; that all three have a proof stands as such, whatever the verdict on the share.`,
		Steps: []Step{
			{
				Command: "run experiments/real-data-proofs.yaml --out {runs}/real-data-proofs --no-report",
				Small:   "--set 'depths=[8]' --set seeds=2 --set train.stop.iterations=50 --set 'data=[{kind: diabetes, samples: 20}]'",
			},
			{Command: "certify {runs}/real-data-proofs --kernel --polish"},
			{
				Command: "run experiments/real-data-descent.yaml --out {runs}/real-data-descent --no-report",
				Small:   "--set 'depths=[8]' --set seeds=2 --set data.samples=10",
			},
			{Command: "certify {runs}/real-data-descent --kernel"},
		},
		Claims: []Claim{
			{
				Key: "polish", Text: "an exact zero-loss network is proved to lie within a known distance of the trained one: share of seeds", Source: "deeplimit bounds", Want: everySeed,
				Measure: provedShare(trained, func(k *certify.Kernel) bool { return k.Polish != nil && k.Polish.Distance != nil }, polishNote),
			},
			{
				Key: "descent-early", Text: "linear convergence is proved from the network after 500 steps on: share of seeds", Source: "[CRX], practical settings", Want: everySeed,
				Measure: provedShare(trained, func(k *certify.Kernel) bool { return k.Descent.Issued }, descentNote),
			},
			{
				Key: "linear-late", Text: "a long descent falls linearly to 10⁻¹², R² of log J against the iteration 0.99 or more over the lower half of the fall: share of seeds", Source: "[CRX], practical settings", Want: everySeed,
				Measure: linearFall(descended, true),
			},
			{
				Key: "descent-late", Text: "linear convergence is proved from the end of a long descent on: share of seeds", Source: "[CRX], practical settings", Want: everySeed,
				Measure: provedShare(descended, func(k *certify.Kernel) bool { return k.Descent.Issued }, descentNote),
			},
		},
	}
}

// provedShare measures the share of seeds of every group of which the kernel certificates of all runs say yes.
func provedShare(study string, holds func(*certify.Kernel) bool, note func([]*certify.Kernel) string) func(*Bench) ([]Measurement, error) {
	return eachCase(study, func(b *Bench, result *analyze.Result, g analyze.Group) (Measurement, error) {
		answers, kernels := seeds{}, []*certify.Kernel(nil)
		for _, r := range runsOf(result, g) {
			opened, err := b.Run(study, r.ID)
			if err != nil {
				return Measurement{}, err
			}
			k, err := opened.Kernel()
			if err == nil && k == nil {
				err = fmt.Errorf("papers: %s: run %s: got no kernel certificate, want one: deeplimit certify --kernel", study, r.ID)
			}
			if err != nil {
				return Measurement{}, err
			}
			answers.add(r.Seed, answerOf(holds(k)))
			kernels = append(kernels, k)
		}
		m := answers.share()
		m.Note += "; " + note(kernels)
		return m, nil
	})
}

// polishNote says how far zeros are at most, and why there are none elsewhere.
func polishNote(kernels []*certify.Kernel) string {
	farthest, steps, why, found, proven := 0.0, 0, "", false, true
	for _, k := range kernels {
		switch p := k.Polish; {
		case p == nil:
			why = k.Zero.Why
		case p.Distance == nil:
			why = fmt.Sprintf("%s (J %.2g after %d Newton steps)", p.Zero.Why, p.Loss, p.Steps)
		default:
			found = true
			farthest, steps, proven = max(farthest, *p.Distance), max(steps, p.Steps), proven && p.Rounding == certify.RoundingProven
		}
	}
	if !found {
		return "refused: " + why
	}
	text := fmt.Sprintf("within %.3g at most, by up to %d Newton steps", farthest, steps)
	if proven {
		text += ", all rounding bounded"
	}
	if why != "" {
		text += "; not everywhere: " + why
	}
	return text
}

// descentNote says at which losses, and with which rates.
func descentNote(kernels []*certify.Kernel) string {
	needed, loss, least, why := math.Inf(1), 0.0, math.Inf(1), ""
	for _, k := range kernels {
		loss = max(loss, k.Loss)
		if k.LossNeeded != nil {
			needed = min(needed, *k.LossNeeded)
		}
		if d := k.Descent; d.Issued {
			least = min(least, 1-*d.LossFactor)
		} else {
			why = d.Why
		}
	}
	switch {
	case why == "":
		return fmt.Sprintf("from J = %.2g at most, a step takes off %.2g of the loss at least", loss, least)
	case math.IsInf(needed, 1):
		return "refused: " + why
	}
	return fmt.Sprintf("J is up to %.2g, and %.2g or less is needed", loss, needed)
}
