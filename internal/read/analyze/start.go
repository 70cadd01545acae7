package analyze

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"text/tabwriter"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// StartResult is what `deeplimit probe --json` prints: untrained networks, group by
// group. Groups are sorted by data, alpha and group.
type StartResult struct {
	Study  string       `json:"study"`
	Groups []StartGroup `json:"groups"`
}

// StartGroup is a set of ensembles that differ in depth alone.
type StartGroup struct {
	Group      string            `json:"group"`
	Settings   map[string]string `json:"settings,omitempty"`
	Data       string            `json:"data"`
	Block      string            `json:"block"`
	Activation string            `json:"activation"`
	Alpha      float64           `json:"alpha"`
	Width      int               `json:"width"`
	Starts     []Start           `json:"starts"` // by depth
	// Exponents are slopes in depth of the quantities by name, each draw being a seed.
	Exponents map[string]Slope `json:"exponents"`
	Notes     []string         `json:"notes,omitempty"`
}

// Start is an ensemble: what draws of the initial weights of one network do to the
// length of hidden states and of adjoints, see runfolder.Draw.
type Start struct {
	ID    string `json:"id"`
	Depth int    `json:"depth"`
	Draws int    `json:"draws"`
	// Spreads are those of forward, change, backward and backward_change by name. One of
	// which a draw is not finite is left out, with a note in the group.
	Spreads map[string]Spread `json:"spreads"`
	// Ensemble is what the numbers are of.
	Ensemble *runfolder.Ensemble `json:"-"`
}

// Spread is how a quantity is distributed over draws.
type Spread struct {
	Mean     float64    `json:"mean"`
	Low      float64    `json:"low"`  // 95 % interval of the mean, Student's t over the draws,
	High     float64    `json:"high"` // cut at 0, below which no length lies
	Expected *float64   `json:"expected,omitempty"`
	Log      *LogNormal `json:"log,omitempty"` // nil when a draw is zero
}

// LogNormal is the log-normal law fitted to positive draws.
type LogNormal struct {
	Mean      float64 `json:"mean"`      // μ, of the logarithms
	MeanLow   float64 `json:"mean_low"`  // 95 % interval of μ,
	MeanHigh  float64 `json:"mean_high"` // Student's t
	Deviation float64 `json:"deviation"` // s, likewise, with n − 1
	// Value is e^(μ + s²/2), the mean of the fitted law. Its 95 % interval is Cox's [Zhou
	// and Gao 1997], exp(μ + s²/2 ± z (s²/n + s⁴/2(n−1))^½): for heavy tails, where few
	// draws carry the mean, Student's is far too short.
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	// Distance is sup|F_n − F| between the draws and the fitted law; Critical what draws
	// of such a law exceed in 5 % of cases, μ and s being fitted [Stephens 1974].
	Distance float64 `json:"distance"`
	Critical float64 `json:"critical"`
}

// A StartQuantity is a column of runfolder.Draw.
type StartQuantity struct {
	Name, Text string
	Value      func(runfolder.Draw) float64
}

// StartQuantities lists the columns of runfolder.Draw in the order of tables.
var StartQuantities = []StartQuantity{
	{"forward", "‖h_L‖²/‖h_0‖²", func(d runfolder.Draw) float64 { return d.Forward }},
	{"change", "‖h_L − h_0‖²/‖h_0‖²", func(d runfolder.Draw) float64 { return d.Change }},
	{"backward", "‖p_0‖²/‖p_L‖²", func(d runfolder.Draw) float64 { return d.Backward }},
	{"backward_change", "‖p_0 − p_L‖²/‖p_L‖²", func(d runfolder.Draw) float64 { return d.BackwardChange }},
}

// Starts analyses the ensembles of a study folder.
func Starts(dir string) (*StartResult, error) {
	name, err := runfolder.StudyName(dir)
	if err != nil {
		return nil, err
	}
	ensembles, err := runfolder.Ensembles(dir)
	if err != nil {
		return nil, err
	}
	if len(ensembles) == 0 {
		return nil, fmt.Errorf("analyze: %s: got no ensembles, want what `deeplimit probe` writes", dir)
	}
	slices.SortStableFunc(ensembles, func(a, b runfolder.Ensemble) int {
		return cmp.Or(cmp.Compare(a.Data, b.Data), cmp.Compare(a.Alpha, b.Alpha), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Depth, b.Depth))
	})
	result := &StartResult{Study: name}
	for from, to := 0, 0; from < len(ensembles); from = to {
		for to = from + 1; to < len(ensembles) && ensembles[to].Group == ensembles[from].Group; {
			to++
		}
		result.Groups = append(result.Groups, newStartGroup(ensembles[from:to]))
	}
	return result, nil
}

func newStartGroup(ensembles []runfolder.Ensemble) StartGroup {
	first := &ensembles[0]
	group := StartGroup{
		Group: first.Group, Settings: first.Settings, Data: first.Data, Block: first.Block,
		Activation: first.Activation, Alpha: first.Alpha, Width: first.Width, Exponents: map[string]Slope{},
	}
	samples := map[string][]scaling.Sample{}
	for i := range ensembles {
		e := &ensembles[i]
		start := Start{ID: e.ID, Depth: e.Depth, Draws: len(e.Draws), Spreads: map[string]Spread{}, Ensemble: e}
		for _, q := range StartQuantities {
			values := make([]float64, len(e.Draws))
			for i, d := range e.Draws {
				values[i] = q.Value(d)
			}
			spread, ok := newSpread(values)
			if !ok {
				group.Notes = append(group.Notes, fmt.Sprintf("%s at depth %d left out, as a draw is not finite or the only one", q.Name, e.Depth))
				continue
			}
			switch q.Name {
			case "forward":
				spread.Expected = e.ExpectedForward
			case "backward":
				spread.Expected = e.ExpectedBackward
			case "change": // the increments of h are uncorrelated where the law of E‖h_L‖² is known
				spread.Expected = lessOne(e.ExpectedForward)
			case "backward_change":
				spread.Expected = lessOne(e.ExpectedBackward)
			}
			start.Spreads[q.Name] = spread
			if spread.Log != nil {
				for _, d := range e.Draws {
					samples[q.Name] = append(samples[q.Name], scaling.Sample{Depth: e.Depth, Seed: d.Seed, Value: q.Value(d)})
				}
			}
		}
		group.Starts = append(group.Starts, start)
	}
	for _, q := range StartQuantities {
		fitted, err := scaling.Fit(samples[q.Name])
		if err != nil {
			continue // one depth, or none with finite draws, which a note says
		}
		group.Exponents[q.Name] = fitted
	}
	return group
}

func lessOne(v *float64) *float64 {
	if v == nil {
		return nil
	}
	less := *v - 1
	return &less
}

// newSpread returns the distribution of two or more finite values.
func newSpread(values []float64) (Spread, bool) {
	n := float64(len(values))
	if n < 2 || slices.ContainsFunc(values, func(v float64) bool { return finite(v) == nil }) {
		return Spread{}, false
	}
	mean := sizeOf(values)
	s := Spread{Mean: mean.Value, Low: mean.Low, High: mean.High}
	if slices.Min(values) > 0 {
		s.Log = newLogNormal(values)
	}
	return s, true
}

// Estimate returns the mean with its interval.
func (s *Spread) Estimate() Estimate { return Estimate{Value: s.Mean, Low: s.Low, High: s.High} }

// student returns mean and deviation of two or more values and the half width of the
// mean's 95 % interval.
func student(values []float64) (mean, deviation, half float64) {
	n := float64(len(values))
	mean, deviation = stat.MeanStdDev(values, nil)
	return mean, deviation, distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.975) * deviation / math.Sqrt(n)
}

// newLogNormal fits positive values.
func newLogNormal(values []float64) *LogNormal {
	n := float64(len(values))
	logs := make([]float64, len(values))
	for i, v := range values {
		logs[i] = math.Log(v)
	}
	slices.Sort(logs)
	mean, deviation, margin := student(logs)
	square := deviation * deviation
	center := mean + square/2
	half := distuv.UnitNormal.Quantile(0.975) * math.Sqrt(square/n+square*square/(2*(n-1)))
	l := &LogNormal{
		Mean: mean, MeanLow: mean - margin, MeanHigh: mean + margin, Deviation: deviation,
		Value: math.Exp(center), Low: math.Exp(center - half), High: math.Exp(center + half),
		Critical: 0.895 / (math.Sqrt(n) - 0.01 + 0.85/math.Sqrt(n)),
	}
	law := distuv.Normal{Mu: mean, Sigma: deviation}
	for i, v := range logs {
		p := 0.5 // of a law without spread, all values being one
		if deviation > 0 {
			p = law.CDF(v)
		}
		l.Distance = max(l.Distance, float64(i+1)/n-p, p-float64(i)/n)
	}
	return l
}

// WriteTable writes the result as plain text.
func (r *StartResult) WriteTable(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, g := range r.Groups {
		if i > 0 {
			fmt.Fprintln(table)
		}
		fmt.Fprintf(table, "%s  block %s, activation %s, width %d, alpha %s", plain.Text(g.Data), g.Block, g.Activation, g.Width, short(g.Alpha))
		for _, name := range slices.Sorted(maps.Keys(g.Settings)) {
			fmt.Fprintf(table, ", %s %s", plain.Text(name), plain.Text(g.Settings[name]))
		}
		fmt.Fprint(table, "\n\nDEPTH\tDRAWS")
		for _, q := range StartQuantities {
			fmt.Fprintf(table, "\tE %s", q.Text)
		}
		fmt.Fprintln(table, "\tEXACT")
		for _, s := range g.Starts {
			fmt.Fprintf(table, "%d\t%d", s.Depth, s.Draws)
			for _, q := range StartQuantities {
				fmt.Fprint(table, "\t"+s.text(q.Name))
			}
			exact := "–"
			if e := s.Spreads["forward"].Expected; e != nil {
				exact = strconv.FormatFloat(*e, 'g', 4, 64)
			}
			fmt.Fprintln(table, "\t"+exact)
		}
		for _, q := range StartQuantities {
			if slope, ok := g.Exponents[q.Name]; ok {
				fmt.Fprintf(table, "exponent of %s in depth: %s  %s\n", q.Name, slope, slope.Warning)
			}
		}
		for _, note := range g.Notes {
			fmt.Fprintf(table, "note: %s\n", note)
		}
	}
	return table.Flush()
}

// text returns the mean of a quantity with its interval, "–" where there is none.
func (s *Start) text(name string) string {
	spread, ok := s.Spreads[name]
	if !ok {
		return "–"
	}
	return spread.Estimate().Size(digits)
}
