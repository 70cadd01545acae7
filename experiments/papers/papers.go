// Package papers reproduces the experiments of the papers that deeplimit follows: for
// every claim what was published, or follows from theory, what comes out here, and a
// verdict that the numbers decide.
//
// An Experiment is commands of deeplimit and claims about what they leave behind. The
// commands are those a reader would type; nothing here trains or fits on its own. What
// came out is kept in a Record file, from which the page docs/papers.md is written, and
// which the next call is held against.
package papers

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/show/report"
)

// An Experiment is one section of the page.
type Experiment struct {
	Name   string // of make papers STUDY=name; letters and dashes
	Title  string
	Source string // paper and figure
	// Setup says in Markdown what is done, and where it departs from the paper.
	Setup string
	Steps []Step
	// Claims are measured in order, after all steps.
	Claims []Claim
	// Figures returns what the section shows; nil for none.
	Figures func(*Bench) ([]*report.Figure, error)
}

// A Step is one command of deeplimit.
type Step struct {
	// Command holds its arguments, in single quotes where they contain spaces; {runs}
	// stands for the folder that study folders go to.
	Command string
	// Full and Small hold further arguments: of the full version, and of the small one,
	// which takes seconds.
	Full, Small string
	// FullOnly leaves the step out of the small version.
	FullOnly bool
	// Partial takes what a command printed although it ended with an error, as tune does where a depth has no minimum.
	Partial bool
}

// A Claim is a statement about numbers that can be measured.
type Claim struct {
	Key  string // names the claim within its experiment, for good
	Text string // what is claimed, in Markdown
	// Column is a few words that head its column in the folded table of an experiment, which has a row for each case; "" for a
	// claim with rows of its own.
	Column string
	Source string // where it was published, or what it follows from
	Want   Range
	// Measure returns the number, or one for each of several cases.
	Measure func(*Bench) ([]Measurement, error)
}

// A Measurement is a number with its 95 % interval. A number that is exact for these
// runs, such as a verdict, has itself for both ends; one without an interval NaN.
type Measurement struct {
	Case             string // which of several cases; "" when there is one
	Value, Low, High float64
	Note             string // where the interval comes from, or what is odd; "" for nothing to say
}

// Exactly returns a measurement without uncertainty.
func Exactly(name string, value float64, note string) Measurement {
	return Measurement{Case: name, Value: value, Low: value, High: value, Note: note}
}

// A Range is the set of numbers, ends included, for which a claim is true. An end may
// be infinite.
type Range struct{ Low, High float64 }

// Around returns value ± tolerance.
func Around(value, tolerance float64) Range { return Range{value - tolerance, value + tolerance} }

// AtLeast and AtMost return a half-line.
func AtLeast(low float64) Range { return Range{low, math.Inf(1)} }

// AtMost returns the numbers up to high.
func AtMost(high float64) Range { return Range{math.Inf(-1), high} }

// String returns "≥ 0.99", "≤ 2", "= 1" or "in [0.45, 0.55]".
func (r Range) String() string {
	switch {
	case math.IsInf(r.High, 1):
		return "≥ " + digits(r.Low)
	case math.IsInf(r.Low, -1):
		return "≤ " + digits(r.High)
	case r.Low == r.High:
		return "= " + digits(r.Low)
	}
	return fmt.Sprintf("in [%s, %s]", digits(r.Low), digits(r.High))
}

// A Verdict is what a measurement says of a claim.
type Verdict string

const (
	Reproduced    Verdict = "reproduced"
	NotReproduced Verdict = "not reproduced"
	CannotTell    Verdict = "cannot tell"
)

// Judge compares the interval of m with what is claimed: reproduced if it lies within
// the range, not reproduced if it lies outside, cannot tell if it does both in part or
// there is no interval.
func (r Range) Judge(m Measurement) Verdict {
	switch {
	case math.IsNaN(m.Low) || math.IsNaN(m.High):
		return CannotTell
	case r.Low <= m.Low && m.High <= r.High:
		return Reproduced
	case m.High < r.Low || r.High < m.Low:
		return NotReproduced
	}
	return CannotTell
}

// digits returns v to four significant digits, as the page and the record have it.
func digits(v float64) string {
	text := strconv.FormatFloat(v, 'g', 4, 64)
	if r, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(r) >= 1e-4 && math.Abs(r) < 1e6 {
		text = strconv.FormatFloat(r, 'f', -1, 64)
	}
	return strings.ReplaceAll(text, "-", "−")
}
