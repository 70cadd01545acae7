package pvar

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawPath draws a path of one of the kinds that a search could get wrong.
func drawPath(t *rapid.T, dim, longest int) Points {
	n := rapid.IntRange(0, longest).Draw(t, "n")
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	kind := rapid.SampledFrom([]string{
		"noise", "walk", "lattice", "lattice walk", "constant", "monotone", "zig-zag",
		"rising zig-zag", "growing zig-zag", "shrinking zig-zag", "far origin", "smooth",
	}).Draw(t, "kind")
	x := Points{Dim: dim, Data: make([]float64, n*dim)}
	for i := range n {
		alternating := float64(1 - 2*(i%2))
		for k := range dim {
			before := 0.0
			if i > 0 {
				before = x.At(i - 1)[k]
			}
			var v float64
			switch kind {
			case "noise":
				v = rng.NormFloat64()
			case "walk":
				v = before + rng.NormFloat64()
			case "lattice":
				v = float64(rng.IntN(3))
			case "lattice walk":
				v = before + float64(rng.IntN(3)-1)
			case "constant":
				v = 0.7
			case "monotone":
				v = before + rng.ExpFloat64()*float64(rng.IntN(2))
			case "zig-zag":
				v = alternating
			case "rising zig-zag":
				v = alternating + 0.02*float64(i)
			case "growing zig-zag":
				v = alternating * (float64(i) + rng.Float64())
			case "shrinking zig-zag":
				v = alternating * (float64(n-i) + rng.Float64())
			case "far origin":
				v = 1e6 + rng.NormFloat64()
			case "smooth":
				v = math.Sin(float64(i)/float64(n)*9 + float64(k))
			}
			x.At(i)[k] = v
		}
	}
	return x
}

func drawP(t *rapid.T) float64 {
	if rapid.Bool().Draw(t, "common") {
		return rapid.SampledFrom([]float64{1, 1 + 1e-9, 1.001, 1.5, 2, 2.5, 3, 4, 30}).Draw(t, "p")
	}
	return rapid.Float64Range(1, 8).Draw(t, "p")
}

// checkAgainstDefinition fails unless Compute equals the definition and its
// partition is a witness.
func checkAgainstDefinition(t rapid.TB, metric Metric, x Points, p float64) {
	got, err := ComputeIn(metric, x, p)
	if err != nil {
		t.Fatal(err)
	}
	v, want := got[0], definition(metric, x, p)
	if !(math.Abs(v.Value-want.Value) <= tolerance(x, p)*want.Value) {
		t.Fatalf("p = %v: got %v by %v, want %v by %v", p, v.Value, v.Partition, want.Value, want.Partition)
	}
	n := x.Len()
	if n == 0 {
		if len(v.Partition) != 0 || v.Value != 0 {
			t.Fatalf("empty path: got %+v", v)
		}
		return
	}
	if v.Partition[0] != 0 || v.Partition[len(v.Partition)-1] != n-1 {
		t.Fatalf("partition %v does not run from 0 to %d", v.Partition, n-1)
	}
	s, sum := metric.space(x.Dim), 0.0
	for k := 1; k < len(v.Partition); k++ {
		i, j := v.Partition[k-1], v.Partition[k]
		if i >= j {
			t.Fatalf("partition %v does not increase", v.Partition)
		}
		sum += math.Pow(s.distance(x.At(i), x.At(j)), p)
	}
	// Plain summation of m terms ≥ 0 is off by (m−1) ulps at most.
	if !(math.Abs(sum-v.Value) <= float64(n+1)*0x1p-52*sum) {
		t.Fatalf("the partition sums to %v, want %v", sum, v.Value)
	}
}

func TestScalarsEqualDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range 50 {
			checkAgainstDefinition(t, Euclidean, drawPath(t, 1, 70), drawP(t))
		}
	})
}

// TestLongPathsEqualDefinition has blocks of every level that meets the bound of second order.
func TestLongPathsEqualDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, dim := range []int{2, 7, 20} {
		walk := brownian(900, dim)
		for kind, trend := range map[string]float64{"walk": 0, "trend and noise": 1} {
			x := Points{Dim: dim, Data: slices.Clone(walk.Data)}
			for i := range x.Data {
				if at := float64(i/dim) / 900; trend > 0 {
					x.Data[i] = math.Sin(5*at+float64(i%dim)) + 0.03*r.NormFloat64()
				}
			}
			t.Run(fmt.Sprintf("%s in R^%d", kind, dim), func(t *testing.T) {
				for _, p := range []float64{1.3, 1.5, 2, 2.2, 3} {
					checkAgainstDefinition(t, Euclidean, x, p)
				}
			})
		}
	}
}

func TestVectorsEqualDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			dim := rapid.SampledFrom([]int{2, 3, 5, 16, 20}).Draw(t, "dim")
			metric := rapid.SampledFrom([]Metric{Euclidean, Euclidean, L1, Sup}).Draw(t, "metric")
			checkAgainstDefinition(t, metric, drawPath(t, dim, 120), drawP(t))
		}
	})
}

func TestMatricesEqualDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			shape := rapid.SampledFrom([][2]int{{2, 2}, {1, 3}, {3, 2}, {4, 4}}).Draw(t, "shape")
			x := drawPath(t, shape[0]*shape[1], 40)
			checkAgainstDefinition(t, Spectral(shape[0], shape[1]), x, drawP(t))
		}
	})
}

// TestLaws checks what holds for every path: V_p(c·x + b) = |c|^p V_p(x); the norm
// V_p^{1/p} does not increase in p; adding a point does not lower V_p, and it is at
// least the sum over neighbours and the distance of the ends.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := drawPath(t, rapid.IntRange(1, 3).Draw(t, "dim"), 60)
		ps := []float64{1, 1.3, 2, 3.1, 5}
		whole, err := Compute(x, ps...)
		if err != nil {
			t.Fatal(err)
		}
		for k := 1; k < len(ps); k++ {
			if !(whole[k].Norm <= whole[k-1].Norm*(1+tolerance(x, 5))) {
				t.Fatalf("norms rise from %v at p = %v to %v at %v", whole[k-1].Norm, ps[k-1], whole[k].Norm, ps[k])
			}
		}
		if x.Len() < 2 {
			return
		}
		moved := Points{Dim: x.Dim, Data: slices.Clone(x.Data)}
		for i := range moved.Data {
			moved.Data[i] = -4 * moved.Data[i] // exact in floating point
		}
		cut := rapid.IntRange(0, x.Len()-1).Draw(t, "cut")
		fewer := Points{Dim: x.Dim, Data: slices.Delete(slices.Clone(x.Data), cut*x.Dim, (cut+1)*x.Dim)}
		scaled, err := Compute(moved, ps...)
		if err != nil {
			t.Fatal(err)
		}
		less, err := Compute(fewer, ps...)
		if err != nil {
			t.Fatal(err)
		}
		s := Euclidean.space(x.Dim)
		for k, p := range ps {
			tol := tolerance(moved, p)
			if want := math.Pow(4, p) * whole[k].Value; !(math.Abs(scaled[k].Value-want) <= tol*want) {
				t.Fatalf("p = %v: −4·x has %v, want %v", p, scaled[k].Value, want)
			}
			if !(less[k].Value <= whole[k].Value*(1+tol)) {
				t.Fatalf("p = %v: %v without point %d, %v with it", p, less[k].Value, cut, whole[k].Value)
			}
			neighbours := 0.0
			for i := range x.Len() - 1 {
				neighbours += math.Pow(s.distance(x.At(i), x.At(i+1)), p)
			}
			ends := math.Pow(s.distance(x.At(0), x.At(x.Len()-1)), p)
			if !(whole[k].Value >= max(neighbours, ends)*(1-tol)) {
				t.Fatalf("p = %v: got %v, below %v over neighbours or %v over the ends", p, whole[k].Value, neighbours, ends)
			}
		}
	})
}

// TestTranslation uses a lattice, on which translations are exact.
func TestTranslation(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range 200 {
		x := Points{Dim: 2, Data: make([]float64, 2*50)}
		y := Points{Dim: 2, Data: make([]float64, 2*50)}
		for i := range x.Data {
			x.Data[i] = float64(rng.IntN(9))
			y.Data[i] = x.Data[i] + 1<<40
		}
		a, _ := Compute(x, 1, 1.7, 2)
		b, err := Compute(y, 1, 1.7, 2)
		if err != nil {
			t.Fatal(err)
		}
		for k := range a {
			if a[k].Value != b[k].Value {
				t.Fatalf("p = %v: %v, translated %v", a[k].P, a[k].Value, b[k].Value)
			}
		}
	}
}

// TestClosedForms checks paths whose p-variation is known.
func TestClosedForms(t *testing.T) {
	line, zigzag, circle := make([]float64, 101), make([]float64, 101), Points{Dim: 2}
	for i := range line {
		line[i] = float64(i) / 100
		zigzag[i] = float64(i % 2)
	}
	const n = 12
	for k := range n + 1 {
		sin, cos := math.Sincos(2 * math.Pi * float64(k) / n)
		circle.Data = append(circle.Data, cos, sin)
	}
	for _, c := range []struct {
		name string
		path Points
		p    float64
		want float64
		part []int
	}{
		{"line", Scalars(line), 2.5, 1, []int{0, 100}},
		{"zig-zag", Scalars(zigzag), 2, 100, nil},
		{"zig-zag", Scalars(zigzag), 3.7, 100, nil},
		{"zig-zag", Scalars(zigzag), 1, 100, nil},
		// Of 12 points on the circle, chords of angle θ measure 2 sin(θ/2): at p = 2 two
		// diameters beat all else, 2·2² against 3·3, 4·2 and 12·(2 sin 15°)²; and 3·3 = 9 wins.
		{"circle", circle, 2, 9, nil},
		{"circle", circle, 1, n * 2 * math.Sin(math.Pi/n), nil},
		{"circle", circle, 3, 16, nil},
		{"constant", Scalars([]float64{2, 2, 2}), 2, 0, []int{0, 2}},
		{"plateau", Scalars([]float64{0, 1, 1, 0, 0}), 2, 2, []int{0, 1, 4}},
		{"one point", Scalars([]float64{7}), 2, 0, []int{0}},
		{"empty", Scalars(nil), 2, 0, nil},
	} {
		got, err := Compute(c.path, c.p)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !(math.Abs(got[0].Value-c.want) <= 1e-13*c.want) || c.part != nil && !slices.Equal(got[0].Partition, c.part) {
			t.Errorf("%s, p = %v: got %+v, want %v by %v", c.name, c.p, got[0], c.want, c.part)
		}
	}
}

// TestSeveralPowers holds the values for several p at once, on a path long enough
// for goroutines to overlap, to those for one p at a time.
func TestSeveralPowers(t *testing.T) {
	x := brownian(2000, 20)
	ps := []float64{3, 1, 2, 1.5, 2.5}
	all, err := Compute(x, ps...)
	if err != nil {
		t.Fatal(err)
	}
	for k, p := range ps {
		one, err := Compute(x, p)
		if err != nil {
			t.Fatal(err)
		}
		if one[0].Value != all[k].Value || !slices.Equal(one[0].Partition, all[k].Partition) || all[k].P != p {
			t.Errorf("p = %v: alone %v, among others %v", p, one[0].Value, all[k].Value)
		}
	}
	if got, err := Compute(x); err != nil || len(got) != 0 {
		t.Errorf("no p: got %v, %v", got, err)
	}
}

// TestRange checks paths whose squared differences leave the range of float64
// though the variation does not.
func TestRange(t *testing.T) {
	for _, scale := range []float64{0x1p-700, 0x1p+600} {
		for _, dim := range []int{1, 2} {
			x := Points{Dim: dim, Data: make([]float64, 3*dim)}
			x.Data[dim] = scale // 0, scale, 0 in the first entry
			got, err := Compute(x, 1, 1.25)
			if err != nil {
				t.Errorf("scale %v, dim %d: %v", scale, dim, err)
				continue
			}
			if got[0].Value != 2*scale || !(math.Abs(got[1].Value/math.Pow(scale, 1.25)-2) <= 1e-12) {
				t.Errorf("scale %v, dim %d: got %v", scale, dim, got)
			}
		}
	}
}

// TestScales holds norms to be homogeneous, V_p(c·x)^(1/p) = c·V_p(x)^(1/p), whatever c does to powers: scaled by
// a power of two the path has the same partition, and the value is the norm's power or, outside of
// float64, NaN.
func TestScales(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dim := rapid.IntRange(1, 5).Draw(t, "dim")
		x := brownian(rapid.IntRange(2, 60).Draw(t, "n"), dim)
		metric := rapid.SampledFrom([]Metric{Euclidean, L1, Sup, Spectral(dim, 1)}).Draw(t, "metric")
		p := rapid.SampledFrom([]float64{1, 1.5, 2, 2.5, 3, 7.3, 50, 200}).Draw(t, "p")
		e := rapid.IntRange(-1000, 1000).Draw(t, "exponent")
		before, err := ComputeIn(metric, x, p)
		if err != nil {
			t.Fatal(err)
		}
		y := Points{Dim: dim, Data: make([]float64, len(x.Data))}
		for i, v := range x.Data {
			y.Data[i] = math.Ldexp(v, e)
		}
		after, err := ComputeIn(metric, y, p)
		if err != nil {
			t.Fatal(err)
		}
		want, got := math.Ldexp(before[0].Norm, e), after[0].Norm
		if !(math.Abs(got-want) <= 1e-12*want) {
			t.Fatalf("%v, p = %v, 2^%d: got norm %v, want %v", metric, p, e, got, want)
		}
		if !slices.Equal(before[0].Partition, after[0].Partition) && p < 50 { // powers of p round differently where ties are close
			t.Fatalf("%v, p = %v, 2^%d: got partition %v, want %v", metric, p, e, after[0].Partition, before[0].Partition)
		}
		value := after[0].Value
		switch logarithm := p * math.Log2(want); {
		case logarithm < -1022-1e-9 || logarithm > 1024+1e-9:
			if !math.IsNaN(value) {
				t.Fatalf("%v, p = %v, 2^%d: got value %v, want NaN for 2^%v", metric, p, e, value, logarithm)
			}
		case logarithm > -1021 && logarithm < 1023:
			if !(math.Abs(math.Log2(value)-logarithm) <= 1e-9) {
				t.Fatalf("%v, p = %v, 2^%d: got value %v, want 2^%v", metric, p, e, value, logarithm)
			}
		}
	})
}

// TestTiny has the cases of single precision with p = 50 and of double precision with p = 2.
func TestTiny(t *testing.T) {
	for _, c := range []struct{ step, p float64 }{{float64(float32(1e-30)), 50}, {1e-200, 2}, {1e-300, 1.5}, {1e200, 2}, {1e-310, 1}, {0x1p-1074, 3}} {
		got, err := Compute(Scalars([]float64{0, c.step, 0, c.step, 0}), c.p)
		if err != nil {
			t.Errorf("step %v, p = %v: %v", c.step, c.p, err)
			continue
		}
		if want := c.step * math.Pow(4, 1/c.p); !(math.Abs(got[0].Norm-want) <= 1e-12*want+0x1p-1074) || !math.IsNaN(got[0].Value) {
			t.Errorf("step %v, p = %v: got value %v and norm %v, want NaN and %v", c.step, c.p, got[0].Value, got[0].Norm, want)
		}
		text, err := json.Marshal(got[0])
		if err != nil || !strings.Contains(string(text), `"value":null`) {
			t.Errorf("step %v: got %s, %v", c.step, text, err)
		}
	}
}

// brownian returns n points of a random walk in R^dim with standard normal steps.
func brownian(n, dim int) Points {
	rng := rand.New(rand.NewPCG(uint64(n), uint64(dim)))
	x := Points{Dim: dim, Data: make([]float64, n*dim)}
	for i := range x.Data {
		x.Data[i] = rng.NormFloat64()
		if i >= dim {
			x.Data[i] += x.Data[i-dim]
		}
	}
	return x
}
