// Package depth says how deep a network need be for a study: the loss that networks go to as they grow deeper, and the depth
// from which on more of it stops paying.
//
// # The limit
//
// A network of L layers discretises its limit, so that its loss is y(L) = y∞ + c/L where that error is what changes with
// depth. Its order is p = log((y₁ − y₂)/(y₂ − y₃))/log r, from the means over seeds at the three deepest depths, each r times
// the one before, with the interval that leaving out a seed gives. Where that interval holds 1, or the order of one seed is 1
// to a tenth, y∞ = (L₃y₃ − L₂y₂)/(L₃ − L₂) of each seed [Richardson], and otherwise the loss of the deepest network stands for it.
// The interval of the limit is Student's over seeds, wider by the distance to the same from one depth fewer.
//
// # The knee
//
// Of one seed it is the least depth L after which no deeper network M has less than (1 − gain)^log₂(M/L) of its loss: each
// doubling of the depth, and so of the cost, lowers the loss by less than gain on average. The knee of a study is that of the means,
// and its ends are the least and largest of it and the knees of its seeds. There is no upper end where the largest is the deepest
// depth: a deeper one may pay. A loss in training at or below train.stop.loss counts as it, as no less was asked for.
package depth

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// A Run is a trained network of a study.
type Run struct {
	Depth           int
	Seed            uint64
	Value           float64 // what is compared: a loss
	LayerIterations int
	Seconds         float64
}

// A Result is what `deeplimit depth` finds.
type Result struct {
	Study   string  `json:"study"`
	Measure string  `json:"measure"` // loss or test-loss
	Gain    float64 `json:"gain"`
	Limit   Limit   `json:"limit_loss"`
	Knee    Knee    `json:"knee"`
	Levels  []Level `json:"levels"`
	// Sentence says both.
	Sentence string   `json:"sentence"`
	Notes    []string `json:"notes,omitempty"`
}

// Limit is the loss at L = ∞; its ends and order are null where they are not known.
type Limit struct {
	Value     float64  `json:"value"`
	Low       *float64 `json:"low"`
	High      *float64 `json:"high"`
	Method    string   `json:"method"` // richardson or deepest
	Order     *float64 `json:"order"`
	OrderLow  *float64 `json:"order_low"`
	OrderHigh *float64 `json:"order_high"`
}

// Knee is the depth from which on more depth stops paying; High is null where more than the deepest network has may pay.
type Knee struct {
	Depth int  `json:"depth"`
	Low   int  `json:"low"`
	High  *int `json:"high"`
}

// A Level is one depth: the mean of the loss over seeds, its interval, and what training cost.
type Level struct {
	Depth           int      `json:"depth"`
	Runs            int      `json:"runs"`
	Loss            float64  `json:"loss"`
	Low             *float64 `json:"low"`
	High            *float64 `json:"high"`
	LayerIterations float64  `json:"layer_iterations"` // mean
	Seconds         float64  `json:"seconds"`
}

// The ways to a limit.
const (
	byRichardson = "richardson"
	byDeepest    = "deepest"
)

// Of returns the answer from runs of every seed at every depth; least is what a loss counts as at the least. It is an error if
// there are not two depths, or a run is missing or has no loss.
func Of(runs []Run, gain, least float64) (*Result, error) {
	if !(gain > 0 && gain < 1) {
		return nil, fmt.Errorf("depth: gain: got %v, want a number in (0, 1)", gain)
	}
	depths, seeds, values, err := tableOf(runs, least)
	if err != nil {
		return nil, err
	}
	r := &Result{Gain: gain, Levels: levelsOf(depths, runs, values)}
	r.Limit = limitOf(depths, seeds, values)
	r.Knee = kneeOf(depths, seeds, values, gain)
	if r.Knee.High == nil {
		r.Notes = append(r.Notes, fmt.Sprintf("the deepest networks, of %d layers, pay for their depth, or those of a seed do: deeper ones would tell where that ends", depths[len(depths)-1]))
	}
	if len(seeds) == 1 {
		r.Notes = append(r.Notes, "one seed: the ends of the knee are its own, and those of the limit the error of the extrapolation alone")
	}
	return r, nil
}

// tableOf returns the values by depth and seed.
func tableOf(runs []Run, least float64) (depths []int, seeds []uint64, values [][]float64, err error) {
	for _, run := range runs {
		depths, seeds = append(depths, run.Depth), append(seeds, run.Seed)
	}
	slices.Sort(depths)
	slices.Sort(seeds)
	depths, seeds = slices.Compact(depths), slices.Compact(seeds)
	if len(depths) < 2 {
		return nil, nil, nil, fmt.Errorf("depth: got %d depths, want two or more", len(depths))
	}
	for _, depth := range depths {
		row := make([]float64, len(seeds))
		for i, seed := range seeds {
			at := slices.IndexFunc(runs, func(r Run) bool { return r.Depth == depth && r.Seed == seed })
			if at < 0 || math.IsNaN(runs[at].Value) || math.IsInf(runs[at].Value, 0) {
				return nil, nil, nil, fmt.Errorf("depth: depth %d, seed %d: got no loss, want one of every seed at every depth (a smaller train.step.value where a run diverged)", depth, seed)
			}
			row[i] = max(runs[at].Value, least)
		}
		values = append(values, row)
	}
	return depths, seeds, values, nil
}

// levelsOf returns the depths with means and Student's intervals over seeds.
func levelsOf(depths []int, runs []Run, values [][]float64) []Level {
	var levels []Level
	for i, depth := range depths {
		level := Level{Depth: depth}
		level.Loss, level.Low, level.High = interval(values[i], 0)
		for _, run := range runs {
			if run.Depth == depth {
				level.Runs++
				level.LayerIterations += float64(run.LayerIterations)
				level.Seconds += run.Seconds
			}
		}
		level.LayerIterations /= float64(level.Runs)
		level.Seconds /= float64(level.Runs)
		levels = append(levels, level)
	}
	return levels
}

// interval returns the mean and Student's 95 % interval of it, wider by an error; nil ends for one value without an error.
func interval(values []float64, err float64) (mean float64, low, high *float64) {
	mean = stat.Mean(values, nil)
	half := err
	if n := len(values); n > 1 {
		half += distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - 1)}.Quantile(0.975) * stat.StdDev(values, nil) / math.Sqrt(float64(n))
	} else if err == 0 {
		return mean, nil, nil
	}
	return mean, new(mean - half), new(mean + half)
}

// limitOf returns the loss at L = ∞.
func limitOf(depths []int, seeds []uint64, values [][]float64) Limit {
	last := len(depths) - 1
	deepest := Limit{Method: byDeepest}
	deepest.Value, deepest.Low, deepest.High = interval(values[last], math.Abs(stat.Mean(values[last], nil)-stat.Mean(values[last-1], nil)))
	if last < 2 {
		return deepest
	}
	order, low, high, ok := orderOf(depths, values)
	if !ok {
		return deepest
	}
	deepest.Order, deepest.OrderLow, deepest.OrderHigh = &order, low, high
	first := math.Abs(order-1) <= 0.1 // of one seed, to a tenth
	if low != nil {
		first = *low <= 1 && 1 <= *high
	}
	if !first {
		return deepest
	}
	at := func(deep int) []float64 {
		shallow, out := deep-1, make([]float64, len(seeds))
		from, to := float64(depths[shallow]), float64(depths[deep])
		for s := range seeds {
			out[s] = (to*values[deep][s] - from*values[shallow][s]) / (to - from)
		}
		return out
	}
	l := Limit{Method: byRichardson, Order: &order, OrderLow: low, OrderHigh: high}
	l.Value, l.Low, l.High = interval(at(last), math.Abs(stat.Mean(at(last), nil)-stat.Mean(at(last-1), nil)))
	return l
}

// orderOf returns the order of the change of the mean at the three deepest depths, which must be in one ratio, with the
// interval of the jackknife over seeds, nil for one seed; ok is false where the means do not change one way.
func orderOf(depths []int, values [][]float64) (order float64, low, high *float64, ok bool) {
	last := len(depths) - 1
	if depths[last]*depths[last-2] != depths[last-1]*depths[last-1] {
		return 0, nil, nil, false
	}
	ratio := math.Log(float64(depths[last]) / float64(depths[last-1]))
	without := func(seed int) float64 {
		mean := func(level int) float64 {
			sum, n := 0.0, 0.0
			for s, v := range values[level] {
				if s != seed {
					sum, n = sum+v, n+1
				}
			}
			return sum / n
		}
		return math.Log((mean(last-2)-mean(last-1))/(mean(last-1)-mean(last))) / ratio
	}
	order = without(-1)
	n := len(values[0])
	if math.IsNaN(order) || math.IsInf(order, 0) {
		return 0, nil, nil, false
	}
	if n == 1 {
		return order, nil, nil, true
	}
	left := make([]float64, n)
	for s := range n {
		left[s] = without(s)
	}
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - 1)}.Quantile(0.975) * stat.StdDev(left, nil) * float64(n-1) / math.Sqrt(float64(n))
	if math.IsNaN(half) || math.IsInf(half, 0) {
		return 0, nil, nil, false
	}
	return order, new(order - half), new(order + half), true
}

// kneeOf returns the knee of the means, with the least and the largest of the seeds.
func kneeOf(depths []int, seeds []uint64, values [][]float64, gain float64) Knee {
	curve := func(of func(level []float64) float64) int {
		for i, depth := range depths {
			pays := false
			for j := i + 1; j < len(depths); j++ {
				share := math.Pow(1-gain, math.Log2(float64(depths[j])/float64(depth)))
				pays = pays || of(values[j]) < share*of(values[i])
			}
			if !pays {
				return depth
			}
		}
		return depths[len(depths)-1]
	}
	k := Knee{Depth: curve(func(level []float64) float64 { return stat.Mean(level, nil) })}
	low, high := k.Depth, k.Depth
	for s := range seeds {
		knee := curve(func(level []float64) float64 { return level[s] })
		low, high = min(low, knee), max(high, knee)
	}
	k.Low = low
	if high < depths[len(depths)-1] {
		k.High = &high
	}
	return k
}
