package scaling

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// A Shift is how curves of log Measure against log Setting move with depth.
type Shift struct {
	// The exponent of the shift. Intercept puts the line through the minima of the curves, and R2 is theirs about
	// it, from −1 to 1: below 0 where a level line is nearer, as minima of flat curves lie anywhere.
	Slope
	// Left and Right are the exponents of what lies left and right of the minima alone; nil where there
	// is too little of it.
	Left, Right *Slope
	// Apart reports that the intervals of Left and Right are disjoint: the two flanks move differently.
	Apart bool
	// Windows are the exponents between neighbouring depths, ascending, and Deeper is that without the shallowest depth: where
	// they differ from Slope, the depths are not yet those of a power law. Empty, and nil, for two depths.
	Windows []Window
	Deeper  *Slope
}

// A Window is the exponent between two neighbouring depths alone.
type Window struct {
	From     int   `json:"from"` // depths
	To       int   `json:"to"`
	Exponent Slope `json:"exponent"`
}

// Collapse returns the exponent b with which curves of several depths lie best on one another: each seed's
// curves log Measure = c_L + F(log Setting − b log L), F any function and c_L free for each depth.
//
// For each seed it maximises, over |b| ≤ 3, the likelihood of the distances between all pairs of shifted curves, over
// log Setting: of every trial of one curve to a monotone cubic through those of the other. Errors are Cauchy's, so that
// what the curves do not have in common (the depth of the bottom beside flanks of one height) does not pull at b. The
// variance of a distance is that over seeds at the trials, and the square of what the cubic differs from straight lines:
// nothing is known between trials, so that those far apart on a bend say little. At least half of the shorter curve must
// lie on the other. The estimate is the mean over seeds. The interval is Student's t over seeds, each known no better than the
// trials resolve, wider by what straight lines in place of cubics change, and never narrower than the trials resolve.
//
// Trials that diverged are left out. Fewer than two depths with three trials each of one
// seed are an error.
func Collapse(trials []Trial) (Shift, error) {
	curves, bowls, err := curvesOf(trials)
	if err != nil {
		return Shift{}, fmt.Errorf("scaling: collapse: %w", err)
	}
	whole, err := collapse(curves)
	if err != nil {
		return Shift{}, fmt.Errorf("scaling: collapse: %w", err)
	}
	s := Shift{Slope: whole}
	s.through(bowls)
	for _, flank := range []struct {
		to   **Slope
		side float64
	}{{&s.Left, -1}, {&s.Right, 1}} {
		if part, err := collapse(flankOf(curves, bowls, flank.side)); err == nil {
			part.through(bowls)
			*flank.to = &part
		}
	}
	s.parts(curves, bowls)
	if l, r := s.Left, s.Right; l != nil && r != nil && l.Estimate().Known() && r.Estimate().Known() {
		s.Apart = l.High < r.Low || r.High < l.Low
	}
	return s, nil
}

// parts sets the exponents of some of the depths, of three depths or more.
func (s *Shift) parts(curves []curve, bowls []Bowl) {
	if len(bowls) < 3 {
		return
	}
	among := func(bowls []Bowl) (Slope, bool) {
		var part []curve
		for _, c := range curves {
			if slices.ContainsFunc(bowls, func(b Bowl) bool { return b.Depth == c.depth }) {
				part = append(part, c)
			}
		}
		slope, err := collapse(part)
		slope.through(bowls)
		return slope, err == nil
	}
	for i := range len(bowls) - 1 {
		if slope, ok := among(bowls[i : i+2]); ok {
			s.Windows = append(s.Windows, Window{bowls[i].Depth, bowls[i+1].Depth, slope})
		}
	}
	if slope, ok := among(bowls[1:]); ok {
		s.Deeper = &slope
	}
}

// through puts the line of a slope through the minima, and says how near they are.
func (s *Slope) through(bowls []Bowl) {
	var x, y []float64
	for _, b := range bowls {
		x, y = append(x, math.Log(float64(b.Depth))), append(y, math.Log(b.Setting))
	}
	mean := stat.Mean(y, nil)
	s.Intercept = mean - s.Slope*stat.Mean(x, nil)
	rss, tss := 0.0, 0.0
	for i := range x {
		left, deviation := y[i]-s.Intercept-s.Slope*x[i], y[i]-mean
		rss, tss = rss+left*left, tss+deviation*deviation
	}
	if s.R2 = 1; rss > 0 {
		s.R2 = max(1-rss/tss, -1) // tss is 0 where all minima are level
	}
}

// A curve is the trials of one depth and seed that did not diverge.
type curve struct {
	depth    int
	seed     uint64
	x, y     []float64 // log Setting, ascending, and log Measure
	variance []float64 // of the noise: over seeds, and a floor
}

// floorShare is the share of a curve's height that counts as noise beside that over seeds: what a cubic
// through trials some factor apart misses.
const floorShare = 0.01

// curvesOf returns the curves of all depths that have a bowl.
func curvesOf(trials []Trial) (curves []curve, bowls []Bowl, err error) {
	bowls, _ = BowlsByDepth(trials)
	if len(bowls) < 2 {
		return nil, nil, errors.New("got fewer than two depths with a minimum, want two or more")
	}
	for _, part := range byDepth(trials) {
		c, err := newBowlTrials(part)
		if err != nil {
			return nil, nil, err
		}
		if len(c.x) < 3 {
			continue
		}
		floor := floorShare * (slices.Max(c.mean) - slices.Min(c.mean))
		variance := make([]float64, len(c.x))
		for i := range variance {
			variance[i] = max(1e-12, floor*floor) + c.scatter(i)
		}
		for s, y := range c.y {
			curves = append(curves, curve{c.depth, c.seeds[s], c.x, y, variance})
		}
	}
	return curves, bowls, nil
}

// scatter returns the variance over seeds at column i, their heights taken out.
func (c *bowlTrials) scatter(i int) float64 {
	if len(c.y) < 2 {
		return 0
	}
	values := make([]float64, len(c.y))
	for s, y := range c.y {
		values[s] = y[i] - stat.Mean(y, nil)
	}
	return stat.Variance(values, nil)
}

// flankOf returns what lies on one side of the minima, the minima with it.
func flankOf(curves []curve, bowls []Bowl, side float64) []curve {
	var out []curve
	for _, c := range curves {
		i := slices.IndexFunc(bowls, func(b Bowl) bool { return b.Depth == c.depth })
		if i < 0 {
			continue
		}
		at := math.Log(bowls[i].Tried) - side*1e-9
		part := curve{depth: c.depth, seed: c.seed}
		for k, x := range c.x {
			if side*(x-at) >= 0 {
				part.x, part.y, part.variance = append(part.x, x), append(part.y, c.y[k]), append(part.variance, c.variance[k])
			}
		}
		if len(part.x) >= 3 {
			out = append(out, part)
		}
	}
	return out
}

// collapse returns the exponent over seeds. Its interval holds what straight lines between the trials would
// give in place of cubics: what the curves are between trials is not known.
func collapse(curves []curve) (Slope, error) {
	seeds := map[uint64][]curve{}
	for _, c := range curves {
		seeds[c.seed] = append(seeds[c.seed], c)
	}
	var samples []Sample
	var exponents, apart []float64
	for _, seed := range slices.Sorted(maps.Keys(seeds)) {
		b, ok := best(pairsOf(seeds[seed], false), -steepest, steepest)
		const about = 8 * scanStep
		other, also := best(pairsOf(seeds[seed], true), b-about, b+about)
		if !ok || !also {
			continue
		}
		exponents, apart = append(exponents, b), append(apart, other-b)
		for _, c := range seeds[seed] {
			samples = append(samples, Sample{Depth: c.depth, Seed: seed})
		}
	}
	if len(exponents) == 0 {
		return Slope{}, errors.New("got no seed with two depths whose curves can lie on one another, want one or more")
	}
	n, resolved := float64(len(exponents)), resolution(curves)
	mean, sd := stat.MeanStdDev(exponents, nil)
	s := Slope{Slope: mean, Low: math.NaN(), High: math.NaN(), Method: NoInterval, Warning: "one seed gives no interval", Basis: basisOf(samples)}
	if len(exponents) > 1 {
		half := student(n-1, 0.975) * math.Hypot(sd, resolved) / math.Sqrt(n)
		half = max(half+math.Abs(stat.Mean(apart, nil)), resolved)
		s.Low, s.High, s.Method, s.Warning = mean-half, mean+half, BySeeds, ""
	}
	return s, nil
}

// resolution returns the exponent that moves a curve by an eighth of the median distance of trials between the shallowest
// and the deepest.
func resolution(curves []curve) float64 {
	var gaps []float64
	shallow, deep := math.MaxInt, 0
	for _, c := range curves {
		shallow, deep = min(shallow, c.depth), max(deep, c.depth)
		for i := range len(c.x) - 1 {
			gaps = append(gaps, c.x[i+1]-c.x[i])
		}
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2] / 8 / math.Log(float64(deep)/float64(shallow))
}

// The exponents that are tried.
const (
	steepest = 3.0
	scanStep = 0.03
)

// best returns the exponent in [from, to] with which the curves of one seed lie best on one another; false where none does.
func best(pairs []pair, from, to float64) (exponent float64, ok bool) {
	at := func(b float64) float64 {
		sum := 0.0
		for i := range pairs {
			sum += pairs[i].distance(b)
		}
		return sum
	}
	least := math.Inf(1)
	if len(pairs) == 0 {
		return 0, false
	}
	for i := range int(math.Round((to-from)/scanStep)) + 1 {
		b := from + scanStep*float64(i)
		if q := at(b); q < least {
			exponent, least = b, q
		}
	}
	if math.IsInf(least, 1) {
		return 0, false
	}
	low, high := exponent-scanStep, exponent+scanStep
	for range 12 { // golden section
		const ratio = 0.6180339887498949
		a, b := high-ratio*(high-low), low+ratio*(high-low)
		if at(a) <= at(b) {
			high = b
		} else {
			low = a
		}
	}
	return (low + high) / 2, true
}

// A pair is two curves of different depths, each with what joins its trials.
type pair struct {
	curves [2]curve
	joints [2]joint
	gaps   []gap // memory for distance
}

func pairsOf(curves []curve, straight bool) []pair {
	var pairs []pair
	for i := range curves {
		for j := range i {
			if curves[j].depth == curves[i].depth {
				continue
			}
			p := pair{curves: [2]curve{curves[j], curves[i]}}
			for k := range p.curves {
				p.joints[k] = newJoint(&p.curves[k], straight)
			}
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// distance returns how far the curves, shifted by exponent b in depth, are apart: the mean over log Setting of
// minus the log likelihood of Cauchy errors, with the height between them that makes it least; +Inf where less than
// half of the shorter one lies on the other.
func (p *pair) distance(b float64) float64 {
	shift := b * math.Log(float64(p.curves[1].depth)/float64(p.curves[0].depth))
	p.gaps = p.gaps[:0]
	covered, logs := 0.0, 0.0
	for k := range p.curves {
		by, sign := shift, 1.0
		if k == 1 {
			by, sign = -shift, -1
		}
		c, o := &p.curves[k], &p.joints[1-k]
		for i, x := range c.x {
			value, variance, ok := o.at(x + by)
			if !ok {
				continue
			}
			g := gap{sign * (c.y[i] - value), variance + c.variance[i], c.share(i)}
			p.gaps = append(p.gaps, g)
			covered += g.share
			logs += g.share * math.Log(g.variance) / 2
		}
	}
	shorter := min(p.curves[0].span(), p.curves[1].span())
	if !(covered >= shorter) { // both directions count
		return math.Inf(1)
	}
	return (lowest(p.gaps) + logs) / covered
}

// A gap is how far a trial of one curve lies from the other, the variance of that, and the part of log Setting that
// it stands for.
type gap struct{ height, variance, share float64 }

// heights is how many heights between two curves are tried.
const heights = 16

// lowest returns the least cost of gaps over the height that is taken off all of them: one of their own.
func lowest(gaps []gap) float64 {
	slices.SortFunc(gaps, func(a, b gap) int { return cmp.Compare(a.height, b.height) })
	least := math.Inf(1)
	for k := range min(heights, len(gaps)) {
		c := gaps[k*(len(gaps)-1)/max(1, min(heights, len(gaps))-1)].height
		cost := 0.0
		for _, g := range gaps {
			cost += g.share * math.Log1p((g.height-c)*(g.height-c)/g.variance)
		}
		least = min(least, cost)
	}
	return least
}

// share returns the part of log Setting that trial i stands for.
func (c *curve) share(i int) float64 {
	return (c.x[min(i+1, len(c.x)-1)] - c.x[max(i-1, 0)]) / 2
}

func (c *curve) span() float64 { return c.x[len(c.x)-1] - c.x[0] }
