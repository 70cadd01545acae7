package transfer

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// reach is how many times as deep a reference is at least as the networks whose errors against it enter an order: at
// nearer ones its own error counts.
const reach = 8

// leastSeeds is how many seeds give the interval of an order of simulated draws; fewer leave it to blocks of draws.
const leastSeeds = 3

// orders returns the orders of a group's errors: those of the trends, and of the simulated draws. The notes say which
// cannot be had.
func orders(group []*chain, reference int) (list []runfolder.TransferOrder, notes []string) {
	list = []runfolder.TransferOrder{}
	var losses, outputs []scaling.Sample
	limited := true
	for _, c := range group {
		limit := c.record.LossLimit
		if limited = limited && limit != nil; !limited {
			break
		}
		for _, t := range c.record.Targets {
			if !slices.Contains(limit.Depths, t.Depth) {
				losses = append(losses, scaling.Sample{Depth: t.Depth, Seed: c.seed, Value: math.Abs(t.Trend - limit.Value)})
			}
		}
	}
	if limited {
		list = addOrder(list, "trend_loss", "the limit J∞ extrapolated from depths "+fmt.Sprint(group[0].record.LossLimit.Depths), losses)
	}
	if reference == 0 {
		return list, nil
	}
	against := fmt.Sprintf("depth %d", reference)
	depths := entering(group[0], reference)
	for _, c := range group {
		for _, t := range c.record.Targets {
			if slices.Contains(depths, t.Depth) {
				outputs = append(outputs, scaling.Sample{Depth: t.Depth, Seed: c.seed, Value: t.Errors.Trend})
			}
		}
	}
	list = addOrder(list, "trend", against, outputs)
	for _, of := range []string{"strong", "weak", "weak_square"} {
		o, why := simulatedOrder(group, of, depths)
		if why != "" {
			notes = append(notes, "no order of "+of+": "+why)
			continue
		}
		o.Against = against
		list = append(list, o)
	}
	if len(depths) > 0 && reach*depths[len(depths)-1] > reference {
		for i := range list {
			if list[i].Against == against {
				warn(&list[i], "depth %d is less than eight times as deep as the networks compared with it", reference)
			}
		}
	}
	return list, notes
}

// entering returns the depths whose errors enter orders: those of an eighth of the reference at most, if two are left,
// else all below it.
func entering(c *chain, reference int) []int {
	var near, below []int
	for _, t := range c.record.Targets {
		if t.Depth < reference {
			below = append(below, t.Depth)
		}
		if reach*t.Depth <= reference {
			near = append(near, t.Depth)
		}
	}
	if len(near) < 2 {
		return below
	}
	return near
}

// addOrder adds the slope of one value a seed at each depth.
func addOrder(list []runfolder.TransferOrder, of, against string, samples []scaling.Sample) []runfolder.TransferOrder {
	samples = slices.DeleteFunc(samples, func(s scaling.Sample) bool { return !(s.Value > 0) || math.IsInf(s.Value, 0) })
	slope, err := scaling.Fit(samples)
	if err != nil || slope.Method == scaling.NoInterval {
		return list
	}
	o := runfolder.TransferOrder{
		Of: of, Exponent: slope.Slope, Low: finite(slope.Low), High: finite(slope.High), Method: slope.Method, Depths: slope.Depths, Against: against,
		Warning: slope.Warning,
	}
	return append(list, o)
}

func warn(o *runfolder.TransferOrder, format string, args ...any) {
	if o.Warning != "" {
		o.Warning += "; "
	}
	o.Warning += fmt.Sprintf(format, args...)
}

// mostDeviation is the largest standard deviation of the logarithm of an error that chance leaves for the error to enter an order.
const mostDeviation = 0.5

// modelError is the standard deviation of the logarithm of an error beside that of chance.
const modelError = 0.02

// simulatedOrder returns the order of an error of simulated draws: the slope of log error in log L by least squares,
// weighted by the variance that leaving out a unit gives, with the interval by Student's t. Units are seeds, where there
// are leastSeeds of them, else blocks of draws. It returns why there is none.
func simulatedOrder(group []*chain, of string, depths []int) (o runfolder.TransferOrder, why string) {
	units := len(group)
	o = runfolder.TransferOrder{Of: of, Method: scaling.BySeeds}
	if units < leastSeeds {
		o.Method = "draws"
		units = len(group[0].sums)
	}
	switch {
	case len(group[0].sums) == 0:
		return o, "initial weights from files are of no other depth"
	case of == "strong" && group[0].record.Targets[0].Errors.Strong == nil:
		return o, "depths do not share their draws; initial.coupled: true gives all one path"
	case units < 2 || of != "strong" && group[0].record.Targets[0].Errors.Draws < 2:
		return o, "got one draw, want more (--draws)"
	}
	var x, y, weights []float64
	var without [][]float64 // log error by depth and unit
	for i, t := range group[0].record.Targets {
		if !slices.Contains(depths, t.Depth) {
			continue
		}
		logs := make([]float64, units)
		for u := range units {
			logs[u] = logError(group, of, i, o.Method, u)
		}
		value, deviation := logError(group, of, i, o.Method, -1), jackknifed(logs)
		if math.IsNaN(value) || !(deviation <= mostDeviation) {
			warn(&o, "at depth %d chance hides the error", t.Depth)
			continue
		}
		x, y = append(x, math.Log(float64(t.Depth))), append(y, value)
		weights = append(weights, 1/(deviation*deviation+modelError*modelError))
		without = append(without, logs)
		o.Depths = append(o.Depths, t.Depth)
	}
	if len(x) < 2 {
		return o, "chance hides the error at all depths but one or none; want more --draws or shallower --depth"
	}
	o.Exponent = weightedSlope(x, y, weights)
	slopes := make([]float64, units)
	for u := range units {
		left := make([]float64, len(x))
		for i := range x {
			left[i] = without[i][u]
		}
		slopes[u] = weightedSlope(x, left, weights)
	}
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(units - 1)}.Quantile(0.975) * jackknifed(slopes)
	o.Low, o.High = finite(o.Exponent-half), finite(o.Exponent+half)
	return o, ""
}

// logError returns the logarithm of an error at the i-th target depth, over all draws of all seeds but those of the unit
// without: NaN where chance alone would make it as large.
func logError(group []*chain, of string, i int, method string, without int) float64 {
	sum, count := 0.0, 0.0
	for s, c := range group {
		if method == scaling.BySeeds && s == without {
			continue
		}
		var all sums
		for b := range c.sums {
			if method == scaling.BySeeds || b != without {
				all.add(&c.sums[b][i])
			}
		}
		switch of {
		case "strong":
			sum += all.strong()
		case "weak":
			sum += all.weak(len(c.problem.Samples.X) / c.problem.Network.Inputs)
		case "weak_square":
			sum += all.weakSquare()
		}
		count++
	}
	return math.Log(sum/count) / 2
}

// jackknifed returns the standard deviation of an estimate from its values without each unit.
func jackknifed(without []float64) float64 {
	n, mean, squares := float64(len(without)), 0.0, 0.0
	for _, v := range without {
		mean += v / n
	}
	for _, v := range without {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt((n - 1) / n * squares)
}

// weightedSlope returns the slope of y in x by weighted least squares.
func weightedSlope(x, y, weights []float64) float64 {
	total, meanX, meanY := 0.0, 0.0, 0.0
	for i, w := range weights {
		total += w
		meanX += w * x[i]
		meanY += w * y[i]
	}
	meanX, meanY = meanX/total, meanY/total
	xy, xx := 0.0, 0.0
	for i, w := range weights {
		xy += w * (x[i] - meanX) * (y[i] - meanY)
		xx += w * (x[i] - meanX) * (x[i] - meanX)
	}
	return xy / xx
}
