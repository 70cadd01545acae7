package machine

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"runtime"
	"runtime/debug"
	"sync"

	"gonum.org/v1/gonum/floats"
)

// Portable is the arithmetic of programs whose results are the same, bit for bit, on every processor.
const Portable = "portable"

// Arithmetic returns Portable for a program built with the flags of internal/machine/overlay, as make and make release do,
// else what its floating-point operations are compiled for: GOARCH and, on amd64, GOAMD64, as in "amd64 v1" or
// "arm64". Programs that differ in it may fuse different multiplications and additions, or sum in another order, and their
// results differ in the last bits.
//
// It finds out by computing: whether multiplications and additions are fused, which values Exp, Exp2, Log and Hypot have, and in
// which order gonum sums.
var Arithmetic = sync.OnceValue(func() string {
	if check() == portableCheck {
		return Portable
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "GOAMD64" {
				return runtime.GOARCH + " " + setting.Value
			}
		}
	}
	return runtime.GOARCH
})

// portableCheck is what check returns where nothing is fused and no assembly is used.
const portableCheck = 0xad9f4998b33f9ecd

// check returns a hash of numbers that tell how the program computes.
func check() uint64 {
	const n = 257
	x, y := make([]float64, n), make([]float64, n)
	state := uint64(1)
	for i := range n {
		// A linear congruence (Knuth's MMIX): numbers of 53 bits in [1, 2).
		state = state*6364136223846793005 + 1442695040888963407
		x[i] = math.Float64frombits(1023<<52 | state>>12)
		y[n-1-i] = x[i] - 1.5
	}
	sum := fnv.New64a()
	add := func(v float64) {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
		sum.Write(b[:]) // to memory, so without error
	}
	for i := range n {
		add(x[i]*y[i] + x[n-1-i])
		add(x[i]*y[i] - y[n-1-i])
		add(x[n-1-i] - x[i]*y[i])
		add(math.Exp(8 * y[i]))
		add(math.Exp2(8 * y[i]))
		add(math.Log(x[i]))
		add(math.Hypot(x[i], y[i]))
	}
	for _, part := range []int{7, 64, n} {
		add(floats.Dot(x[:part], y[:part]))
		add(floats.Sum(y[:part]))
	}
	return sum.Sum64()
}
