package dataset

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/field"
)

func TestResolveFillsDefaults(t *testing.T) {
	for _, test := range []struct {
		spec, want Spec
	}{
		{
			Spec{Kind: "separated", Samples: 8, Width: 10, Distance: 0.3},
			Spec{Kind: "separated", Name: "separated", Samples: 8, Width: 10, Distance: 0.3, Seed: new(uint64(7)), Standardize: new(false), UnitNorm: new(false)},
		},
		{
			Spec{Kind: "ode", Samples: 8, Width: 10, Steps: 50},
			Spec{Kind: "ode", Name: "ode", Samples: 8, Width: 10, Steps: 50, Step: 0.02, Seed: new(uint64(7)), Standardize: new(false), UnitNorm: new(false)},
		},
		{
			Spec{Kind: "sde", Samples: 8, Width: 10, Noise: 0.1, Step: 0.1},
			Spec{Kind: "sde", Name: "sde", Samples: 8, Width: 10, Noise: 0.1, Steps: 100, Step: 0.1, Seed: new(uint64(7)), Standardize: new(false), UnitNorm: new(false)},
		},
		{
			Spec{Kind: "digits", Name: "d", Seed: new(uint64(3)), UnitNorm: new(false)},
			Spec{Kind: "digits", Name: "d", Seed: new(uint64(3)), Standardize: new(true), UnitNorm: new(false)},
		},
		{
			Spec{Kind: "files", Inputs: "X.npy", Targets: "Y.npy"},
			Spec{Kind: "files", Name: "files", Inputs: "X.npy", Targets: "Y.npy", Seed: new(uint64(7)), Standardize: new(false), UnitNorm: new(false)},
		},
	} {
		got, err := test.spec.Resolve(7)
		if err != nil {
			t.Errorf("%+v: %v", test.spec, err)
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("Resolve (-want +got):\n%s", diff)
		}
		again, err := got.Resolve(8)
		if err != nil {
			t.Errorf("second Resolve of %+v: %v", test.spec, err)
		}
		if diff := cmp.Diff(got, again); diff != "" {
			t.Errorf("second Resolve (-first +second):\n%s", diff)
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	separated := Spec{Kind: "separated", Samples: 8, Width: 10, Distance: 0.3}
	digits := Spec{Kind: "digits"}
	csv := Spec{Kind: "csv", Path: "a.csv"}
	ode := Spec{Kind: "ode", Samples: 8, Width: 10}
	with := func(s Spec, change func(*Spec)) Spec { change(&s); return s }
	for _, test := range []struct {
		spec Spec
		want string
	}{
		{Spec{}, `kind: got "", want one of separated, rotation, ode, sde, uniform, normal, digits, diabetes, mnist, fashion-mnist, csv, parquet, files`},
		{Spec{Kind: "digit"}, `kind: got "digit", want one of separated, rotation, ode, sde, uniform, normal, digits, diabetes, mnist, fashion-mnist, csv, parquet, files; did you mean "digits"?`},

		{with(digits, func(s *Spec) { s.Angle = 0.3 }), `angle: got 0.3, want it left out: kind digits has no angle (for rotation)`},
		{with(digits, func(s *Spec) { s.Width = 64 }), `width: got 64, want it left out: kind digits has no width (for separated, rotation, ode, sde, uniform, normal)`},
		{with(digits, func(s *Spec) { s.Path = "x" }), `path: got "x", want it left out: kind digits has no path (for mnist, fashion-mnist, csv, parquet)`},
		{with(separated, func(s *Spec) { s.Test = 3 }), `test: got 3, want it left out: kind separated has no test (for rotation, ode, sde, uniform, digits, diabetes, mnist, fashion-mnist, csv, parquet, files)`},
		{with(separated, func(s *Spec) { s.Standardize = new(true) }), `standardize: got true, want it left out: kind separated has no standardize (for digits, diabetes, mnist, fashion-mnist, csv, parquet, files)`},
		{with(ode, func(s *Spec) { s.Noise = 0.1 }), `noise: got 0.1, want it left out: kind ode has no noise (for sde)`},
		{with(csv, func(s *Spec) { s.Separation = new(0.5) }), `separation: got 0.5, want it left out: kind csv has no separation (for separated)`},

		{with(separated, func(s *Spec) { s.Samples = 0 }), `samples: got 0, want the number N ≥ 1 of samples to generate`},
		{with(separated, func(s *Spec) { s.Samples = -8 }), `samples: got -8, want the number N ≥ 1 of samples to generate`},
		{with(separated, func(s *Spec) { s.Width = 0 }), `width: got 0, want the dimension d ≥ 1 of inputs and targets`},
		{with(separated, func(s *Spec) { s.Distance = 0 }), `distance: got 0, want a finite distance ‖y_i − x_i‖ > 0`},
		{with(separated, func(s *Spec) { s.Distance = math.NaN() }), `distance: got NaN, want a finite distance ‖y_i − x_i‖ > 0`},
		{with(separated, func(s *Spec) { s.Samples = 11 }), `samples: got 11, want at most 10, the width: no more vectors are orthonormal`},
		{with(separated, func(s *Spec) { s.Samples, s.Separation = 11, new(0.1) }), `samples: got 11, want at most 10, the width: more unit vectors have some |⟨x_i,x_j⟩| ≥ 1/(N−1) (Welch), above e^{−4c}/(8N)`},
		{with(separated, func(s *Spec) { s.Separation = new(-0.1) }), `separation: got -0.1, want a finite c ≥ 0`},
		{with(separated, func(s *Spec) { s.Separation = new(9.0) }), `separation: got 9, want at most 6.52: beyond it rounding hides the difference from orthonormal inputs, which no separation gives`},
		{Spec{Kind: "rotation", Samples: 8, Width: 10}, `angle: got 0, want a finite angle ≠ 0 in radians`},
		{Spec{Kind: "rotation", Samples: 8, Width: 1, Angle: 1}, `width: got 1, want the dimension d ≥ 2 of inputs and targets`},
		{with(ode, func(s *Spec) { s.Steps = -1 }), `steps: got -1, want a number ≥ 1 of Euler steps`},
		{with(ode, func(s *Spec) { s.Step = math.Inf(1) }), `step: got +Inf, want a finite step size > 0 (default 1/steps)`},
		{with(ode, func(s *Spec) { s.Test = -1 }), `test: got -1, want a number ≥ 0 of held-out samples`},
		{Spec{Kind: "sde", Samples: 8, Width: 10}, `noise: got 0, want a finite diffusion coefficient > 0 (without noise: kind ode)`},

		{with(ode, func(s *Spec) { s.Samples, s.Width = math.MaxInt, 3 }), `samples: got 9223372036854775807, want at most 2^31 numbers in all, (samples + test) × 2 × width, with test 0 and width 3`},
		{with(ode, func(s *Spec) { s.Samples, s.Width = 1<<32, 1<<32 }), `samples: got 4294967296, want at most 2^31 numbers in all, (samples + test) × 2 × width, with test 0 and width 4294967296`},
		{with(ode, func(s *Spec) { s.Samples, s.Test = 1, math.MaxInt }), `samples: got 1, want at most 2^31 numbers in all, (samples + test) × 2 × width, with test 9223372036854775807 and width 10`},
		{with(separated, func(s *Spec) { s.Width = math.MaxInt }), `samples: got 8, want at most 2^31 numbers in all, (samples + test) × 2 × width, with test 0 and width 9223372036854775807`},

		{with(digits, func(s *Spec) { s.Samples = -1 }), `samples: got -1, want a number ≥ 1 of training samples, or 0 for all`},
		{with(digits, func(s *Spec) { s.Samples = 1798 }), `samples: got 1798, want at most 1797, what digits holds for training`},
		{with(digits, func(s *Spec) { s.Samples, s.Test = 1700, 98 }), `samples: got 1700, want at most 1699, what digits holds for training`},
		{with(digits, func(s *Spec) { s.Test = 1797 }), `test: got 1797, want less than 1797, the samples of digits`},
		{with(digits, func(s *Spec) { s.Test = math.MinInt }), `test: got -9223372036854775808, want a number ≥ 0 of held-out samples`},
		{Spec{Kind: "mnist", Test: 10001}, `test: got 10001, want at most 10000, the test samples of mnist`},
		{Spec{Kind: "mnist", Samples: 60001}, `samples: got 60001, want at most 60000, what mnist holds for training`},

		{Spec{Kind: "csv"}, `path: got "", want the file that holds the table`},
		{with(csv, func(s *Spec) { s.Columns = []string{"a", "b", "a"} }), `columns[2]: got "a", want each column once`},
		{with(csv, func(s *Spec) { s.Columns, s.Classification = []string{"a", "b"}, true }), `columns: got [a b], want one column of class labels, because classification is true`},
		{Spec{Kind: "files", Targets: "Y.npy"}, `inputs: got "", want the .npy or .npz file of the (N,d) inputs`},
		{Spec{Kind: "files", Inputs: "X.npy"}, `targets: got "", want the .npy or .npz file of the (N,m) targets`},
	} {
		_, err := test.spec.Resolve(1)
		if err == nil || err.Error() != test.want {
			t.Errorf("%+v:\n got %v\nwant %s", test.spec, err, test.want)
			continue
		}
		if _, ok := errors.AsType[*field.Error](err); !ok {
			t.Errorf("%v: got %T, want *field.Error", err, err)
		}
		// What Resolve refuses, nothing else may accept.
		if _, err := Load(test.spec, ""); err == nil || err.Error() != test.want {
			t.Errorf("Load: got %v, want %s", err, test.want)
		}
	}
}

func TestLoadWantsAResolvedSpec(t *testing.T) {
	_, err := Load(Spec{Kind: "digits"}, "")
	if err == nil || !strings.Contains(err.Error(), "want the result of Resolve") {
		t.Errorf("got %v, want an error about Resolve", err)
	}
}

// load resolves with seed 1 and loads.
func load(t *testing.T, spec Spec, base string) *Set {
	t.Helper()
	set, err := tryLoad(spec, base)
	if err != nil {
		t.Fatal(err)
	}
	check(t, spec, base, set)
	return set
}

func tryLoad(spec Spec, base string) (*Set, error) {
	spec, err := spec.Resolve(1)
	if err != nil {
		return nil, err
	}
	return Load(spec, base)
}

// check verifies what every set promises.
func check(t *testing.T, spec Spec, base string, set *Set) {
	t.Helper()
	d, m, err := Dimensions(spec, base)
	if err != nil || d != set.Inputs || m != set.Outputs {
		t.Errorf("Dimensions: got %d, %d, %v, want %d, %d", d, m, err, set.Inputs, set.Outputs)
	}
	for s := set; s != nil; s = s.Test {
		if s.Inputs != d || s.Outputs != m || len(s.X) != s.Samples*d || len(s.Y) != s.Samples*m || s.Samples < 1 {
			t.Fatalf("got N %d, d %d, m %d, %d and %d numbers: they disagree", s.Samples, s.Inputs, s.Outputs, len(s.X), len(s.Y))
		}
		if s.Name == "" || s.Source == "" {
			t.Errorf("got name %q and source %q, want both", s.Name, s.Source)
		}
		for i, label := range s.Labels {
			for k, v := range s.Y[i*m : (i+1)*m] {
				if want := map[bool]float64{true: 1}[k == label]; v != want {
					t.Fatalf("sample %d, class %d: got %v, want %v (label %d)", i, k, v, want, label)
				}
			}
		}
	}
}
