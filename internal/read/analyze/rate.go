package analyze

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat"

	"github.com/deeplimit/deeplimit/scaling"
)

const (
	// minRatePoints is the smallest number of losses that a line is fitted to.
	minRatePoints = 5
	// floorFactor is how far above the floor a loss must lie to be fitted: at a
	// factor of 10 the floor adds at most 10 % to the last one.
	floorFactor = 10
	// LinearR2 is the R² of log J against t from which on a fall counts as linear. A
	// fall that becomes 1.5 times as steep half-way has 0.990, one twice as steep 0.973.
	LinearR2 = 0.99
)

// FitRate fits J(t) ≈ C ρ^t by least squares of log J against t, unweighted, over
// the linear part of a trace. When there is none it returns nil and the reason.
//
// The linear part is found from the trace alone:
//
//   - It ends before the first loss that is not positive and finite, and before
//     the floor. A floor, of rounding or of mini-batch noise, is seen where the
//     trace has stopped falling: among the later half of the losses from the first
//     one within a factor of 10 of the smallest, at least a quarter of the steps do
//     not lower the loss and the fitted fall is less than a factor of 2. Its level
//     is the median of that half, and the first loss within a factor of 10 of the
//     level ends the part. A trace that is stopped while it still falls has no
//     floor, however small its last loss.
//   - It begins after the transient: after the last loss above √(J(0)·J(last)),
//     the middle of the fall on a log scale. The first steps of gradient descent
//     are faster than the rest: with tanh, d = 10, N = 8 orthonormal inputs and
//     α = ½ … 1 down to J = 1e-10, the lower half is straight to R² ≥ 0.9999 and
//     the whole to 0.972 only.
//
// Residuals along a trace are not independent, so StdErr says how straight the
// line is rather than how another seed would fall. StdErr is that of the slope
// times ρ (delta method). A line with R² below LinearR2 is returned with the reason why it
// is no rate.
func FitRate(iterations []int, losses []float64) (rate *Rate, reason string) {
	if len(losses) == 0 {
		return nil, "the trace has no loss over all samples"
	}
	t := make([]float64, len(losses))
	y := make([]float64, 0, len(losses))
	for i, loss := range losses {
		if !(loss > 0) || math.IsInf(loss, 0) {
			break
		}
		t[i] = float64(iterations[i])
		y = append(y, math.Log(loss))
	}
	if len(y) < 2 || !(slices.Min(y) < y[0]) {
		return nil, "the loss did not fall"
	}
	last := aboveFloor(t, y) - 1
	if last < 1 || !(y[last] < y[0]) {
		return nil, "the loss stopped falling before it was a tenth of what it was at first"
	}
	middle := (y[0] + y[last]) / 2
	first := last
	for first > 0 && y[first-1] <= middle {
		first--
	}
	if n := last - first + 1; n < minRatePoints {
		return nil, fmt.Sprintf("%d losses after the transient and above the floor, want at least %d", n, minRatePoints)
	}
	t, y = t[first:last+1], y[first:last+1]
	rate = newRate(t, y)
	if !rate.Linear {
		reason = fmt.Sprintf("the fall is not linear: R² is %s over iterations %d to %d, below %v", scaling.R2Text(rate.R2), rate.First, rate.Last, LinearR2)
	}
	return rate, reason
}

// newRate fits log losses y at iterations t.
func newRate(t, y []float64) *Rate {
	_, slope, slopeErr, r2 := line(t, y)
	rho := math.Exp(slope)
	return &Rate{Rho: rho, StdErr: rho * slopeErr, R2: r2, Linear: r2 >= LinearR2, First: int(t[0]), Last: int(t[len(t)-1])}
}

// Text writes "0.5123 ± 0.0002", to the digits that the standard error leaves, and "not
// linear" where the fit is no rate.
func (r *Rate) Text() string {
	if !r.Linear {
		return "not linear"
	}
	decimals := 4
	if r.StdErr > 0 && !math.IsInf(r.StdErr, 0) {
		decimals = min(max(2, 1-int(math.Floor(math.Log10(r.StdErr)))), 8)
	}
	return strconv.FormatFloat(r.Rho, 'f', decimals, 64) + " ± " + strconv.FormatFloat(r.StdErr, 'f', decimals, 64)
}

// LocalRates fits J(t) ≈ C ρ^t on each of n windows of equally many iterations, from the
// first recorded to the last: how linear a descent is whose rate changes on the way.
// Neighbouring windows share no loss. A window with fewer than 5 losses, or one that is
// not positive and finite, has nil.
func LocalRates(iterations []int, losses []float64, n int) []*Rate {
	rates := make([]*Rate, max(0, n))
	if len(losses) == 0 {
		return rates
	}
	first, span := iterations[0], iterations[len(losses)-1]-iterations[0]+1
	next := 0
	for w := range rates {
		var t, y []float64
		usable := true
		// Window w ends before first + span·(w+1)/n.
		for ; next < len(losses) && (iterations[next]-first)*n < span*(w+1); next++ {
			loss := losses[next]
			usable = usable && loss > 0 && !math.IsInf(loss, 0)
			t, y = append(t, float64(iterations[next])), append(y, math.Log(loss))
		}
		if !usable || len(t) < minRatePoints {
			continue
		}
		rates[w] = newRate(t, y)
	}
	return rates
}

// aboveFloor returns the number of leading log losses y that lie above the floor
// as FitRate describes it; all of them when there is none.
func aboveFloor(t, y []float64) int {
	if len(y) == 0 {
		return 0
	}
	within := math.Log(floorFactor)
	reaches := func(level float64) int {
		return slices.IndexFunc(y, func(v float64) bool { return v <= level+within })
	}
	from := reaches(slices.Min(y))
	from += (len(y) - from) / 2
	tail := y[from:]
	if len(tail) < 3 {
		return len(y)
	}
	rises := 0
	for i := range len(tail) - 1 {
		if tail[i+1] >= tail[i] {
			rises++
		}
	}
	_, slope, _, _ := line(t[from:len(y)], tail)
	fall := -slope * (t[len(y)-1] - t[from])
	if 4*rises < len(tail)-1 || fall >= math.Ln2 {
		return len(y)
	}
	sorted := slices.Sorted(slices.Values(tail))
	return reaches(stat.Quantile(0.5, stat.Empirical, sorted, nil))
}

// line returns the least-squares line of y against x with the standard error of
// its slope and R². There are at least three points, at different x.
func line(x, y []float64) (intercept, slope, slopeErr, r2 float64) {
	intercept, slope = stat.LinearRegression(x, y, nil, false)
	n := float64(len(x))
	meanX, meanY := stat.Mean(x, nil), stat.Mean(y, nil)
	var residual, total, spread float64
	for i := range x {
		residual += square(y[i] - intercept - slope*x[i])
		total += square(y[i] - meanY)
		spread += square(x[i] - meanX)
	}
	r2 = 1
	if total > 0 {
		r2 = 1 - residual/total
	}
	return intercept, slope, math.Sqrt(residual / (n - 2) / spread), r2
}

func square(v float64) float64 { return v * v }
