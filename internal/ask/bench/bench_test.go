package bench

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deeplimit/deeplimit/internal/train"
)

func TestParseShape(t *testing.T) {
	got, err := ParseShape("10, 8,1000")
	if want := (Shape{10, 8, 1000}); err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got.Width() != 10 || got.Samples() != 8 || got.Depth() != 1000 || got.String() != "10,8,1000" {
		t.Errorf("got width %d, samples %d, depth %d of %v", got.Width(), got.Samples(), got.Depth(), got)
	}
	for _, shape := range Shapes() {
		if again, err := ParseShape(shape.String()); err != nil || again != shape {
			t.Errorf("%v: parsed as %v, %v", shape, again, err)
		}
	}
}

func TestParseShapeRefuses(t *testing.T) {
	const (
		form = "d,N,L (width, samples, depth), such as 10,1024,1000"
		size = "at most 2^30 inputs d·N and weights d²·L"
	)
	for text, want := range map[string]string{
		"":                 form,
		"10":               form,
		"10,8":             form,
		"10,8,1000,1":      form,
		"10x8x1000":        form,
		"a,8,1000":         "width d a whole number ≥ 1",
		"10,,1000":         "number of samples N a whole number ≥ 1",
		"10,8,1e3":         "depth L a whole number ≥ 1",
		"0,8,1000":         "width d a whole number ≥ 1",
		"10,-8,1000":       "number of samples N a whole number ≥ 1",
		"10,8,0":           "depth L a whole number ≥ 1",
		"32769,1,1":        size,
		"1024,1048577,1":   size,
		"1024,1,1025":      size,
		"4294967296,1,1":   size,
		"1,4294967296,1":   size,
		"2,1,268435457":    size,
		"99999999999999,1": form,
	} {
		want = "bench: shape: got \"" + text + "\", want " + want
		if _, err := ParseShape(text); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for _, text := range []string{"32768,1,1", "1024,1048576,1", "1024,1,1024"} {
		if _, err := ParseShape(text); err != nil {
			t.Errorf("the largest shapes: %v", err)
		}
	}
}

// TestMeasure holds results to their definitions and to their form in JSON.
func TestMeasure(t *testing.T) {
	for _, dtype := range DTypes() {
		shape := Shape{3, 5, 7}
		result, err := Measure(shape, dtype, Options{Workers: 2, Time: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if result.Shape != shape || result.DType != dtype || result.Workers != 1 || result.Tier == "" {
			t.Errorf("got %+v, want shape %v, %s and 1 worker, as 5 samples are one tile", result, shape, dtype)
		}
		near := func(name string, got, want float64) {
			if !(got > 0 && math.Abs(got/want-1) <= 1e-12) {
				t.Errorf("%s, %s: got %g, want %g", dtype, name, got, want)
			}
		}
		near("gflops", result.GFLOPS, 6*3*3*5*7/(1e6*result.Milliseconds)) // 6 d² N L
		near("peak_fraction", result.PeakFraction, result.GFLOPS/result.PeakGFLOPS)
		if !(result.PeakFraction < 1) {
			t.Errorf("%s: peak_fraction: got %g, want less than 1", dtype, result.PeakFraction)
		}

		text, err := json.Marshal(result)
		if err != nil {
			t.Fatal(err)
		}
		var object map[string]any
		if err := json.Unmarshal(text, &object); err != nil {
			t.Fatal(err)
		}
		want := []string{"cpu_ms", "dtype", "gflops", "method", "ms", "peak_fraction", "peak_gflops", "ratio", "shape", "tier", "workers"}
		if got := slices.Sorted(maps.Keys(object)); !slices.Equal(got, want) {
			t.Errorf("keys: got %q, want %q", got, want)
		}
		if got, ok := object["shape"].([]any); !ok || !slices.Equal(got, []any{3.0, 5.0, 7.0}) {
			t.Errorf("shape: got %v, want [3,5,7]", object["shape"])
		}
	}
}

// TestMeasureSteps wants a result for each method and each network, the first one the measure of the others, and operations
// of the blocks' own products.
func TestMeasureSteps(t *testing.T) {
	var steps []Step
	for _, method := range train.Methods {
		steps = append(steps, Step{Method: method})
	}
	results, err := MeasureSteps(Shape{3, 40, 4}, "float64", steps, Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	const section = "{block: mlp, hidden: 5, normalise: pre}"
	mlp, err := MeasureSteps(Shape{3, 40, 4}, "float32", []Step{{Method: "gd"}, {Method: "gd", Network: section}}, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := mlp[1].GFLOPS*mlp[1].Milliseconds*1e6, 12.0*3*5*40*4; mlp[1].Network != section || !(math.Abs(got/want-1) <= 1e-12) {
		t.Errorf("got %+v with %g operations, want %g", mlp[1], got, want)
	}
	for text, want := range map[string]string{
		"{block: mpl}":         `block: got "mpl", want one of inner, outer, mlp`,
		"{normalize: pre}":     "network.normalize: got an unknown key",
		"{block: mlp":          "",
		"{norm: layer}":        `norm: got "layer", want it left out, or normalise: pre`,
		"{loss: lp, power: 1}": "power: got 1, want a finite number > 1",
	} {
		if _, err := MeasureSteps(Shape{3, 4, 4}, "float64", []Step{{Method: "gd", Network: text}}, Options{Workers: 1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	for i, r := range results {
		if r.Method != train.Methods[i] || !(r.Ratio > 0) || !(r.Milliseconds > 0) {
			t.Errorf("got %+v, want a time of %s", r, train.Methods[i])
		}
	}
	if results[0].Ratio != 1 {
		t.Errorf("got %g times the first method for itself", results[0].Ratio)
	}
	for _, method := range []string{"newton", train.LevenbergMarquardt} { // the latter makes no steps from a gradient
		_, err := MeasureSteps(Shape{3, 4, 4}, "float64", []Step{{Method: method}}, Options{Workers: 1})
		if want := fmt.Sprintf("bench: method: got %q, want one of gd, ", method); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want an error that begins with %q", method, err, want)
		}
	}
}

func TestMeasureRefuses(t *testing.T) {
	for _, test := range []struct {
		dtype   string
		workers int
		want    string
	}{
		{"float16", 1, CheckDType("float16").Error()},
		{"float32", 0, "resnet: NewEvaluator: got 0 workers, want at least 1"},
	} {
		_, err := Measure(Shape{2, 2, 2}, test.dtype, Options{Workers: test.workers})
		if err == nil || err.Error() != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

// TestRepeat wants five steps at least, whatever the time, after a warm-up.
func TestRepeat(t *testing.T) {
	calls := 0
	step := func() float64 {
		calls++
		return float64(calls)
	}
	seconds, processor, losses := repeat([]func() float64{step, step}, 0)
	if calls != 2*(2+fewest) || losses[1] != float64(calls) || losses[0] != float64(calls-1) || len(seconds[0]) != fewest || len(processor[0]) != fewest || len(seconds[1]) != fewest {
		t.Errorf("got %d calls, losses %v, times %v, want %d calls in turn, the last losses and %d times each", calls, losses, seconds, 2*(2+fewest), fewest)
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{4, 1, 100}, 4},
		{[]float64{9, 1, 3, 2}, 2.5},
	} {
		if got := median(test.values); got != test.want {
			t.Errorf("got %g, want %g", got, test.want)
		}
	}
}

// TestExponent recovers a planted power of the depth.
func TestExponent(t *testing.T) {
	var steps []Result
	for _, depth := range []int{100, 316, 1000, 3162, 10000} {
		steps = append(steps, Result{Shape: Shape{10, 8, depth}, Milliseconds: 0.3 * math.Pow(float64(depth), 1.07)})
	}
	// Rounding of logarithms of size 10 and of their products: some 1e-14.
	if got := exponent(steps, Shape.Depth, func(r Result) float64 { return r.Milliseconds }); !(math.Abs(got-1.07) <= 1e-12) {
		t.Errorf("got %g, want 1.07", got)
	}
}

// TestGrowthShapes wants two decades of one size, all else the same.
func TestGrowthShapes(t *testing.T) {
	for axis, shapes := range map[int][]Shape{2: depths, 1: samples} {
		first, last := shapes[0], shapes[len(shapes)-1]
		if got := last[axis] / first[axis]; got != 100 {
			t.Errorf("size %d grows %d-fold, want 100", axis, got)
		}
		for _, shape := range shapes {
			shape[axis] = first[axis]
			if shape != first {
				t.Errorf("got %v, want all but size %d as in %v", shape, axis, first)
			}
		}
	}
}

// TestDeeps wants half decades from 100 layers to the deepest workload, each with its memory, which grows with the weights and
// their gradient.
func TestDeeps(t *testing.T) {
	defer func(all []Shape) { deepest = all }(deepest)
	deepest = []Shape{{2, 3, 1000}, {3, 8, 500}}
	growths, err := Deeps("float32", Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	var got []Shape
	for _, g := range growths {
		if g.Variable != "L" || math.IsNaN(g.Exponent) {
			t.Errorf("got %+v, want an exponent of L", g)
		}
		for i, r := range g.Steps {
			got = append(got, r.Shape)
			if least := int64(2 * 4 * r.Shape.Width() * r.Shape.Width() * r.Shape.Depth()); r.Memory < least || r.Workers != 1 {
				t.Errorf("%v: got %d bytes with %d workers, want at least %d with 1", r.Shape, r.Memory, r.Workers, least)
			}
			if i > 0 && r.Memory <= g.Steps[i-1].Memory {
				t.Errorf("%v: got %d bytes, want more than the %d of %v", r.Shape, r.Memory, g.Steps[i-1].Memory, g.Steps[i-1].Shape)
			}
		}
	}
	if want := []Shape{{2, 3, 100}, {2, 3, 316}, {2, 3, 1000}, {3, 8, 100}, {3, 8, 316}, {3, 8, 500}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
