package scaling

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/internal/random"
)

// The likelihood of third differences is that of normal numbers without the trend: dense matrices give
// −½ (log|K| + log|BᵀK⁻¹B|) and yᵀPy with P = K⁻¹ − K⁻¹B(BᵀK⁻¹B)⁻¹BᵀK⁻¹.
func TestWholeLikelihoodIsThatOfDenseMatrices(t *testing.T) {
	const exponent = 0.43
	r := random.New(5, "test")
	for _, s := range []structure{
		{part: layerNoise, phi: 0.7},
		{part: layerNoise, phi: -0.5},
		{part: layerNoise, next: 0.25},
		{part: roughPart},
		{part: roughPart, theta: 10},
	} {
		for _, depth := range []int{16, 64} {
			list := []series{{depth: depth, waves: waves(depth, 0), values: [][]float64{noisy(r, depth-3), noisy(r, depth-3)}, count: 2}}
			got := s.whiten(list, exponent)[0]
			n := depth - 3
			gamma := s.ofDifferences(depth, exponent)
			k, b := mat.NewSymDense(n, nil), mat.NewDense(n, len(list[0].waves), nil)
			for i := range n {
				for j := i; j < n; j++ {
					k.SetSym(i, j, gamma[j-i])
				}
				for j, wave := range list[0].waves {
					b.Set(i, j, wave[i])
				}
			}
			var root, inner mat.Cholesky
			var solved, normal mat.Dense
			if !root.Factorize(k) || root.SolveTo(&solved, b) != nil {
				t.Fatalf("%+v: want a covariance", s)
			}
			normal.Mul(b.T(), &solved)
			inner.Factorize(mat.NewSymDense(len(list[0].waves), normal.RawMatrix().Data))
			squares := 0.0
			for _, values := range list[0].values {
				y := mat.NewVecDense(n, values)
				var own, along, left mat.VecDense
				if err := root.SolveVecTo(&own, y); err != nil {
					t.Fatal(err)
				}
				along.MulVec(b.T(), &own)
				if err := inner.SolveVecTo(&left, &along); err != nil {
					t.Fatal(err)
				}
				squares += mat.Dot(y, &own) - mat.Dot(&along, &left)
			}
			logDet := 2 * (root.LogDet() + inner.LogDet())
			if !(math.Abs(got.logDet-logDet) < 1e-6*math.Abs(logDet)) || !(math.Abs(got.squares-squares) < 1e-6*squares) || got.numbers != float64(2*(n-len(list[0].waves))) {
				t.Errorf("%+v, depth %d: got %+v, want a log determinant of %v and squares of %v", s, depth, got, logDet, squares)
			}
		}
	}
}

func noisy(r interface{ NormFloat64() float64 }, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = r.NormFloat64()
	}
	return v
}

// Many entries leave the likelihood as it is when fewer vectors stand for them, also where one entry is a multiple of another.
func TestWholeLikelihoodOfManyEntries(t *testing.T) {
	const depth, entries = 32, 200
	r := random.New(7, "test")
	for _, distinct := range []int{entries, 5} {
		s := series{depth: depth, waves: waves(depth, 0), count: entries}
		for e := range entries {
			if e < distinct {
				s.values = append(s.values, noisy(r, depth-3))
			} else {
				s.values = append(s.values, s.values[e%distinct])
			}
		}
		few := s
		few.values = slices.Clone(s.values)
		few.shrink()
		if len(few.values) != depth-3 {
			t.Fatalf("got %d vectors, want %d", len(few.values), depth-3)
		}
		for _, law := range []structure{{part: layerNoise, phi: 0.7}, {part: roughPart, theta: 10}} {
			want, got := law.whiten([]series{s}, 0.43)[0], law.whiten([]series{few}, 0.43)[0]
			if !(math.Abs(got.squares-want.squares) <= 1e-10*want.squares) || got.numbers != want.numbers || got.logDet != want.logDet {
				t.Errorf("%+v, %d distinct entries: got %+v, want %+v", law, distinct, got, want)
			}
		}
	}
}

// At 128 layers a trend of degree 8, 6 degrees beyond what third differences remove, hardly enters the likelihood.
func TestTrendIsTakenOut(t *testing.T) {
	const depth = 128
	r := random.New(6, "test")
	trend := func(k int) float64 {
		s := float64(k) / depth
		return 50 * (s - 3*s*s + math.Pow(s, 5) - 2*math.Pow(s, 8))
	}
	noise := noisy(r, depth)
	plain := differencesOf(depth, func(k int) float64 { return noise[k] })
	bent := differencesOf(depth, func(k int) float64 { return noise[k] + trend(k) })
	for _, s := range []structure{{part: layerNoise, phi: 0.7}, {part: roughPart}} {
		of := func(d []float64) float64 {
			return s.whiten([]series{{depth: depth, waves: waves(depth, 0), values: [][]float64{d}, count: 1}}, 0.5)[0].squares
		}
		if a, b := of(plain), of(bent); !(math.Abs(a-b) < 1e-6*a) {
			t.Errorf("%+v: got squares of %v with a trend, %v without", s, b, a)
		}
	}
}

// At width 1 correlated noise is told from a Brownian part by the whole likelihood, and a steep rate of decay from
// noise that stays; priors and variograms alone leave both open in most draws.
func TestWholeLikelihoodTells(t *testing.T) {
	const draws = 8
	for name, c := range map[string]struct {
		kind  LimitKind
		least int
	}{
		"smooth + correlated noise 0.7": {SmoothAndNoise, 3},
		"Ornstein–Uhlenbeck 100":        {RoughLimit, 6},
	} {
		right := 0
		for draw := range uint64(draws) {
			paths, _ := drawn(t, name, 3*draw, []int{16, 32, 64, 128}, 3, 1, 0)
			x, err := Infer(paths, Assumptions{})
			if err != nil {
				t.Fatal(err)
			}
			if x.Verdict == c.kind {
				right++
			} else if x.Verdict != "" {
				t.Errorf("%s, draw %d: got %s", name, draw, x.Verdict)
			}
		}
		if right < c.least {
			t.Errorf("%s: got %d of %d verdicts, want %d or more", name, right, draws, c.least)
		}
	}
}
