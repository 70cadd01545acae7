//go:build amd64 && !amd64.v3

// From GOAMD64=v3 on the compiler fuses the scalar code, which rounds differently.

package resnet

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"hash"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/cpu"

	"github.com/deeplimit/deeplimit/activation"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/random"
)

var update = flag.Bool("update", false, "write the golden files anew")

// A fingerprint hashes the bits of numbers under names.
type fingerprint map[string]hash.Hash

func (f fingerprint) add(name string, values ...any) {
	if f[name] == nil {
		f[name] = sha256.New()
	}
	for _, v := range values {
		if err := binary.Write(f[name], binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
}

// sum returns the start of a hash.
func (f fingerprint) sum(name string) string { return hex.EncodeToString(f[name].Sum(nil)[:5]) }

func (f fingerprint) String() string {
	var sums []string
	for _, name := range slices.Sorted(maps.Keys(f)) {
		sums = append(sums, name+" "+f.sum(name))
	}
	return strings.Join(sums, ", ")
}

// all adds every result of an evaluator.
func all[T Float](t *testing.T, f fingerprint, net *Network, samples Samples, theta []T, options Options, costly bool) {
	t.Helper()
	e, err := NewEvaluator[T](net, samples, options)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	size := net.Layout.Trained
	grad, hv, v := make([]T, size), make([]T, size), make([]T, size)
	rng := random.New(3, "direction")
	for i := range v {
		v[i] = T(rng.NormFloat64())
	}
	f.add("loss", e.Loss(theta).Loss, int64(e.Loss(theta).Correct))
	j := e.Gradient(theta, grad)
	f.add("gradient", j.Loss, grad, e.GradientSquare())
	if costly {
		f.add("hessian", e.HessianVector(theta, v, hv).Loss, hv)
		k, err := e.Gram(theta)
		if err != nil {
			t.Fatal(err)
		}
		f.add("gram", k.RawSymmetric().Data)
		m, err := e.Measure(theta, grad, j.Loss, 2)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		f.add("measure", text)
	}
	states, _ := e.HiddenStates(theta, 3)
	out := make([]float64, e.Len()*net.Outputs)
	if err := e.Outputs(theta, out); err != nil {
		t.Fatal(err)
	}
	f.add("states", states, out, e.HiddenNorms(theta))
	moved, norms := append([]T(nil), theta...), make([]float64, net.Depth)
	eta := 1e-3 / (1 + math.Sqrt(e.GradientSquare())) // short steps, as the bits of NaN differ
	for range 3 {
		if e.Descends() {
			f.add("descent", e.Ahead(moved).Loss)
			e.Back(moved, grad)
			f.add("descent", grad, e.GradientSquare())
			e.Ahead(moved)
			e.Descend(moved, eta, norms)
		} else {
			f.add("descent", e.Gradient(moved, grad).Loss)
			kernel.For[T]().AddScaled(moved[:size], T(-eta), grad)
			LayerNormsTo(norms, net, grad)
		}
		f.add("descent", norms)
	}
	last := e.Loss(moved).Loss
	if !(last <= math.MaxFloat64) {
		t.Fatalf("the descent ends at a loss of %g", last)
	}
	f.add("descent", moved, last)
}

// both adds the results in both element types to the zoo, which must not depend on the options.
func both(t *testing.T, zoo zoo, name string, options []Options, costly bool, net *Network, samples Samples, theta []float64) {
	t.Helper()
	add(t, zoo, name+"/float64", options, func(f fingerprint, o Options) { all(t, f, net, samples, theta, o, costly) })
	single := rounded(theta)
	add(t, zoo, name+"/float32", options, func(f fingerprint, o Options) { all(t, f, net, samples, single, o, costly) })
}

// A zoo holds fingerprints of groups of networks.
type zoo map[string]fingerprint

// add adds the results that compute gives for all of the options to those of the group.
func add(t *testing.T, zoo zoo, group string, options []Options, compute func(f fingerprint, o Options)) {
	t.Helper()
	if zoo[group] == nil {
		zoo[group] = fingerprint{}
	}
	first := fingerprint{}
	compute(first, options[0])
	for _, o := range options[1:] {
		again := fingerprint{}
		compute(again, o)
		for quantity := range first {
			if again.sum(quantity) != first.sum(quantity) {
				t.Errorf("%s: the bits of %s depend on the options %+v", group, quantity, o)
			}
		}
	}
	for quantity := range first {
		zoo[group].add(quantity, []byte(first.sum(quantity)))
	}
}

// TestFingerprint holds every result to bits that were recorded, for all blocks, activations,
// losses and δ, and for shapes that the engines, tiles, shards and segments cut differently.
// A change here is a change of results: a study would give other bytes.
func TestFingerprint(t *testing.T) {
	if !cpu.X86.HasFMA {
		t.Skip("math.Exp rounds differently without FMA")
	}
	zoo := zoo{}
	blocks(t, zoo)
	shapes(t, zoo)
	starts(t, zoo)
	normed(t, zoo)
	got := map[string]string{}
	for name, f := range zoo {
		got[name] = f.String()
	}
	const path = "testdata/fingerprint.json"
	if *update {
		text, err := json.MarshalIndent(got, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(text, '\n'), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	if err := json.Unmarshal(golden, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the bits of results changed (-want +got):\n%s", diff)
	}
}

// blocks covers what the network section of a study may say, losses and frames in turn.
func blocks(t *testing.T, zoo zoo) {
	losses, frames := []string{"squared", "cross-entropy", "lp"}, []string{"auto", "trained", "orthonormal"}
	turn := 0
	for _, block := range []string{"inner", "outer", "mlp"} {
		for _, sigma := range activation.Names() {
			for _, residual := range []string{"fixed", "shared", "layered"} {
				for _, bias := range []bool{false, true} {
					alpha := 0.5
					spec := Spec{Block: block, Activation: sigma, Loss: losses[turn%3], Residual: residual, Bias: bias, Alpha: &alpha, Width: 5}
					spec.Embed, spec.Readout = frames[turn/3%3], frames[turn/9%3]
					inputs, outputs := 4, 3
					if turn%2 == 0 {
						spec.Embed, spec.Readout, inputs, outputs = "identity", "identity", 5, 5
					}
					if block == "mlp" {
						spec.Hidden = 7
					}
					turn++
					net := netOf(t, spec, 9, inputs, outputs)
					rng := random.New(uint64(turn), "fingerprint")
					samples, theta := randomSamples(rng, net, 51), randomParameters(rng, net)
					both(t, zoo, block+"/"+sigma, []Options{{Workers: 1}, {Workers: 2, Memory: 1}}, true, net, samples, theta)
				}
			}
		}
	}
}

// normed covers blocks behind a norm.
func normed(t *testing.T, zoo zoo) {
	for i, block := range []string{"inner", "outer", "mlp"} {
		for _, kind := range []string{"rms", "layer"} {
			alpha := 0.5
			spec := Spec{Block: block, Normalise: "pre", NormKind: kind, Residual: []string{"layered", "fixed", "shared"}[i], Bias: i == 1, Alpha: &alpha, Width: 9, Embed: "trained"}
			net := netOf(t, spec, 9, 4, 9)
			rng := random.New(uint64(i), "normed")
			samples, theta := randomSamples(rng, net, 51), randomParameters(rng, net)
			both(t, zoo, "normalised/"+block+"/"+kind, []Options{{Workers: 1}, {Workers: 2, Memory: 1}}, true, net, samples, theta)
		}
	}
}

// shapes covers widths, samples and depths.
func shapes(t *testing.T, zoo zoo) {
	for _, c := range []struct{ d, n, depth int }{
		{1, 1, 1},
		{1, 40, 70},
		{2, 8, 40},
		{3, 16, 300},
		{8, 9, 100},
		{10, 8, 90},
		{10, 8, 3000},
		{10, 100, 300},
		{12, 33, 50},
		{13, 70, 50},
		{16, 200, 30},
		{24, 16, 60},
		{33, 40, 40},
		{64, 50, 12},
		{70, 9, 9},
		{130, 20, 5},
	} {
		for _, sigma := range []string{"tanh", "gelu", "silu"} {
			if sigma == "silu" && c.depth >= 300 {
				continue // slow, as it is computed entry by entry
			}
			for _, bias := range []bool{false, true} {
				alpha := 0.5
				net := netOf(t, Spec{Activation: sigma, Bias: bias, Alpha: &alpha}, c.depth, c.d, c.d)
				rng := random.New(9, "shapes")
				samples, theta := randomSamples(rng, net, c.n), randomParameters(rng, net)
				for _, g := range net.Layout.Groups {
					if g.Name == "delta" { // which keeps deep networks finite
						continue
					}
					for i, v := range View(net.Layout, theta, g.Name) {
						View(net.Layout, theta, g.Name)[i] = v / math.Sqrt(float64(c.d*c.depth))
					}
				}
				name := fmt.Sprintf("d=%d/n=%d/depth=%d/%s", c.d, c.n, c.depth, sigma)
				options := []Options{{Workers: 1}, {Workers: 3}, {Workers: 1, Memory: 1}, {Workers: 2, Memory: 1 << 18}}
				if c.depth > 1000 { // slow
					options = options[:2]
				}
				if kernel.For[float64]().Tier == "portable" {
					options = options[:1]
				}
				both(t, zoo, name, options, false, net, samples, theta)
			}
		}
	}
}

// starts covers the kinds of initial weights of untrained networks.
func starts(t *testing.T, zoo zoo) {
	for _, block := range []string{"inner", "outer", "mlp"} {
		for _, sigma := range []string{"tanh", "relu", "gelu"} {
			for _, residual := range []string{"fixed", "layered"} {
				f := fingerprint{}
				zoo[fmt.Sprintf("start/%s/%s/%s", block, sigma, residual)] = f
				for i, initial := range []Initial{{Kind: "normal"}, {Kind: "uniform"}, {Kind: "normal", Coupled: true}, {Kind: "fractional-brownian", Hurst: 0.6}} {
					inputs, outputs := 6, 4
					if i%2 == 1 {
						inputs, outputs = 5, 5
					}
					spec := Spec{Block: block, Activation: sigma, Residual: residual, Bias: i < 2, Width: 5, Loss: []string{"squared", "lp"}[i%2]}
					if spec.Bias {
						initial.Parts = map[string]Initial{"b": {Kind: "normal"}}
					}
					start(t, f, spec, initial, inputs, outputs)
				}
			}
		}
	}
}

func start(t *testing.T, f fingerprint, spec Spec, initial Initial, inputs, outputs int) {
	t.Helper()
	const depth = 11
	net := netOf(t, spec, depth, inputs, outputs)
	initial.Amplitude, initial.Exponent = at(0.6, 0.1)
	initial, err := initial.Resolve(net.Spec, depth)
	if err != nil {
		t.Fatal(err)
	}
	s64, s32 := NewStarter[float64](net, initial, ""), NewStarter[float32](net, initial, "")
	for _, n := range []int{3, 17, 17, 1} {
		samples := randomSamples(random.New(uint64(n), "start"), net, n)
		for name, draw := range map[string]func(Samples, uint64) (Start, error){"float64": s64.Draw, "float32": s32.Draw} {
			got, err := draw(samples, uint64(n))
			if err != nil {
				t.Fatal(err)
			}
			f.add(name, got)
		}
	}
}
