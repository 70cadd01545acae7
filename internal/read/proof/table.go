package proof

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/curvature"
)

// WriteTable writes r as plain text: verdict, hypotheses, bounds at every iterate of r,
// the whole way, and the certificate with its promises. Numbers that are not known show as "–".
func (r *Report) WriteTable(w io.Writer) error {
	t := &table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	fmt.Fprintf(t, "run %s: %s\n", r.Run, r.Verdict)
	fmt.Fprintln(t, r.Conclusion())
	for _, violation := range r.Violations {
		fmt.Fprintf(t, "VIOLATED: %s\n", violation)
	}
	t.hypotheses(r.Hypotheses)
	for _, it := range r.Iterates {
		t.iterate(it)
	}
	if len(r.Way) > 0 {
		fmt.Fprintln(t, "\nfrom iteration 0 to the last measured one")
		t.bounds(r.Way)
	}
	t.certificate(r)
	if len(r.Curvatures) > 0 {
		t.curvatures(r)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(t, "note: %s\n", note)
	}
	return t.Flush()
}

// Conclusion says in a sentence what was proved about convergence, or why nothing was.
func (r *Report) Conclusion() string {
	switch {
	case len(r.Violations) > 0:
		return "A proved statement was found broken: this is a fault of deeplimit, please report it with run.json."
	case r.Certificate != nil:
		c, beyond := r.Certificate, ""
		if r.exceeded() {
			beyond = " This run took larger steps, so that the promises do not bind it; step rule certified takes such steps."
		}
		return fmt.Sprintf("From iteration %d on (loss %s), gradient descent with steps up to %s converges to a global optimum: no layer moves by more than %s, and the loss falls by the factor 1 − %s·η a step at least.",
			c.Iteration, short(c.Loss), short(c.StepSize), short(c.Radius), short(c.Rate)) + beyond
	case r.Reason != "":
		return "No certificate of convergence: " + r.Reason + "."
	case len(r.Refusals) > 0:
		last := r.Refusals[len(r.Refusals)-1]
		return fmt.Sprintf("No certificate of convergence: at iteration %d, %s.", last.Iteration, last.Reason)
	}
	return "No certificate of convergence was asked for."
}

// Chosen returns the iterations that a table for people shows unless it is told
// others: the first, that of the certificate and the last.
func (r *Report) Chosen() []int64 {
	var chosen []int64
	for i, it := range r.Iterates {
		if i == 0 || i == len(r.Iterates)-1 || r.Certificate != nil && it.Iteration == r.Certificate.Iteration {
			chosen = append(chosen, it.Iteration)
		}
	}
	return chosen
}

// Keep leaves out the other iterates. The verdict stays: it is about all of them.
func (r *Report) Keep(iterations ...int64) {
	r.Iterates = slices.DeleteFunc(r.Iterates, func(it Iterate) bool { return !slices.Contains(iterations, it.Iteration) })
}

type table struct{ *tabwriter.Writer }

func (t *table) row(cells ...string) { fmt.Fprintln(t, strings.Join(cells, "\t")) }

func (t *table) hypotheses(list []certify.Hypothesis) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(t)
	t.row("hypothesis", "met", "this run", "the theory")
	for _, h := range list {
		met := "yes"
		if !h.Met {
			met = "no"
		}
		t.row(h.Name, met, h.Got, h.Want)
	}
}

func (t *table) iterate(it Iterate) {
	fmt.Fprintf(t, "\niteration %d", it.Iteration)
	if it.Loss != nil {
		fmt.Fprintf(t, ", loss %s", short(*it.Loss))
	}
	if it.StepSize != nil {
		fmt.Fprintf(t, ", step %s", short(*it.StepSize))
	}
	if it.CertifiedStepSize != nil {
		fmt.Fprintf(t, ", certified step %s", short(*it.CertifiedStepSize))
	}
	fmt.Fprintln(t)
	t.bounds(it.Bounds)
	if it.Reason != "" {
		fmt.Fprintf(t, "no certified step: %s\n", it.Reason)
	}
}

func (t *table) bounds(list []certify.Bound) {
	t.row("bound", "value", "measured", "slack", "verdict", "")
	for _, b := range list {
		name := b.Name
		if b.Layer > 0 {
			name += fmt.Sprintf(" (layer %d)", b.Layer)
		}
		t.row(name, short(b.Value), short(b.Measured), short(b.Slack), string(b.Verdict), b.Reason)
	}
}

func (t *table) certificate(r *Report) {
	fmt.Fprintln(t)
	if c := r.Certificate; c != nil {
		t.row("certificate of convergence", "")
		for _, line := range [][2]string{
			{"issued at iteration", strconv.FormatInt(c.Iteration, 10)},
			{"loss", short(c.Loss)},
			{"radius w", short(c.Radius)},
			{"way of a layer at most", short(c.Movement)},
			{"PL ratio μ̄ at least", short(c.Rate)},
			{"smoothness K̄ at most", short(c.Smoothness)},
			{"step size at most", short(c.StepSize)},
		} {
			t.row("  "+line[0], line[1])
		}
	} else {
		t.row("no certificate of convergence", "closure", "")
	}
	for _, refusal := range r.Refusals {
		closure := "–"
		if refusal.Closure != nil {
			closure = short(*refusal.Closure)
		}
		t.row(fmt.Sprintf("  refused at iteration %d", refusal.Iteration), closure, refusal.Reason)
	}
	if len(r.Promises) == 0 {
		return
	}
	fmt.Fprintln(t)
	t.row("promise", "checked", "holds", "undecided", "not applicable", "violated", "slack at the end", "")
	for _, p := range r.Promises {
		t.row(p.Name, strconv.Itoa(p.Checked), strconv.Itoa(p.Holds), strconv.Itoa(p.Undecided), strconv.Itoa(p.NotApplicable),
			strconv.Itoa(p.Violated), short(p.Last.Slack), p.Reason)
	}
}

func (t *table) curvatures(r *Report) {
	fmt.Fprintln(t)
	t.row("iteration", "largest λ(∇²J)", "smallest", "2/η", "smallest λ(Gram)")
	for _, c := range r.Curvatures {
		largest, smallest, edge, gram := "–", "–", "–", "–"
		if c.Hessian != nil {
			largest = curvature.Text(c.Hessian.Largest, c.Hessian.LargestResidual, 4)
			smallest = curvature.Text(c.Hessian.Smallest, c.Hessian.SmallestResidual, 4)
		}
		if c.StepSize != nil {
			edge = short(2 / *c.StepSize)
		}
		if c.Gram != nil {
			gram = curvature.Text(c.Gram.Smallest, c.Gram.Residual, 4)
		}
		t.row(strconv.FormatInt(c.Iteration, 10), largest, smallest, edge, gram)
	}
}

// short returns v to four digits, "–" if it is not known.
func short(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case math.IsInf(v, 1):
		return "∞"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
