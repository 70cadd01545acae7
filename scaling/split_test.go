package scaling

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/pvar"
)

// TestWhittakerEqualsDense holds the band solver to a dense one.
func TestWhittakerEqualsDense(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{4, 5, 8, 30} {
		for _, lambda := range []float64{1e-3, 1, 1e4} {
			const dim = 3
			x := noisePath(rng, n, dim, 1, gaussian)
			d := mat.NewDense(n-2, n, nil)
			for i := range n - 2 {
				d.Set(i, i, 1)
				d.Set(i, i+1, -2)
				d.Set(i, i+2, 1)
			}
			var system, want mat.Dense
			system.Mul(d.T(), d)
			system.Scale(lambda, &system)
			for i := range n {
				system.Set(i, i, 1+system.At(i, i))
			}
			if err := want.Solve(&system, mat.NewDense(n, dim, x.Data)); err != nil {
				t.Fatal(err)
			}
			got := make([]float64, n*dim)
			whittaker(got, x.Data, dim, lambda)
			// The condition number is at most 1 + 16λ, times n·2⁻⁵³ of a stable solver, twice over.
			tol := 4 * (1 + 16*lambda) * float64(n) * 0x1p-53
			for i, v := range got {
				if !(math.Abs(v-want.At(i/dim, i%dim)) <= tol) {
					t.Fatalf("n = %d, λ = %v: entry %d: got %v, want %v", n, lambda, i, v, want.At(i/dim, i%dim))
				}
			}
			var inverse mat.Dense
			if err := inverse.Inverse(&system); err != nil {
				t.Fatal(err)
			}
			// Wave numbers within 1 % put λμ² within 4 %, and 1/(1+λμ²) within 1 % of 1 each.
			if got, want := hatTrace(n, lambda), mat.Trace(&inverse); n >= 8 && !(math.Abs(got-want) <= 0.03*want) {
				t.Errorf("n = %d, λ = %v: trace %v, want %v", n, lambda, got, want)
			}
		}
	}
}

// TestSplitRecovers plants a trend and noise: the parts sum to the path, the
// noise has its size, and the error of the trend falls like the −4/5 power of L
// in squares that a spline attains.
func TestSplitRecovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	var samples []Sample
	for _, n := range []int{64, 256, 1024, 4096} {
		for seed := range uint64(6) {
			const dim, sigma = 9, 0.3
			truth := trendPath(rng, n, dim)
			x := noisePath(rng, n, dim, sigma, gaussian)
			for i, v := range truth.Data {
				x.Data[i] += v
			}
			trend, noise, err := Split(x)
			if err != nil {
				t.Fatal(err)
			}
			wrong, size := 0.0, 0.0
			for i, v := range x.Data {
				if !(math.Abs(trend.Data[i]+noise.Data[i]-v) <= 1e-15*(1+math.Abs(v))) {
					t.Fatalf("entry %d: parts sum to %v, want %v", i, trend.Data[i]+noise.Data[i], v)
				}
				wrong += math.Pow(trend.Data[i]-truth.Data[i], 2) / float64(len(x.Data))
				size += noise.Data[i] * noise.Data[i] / float64(len(x.Data))
			}
			if !(math.Abs(math.Sqrt(size)/sigma-1) <= 0.2) {
				t.Errorf("n = %d: noise of size %v, want %v", n, math.Sqrt(size), sigma)
			}
			samples = append(samples, Sample{n, seed, wrong})
		}
	}
	f, err := Fit(samples)
	if err != nil || !(f.Slope >= -1 && f.Slope <= -0.65) {
		t.Errorf("squared error of the trend goes like L^%v, %v, want about −4/5", f.Slope, err)
	}
}

func TestSplitSmoothIsTrend(t *testing.T) {
	x := trendPath(rand.New(rand.NewPCG(5, 5)), 512, 4)
	_, noise, err := Split(x)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range noise.Data {
		// Of a path with fourth derivative D at most Σ_j (jπ)⁴/j²·|a_j| < 10⁴, λ = 10⁻³ leaves λ·D/512⁴ inside
		// and λ^(1/2) times second differences, 10³/512², near the free ends.
		if !(math.Abs(v) <= 2e-4) {
			t.Fatalf("entry %d of the noise of a smooth path is %v", i, v)
		}
	}
}

func TestSplitErrors(t *testing.T) {
	_, _, err := Split(pvar.Scalars(make([]float64, 7)))
	if want := "scaling: split: got 7 points, want 8 or more"; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	x := pvar.Points{Dim: 2, Data: make([]float64, 20)}
	x.Data[7] = math.NaN()
	_, _, err = Split(x)
	if want := "scaling: split: point 3: got NaN, want a finite number"; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}
