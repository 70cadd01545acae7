package resnet

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/field"
)

var nan = math.NaN()

func ptr(v float64) *float64 { return &v }

// wantError checks an error's text, and that it is a *field.Error.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if e := new(field.Error); err == nil || err.Error() != want || !errors.As(err, &e) {
		t.Errorf("got %v (%T)\nwant %s", err, err, want)
	}
}

func TestSpecResolve(t *testing.T) {
	for _, c := range []struct {
		name            string
		spec            Spec
		inputs, outputs int
		want            Spec
	}{
		{"nothing given", Spec{}, 3, 3, Spec{Block: "inner", Activation: "tanh", Alpha: ptr(0.5), Residual: "fixed", Loss: "squared", Width: 3, Embed: "identity", Readout: "identity"}},
		{"sizes differ", Spec{Block: "mlp", Width: 5, Alpha: ptr(0), Loss: "lp", Embed: "auto", Readout: "trained"}, 3, 1, Spec{Block: "mlp", Activation: "tanh", Alpha: ptr(0), Residual: "fixed", Loss: "lp", Power: 4, Width: 5, Hidden: 5, Embed: "orthonormal", Readout: "trained"}},
		{"everything given", Spec{Block: "outer", Activation: "relu", Alpha: ptr(1), Residual: "layered", Bias: true, Loss: "cross-entropy", Width: 2, Embed: "orthonormal", Readout: "identity"}, 2, 2, Spec{Block: "outer", Activation: "relu", Alpha: ptr(1), Residual: "layered", Bias: true, Loss: "cross-entropy", Width: 2, Embed: "orthonormal", Readout: "identity"}},
		{"normalised", Spec{Normalise: "pre"}, 3, 3, Spec{Block: "inner", Activation: "tanh", Alpha: ptr(0.5), Residual: "fixed", Normalise: "pre", NormKind: "rms", NormEpsilon: 1e-5, Loss: "squared", Width: 3, Embed: "identity", Readout: "identity"}},
		{"normalised by nothing", Spec{Normalise: "none"}, 3, 3, Spec{Block: "inner", Activation: "tanh", Alpha: ptr(0.5), Residual: "fixed", Loss: "squared", Width: 3, Embed: "identity", Readout: "identity"}},
	} {
		got, err := c.spec.Resolve(c.inputs, c.outputs)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if again, err := got.Resolve(c.inputs, c.outputs); err != nil || !cmp.Equal(again, got) {
			t.Errorf("%s: resolved again: got %+v and error %v", c.name, again, err)
		}
	}
	given := Spec{Alpha: ptr(0.25)}
	resolved, err := given.Resolve(1, 1)
	if err != nil || resolved.Alpha == given.Alpha {
		t.Errorf("the resolved alpha is the given pointer (error %v)", err)
	}
}

func TestSpecRefuses(t *testing.T) {
	for _, c := range []struct {
		spec    Spec
		outputs int
		want    string
	}{
		{Spec{Block: "iner"}, 3, `block: got "iner", want one of inner, outer, mlp; did you mean "inner"?`},
		{Spec{Activation: "rleu"}, 3, `activation: got "rleu", want one of tanh, sin, gelu, silu, softplus, elu, sigmoid, centred-sigmoid, relu, identity; did you mean "relu"?`},
		{Spec{Alpha: ptr(-0.5)}, 3, `alpha: got -0.5, want a number in [0, 1]`},
		{Spec{Alpha: ptr(nan)}, 3, `alpha: got NaN, want a number in [0, 1]`},
		{Spec{Residual: "free"}, 3, `residual: got "free", want one of fixed, shared, layered`},
		{Spec{Loss: "l2"}, 3, `loss: got "l2", want one of squared, cross-entropy, lp`},
		{Spec{Loss: "cross-entropy"}, 1, `loss: got "cross-entropy", want squared or lp, as the data have 1 output (cross-entropy needs a class for each of at least 2; data of kinds csv and files have classes with classification: true)`},
		{Spec{Loss: "lp", Power: 1}, 3, `power: got 1, want a finite number > 1`},
		{Spec{Loss: "lp", Power: nan}, 3, `power: got NaN, want a finite number > 1`},
		{Spec{Power: 3}, 3, `power: got 3, want no power with loss squared (use loss: lp)`},
		{Spec{Width: -1}, 3, `width: got -1, want a whole number ≥ 1`},
		{Spec{Block: "mlp", Hidden: -1}, 3, `hidden: got -1, want a whole number ≥ 1`},
		{Spec{Hidden: 4}, 3, `hidden: got 4, want no hidden width with block inner (use block: mlp)`},
		{Spec{Normalise: "post"}, 3, `normalise: got "post", want one of none, pre`},
		{Spec{Normalise: "pre", NormKind: "batch"}, 3, `norm: got "batch", want one of rms, layer`},
		{Spec{Normalise: "pre", NormEpsilon: -1}, 3, `norm-epsilon: got -1, want a finite number ≥ 1e-30, below which a state of zeros has no derivative`},
		{Spec{Normalise: "pre", NormEpsilon: nan}, 3, `norm-epsilon: got NaN, want a finite number ≥ 1e-30, below which a state of zeros has no derivative`},
		{Spec{Normalise: "pre", NormKind: "layer", Width: 1}, 3, `norm: got "layer", want rms with width 1, where a number less its mean is 0`},
		{Spec{NormKind: "rms"}, 3, `norm: got "rms", want it left out, or normalise: pre`},
		{Spec{Normalise: "none", NormEpsilon: 1e-5}, 3, `norm-epsilon: got 1e-05, want it left out, or normalise: pre`},
		{Spec{Embed: "none"}, 3, `embed: got "none", want one of auto, identity, orthonormal, trained`},
		{Spec{Embed: "identity", Width: 4}, 3, `embed: got "identity", want orthonormal or trained, as width 4 and inputs 3 differ`},
		{Spec{Readout: "identity"}, 2, `readout: got "identity", want orthonormal or trained, as width 3 and outputs 2 differ`},
	} {
		_, err := c.spec.Resolve(3, c.outputs)
		wantError(t, err, c.want)
	}
	if _, err := (Spec{}).Resolve(0, 1); err == nil {
		t.Error("no inputs: got no error")
	}
}

// networks with the parts that the tests of Initial need; all have width 4.
func network(t *testing.T, spec Spec) Spec {
	t.Helper()
	spec, err := spec.Resolve(4, 4)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestInitialResolve(t *testing.T) {
	normal := Initial{Kind: "normal", Amplitude: ptr(0.25), Exponent: ptr(1)}
	zero := Initial{Kind: "zero", Amplitude: ptr(0)}
	file := func(path string) Initial { return Initial{Kind: "file", Path: path} }
	for _, c := range []struct {
		name    string
		spec    Spec
		initial Initial
		want    map[string]Initial
	}{
		{"nothing given", Spec{}, Initial{}, map[string]Initial{"A": normal}},
		{"bias", Spec{Bias: true}, Initial{}, map[string]Initial{"A": normal, "b": zero}},
		{"exponent follows alpha", Spec{Alpha: ptr(1)}, Initial{}, map[string]Initial{"A": {Kind: "normal", Amplitude: ptr(0.25), Exponent: ptr(0.5)}}},
		{"mlp with bias", Spec{Block: "mlp", Bias: true}, Initial{}, map[string]Initial{"V": normal, "W": normal, "b": zero, "c": zero}},
		{
			"V zero, W tied",
			Spec{Block: "mlp"},
			Initial{Amplitude: ptr(2), Parts: map[string]Initial{"V": {Kind: "zero"}, "W": {Kind: "uniform", Tied: true}}},
			map[string]Initial{"V": zero, "W": {Kind: "uniform", Amplitude: ptr(2), Exponent: ptr(1), Tied: true}},
		},
		{
			"parts inherit what their kind uses",
			Spec{Block: "mlp", Bias: true},
			Initial{Kind: "fractional-noise", Hurst: 0.7, Coupled: true, Exponent: ptr(0), Parts: map[string]Initial{"V": {Kind: "gaussian-process"}, "b": {Amplitude: ptr(3)}}},
			map[string]Initial{
				"V": {Kind: "gaussian-process", Amplitude: ptr(0.25), Exponent: ptr(0), Length: 0.1},
				"W": {Kind: "fractional-noise", Amplitude: ptr(0.25), Exponent: ptr(0), Hurst: 0.7, Coupled: true},
				"b": {Kind: "fractional-noise", Amplitude: ptr(3), Exponent: ptr(0), Hurst: 0.7, Coupled: true},
				"c": zero,
			},
		},
		{"fractional defaults", Spec{}, Initial{Kind: "fractional-brownian"}, map[string]Initial{"A": {Kind: "fractional-brownian", Amplitude: ptr(0.25), Exponent: ptr(1), Hurst: 0.5}}},
		{"constant zero", Spec{}, Initial{Kind: "zero", Amplitude: ptr(0)}, map[string]Initial{"A": zero}},
		{"files", Spec{Bias: true}, Initial{Kind: "file", Path: "A-{depth}.npy", Bias: "b-{depth}.npy"}, map[string]Initial{"A": file("A-64.npy"), "b": file("b-64.npy")}},
		{"file without bias", Spec{Bias: true}, Initial{Kind: "file", Path: "A.npy"}, map[string]Initial{"A": file("A.npy"), "b": zero}},
		{
			"a file for each part",
			Spec{Block: "mlp"},
			Initial{Parts: map[string]Initial{"V": {Kind: "file", Path: "V.npy"}, "W": {Kind: "file", Path: "{depth}/W.npy"}}},
			map[string]Initial{"V": file("V.npy"), "W": file("64/W.npy")},
		},
		{"one file for all parts", Spec{Block: "mlp"}, Initial{Kind: "file", Path: "w.safetensors"}, map[string]Initial{"V": file("w.safetensors"), "W": file("w.safetensors")}},
		{"one array for the other part", Spec{Block: "mlp"}, Initial{Kind: "file", Path: "W.npy", Parts: map[string]Initial{"V": {Kind: "zero"}}}, map[string]Initial{"V": zero, "W": file("W.npy")}},
	} {
		spec := network(t, c.spec)
		got, err := c.initial.Resolve(spec, 64)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(Initial{Parts: c.want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if again, err := got.Resolve(spec, 64); err != nil || !cmp.Equal(again, got) {
			t.Errorf("%s: resolved again: got %+v and error %v", c.name, again, err)
		}
	}
	pattern, err := Initial{Kind: "file", Path: "A-{depth}.npy"}.Resolve(network(t, Spec{}), 0)
	if err != nil || pattern.Parts["A"].Path != "A-{depth}.npy" {
		t.Errorf("depth 0: got %+v and error %v, want the pattern kept", pattern, err)
	}
}

func TestInitialRefuses(t *testing.T) {
	parts := func(name string, part Initial) Initial { return Initial{Parts: map[string]Initial{name: part}} }
	with := func(i Initial, name string, part Initial) Initial {
		i.Parts = map[string]Initial{name: part}
		return i
	}
	mlp := Spec{Block: "mlp"}
	const kindNames = "normal, truncated-normal, uniform, constant, zero, gaussian-process, fractional-brownian, fractional-noise, file"
	for _, c := range []struct {
		spec    Spec
		initial Initial
		want    string
	}{
		{Spec{}, Initial{Kind: "norm"}, `kind: got "norm", want one of ` + kindNames},
		{Spec{}, parts("A", Initial{Kind: "norm"}), `parts.A.kind: got "norm", want one of ` + kindNames},
		{Spec{}, parts("V", Initial{}), `parts.V: got "V", want A, the parts of block inner`},
		{mlp, parts("A", Initial{}), `parts.A: got "A", want V or W, the parts of block mlp`},
		{mlp, parts("c", Initial{}), `parts.c: got "c", want V or W (the network has no bias: set network.bias)`},
		{Spec{}, parts("A", parts("A", Initial{})), `parts.A.parts: got "parts", want no parts inside a part`},
		{Spec{}, parts("A", Initial{Bias: "b.npy"}), `parts.A.bias: got "b.npy", want a part b of kind file instead`},
		{Spec{}, Initial{Amplitude: ptr(nan)}, `amplitude: got NaN, want a finite number`},
		{Spec{}, parts("A", Initial{Exponent: ptr(nan)}), `parts.A.exponent: got NaN, want a finite number`},
		{Spec{}, Initial{Kind: "zero", Amplitude: ptr(1)}, `amplitude: got 1, want it left out, as no part is of a kind that uses it (normal, truncated-normal, uniform, constant, gaussian-process, fractional-brownian, fractional-noise)`},
		{Spec{}, Initial{Hurst: 0.3}, `hurst: got 0.3, want it left out, as no part is of a kind that uses it (fractional-brownian, fractional-noise)`},
		{Spec{}, parts("A", Initial{Length: 0.3}), `parts.A.length: got 0.3, want it left out, as kind normal does not use it (gaussian-process do)`},
		{Spec{}, Initial{Kind: "fractional-noise", Hurst: 1}, `hurst: got 1, want a number in (0, 1)`},
		{mlp, with(Initial{Hurst: -1}, "W", Initial{Kind: "fractional-noise"}), `hurst: got -1, want a number in (0, 1)`},
		{mlp, parts("W", Initial{Kind: "fractional-noise", Hurst: -1}), `parts.W.hurst: got -1, want a number in (0, 1)`},
		{Spec{}, Initial{Kind: "gaussian-process", Length: -1}, `length: got -1, want a number in [0.0001, 10000]`},
		{Spec{}, Initial{Kind: "gaussian-process", Length: 1e-12}, `length: got 1e-12, want a number in [0.0001, 10000]`},
		{Spec{}, Initial{Kind: "gaussian-process", Length: 1e308}, `length: got 1e+308, want a number in [0.0001, 10000]`},
		{Spec{}, Initial{Kind: "gaussian-process", Tied: true}, `tied: got true, want it left out, as no part is of a kind that uses it (normal, truncated-normal, uniform)`},
		{Spec{}, Initial{Kind: "uniform", Coupled: true}, `coupled: got true, want it left out, as no part is of a kind that uses it (normal, fractional-brownian, fractional-noise)`},
		{Spec{}, Initial{Tied: true, Coupled: true}, `coupled: got true, want false with tied (one draw for all layers leaves no layer noise to couple)`},
		{Spec{}, Initial{Kind: "fractional-brownian", Coupled: true}, `coupled: got true, want false at depth 12 with kind fractional-brownian: its coupled path is drawn at 65536 points, which the depth must divide`},
		{Spec{}, Initial{Path: "A.npy"}, `path: got "A.npy", want it left out, as no part is of a kind that uses it (file)`},
		{Spec{}, Initial{Kind: "file"}, `path: got "", want the name of a .npy or .safetensors file, as the kind is file`},
		{mlp, parts("V", Initial{Kind: "file"}), `parts.V.path: got "", want the name of a .npy or .safetensors file, as the kind is file`},
		{Spec{}, Initial{Kind: "file", Path: "A.txt"}, `path: got "A.txt", want a name that ends in .npy or .safetensors`},
		{mlp, Initial{Kind: "file", Path: "A.npy"}, `path: got "A.npy", want a .safetensors file with a tensor for each of V, W, or a path for each under parts`},
		{Spec{Bias: true}, Initial{Kind: "file", Path: "A.npy", Bias: "b.txt"}, `bias: got "b.txt", want a name that ends in .npy or .safetensors`},
		{Spec{Bias: true}, Initial{Bias: "b.npy"}, `bias: got "b.npy", want kind: file beside it, or parts: {b: {kind: file, path: …}}`},
		{Spec{}, Initial{Kind: "file", Path: "A.npy", Bias: "b.npy"}, `bias: got "b.npy", want network.bias: true, or no file for it`},
		{Spec{Bias: true}, with(Initial{Kind: "file", Path: "A.npy", Bias: "b.npy"}, "b", Initial{Kind: "zero"}), `bias: got "b.npy", want either bias or parts.b`},
	} {
		_, err := c.initial.Resolve(network(t, c.spec), 12)
		wantError(t, err, c.want)
	}
	if _, err := (Initial{}).Resolve(Spec{}, 12); err == nil {
		t.Error("a network that is not resolved: got no error")
	}
}

// TestInitialResolvesOrRefuses draws sections at random: each is refused with a
// *field.Error, or complete and unchanged by resolving again.
func TestInitialResolvesOrRefuses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.SampledFrom([]*float64{nil, nil, ptr(0), ptr(0.5), ptr(-1), ptr(nan)})
		draw := func(label string) Initial {
			return Initial{
				Kind:      rapid.SampledFrom(append([]string{"", "", "odd"}, kindNames()...)).Draw(t, label+".kind"),
				Amplitude: number.Draw(t, label+".amplitude"),
				Exponent:  number.Draw(t, label+".exponent"),
				Tied:      rapid.IntRange(0, 4).Draw(t, label+".tied") == 0,
				Coupled:   rapid.IntRange(0, 4).Draw(t, label+".coupled") == 0,
				Hurst:     rapid.SampledFrom([]float64{0, 0, 0, 0.3, 2}).Draw(t, label+".hurst"),
				Length:    rapid.SampledFrom([]float64{0, 0, 0, 0.3, -2}).Draw(t, label+".length"),
				Path:      rapid.SampledFrom([]string{"", "", "x.npy", "x-{depth}.safetensors"}).Draw(t, label+".path"),
				Bias:      rapid.SampledFrom([]string{"", "", "", "", "b.npy"}).Draw(t, label+".bias"),
			}
		}
		initial := draw("initial")
		for _, name := range partNames(Spec{Block: "mlp", Bias: true}) {
			if rapid.Bool().Draw(t, name) {
				if initial.Parts == nil {
					initial.Parts = map[string]Initial{}
				}
				initial.Parts[name] = draw(name)
			}
		}
		spec, err := Spec{Block: "mlp", Bias: rapid.Bool().Draw(t, "with bias")}.Resolve(4, 4)
		if err != nil {
			t.Fatal(err)
		}
		resolved, err := initial.Resolve(spec, 16)
		if err != nil {
			if e := new(field.Error); !errors.As(err, &e) {
				t.Fatalf("got %v (%T), want a *field.Error", err, err)
			}
			return
		}
		for _, name := range partNames(spec) {
			p, ok := resolved.Parts[name]
			if !ok || p.Kind == "" || p.Kind != "file" && p.Amplitude == nil {
				t.Fatalf("part %s is not complete: %+v", name, p)
			}
		}
		if again, err := resolved.Resolve(spec, 16); err != nil || !cmp.Equal(again, resolved) {
			t.Fatalf("resolved again: got %+v and error %v, want %+v", again, err, resolved)
		}
	})
}
