package resnet

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/deeplimit/deeplimit/internal/random"
)

// drawn returns the entries of A (L,d,d) that a resolved section gives.
func drawn(t testing.TB, initial Initial, depth, width int, seed uint64) []float64 {
	t.Helper()
	alpha := 0.5
	spec, err := Spec{Alpha: &alpha}.Resolve(width, width)
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := initial.Resolve(spec, depth)
	if err != nil {
		t.Fatal(err)
	}
	net, err := New(spec, depth, width, width)
	if err != nil {
		t.Fatal(err)
	}
	theta, err := Parameters[float64](net, resolved, seed, "")
	if err != nil {
		t.Fatal(err)
	}
	return View(net.Layout, theta, "A")
}

func at(amplitude, exponent float64) (a, e *float64) { return &amplitude, &exponent }

// TestStandardDraws checks mean and variance of the independent kinds: over n draws
// of variance v the sample variance has standard error at most v·√(2/n).
func TestStandardDraws(t *testing.T) {
	const depth, width = 100, 20
	n := float64(depth * width * width)
	// Var of N(0,1) cut at ±2: 1 − 2·2φ(2)/(2Φ(2)−1).
	cut := 1 - 4*math.Exp(-2)/math.Sqrt(2*math.Pi)/math.Erf(math.Sqrt2)
	for kind, variance := range map[string]float64{"normal": 1, "truncated-normal": cut, "uniform": 1} {
		i := Initial{Kind: kind}
		i.Amplitude, i.Exponent = at(3, 0.5)
		entries := drawn(t, i, depth, width, 1)
		mean, v := stat.MeanVariance(entries, nil)
		want := variance * 9 / depth
		if !(math.Abs(mean) <= 4*math.Sqrt(want/n)) || !(math.Abs(v/want-1) <= 4*math.Sqrt(2/n)) {
			t.Errorf("%s: mean %g, variance %g, want 0 and %g", kind, mean, v, want)
		}
	}
	i := Initial{Kind: "constant"}
	i.Amplitude, i.Exponent = at(2, 1)
	if got := drawn(t, i, 4, 2, 1); slices.Min(got) != 0.5 || slices.Max(got) != 0.5 {
		t.Errorf("constant 2·L^−1 at L = 4: got %v, want all 0.5", got)
	}
}

// TestTied wants one draw for all layers, and for all depths up to the scale.
func TestTied(t *testing.T) {
	i := Initial{Kind: "normal", Tied: true}
	i.Amplitude, i.Exponent = at(1, 0)
	entries := drawn(t, i, 3, 2, 7)
	if !slices.Equal(entries[:4], entries[4:8]) || !slices.Equal(entries[:4], entries[8:]) || entries[0] == entries[1] {
		t.Errorf("layers differ or entries do not: %v", entries)
	}
	if deeper := drawn(t, i, 5, 2, 7); !slices.Equal(deeper[:4], entries[:4]) {
		t.Errorf("depth 5 has %v, depth 3 has %v", deeper[:4], entries[:4])
	}
}

// TestCoupled wants the noise of depth L to be sums of that of depth 2L, exactly
// where both are powers of two and nearly (the path is cut off 40 levels below)
// where not; and standard normal on its own.
func TestCoupled(t *testing.T) {
	i := Initial{Kind: "normal", Coupled: true}
	i.Amplitude, i.Exponent = at(1, 0)
	for depth, tol := range map[int]float64{16: 1e-14, 48: 1e-5} {
		coarse, fine := drawn(t, i, depth, 4, 3), drawn(t, i, 2*depth, 4, 3)
		for k := range depth {
			for e := range 16 {
				sum := (fine[2*k*16+e] + fine[(2*k+1)*16+e]) / math.Sqrt2
				if !(math.Abs(coarse[k*16+e]-sum) <= tol) {
					t.Fatalf("depth %d, layer %d: got %g, want %g from depth %d", depth, k+1, coarse[k*16+e], sum, 2*depth)
				}
			}
		}
	}
	entries := drawn(t, i, 1000, 8, 5)
	mean, variance := stat.MeanVariance(entries, nil)
	lag := stat.Correlation(entries[:len(entries)-64], entries[64:], nil)
	n := float64(len(entries))
	if !(math.Abs(mean) <= 4/math.Sqrt(n)) || !(math.Abs(variance-1) <= 4*math.Sqrt(2/n)) || !(math.Abs(lag) <= 4/math.Sqrt(n)) {
		t.Errorf("depth 1000: mean %g, variance %g, correlation of neighbours %g, want 0, 1, 0", mean, variance, lag)
	}
}

// TestFractional checks the self-similarity E|B(s)−B(t)|² = |s−t|^2H of the values
// over many entries, and that coupled depths share their path.
func TestFractional(t *testing.T) {
	for _, hurst := range []float64{0.3, 0.5, 0.8} {
		for _, coupled := range []bool{false, true} {
			i := Initial{Kind: "fractional-brownian", Hurst: hurst, Coupled: coupled}
			i.Amplitude, i.Exponent = at(1, 0)
			const depth = 64
			width := 24
			if coupled {
				width = 6 // each entry is drawn on 65,536 points
			}
			entries := drawn(t, i, depth, width, 9)
			for _, gap := range []int{1, 8, 32} {
				n := float64(width * width)
				sum := norm(entries[(gap-1)*width*width : gap*width*width]) // of B(gap/L) − B(0)
				sum *= sum
				want := math.Pow(float64(gap)/depth, 2*hurst)
				if !(math.Abs(sum/n/want-1) <= 4*math.Sqrt(2/n)) {
					t.Errorf("H = %g, coupled %t: E|B(%d/64)|² is %g, want %g", hurst, coupled, gap, sum/n, want)
				}
			}
		}
		i := Initial{Kind: "fractional-brownian", Hurst: hurst, Coupled: true}
		i.Amplitude, i.Exponent = at(1, 0)
		coarse, fine := drawn(t, i, 8, 2, 4), drawn(t, i, 16, 2, 4)
		for k := range 8 {
			for e := range 4 {
				if !(math.Abs(coarse[k*4+e]-fine[(2*k+1)*4+e]) <= 1e-12) {
					t.Fatalf("H = %g: depths 8 and 16 do not share their path at layer %d", hurst, k+1)
				}
			}
		}
		noise := Initial{Kind: "fractional-noise", Hurst: hurst}
		noise.Amplitude, noise.Exponent = at(1, 0)
		increments := drawn(t, noise, 256, 16, 6)
		lag := stat.Correlation(increments[:len(increments)-256], increments[256:], nil)
		want := math.Pow(2, 2*hurst-1) - 1
		if _, v := stat.MeanVariance(increments, nil); !(math.Abs(v-1) <= 0.06) || !(math.Abs(lag-want) <= 0.03) {
			t.Errorf("H = %g: noise has variance %g and lag-one correlation %g, want 1 and %g", hurst, v, lag, want)
		}
	}
}

// TestSmoothProcess checks the covariance exp(−(s−t)²/2ℓ²) over many entries.
func TestSmoothProcess(t *testing.T) {
	i := Initial{Kind: "gaussian-process", Length: 0.2}
	i.Amplitude, i.Exponent = at(1, 0)
	const depth, width = 20, 40
	entries := drawn(t, i, depth, width, 2)
	n := width * width
	layer := func(k int) []float64 { return entries[(k-1)*n : k*n] }
	for _, pair := range [][2]int{{3, 3}, {3, 5}, {3, 7}, {1, 20}} {
		s := float64(pair[1]-pair[0]) / depth
		want := math.Exp(-s * s / (2 * 0.2 * 0.2))
		got := inner(layer(pair[0]), layer(pair[1])) / float64(n)
		if !(math.Abs(got-want) <= 4*math.Sqrt(2/float64(n))) {
			t.Errorf("covariance of layers %v: got %g, want %g", pair, got, want)
		}
	}
}

// TestOrthonormal wants FᵀF or FFᵀ to be the identity, to the rounding of a QR.
func TestOrthonormal(t *testing.T) {
	for _, size := range [][2]int{{5, 5}, {7, 3}, {3, 7}, {1, 4}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			f := mat.NewDense(size[0], size[1], orthonormal(size[0], size[1], random.New(1, "frame")))
			var gram mat.Dense
			if size[0] >= size[1] {
				gram.Mul(f.T(), f)
			} else {
				gram.Mul(f, f.T())
			}
			rows, _ := gram.Dims()
			for i := range rows {
				for j := range rows {
					want := 0.0
					if i == j {
						want = 1
					}
					if !(math.Abs(gram.At(i, j)-want) <= 1e-14) {
						t.Errorf("Gram matrix at (%d,%d) is %g, want %g", i, j, gram.At(i, j), want)
					}
				}
			}
		})
	}
}
