package certify

import (
	"fmt"
	"math"
)

// stepTolerance is the relative accuracy of the largest certified step size.
const stepTolerance = 0.01

// CertifiedStepSize returns an η with η ≤ 1/K(η), K the smoothness constant on
// the segment of that very step (Smoothness), and at least 0.99 times the largest
// such η: J then falls by at least η‖∇J‖²/2 in one step of gradient descent. K is
// rounded up and η down. It is an error if a hypothesis fails or K overflows.
//
// K increases with η, so for a too large η the fixed-point step 1/K(η) is certified, and
// otherwise it is an upper end: every evaluation moves one or both ends of a bracket. Two or
// three suffice for networks in the regime of the theory.
func (it *Iterate) CertifiedStepSize() (float64, error) {
	if why := it.refuse(append([]hypothesis{gradientDescent}, smoothnessHypotheses...)...); why != "" {
		return 0, fmt.Errorf("certify: iteration %d: no certified step size: %s", it.m.Iteration, why)
	}
	low, high := 0.0, down(1/it.smoothness(0).hi)
	for η := high; η > 0; {
		inverse := down(1 / it.smoothness(η).hi)
		if η <= inverse {
			low, high = η, min(high, inverse)
		} else {
			low, high = max(low, inverse), η
		}
		if low > 0 && high <= low*(1+stepTolerance) {
			return low, nil
		}
		if low > 0 {
			η = math.Sqrt(low) * math.Sqrt(high)
		} else {
			η = high / 16
		}
	}
	return 0, fmt.Errorf("certify: iteration %d: no certified step size: the smoothness constant overflows (S = %.3g)", it.m.Iteration, it.size())
}
