package analyze

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/runfolder"
)

// The kinds of points along training.
const (
	AtLoss            = "loss"             // where J first falls to a level
	AtIterations      = "iterations"       // after so many steps
	AtEpochs          = "epochs"           // after so many passes over the samples
	AtLayerIterations = "layer-iterations" // after so many steps times layers
)

// A Point is a place along training that runs are compared at.
type Point struct {
	Of    string  `json:"of"` // a kind
	Value float64 `json:"value"`
}

// String writes it as ParsePoints reads it.
func (p Point) String() string { return p.Of + "=" + strconv.FormatFloat(p.Value, 'g', -1, 64) }

// ParsePoints reads "loss=0.1,0.01". What is wrong is a *field.Error.
func ParsePoints(text string) ([]Point, error) {
	const want = "a kind and its values, such as loss=0.1,0.01: loss, iterations, epochs or layer-iterations"
	of, list, found := strings.Cut(text, "=")
	if !found || !slices.Contains([]string{AtLoss, AtIterations, AtEpochs, AtLayerIterations}, of) {
		return nil, &field.Error{Path: "at", Got: text, Want: want}
	}
	var points []Point
	for value := range strings.SplitSeq(list, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		switch {
		case err != nil || math.IsInf(v, 0) || math.IsNaN(v):
			return nil, &field.Error{Path: "at", Got: text, Want: want}
		case of == AtLoss && !(v > 0):
			return nil, &field.Error{Path: "at", Got: text, Want: "losses above 0"}
		case v < 0 || of == AtIterations && v != math.Trunc(v):
			return nil, &field.Error{Path: "at", Got: text, Want: "numbers ≥ 0, whole ones for iterations"}
		}
		points = append(points, Point{of, v})
	}
	return points, nil
}

// A Moment is what the runs say at one point of training. Its runs and groups have the keys of those at the end.
type Moment struct {
	At string `json:"at"` // as in loss=0.1
	Point
	Runs   []Run   `json:"runs"`
	Groups []Group `json:"groups"`
	// Never lists the runs that never get there.
	Never []Unreached `json:"never"`
}

// Unreached is a run that never gets to a point, and why.
type Unreached struct {
	ID    string `json:"id"`
	Group string `json:"group"`
	Why   string `json:"why"`
}

// A Place says where a run is at a point, and which of its numbers were recorded there.
type Place struct {
	Iteration float64 `json:"iteration"`
	// Interpolated are the columns of the trace whose values lie between two rows: losses on a straight line
	// of their logarithm against the iteration, other numbers on one of their own.
	Interpolated []string `json:"interpolated"`
	// Between are the iterations of the records of path statistics around the place, the same twice where it
	// has one; null where there are none.
	Between *[2]int `json:"between"`
}

// place returns the iteration of a point in a trace, or why the run never gets there.
func (p Point) place(meta *runfolder.Meta, rows []runfolder.Row) (t float64, why string) {
	if len(rows) == 0 {
		return 0, "it has no trace"
	}
	rows, before := lastLevel(meta, rows)
	if len(rows) == 0 {
		return 0, "it is a cascade that ended at a shallower network"
	}
	first, last := float64(rows[0].Iteration), float64(rows[len(rows)-1].Iteration)
	defer func() {
		if why == "" && t < first {
			why = fmt.Sprintf("it is a cascade, which comes to depth %d at iteration %g", meta.Depth, first)
		}
	}()
	switch p.Of {
	case AtLoss:
		return placeOfLoss(rows, p.Value)
	case AtIterations:
		t = p.Value
	case AtEpochs:
		per, err := perEpoch(meta)
		if err != nil {
			return 0, err.Error()
		}
		t = p.Value * per
	case AtLayerIterations:
		t = first + (p.Value-before)/float64(meta.Depth)
	}
	if whole := math.Round(t); math.Abs(t-whole) <= 1e-12*whole {
		t = whole // 1.1 times 10 is 11 but for rounding
	}
	if t > last {
		return 0, fmt.Sprintf("it ends after %g iterations", last)
	}
	return t, ""
}

// placeOfLoss returns where the loss, its logarithm on straight lines between rows, first falls to the level.
func placeOfLoss(rows []runfolder.Row, level float64) (t float64, why string) {
	known := slices.DeleteFunc(slices.Clone(rows), func(r runfolder.Row) bool { return r.Loss == nil || math.IsNaN(*r.Loss) })
	iterations, losses := runfolder.Losses(known)
	at := slices.IndexFunc(losses, func(j float64) bool { return j <= level })
	switch {
	case len(losses) == 0:
		return 0, "its loss is not known"
	case at < 0:
		return 0, "its least loss is " + short(slices.Min(losses))
	case losses[at] == level:
		return float64(iterations[at]), ""
	case at == 0:
		return 0, "its loss is below from the start: " + short(losses[0])
	}
	from, to := float64(iterations[at-1]), float64(iterations[at])
	if why := apart(&known[at-1], &known[at]); why != "" {
		return 0, fmt.Sprintf("its loss falls from %s to %s in one go, %s: train.record.every has it in between", short(losses[at-1]), short(losses[at]), why)
	}
	if !(losses[at] > 0) || math.IsInf(losses[at-1], 0) {
		return to, "" // no logarithm: the first iterate that is below
	}
	return from + (to-from)*math.Log(losses[at-1]/level)/math.Log(losses[at-1]/losses[at]), ""
}

// perEpoch returns the iterations of an epoch.
func perEpoch(meta *runfolder.Meta) (float64, error) {
	var config struct {
		Train struct {
			Batch int `json:"batch"`
		} `json:"train"`
	}
	if err := json.Unmarshal(meta.Config, &config); err != nil {
		return 0, fmt.Errorf("its configuration does not say what an epoch is: %w", err)
	}
	if batch := config.Train.Batch; batch > 0 && meta.Samples > 0 {
		return math.Ceil(float64(meta.Samples) / float64(batch)), nil
	}
	return 1, nil
}

// A reader reads numbers of a trace at one iteration, which may lie between two.
type reader struct {
	rows         []runfolder.Row
	t            float64
	interpolated []string
	far          []string // columns whose rows are too far apart, with the reason
}

// Rows are near enough to interpolate between where the iteration of the later one is at most 1.3 times that of the first
// and one more, as with a geometric cadence, or where the losses of the two differ by a factor 2 at most.
const (
	nearIterations = 1.3
	nearLoss       = 2
)

// at returns the number of a column, NaN where it is not known.
func (r *reader) at(column string) float64 {
	i, j := -1, -1 // the rows around t
	for k := range r.rows {
		if r.rows[k].Column(column) == nil {
			continue
		}
		if float64(r.rows[k].Iteration) <= r.t {
			i = k
		}
		if float64(r.rows[k].Iteration) >= r.t {
			j = k
			break
		}
	}
	if i < 0 || j < 0 {
		return math.NaN()
	}
	a, b := &r.rows[i], &r.rows[j]
	x, y := *a.Column(column), *b.Column(column)
	if i == j {
		return x
	}
	if why := apart(a, b); why != "" {
		r.far = append(r.far, column+" ("+why+")")
		return math.NaN()
	}
	r.interpolated = append(r.interpolated, column)
	share := (r.t - float64(a.Iteration)) / float64(b.Iteration-a.Iteration)
	if strings.HasSuffix(column, "loss") && x > 0 && y > 0 {
		return math.Exp((1-share)*math.Log(x) + share*math.Log(y))
	}
	return (1-share)*x + share*y
}

// apart says why two rows are too far apart to interpolate between, "" where they are not.
func apart(a, b *runfolder.Row) string {
	if float64(b.Iteration) <= nearIterations*float64(a.Iteration)+1 {
		return ""
	}
	if a.Loss != nil && b.Loss != nil && *a.Loss <= nearLoss**b.Loss && *b.Loss <= nearLoss**a.Loss {
		return ""
	}
	return fmt.Sprintf("recorded at iterations %d and %d", a.Iteration, b.Iteration)
}

// path returns the statistics of a source.
func (r *reader) path(source runfolder.Source, exponents []float64) *PathNumbers {
	at := func(statistic string) float64 { return r.at(source.Key(statistic)) }
	n := &PathNumbers{
		MaxFrobenius: at("max_frobenius"), MaxIncrement: at("max_increment"), RootSumSquares: at("root_sum_squares"),
		QuadraticVariation: at("quadratic_variation"), PVariation: map[string]float64{},
		Displacement: math.NaN(), DisplacementVariation: math.NaN(), Hoelder: math.NaN(), HoelderUniform: math.NaN(),
	}
	for _, p := range exponents {
		n.PVariation[exponentText(p)] = at("v_" + exponentText(p))
	}
	return n
}

// atPoint returns the numbers of a run at a point, or why it never gets there. end is the run at its end.
func atPoint(end *Run, meta *runfolder.Meta, rows []runfolder.Row, p Point, options Options) (*Run, string) {
	t, why := p.place(meta, rows)
	if why != "" {
		return nil, why
	}
	last, before := lastLevel(meta, rows)
	r := &reader{rows: last, t: t}
	run := Run{
		ID: end.ID, Group: end.Group, Settings: end.Settings, Data: end.Data, Alpha: end.Alpha, Depth: end.Depth, Seed: end.Seed,
		Iterations: int(math.Ceil(t)), LayerIterations: int(before) + meta.Depth*(int(math.Ceil(t))-int(last[0].Iteration)), Stop: end.Stop, Loss: r.at("loss"), CopyOf: end.CopyOf,
		TestLoss: finite(r.at("test_loss")), Validation: finite(r.at("validation_loss")),
		Accuracy: finite(r.at("accuracy")), TestAcc: finite(r.at("test_accuracy")), ValidationAcc: finite(r.at("validation_accuracy")),
	}
	if math.IsNaN(run.Loss) && run.Stop != runfolder.Diverged {
		return nil, fmt.Sprintf("its loss at iteration %g is not known", t)
	}
	if trained(meta) {
		run.MeanDelta, run.DeltaMaxFrobenius = finite(r.at("delta")), r.at("delta_max_frobenius")
	}
	numbers := r.path(runfolder.FromWeights, options.Exponents)
	numbers.DisplacementPath = r.path(runfolder.FromDisplacement, options.Exponents)
	numbers.Displacement, numbers.DisplacementVariation = numbers.DisplacementPath.MaxFrobenius, r.at("displacement_v_1")
	run.PathNumbers, run.Parts = *numbers, map[string]PathNumbers{meta.Part(): *numbers}
	iterations, losses := runfolder.Losses(rows)
	until, _ := slices.BinarySearch(iterations, run.Iterations+1)
	iterations, losses = iterations[:until], losses[:until]
	switch {
	case run.Diverged():
		run.RateReason = "the run diverged"
	case len(end.Levels) > 0:
		run.RateReason = notOneNetwork
	default:
		run.Rate, run.RateReason = FitRate(iterations, losses)
	}
	if options.Trace {
		run.LossIterations, run.LossTrace = iterations, losses
	}
	if len(r.far) > 0 {
		run.Notes = append(run.Notes, fmt.Sprintf("at %s: no value of %s, too far apart to interpolate: train.record.losses, or a finer cadence, records nearer ones", p, firstOf(r.far)))
	}
	slices.Sort(r.interpolated)
	run.At = &Place{Iteration: t, Interpolated: append([]string{}, slices.Compact(r.interpolated)...), Between: around(rows, t)}
	return &run, ""
}

// firstOf lists the first columns and how many more.
func firstOf(columns []string) string {
	slices.Sort(columns)
	columns = slices.Compact(columns)
	if len(columns) == 1 {
		return columns[0]
	}
	return fmt.Sprintf("%s and %d more", columns[0], len(columns)-1)
}

// around returns the iterations of the records around t, nil without any.
func around(rows []runfolder.Row, t float64) *[2]int {
	from, to := -1, -1
	for i := range rows {
		if rows[i].Column("v_1") == nil {
			continue
		}
		n := int(rows[i].Iteration)
		if float64(n) <= t {
			from = n
		}
		if float64(n) >= t && to < 0 {
			to = n
		}
	}
	if from < 0 || to < 0 {
		return nil
	}
	return &[2]int{from, to}
}
