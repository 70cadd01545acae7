package bench

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/internal/npy"
)

// dumped is what a peer reads.
type dumped struct {
	facts
	x, y, a, gradient []float64
}

func readDump(t *testing.T, dtype string, shape Shape) dumped {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "problem")
	if err := Dump(dir, shape, dtype, Options{Workers: 2}); err != nil {
		t.Fatal(err)
	}
	var p dumped
	text, err := os.ReadFile(filepath.Join(dir, "problem.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &p.facts); err != nil {
		t.Fatal(err)
	}
	d, n, depth := shape.Width(), shape.Samples(), shape.Depth()
	for _, array := range []struct {
		name string
		to   *[]float64
		size int
	}{{"X", &p.x, n * d}, {"Y", &p.y, n * d}, {"A", &p.a, depth * d * d}, {"gradient", &p.gradient, depth * d * d}} {
		got, values, err := npy.Read(filepath.Join(dir, array.name+".npy"))
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{array.size}; !slices.Equal(got, want) {
			t.Fatalf("%s: got shape %v, want %v", array.name, got, want)
		}
		*array.to = values
	}
	return p
}

// loss computes J at weights a from the definition, sample by sample.
func (p *dumped) loss(a []float64) float64 {
	d, sum := p.Shape.Width(), 0.0
	for i := range p.Shape.Samples() {
		h := slices.Clone(p.x[i*d : (i+1)*d])
		for k := range p.Shape.Depth() {
			before := slices.Clone(h)
			for r := range d {
				z := 0.0
				for s := range d {
					z += a[(k*d+r)*d+s] * before[s]
				}
				h[r] += p.ResidualScale * math.Tanh(z)
			}
		}
		for r := range d {
			sum += (h[r] - p.y[i*d+r]) * (h[r] - p.y[i*d+r])
		}
	}
	return sum / 2 / float64(p.Shape.Samples())
}

// TestDump holds what peers are compared with to the definition of the step: the loss
// by plain loops, the gradient by central differences, the second loss by a step of the
// plain loops.
func TestDump(t *testing.T) {
	for dtype, rounding := range map[string]float64{"float64": 0x1p-52, "float32": 0x1p-23} {
		p := readDump(t, dtype, Shape{4, 9, 6})
		// Six layers of a few roundings each, which partly cancel.
		near := func(what string, got, want, tolerance float64) {
			if !(math.Abs(got-want) <= tolerance*math.Abs(want)) {
				t.Errorf("%s: %s: got %v, want %v", dtype, what, got, want)
			}
		}
		near("residual scale", p.ResidualScale, 1/math.Sqrt(6), 1e-15)
		near("loss", p.Losses[0], p.loss(p.a), 64*rounding)

		moved := slices.Clone(p.a)
		for i, g := range p.gradient {
			moved[i] -= p.StepSize * g
		}
		near("second loss", p.Losses[1], p.loss(moved), 64*rounding)

		// Differences of size ε err by ε² J‴/6 ≈ 1e-10 and by rounding, 1e-16/ε.
		const epsilon = 1e-5
		for _, i := range []int{0, 5, len(p.a) - 2} {
			at := func(shift float64) float64 {
				shifted := slices.Clone(p.a)
				shifted[i] += shift
				return p.loss(shifted)
			}
			difference := (at(epsilon) - at(-epsilon)) / (2 * epsilon)
			if tolerance := 1e-9 + 64*rounding; !(math.Abs(p.gradient[i]-difference) <= tolerance) {
				t.Errorf("%s: gradient entry %d: got %v, want %v", dtype, i, p.gradient[i], difference)
			}
		}
	}
}

func TestDumpRefuses(t *testing.T) {
	if err := Dump(t.TempDir(), Shape{2, 2, 2}, "double", Options{Workers: 1}); err == nil || err.Error() != CheckDType("double").Error() {
		t.Errorf("got %v, want the error about the dtype", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Dump(file, Shape{2, 2, 2}, "float32", Options{Workers: 1}); err == nil {
		t.Error("a file in place of the folder: got no error")
	}
}
