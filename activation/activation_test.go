package activation_test

import (
	"errors"
	"math"
	"testing"

	"github.com/deeplimit/deeplimit/activation"
	"github.com/deeplimit/deeplimit/field"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// all returns every function, in documented order.
func all(t *testing.T) []activation.Function {
	t.Helper()
	var functions []activation.Function
	for _, name := range activation.Names() {
		f, err := activation.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		functions = append(functions, f)
	}
	return functions
}

func TestNames(t *testing.T) {
	want := []string{"tanh", "sin", "gelu", "silu", "softplus", "elu", "sigmoid", "centred-sigmoid", "relu", "identity"}
	if diff := cmp.Diff(want, activation.Names()); diff != "" {
		t.Errorf("Names (-want +got):\n%s", diff)
	}
	for i, f := range all(t) {
		if f.Name() != want[i] {
			t.Errorf("ByName(%q).Name() = %q: the key is not unique", want[i], f.Name())
		}
	}
}

func TestByNameUnknown(t *testing.T) {
	f, err := activation.ByName("rleu")
	if f != nil {
		t.Errorf("function %v beside an error", f)
	}
	var e *field.Error
	if !errors.As(err, &e) || e.Path != "activation" {
		t.Fatalf("error %v, want a *field.Error at activation", err)
	}
	want := `activation: got "rleu", want one of tanh, sin, gelu, silu, softplus, elu, sigmoid, centred-sigmoid, relu, identity; did you mean "relu"?`
	if err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

// TestReference compares with values computed to 60 digits. The tolerance is that
// of the elementary functions with their argument rounded once: gelu's exponent
// z²/2 reaches 666, so that 2⁻⁵³ in z becomes 1.5e-13 in its tail.
func TestReference(t *testing.T) {
	const tolerance = 5e-13
	for _, r := range references {
		f, err := activation.ByName(r.name)
		if err != nil {
			t.Fatal(err)
		}
		value, first, second := f.Derivatives(r.z)
		for _, c := range []struct {
			what      string
			got, want float64
		}{{"σ", value, r.value}, {"σ′", first, r.first}, {"σ″", second, r.second}} {
			if !(math.Abs(c.got-c.want) <= tolerance*math.Abs(c.want)) {
				t.Errorf("%s: %s(%v) = %.17g, want %.17g", r.name, c.what, r.z, c.got, c.want)
			}
		}
	}
}

// TestDerivatives holds σ′ and σ″ against central differences of σ and σ′ with
// one Richardson extrapolation: truncation h⁴ sup|σ⁽⁵⁾|/30 < 1e-11 for h = 1e-3, rounding
// 3·2⁻⁵³·max(1, |σ|)/h < 1e-11 for |σ| ≤ 20.
func TestDerivatives(t *testing.T) {
	const h, tolerance = 1e-3, 1e-10
	slope := func(f func(float64) float64, z float64) float64 {
		d := func(h float64) float64 { return (f(z+h) - f(z-h)) / (2 * h) }
		return (4*d(h/2) - d(h)) / 3
	}
	for _, f := range all(t) {
		rapid.Check(t, func(t *rapid.T) {
			z := rapid.Float64Range(-20, 20).Draw(t, "z")
			if f.Smoothness() != activation.Smooth && math.Abs(z) <= h {
				z += math.Copysign(2*h, z) // differences must not straddle the kink at 0
			}
			value, first, second := f.Derivatives(z)
			if value != f.Value(z) {
				t.Errorf("%s: σ(%v) = %v from Derivatives, %v from Value", f.Name(), z, value, f.Value(z))
			}
			if d := slope(f.Value, z); !(math.Abs(first-d) <= tolerance) {
				t.Errorf("%s: σ′(%v) = %v, difference quotient %v", f.Name(), z, first, d)
			}
			prime := func(z float64) float64 { _, p, _ := f.Derivatives(z); return p }
			if d := slope(prime, z); !(math.Abs(second-d) <= tolerance) {
				t.Errorf("%s: σ″(%v) = %v, difference quotient %v", f.Name(), z, second, d)
			}
		})
	}
}

// TestSuprema walks a dense grid that is refined around its best point: the
// suprema are never exceeded and are attained, both to 1e-12. On the last grid
// the step is far below 1e-6, where a smooth maximum is missed by less than 1e-12.
func TestSuprema(t *testing.T) {
	const tolerance = 1e-12
	for _, f := range all(t) {
		first := func(z float64) float64 { _, p, _ := f.Derivatives(z); return math.Abs(p) }
		second := func(z float64) float64 { _, _, s := f.Derivatives(z); return math.Abs(s) }
		if got, want := supremum(first), f.SupFirst(); !(math.Abs(got-want) <= tolerance*want) {
			t.Errorf("%s: largest |σ′| found %.17g, SupFirst %.17g", f.Name(), got, want)
		}
		if math.IsInf(f.SupSecond(), 1) {
			if f.Smoothness() != 0 {
				t.Errorf("%s: σ″ unbounded with smoothness %d", f.Name(), f.Smoothness())
			}
			continue
		}
		if got, want := supremum(second), f.SupSecond(); !(math.Abs(got-want) <= tolerance*want) {
			t.Errorf("%s: largest |σ″| found %.17g, SupSecond %.17g", f.Name(), got, want)
		}
	}
}

// TestThird holds SupThird to difference quotients of σ″: an upper bound that is attained.
func TestThird(t *testing.T) {
	const step = 1e-4
	for _, f := range all(t) {
		if f.Smoothness() < activation.Smooth {
			if !math.IsInf(f.SupThird(), 1) {
				t.Errorf("%s: SupThird %g, want +Inf", f.Name(), f.SupThird())
			}
			continue
		}
		found := supremum(func(z float64) float64 {
			_, _, high := f.Derivatives(z + step)
			_, _, low := f.Derivatives(z - step)
			return math.Abs(high-low) / (2 * step)
		})
		if !(found <= f.SupThird()*(1+1e-6)+1e-11 && found >= f.SupThird()*(1-1e-6)-1e-11) {
			t.Errorf("%s: largest |σ‴| found %.10g, SupThird %.10g", f.Name(), found, f.SupThird())
		}
	}
}

// supremum returns the largest value of f on a grid over [−40, 40] that is
// refined around its best point.
func supremum(f func(float64) float64) float64 {
	centre, half := 0.0, 40.0
	best := f(0)
	for range 4 {
		const n = 20000
		at := centre
		for i := -n; i <= n; i++ {
			z := at + half*float64(i)/n
			if v := f(z); v > best {
				best, centre = v, z
			}
		}
		half /= n / 10
	}
	return best
}

// TestMinFirst checks that MinFirst bounds |σ′| below on [−z, z] and that the
// bound is attained there (grid step 2z/4000, |σ″| ≤ 1).
func TestMinFirst(t *testing.T) {
	for _, f := range all(t) {
		rapid.Check(t, func(t *rapid.T) {
			const n = 2000
			z := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 3), rapid.Float64Range(0, 30)).Draw(t, "z")
			bound, least := f.MinFirst(z), math.Inf(1)
			for i := -n; i <= n; i++ {
				// Rounding must not take a point out of the interval.
				point := max(-z, min(z, z*float64(i)/n))
				_, first, _ := f.Derivatives(point)
				least = min(least, math.Abs(first))
			}
			const ulps = 8 * 0x1p-52
			if !(0 <= bound && bound <= least*(1+ulps)) {
				t.Errorf("%s: MinFirst(%v) = %v, but |σ′| = %v inside", f.Name(), z, bound, least)
			}
			if !(least-bound <= z/n+ulps) {
				t.Errorf("%s: MinFirst(%v) = %v, smallest |σ′| found %v", f.Name(), z, bound, least)
			}
			if _, end, _ := f.Derivatives(-z); bound > 0 && !(math.Abs(bound-math.Abs(end)) <= ulps*bound) {
				t.Errorf("%s: MinFirst(%v) = %v, attained value %v", f.Name(), z, bound, end)
			}
		})
	}
}

func TestKinksTakeTheLeftSide(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second float64
	}{{"relu", 0, 0}, {"elu", 1, 1}} {
		f, err := activation.ByName(c.name)
		if err != nil {
			t.Fatal(err)
		}
		value, first, second := f.Derivatives(0)
		if value != 0 || first != c.first || second != c.second {
			t.Errorf("%s at 0: (%v, %v, %v), want (0, %v, %v)", c.name, value, first, second, c.first, c.second)
		}
	}
}

// TestExtremeArguments: every method is finite for every finite argument.
func TestExtremeArguments(t *testing.T) {
	for _, f := range all(t) {
		for _, z := range []float64{0, math.SmallestNonzeroFloat64, 709, 746, 1e5, 1e155, math.MaxFloat64} {
			for _, z := range []float64{z, -z} {
				value, first, second := f.Derivatives(z)
				for _, v := range []float64{value, first, second, f.MinFirst(math.Abs(z))} {
					if math.IsNaN(v) || math.IsInf(v, 0) {
						t.Errorf("%s at %v: (%v, %v, %v), MinFirst %v", f.Name(), z, value, first, second, f.MinFirst(math.Abs(z)))
						break
					}
				}
			}
		}
	}
}
