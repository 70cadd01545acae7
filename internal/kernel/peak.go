package kernel

import "time"

// Peak returns the fused multiply-add rate in FLOP/s (two per fma) that the named
// tier's instructions reach on one core, measured for about 20 ms in a loop that
// touches registers only: the roof over every product in this package. It is the
// best of several short measurements, as a rate cannot be too high by chance.
func (ops *Ops[T]) Peak() float64 {
	const enough = 2 * time.Millisecond
	rounds, best := 1<<10, 0.0
	for slices := 0; slices < 10; {
		start := time.Now()
		flops := ops.peak(rounds)
		elapsed := time.Since(start)
		if elapsed < enough {
			rounds *= 2
			continue
		}
		best = max(best, flops/elapsed.Seconds())
		slices++
	}
	return best
}

// peakPortable runs rounds of 8 independent chains and returns the floating-point
// operations done.
func peakPortable[T Float](rounds int) float64 {
	var a, b, c, d, e, f, g, h T
	x, y := T(0.5), T(0.25)
	for range rounds {
		a, b, c, d = fma(a, x, y), fma(b, x, y), fma(c, x, y), fma(d, x, y)
		e, f, g, h = fma(e, x, y), fma(f, x, y), fma(g, x, y), fma(h, x, y)
	}
	if sum := a + b + c + d + e + f + g + h; sum != sum {
		panic("kernel: peak: NaN from finite numbers")
	}
	return float64(rounds) * 8 * 2
}
