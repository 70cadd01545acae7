package report

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// linearTicks returns about want labelled marks, two at least, at multiples of 1, 2 or 5 times a
// power of ten in [low, high], low < high.
func linearTicks(low, high float64, want int) []plot.Tick {
	step := niceStep((high - low) / float64(want))
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	scientific := max(math.Abs(low), math.Abs(high)) >= 1e6 || decimals > 4
	var ticks []plot.Tick
	for i := math.Ceil(low/step - 1e-9); i <= high/step+1e-9; i++ {
		v := i * step
		label := decimal(v, decimals)
		if scientific {
			label = powerLabel(v)
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: label})
	}
	if len(ticks) < 2 && want < 32 { // one number says nothing of a scale
		return linearTicks(low, high, 2*max(1, want))
	}
	return ticks
}

// niceStep returns the number among 1, 2 and 5 times a power of ten with the least
// ratio to x.
func niceStep(x float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(x)))
	best := power
	for _, m := range []float64{2, 5, 10} {
		if math.Abs(math.Log(m*power/x)) < math.Abs(math.Log(best/x)) {
			best = m * power
		}
	}
	return best
}

// logTicks returns marks for a logarithmic axis over [low, high], 0 < low < high:
// powers of ten where three or more fit, every n-th labelled where more than want
// do; else 1, 2 and 5 times a power of ten, or, where those are more than 2.5 times as many as
// want, powers of ten, and 3 times one where there is one of them; over less than a decade, even steps.
func logTicks(low, high float64, want int) []plot.Tick {
	first := int(math.Ceil(math.Log10(low) - 1e-9))
	last := int(math.Floor(math.Log10(high) + 1e-9))
	if last-first < 2 {
		return shortLogTicks(low, high, want)
	}
	stride := (last - first + want) / want
	for stride > 1 && math.Floor(float64(last)/float64(stride)) <= math.Ceil(float64(first)/float64(stride)) { // two labels at least
		stride--
	}
	var ticks []plot.Tick
	for e := first - 1; e <= last; e++ {
		power := math.Pow(10, float64(e))
		tick := plot.Tick{Value: power}
		switch {
		case e%stride == 0:
			tick.Label = "$10^{" + minus(strconv.Itoa(e)) + "}$"
		case stride > 5: // a mark for every decade would be a black edge
			continue
		}
		ticks = append(ticks, tick)
		for m := 2; m < 10 && stride == 1 && last-first < 6; m++ {
			ticks = append(ticks, plot.Tick{Value: float64(m) * power})
		}
	}
	return within(ticks, low, high)
}

func shortLogTicks(low, high float64, want int) []plot.Tick {
	if math.Log10(high/low) < 0.85 {
		return linearTicks(low, high, want-1)
	}
	labelled := []int{1, 2, 5}
	if 3*math.Log10(high/low) > 2.5*float64(want) {
		labelled = []int{1}
		if math.Floor(math.Log10(high)) == math.Ceil(math.Log10(low)) {
			labelled = []int{1, 3}
		}
	}
	var ticks []plot.Tick
	for e := math.Floor(math.Log10(low)); e <= math.Log10(high); e++ {
		for m := 1; m < 10; m++ {
			tick := plot.Tick{Value: float64(m) * math.Pow(10, e)}
			if slices.Contains(labelled, m) {
				tick.Label = powerLabel(tick.Value)
			}
			ticks = append(ticks, tick)
		}
	}
	return within(ticks, low, high)
}

// depthTicks marks every depth of a logarithmic axis over [low, high] and labels as
// many, from the largest down, as keep a distance of a share apart of the axis.
func depthTicks(depths []int, low, high, apart float64) []plot.Tick {
	var ticks []plot.Tick
	last := math.Inf(1)
	for _, depth := range slices.Backward(depths) {
		at := math.Log(float64(depth)/low) / math.Log(high/low)
		tick := plot.Tick{Value: float64(depth)}
		if last-at >= apart {
			tick.Label = strconv.Itoa(depth)
			last = at
		}
		ticks = append(ticks, tick)
	}
	return ticks
}

// nameTicks marks 0, 1, … and labels every stride-th.
func nameTicks(names []string, stride int) []plot.Tick {
	var ticks []plot.Tick
	for i, name := range names {
		tick := plot.Tick{Value: float64(i)}
		if i%max(1, stride) == 0 {
			tick.Label = name
		}
		ticks = append(ticks, tick)
	}
	return ticks
}

// within returns the ticks of [low, high].
func within(ticks []plot.Tick, low, high float64) []plot.Tick {
	const slack = 1e-9
	return slices.DeleteFunc(ticks, func(t plot.Tick) bool {
		return t.Value < low*(1-slack) || t.Value > high*(1+slack)
	})
}

// powerLabel writes v plainly, or as m×10^e where e is below −3 or above 5.
func powerLabel(v float64) string {
	if v == 0 {
		return "0"
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', 5, 64), "e")
	e, _ := strconv.Atoi(exponent)
	if e >= -3 && e <= 5 {
		return minus(trimZeros(strconv.FormatFloat(v, 'f', max(0, 5-e), 64)))
	}
	power := "$10^{" + minus(strconv.Itoa(e)) + "}$"
	if m := trimZeros(mantissa); m != "1" {
		return minus(m) + "×" + power
	}
	return power
}

// trimZeros drops the zeros that end the fraction of a decimal number.
func trimZeros(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}

// minus writes a leading hyphen as the minus sign it stands for.
func minus(s string) string {
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		return "−" + rest
	}
	return s
}

// The ends of an axis stay within these, where its length, and the ratio of a logarithmic one's ends, are numbers.
const (
	largestEnd  = math.MaxFloat64 / 4
	smallestEnd = 1e-307 // of a logarithmic axis, and the least length of another
)

// widen returns [low, high] with a share of its length added at both ends, on a
// logarithmic axis of its ratio. A single value gets room around it, and so does
// nothing at all (low > high): the range is one that an axis can show.
func widen(low, high, share float64, logarithmic bool) (float64, float64) {
	if !(low <= high) {
		low, high = 1, 1
	}
	if logarithmic {
		low, high = min(max(low, 1.5*smallestEnd), largestEnd/1.5), min(max(high, 1.5*smallestEnd), largestEnd/1.5)
		l, h := math.Log(low), math.Log(high)
		if h-l < 1e-9 {
			return low / 1.5, high * 1.5
		}
		pad := share * (h - l)
		return max(math.Exp(l-pad), smallestEnd), min(math.Exp(h+pad), largestEnd)
	}
	low, high = min(max(low, -largestEnd), largestEnd), min(max(high, -largestEnd), largestEnd)
	if !(high-low > max(1e-12*max(math.Abs(low), math.Abs(high)), smallestEnd)) {
		room := max(1, math.Abs(high)) / 2
		return low - room, high + room
	}
	pad := share * (high - low)
	return low - pad, high + pad
}
