package proof

import (
	"fmt"
	"io"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/runfolder"
)

// kernel takes what is stored of the run's tangent kernel: by certify --kernel, else by training.
func (r *Report) kernel(run *runfolder.Run, record *runfolder.Certification) error {
	var err error
	if r.Kernel, err = run.Kernel(); err != nil {
		return err
	}
	if r.Kernel == nil && record != nil {
		r.Kernel = record.Kernel
	}
	if r.Kernel == nil || run.Meta.Method != "gd" {
		return nil
	}
	rows, err := run.Trace()
	if err != nil {
		return err
	}
	for i := len(rows) - 1; i >= 0 && r.StepSize == 0; i-- {
		if step := rows[i].StepSize; step != nil {
			r.StepSize = *step
		}
	}
	return nil
}

// WriteKernel writes what the tangent kernel proves, in sentences.
func (r *Report) WriteKernel(w io.Writer) error {
	k := r.Kernel
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	rounding := k.Rounding
	if k.RoundingWhy != "" {
		rounding += ", as " + k.RoundingWhy
	}
	say("\nFrom the tangent kernel, at loss %s (rounding %s):", short(k.Loss), rounding)
	switch z := k.Zero; {
	case z.Issued:
		say("zero: an exact zero-loss network lies within %s of this one (h = %s).", short(*z.Distance), short(*z.H))
	default:
		say("zero: not issued, as %s.", z.Why)
	}
	say("%s", descentText(k))
	if k.Polish != nil {
		say("%s", polishText(k.Polish))
	}
	say("residual %s, λ_min %s, λ_max %s, curvature at the centre %s, loss needed for descent %s", short(k.Residual),
		shortOf(k.LambdaMin), shortOf(k.LambdaMax), shortOf(k.CurvatureAtCentre), shortOf(k.LossNeeded))
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// descentText says what is proved of gradient descent, or what it would take.
func descentText(k *certify.Kernel) string {
	d := k.Descent
	if d.Issued {
		text := fmt.Sprintf("descent: gradient descent from here with steps up to %s converges to a zero-loss network, never further than %s from here", short(*d.StepMax), short(*d.Length))
		if *d.Step > *d.StepMax {
			text = fmt.Sprintf("descent: gradient descent from here with step %s converges to a zero-loss network, never further than %s from here", short(*d.Step), short(*d.Length))
		}
		text += fmt.Sprintf("; with step %s the loss falls by the factor %.9g a step at least", short(*d.Step), *d.LossFactor)
		if d.StepsTo != nil {
			text += fmt.Sprintf(", to %g within %.0f steps", certify.NegligibleLoss, *d.StepsTo)
		}
		return text + "."
	}
	text := fmt.Sprintf("descent: not issued, as %s.", d.Why)
	if k.LossNeeded != nil && k.Loss > *k.LossNeeded {
		text += fmt.Sprintf(" It would be at a loss of %s", short(*k.LossNeeded))
		if k.StepsNeeded != nil {
			text += fmt.Sprintf(", about %.2g further steps at the rate of this run", *k.StepsNeeded)
		}
		text += "."
	}
	if k.Limits != "" {
		text += " What limits it: " + k.Limits + "."
	}
	return text
}

func polishText(p *certify.Polish) string {
	if p.Distance == nil {
		return fmt.Sprintf("polish: %d Newton steps reached loss %s, %s away, where no zero-loss network is certain, as %s.", p.Steps, short(p.Loss), short(p.Moved), p.Zero.Why)
	}
	return fmt.Sprintf("polish: an exact zero-loss network lies within %s of this one (%d Newton steps to loss %s, in %s).", short(*p.Distance), p.Steps, short(p.Loss), p.Weights)
}

func shortOf(v *float64) string {
	if v == nil {
		return "–"
	}
	return short(*v)
}
