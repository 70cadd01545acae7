package resnet

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestSpectrum holds the extreme singular values to gonum's SVD, for random matrices
// of any shape, scale and condition, from the side that makes them bounds.
func TestSpectrum(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var s spectrum
	for trial := range 2000 {
		rows, cols := 1+random.IntN(14), 1+random.IntN(14)
		scale := math.Pow(10, 40*random.Float64()-20)
		steep := math.Pow(10, -8*random.Float64()*float64(trial%2)) // of rows, for the condition
		m := make([]float64, rows*cols)
		for i := range m {
			m[i] = random.NormFloat64() * scale * math.Pow(steep, float64(i/cols)/float64(rows))
		}
		if trial%10 == 0 { // of rank one
			for i := range m {
				m[i] = m[i%cols] * float64(1+i/cols)
			}
		}
		var svd mat.SVD
		if !svd.Factorize(mat.NewDense(rows, cols, m), mat.SVDNone) {
			t.Fatal("no SVD")
		}
		values := svd.Values(nil)
		high, low := values[0], values[len(values)-1]
		n := float64(max(rows, cols))
		// gonum's values err by about n units of the norm; each of 7 roots adds n + 8 units
		// of a trace that is at most n times the eigenvalue.
		up, least := s.largest(m, rows, cols), math.Pow(float64(min(rows, cols)), 1.0/256)
		if !(up >= high*(1-n*0x1p-53) && up <= high*least*(1+8*(n+8)*n*n*0x1p-53)) {
			t.Errorf("%d×%d: largest %v, SVD %v", rows, cols, up, high)
		}
		down := s.smallest(m, rows, cols)
		if !(down >= 0 && down <= low+n*0x1p-53*high && down >= low*(1-6e-4)-10*n*0x1p-53*high) {
			t.Errorf("%d×%d: smallest %v, SVD %v of norm %v", rows, cols, down, low, high)
		}
	}
	same := []float64{3, 0, 0, 0, 3, 0, 0, 0, 3} // all singular values equal: the worst case
	if got, want := s.largest(same, 3, 3), 3*math.Pow(3, 1.0/256); !(math.Abs(got-want) <= 1e-13*want) {
		t.Errorf("three times the identity: got %v, want %v", got, want)
	}
	if s.largest(make([]float64, 6), 2, 3) != 0 || s.smallest(make([]float64, 6), 2, 3) != 0 {
		t.Error("the zero matrix has singular values that are not 0")
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		if got := s.largest([]float64{1, bad}, 1, 2); !math.IsNaN(got) {
			t.Errorf("entry %v: got %v, want NaN", bad, got)
		}
	}
}

func BenchmarkSpectrum(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	m := make([]float64, 100)
	for i := range m {
		m[i] = random.NormFloat64()
	}
	var s spectrum
	b.Run("largest/d=10", func(b *testing.B) {
		for b.Loop() {
			s.largest(m, 10, 10)
		}
	})
	b.Run("smallest/d=10/n=8", func(b *testing.B) {
		for b.Loop() {
			s.smallest(m[:80], 8, 10)
		}
	})
}
