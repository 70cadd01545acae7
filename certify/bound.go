// Package certify proves statements about one training run from numbers measured along it:
// a-posteriori bounds at one iterate, a step size under which gradient descent must descend,
// and a certificate that it converges to a global optimum from an iterate on.
// docs/certificates.md derives every formula.
//
// A Problem says what was trained: block, activation, loss, method, depth L, width d, samples
// N. A Measurement holds the numbers of one iterate θ: the loss J = (1/2N) Σ‖r_i‖², which is
// a mean over samples, and per layer spectral norms of weights, Frobenius norms of gradients,
// norms of hidden states and singular values, as slices of L, L+1 or L−1 numbers. New checks
// both and returns an Iterate with the bounds as methods:
//
//   - Bounds: all bounds at the iterate, each with value, measured quantity, slack, verdict;
//   - CertifiedStepSize: an η whose step lowers J by at least η‖∇J‖²/2;
//   - Converge: a Certificate of convergence, or a *Refusal with the reason;
//   - Certificate.Check: whether a later iterate keeps the certificate's promises;
//   - History: bounds of how far a run moved since iteration 0;
//   - Hypotheses: the assumptions of the theory, met or not.
//
// All functions are pure, work on plain numbers and never evaluate a network. A bound whose
// hypotheses fail is no error: its Verdict is NotApplicable and its Reason names them. Errors
// are input of the wrong length, NaN or infinite. A bound costs O(L) operations, Converge O(L)
// for each radius that it tries (Certificate.Evaluations).
//
// Every verdict accounts for floating point: inputs are widened by an a-priori bound on their
// rounding error (rounding.go) and the formulas are evaluated with directed rounding
// (interval.go). A bound is Undecided where the rounding margin hides the answer.
//
// The bounds are deeplimit's own, with explicit constants, in the spirit of
// R. Cont, A. Rossier, R. Xu, arXiv 2204.07261 [CRX]; their constants are not
// the paper's.
package certify

import (
	"encoding/json"
	"math"
)

// A Verdict is the outcome of comparing a bound with the measured quantity.
type Verdict string

// The verdicts.
const (
	Holds         Verdict = "holds"          // the inequality holds beyond rounding
	Violated      Verdict = "violated"       // it fails beyond rounding: the proof, the measurement or the program is wrong
	Undecided     Verdict = "undecided"      // the rounding margin hides the answer, or a quantity was not measured
	NotApplicable Verdict = "not applicable" // a hypothesis of the bound fails; Reason says which
)

// A Bound is one inequality evaluated at one iterate (or over one run).
type Bound struct {
	Name    string  // such as "gradient-norm"
	Formula string  // the inequality in symbols, measured quantity on the left
	Lower   bool    // whether Value bounds Measured from below
	Layer   int     // layer k = 1..L of the tightest case, 0 if the bound is not per layer
	Value   float64 // the bound; NaN when not applicable
	// Measured is the bounded quantity; NaN when not applicable or not measured.
	Measured float64
	// Slack is Value/Measured (Measured/Value if Lower): at least 1 when the bound
	// holds, +Inf when the smaller side is 0, NaN when either is missing.
	Slack float64
	// Margin is the relative rounding margin of the comparison: the verdict is
	// Undecided where Slack is within about Margin of 1.
	Margin  float64
	Verdict Verdict
	Reason  string // why Verdict is NotApplicable or Undecided; empty otherwise
	Source  string // where the inequality comes from
}

// source returns the citation of an inequality of the given section of docs/certificates.md.
func source(section string) string {
	return "deeplimit bound, in the spirit of [CRX]; docs/certificates.md, " + section
}

// judge compares measured with bound and fills in the numbers and the verdict of b.
func (b Bound) judge(bound, measured interval) Bound {
	small, large := measured, bound
	if b.Lower {
		small, large = bound, measured
	}
	b.Value, b.Measured = bound.middle(), measured.middle()
	b.Slack = math.Inf(1)
	if small.middle() > 0 {
		b.Slack = large.middle() / small.middle()
	}
	b.Margin = width(bound) + width(measured)
	switch {
	case small.hi <= large.lo:
		b.Verdict = Holds
	case small.lo > large.hi:
		b.Verdict = Violated
	default:
		b.Verdict, b.Reason = Undecided, "the rounding margin is larger than the distance from the bound"
	}
	return b
}

// width returns half the relative width of x, 0 for x = 0 and +Inf for an unbounded one.
func width(x interval) float64 {
	if x.hi == 0 {
		return 0
	}
	return (x.hi - x.lo) / 2 / x.middle()
}

// tightest returns the judged bound with the least slack among layers from..to; violated
// ones come first, undecided ones next. pair returns bound and measured quantity of layer k.
func (b Bound) tightest(from, to int, pair func(k int) (bound, measured interval)) Bound {
	rank := map[Verdict]int{Violated: 0, Undecided: 1, Holds: 2}
	var best Bound
	for k := from; k <= to; k++ {
		c := b
		c.Layer = k
		c = c.judge(pair(k))
		if k == from || rank[c.Verdict] < rank[best.Verdict] || rank[c.Verdict] == rank[best.Verdict] && c.Slack < best.Slack {
			best = c
		}
	}
	return best
}

// refused returns b as not applicable for the given reason.
func (b Bound) refused(why string) Bound {
	b.Value, b.Measured, b.Slack = math.NaN(), math.NaN(), math.NaN()
	b.Verdict, b.Reason = NotApplicable, why
	return b
}

// unmeasured returns b with its value and the reason why it cannot be compared.
func (b Bound) unmeasured(bound interval, why string) Bound {
	b.Value, b.Measured, b.Slack, b.Margin = bound.middle(), math.NaN(), math.NaN(), width(bound)
	b.Verdict, b.Reason = Undecided, why
	return b
}

// missing returns b as undecided because a quantity it needs was not measured.
func (b Bound) missing(why string) Bound {
	b = b.refused(why)
	b.Verdict = Undecided
	return b
}

// boundJSON is a Bound in JSON, where NaN and infinities are null.
type boundJSON struct {
	Name     string   `json:"name"`
	Formula  string   `json:"formula"`
	Lower    bool     `json:"lower,omitempty"`
	Layer    int      `json:"layer,omitempty"`
	Value    *float64 `json:"value"`
	Measured *float64 `json:"measured"`
	Slack    *float64 `json:"slack"`
	Margin   *float64 `json:"margin"`
	Verdict  Verdict  `json:"verdict"`
	Reason   string   `json:"reason,omitempty"`
	Source   string   `json:"source"`
}

// MarshalJSON writes b with snake-case keys; NaN and +Inf become null.
func (b Bound) MarshalJSON() ([]byte, error) {
	finite := func(x float64) *float64 {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		return &x
	}
	return json.Marshal(boundJSON{
		b.Name, b.Formula, b.Lower, b.Layer, finite(b.Value), finite(b.Measured), finite(b.Slack), finite(b.Margin),
		b.Verdict, b.Reason, b.Source,
	})
}
