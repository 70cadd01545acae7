package analyze

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// A Next is something that the depths and seeds there are leave open, and the cheapest design tried that is expected
// to tell.
type Next struct {
	Part string `json:"part"`
	Of   string `json:"of"` // regime, or a key of LimitExponents
	// Now is the probability of the likeliest kind of limit, or half the width of the interval; Expected is
	// that of the design, null where none tells.
	Now      *float64 `json:"now"`
	Expected *float64 `json:"expected"`
	Depths   []int    `json:"depths"` // all of the design; empty where none tells
	Seeds    int      `json:"seeds"`
	Command  string   `json:"command,omitempty"`
	Why      string   `json:"why,omitempty"` // there is no design, or no command
}

// nextWidth is half the width to which intervals are to shrink.
const nextWidth = 0.05

// deepestNext bounds the depths that are proposed.
const deepestNext = 1 << 14

// A question is one thing to tell: how it stands, how it stands where a kind of limit is right in a
// larger design, and whether that is enough.
type question struct {
	of       string
	now      float64
	expected func(x *scaling.Inference, kind scaling.LimitKind, d scaling.Design) float64
	enough   func(v float64) bool
	worse    func(a, b float64) float64
}

// next fills in what the limit of one part leaves open.
func (g *Group) next(part string, x *scaling.Inference, displacement *scaling.LimitExponent, displacements []sample) {
	questions := questions(x, displacement, displacements)
	if len(questions) == 0 {
		return
	}
	var likely []scaling.LimitKind
	for _, kind := range scaling.LimitKinds {
		if x.Probability[kind] >= 1-scaling.Certain {
			likely = append(likely, kind)
		}
	}
	open := map[string]bool{}
	for _, q := range questions {
		open[q.of] = true
	}
	why := "no design tried is expected to tell"
	for _, d := range designs(g.Depths, len(g.Seeds)) {
		expected, unknown := expectations(x, likely, d)
		if unknown != "" {
			why = unknown
			break
		}
		for _, q := range questions {
			if !open[q.of] {
				continue
			}
			value := math.NaN()
			for kind, e := range expected {
				v := q.expected(e, kind, d)
				if math.IsNaN(value) {
					value = v
				}
				value = q.worse(value, v)
			}
			if !q.enough(value) {
				continue
			}
			open[q.of] = false
			g.Next = append(g.Next, Next{Part: part, Of: q.of, Now: finite(q.now), Expected: finite(value), Depths: d.Depths, Seeds: d.Seeds})
		}
		if !slices.ContainsFunc(questions, func(q question) bool { return open[q.of] }) {
			return
		}
	}
	for _, q := range questions {
		if open[q.of] {
			g.Next = append(g.Next, Next{Part: part, Of: q.of, Now: finite(q.now), Depths: []int{}, Why: why})
		}
	}
}

// expectations are what a design is expected to show where the limit is of each kind. Where one cannot be told, unknown
// says so: a design that leaves out a kind is no answer.
func expectations(x *scaling.Inference, likely []scaling.LimitKind, d scaling.Design) (list map[scaling.LimitKind]*scaling.Inference, unknown string) {
	list = map[scaling.LimitKind]*scaling.Inference{}
	for _, kind := range likely {
		if list[kind] = x.Expected(kind, d); list[kind] == nil {
			return nil, fmt.Sprintf("these depths do not show what greater ones would if the limit were of the kind %s", kind)
		}
	}
	return list, ""
}

// questions are the regime where it is not settled, and the exponents whose intervals are wide.
func questions(x *scaling.Inference, displacement *scaling.LimitExponent, displacements []sample) (out []question) {
	if x.Unexplained {
		return nil // more of the same does not explain it
	}
	if x.Verdict == "" {
		most := 0.0
		for _, p := range x.Probability {
			most = max(most, p)
		}
		out = append(out, question{
			"regime", most, func(e *scaling.Inference, kind scaling.LimitKind, _ scaling.Design) float64 {
				return e.Probability[kind]
			},
			func(v float64) bool { return v >= scaling.Certain }, math.Min,
		})
	}
	narrow := func(v float64) bool { return v <= nextWidth }
	for _, q := range nextExponents {
		if now := q.of(x); now != nil && !narrow(halfOf(now)) {
			of := q.of
			out = append(out, question{
				q.key, halfOf(now), func(e *scaling.Inference, _ scaling.LimitKind, _ scaling.Design) float64 { return halfOf(of(e)) },
				narrow, math.Max,
			})
		}
	}
	samples := samplesUsed(displacements)
	if now := displacement; now != nil && !narrow(halfOf(now)) {
		out = append(out, question{"displacement", halfOf(now), func(_ *scaling.Inference, _ scaling.LimitKind, d scaling.Design) float64 {
			e, err := scaling.AverageExponent(scaling.Extend(samples, d, now.Exponent), 0)
			if err != nil {
				return math.Inf(1)
			}
			return halfOf(e)
		}, narrow, math.Max})
	}
	return out
}

// nextExponents are the exponents that designs are proposed for.
var nextExponents = []struct {
	key string
	of  func(*scaling.Inference) *scaling.LimitExponent
}{
	{"variation_1", func(x *scaling.Inference) *scaling.LimitExponent { return x.Variation(1) }},
	{"variation_2", func(x *scaling.Inference) *scaling.LimitExponent { return x.Variation(2) }},
	{"index", (*scaling.Inference).Index},
	{"max_frobenius", (*scaling.Inference).MaxFrobenius},
	{"root_sum_squares", (*scaling.Inference).RootSumSquares},
	{"max_increment", (*scaling.Inference).MaxIncrement},
}

// halfOf is half the width of an interval, infinite without one.
func halfOf(x *scaling.LimitExponent) float64 {
	if x == nil {
		return math.Inf(1)
	}
	return (x.High - x.Low) / 2
}

// designs are those with up to three more depths and up to four times the seeds, the cheapest first: a step of
// training takes time in proportion to the layers.
func designs(depths []int, seeds int) (out []scaling.Design) {
	layers := func(d scaling.Design) (sum int) {
		for _, depth := range d.Depths {
			sum += depth * d.Seeds
		}
		return sum
	}
	last := len(depths) - 1
	ratio := max(2, int(math.Round(float64(depths[last])/float64(depths[max(0, last-1)]))))
	longer := slices.Clone(depths)
	for more := range 4 {
		if more > 0 {
			longer = append(slices.Clone(longer), longer[len(longer)-1]*ratio)
		}
		for _, factor := range []int{1, 2, 4} {
			if longer[len(longer)-1] <= deepestNext && (more > 0 || factor > 1) {
				out = append(out, scaling.Design{Depths: longer, Seeds: seeds * factor})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b scaling.Design) int { return cmp.Compare(layers(a), layers(b)) })
	return out
}

// leastNext is what a limit needs where depths or seeds are too few.
func (g *Group) leastNext() {
	if len(g.Next) > 0 || g.Regime.told() || g.Runs == g.Diverged {
		return
	}
	depths := slices.Clone(g.Depths)
	deep := func() int { return len(depths) - deepFrom(depths) }
	for deep() < 3 {
		depths = append(depths, max(2*regimeDepth, 2*depths[len(depths)-1]))
	}
	why := "a limit needs three depths of 8 layers or more and two seeds"
	g.Next = append(g.Next, Next{Part: g.part(), Of: "regime", Depths: depths, Seeds: max(3, len(g.Seeds)), Why: why})
}

// deepFrom is how many of ascending depths are too small for a limit.
func deepFrom(depths []int) int {
	at, _ := slices.BinarySearch(depths, regimeDepth)
	return at
}

// setCommands fills in the commands that run the designs, where the runs were trained here.
func (p *pass) setCommands(groups []Group) error {
	if p.listing == nil {
		return nil
	}
	started, err := runfolder.ReadStarted(p.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("analyze: %s: %w", p.dir, err)
	}
	for _, g := range groups {
		for i := range g.Next {
			n := &g.Next[i]
			switch {
			case len(n.Depths) == 0:
			case g.Imported:
				n.Why = "the weights were trained elsewhere: train these depths and seeds there, and import them"
			case err != nil:
				n.Why = "the folder does not say what was started"
			default:
				n.Command = command(p.dir, started.Set, n, g.Seeds)
			}
		}
	}
	return nil
}

// command is what runs a design in the folder of a study; what is there is not trained again.
func command(dir string, set []string, n *Next, seeds []uint64) string {
	words := []string{"deeplimit", "run", plain.ShellWord(filepath.Join(dir, "study.yaml")), "--out", plain.ShellWord(dir)}
	add := func(override string) { words = append(words, "--set", plain.ShellWord(override)) }
	for _, s := range set {
		if !strings.HasPrefix(s, "depths=") && !strings.HasPrefix(s, "seeds=") {
			add(s)
		}
	}
	add("depths=[" + numbers(n.Depths) + "]")
	list := slices.Clone(seeds)
	for next := slices.Max(list); len(list) < n.Seeds; {
		if next++; !slices.Contains(list, next) { // after the largest of all comes 0
			list = append(list, next)
		}
	}
	add("seeds=[" + numbers(list) + "]")
	return strings.Join(words, " ")
}

func numbers[N int | uint64](list []N) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, ", ")
}

// next writes what to run next, each design once.
func (t *tableWriter) next(group Group) {
	if group.Next == nil {
		return
	}
	t.row()
	if len(group.Next) == 0 {
		t.row("next: nothing is left open that greater depths or more seeds would tell")
		return
	}
	t.row("next: to tell", "now", "expected", "depths", "seeds")
	var commands, reasons []string
	for _, n := range group.Next {
		name := n.Of
		if len(group.Parts) > 1 {
			name += " of " + n.Part
		}
		sign := "± "
		if n.Of == "regime" {
			sign = ""
		}
		cell := func(v *float64) string {
			if v == nil {
				return short(math.NaN())
			}
			return sign + digits(*v, 2)
		}
		depths, seeds := short(math.NaN()), short(math.NaN())
		if len(n.Depths) > 0 {
			depths, seeds = numbers(n.Depths), fmt.Sprint(n.Seeds)
		}
		t.row(name, cell(n.Now), cell(n.Expected), depths, seeds)
		if n.Command != "" {
			commands = append(commands, n.Command)
		}
		if n.Why != "" {
			reasons = append(reasons, n.Why)
		}
	}
	for _, reason := range slices.Compact(reasons) {
		fmt.Fprintln(t, plain.Text(reason))
	}
	slices.Sort(commands)
	for _, command := range slices.Compact(commands) {
		fmt.Fprintln(t, "  "+plain.Text(command)) // --dry-run has its cost
	}
}
