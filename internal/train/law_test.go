package train

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/resnet"
)

var long = flag.Bool("long", false, "measure the laws of the step size over more depths and seeds (minutes)")

// A lawCase is a training whose best step size over depth is measured.
type lawCase struct {
	name    string
	method  string
	alpha   float64
	network resnet.Spec
	want    float64 // the exponent
}

var lawCases = []lawCase{
	{"gd", "gd", 0.5, resnet.Spec{}, 0},
	{"gd", "gd", 1, resnet.Spec{}, 1},
	{"gd-outer-bias", "gd", 1, resnet.Spec{Block: "outer", Bias: true}, 1},
	{"sgd", "sgd", 0.75, resnet.Spec{}, 0.5},
	{"momentum", "momentum", 1, resnet.Spec{}, 1},
	{"gd-shared", "gd", 1, resnet.Spec{Residual: "shared"}, -0.5},
	{"gd-shared", "gd", 0.5, resnet.Spec{Residual: "shared"}, -0.5},
	{"gd-layered", "gd", 1, resnet.Spec{Residual: "layered"}, 0},
	{"gd-readout", "gd", 1, resnet.Spec{Readout: "trained"}, 0},
	{"adam", "adam", 0.5, resnet.Spec{}, -0.5},
	{"adam", "adam", 1, resnet.Spec{}, 0},
	{"adam-outer-bias", "adam", 0.5, resnet.Spec{Block: "outer", Bias: true}, -0.5},
	{"adam-readout", "adam", 0.5, resnet.Spec{Readout: "trained"}, -0.5},
	{"adam-shared", "adam", 1, resnet.Spec{Residual: "shared"}, -0.5},
	{"nesterov", "nesterov", 1, resnet.Spec{}, 1},
	{"adamw", "adamw", 1, resnet.Spec{}, 0},
	{"sign", "sign", 0.5, resnet.Spec{}, -0.5},
	{"lion", "lion", 0.5, resnet.Spec{}, -0.5},
	{"muon", "muon", 0.5, resnet.Spec{}, -0.5},
	{"muon", "muon", 0.75, resnet.Spec{}, -0.25},
	{"adam-layered", "adam", 1, resnet.Spec{Residual: "layered"}, -0.5},
	{"gd-normalised", "gd", 1, resnet.Spec{Normalise: "pre"}, 1},
	{"adam-normalised", "adam", 0.5, resnet.Spec{Normalise: "pre", NormKind: "layer"}, -0.5},
}

// TestBestStep holds rule depth to what it is for: that the best step size of one depth
// is the best of every depth. It measures, with rule constant, the step size at which the
// loss falls fastest at several depths, and fits its power of L.
//
//	go test ./train -run TestBestStep -v -args -long
func TestBestStep(t *testing.T) {
	depths, seeds, within := []int{8, 32, 128}, 1, 0.2
	if *long {
		depths, seeds, within = []int{8, 32, 128, 512}, 3, 0.1
	}
	for _, c := range lawCases {
		t.Run(fmt.Sprintf("%s-%g", c.name, c.alpha), func(t *testing.T) {
			c.network.Alpha = &c.alpha
			best := make([]float64, len(depths))
			for i, depth := range depths {
				best[i] = bestStep(t, c, depth, seeds)
			}
			got := slopeOf(depths, best)
			t.Logf("best steps %.3g at depths %d: exponent %.3f", best, depths, got)
			spec, err := c.network.Resolve(lawWidth, lawWidth)
			if err != nil {
				t.Fatal(err)
			}
			if law := DepthExponent(c.method, spec); law != c.want {
				t.Errorf("the law is L^%g, want L^%g", law, c.want)
			}
			if !(math.Abs(got-c.want) <= within) {
				t.Errorf("the best step follows L^%.3f, want L^%g within %g", got, c.want, within)
			}
		})
	}
}

const lawWidth = 6

// bestStep returns the step size of rule constant with which J falls most: the lowest
// point of the parabola through the best of a grid of factors √2 and its neighbours.
func bestStep(t *testing.T, c lawCase, depth, seeds int) float64 {
	t.Helper()
	first, count := 0x1p-6, 40
	if normalised(c.method) {
		first, count = 0x1p-11, 20
	}
	var steps, scores []float64
	for i := range count {
		step := first * math.Pow(2, float64(i)/2)
		score := 0.0
		for seed := range seeds {
			score += fall(t, c, depth, uint64(seed+1), step)
		}
		steps, scores = append(steps, math.Log(step)), append(scores, score)
		if math.IsInf(score, 1) {
			break
		}
	}
	i := 0
	for j, score := range scores {
		if score < scores[i] {
			i = j
		}
	}
	if i == 0 || i == len(scores)-1 {
		t.Fatalf("depth %d: the best step %g is at an end of the grid", depth, math.Exp(steps[i]))
	}
	low, mid, high := scores[i-1], scores[i], scores[i+1]
	if math.IsInf(high, 1) {
		return math.Exp(steps[i])
	}
	return math.Exp(steps[i] + (low-high)/(low-2*mid+high)/2*(steps[1]-steps[0]))
}

// fall returns log ΣJ over the second half of a training with that constant step size,
// which swings of momentum enter little, +Inf where it diverges.
func fall(t *testing.T, c lawCase, depth int, seed uint64, step float64) float64 {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	data, err := dataset.Spec{Kind: "rotation", Width: lawWidth, Samples: 8, Angle: 0.5}.Resolve(seed)
	must(err)
	set, err := dataset.Load(data, "")
	must(err)
	spec, err := c.network.Resolve(lawWidth, lawWidth)
	must(err)
	initial, err := resnet.Initial{}.Resolve(spec, depth)
	must(err)
	net, err := resnet.New(spec, depth, lawWidth, lawWidth)
	must(err)
	theta, err := resnet.Parameters[float64](net, initial, seed, "")
	must(err)
	options, err := Spec{
		Method: c.method, Step: Step{Rule: "constant", Value: step}, Stop: Stop{Iterations: new(40), Divergence: 10},
		Certify: Certify{Cadence: "off"}, Norms: "off",
	}.Resolve(set.Samples)
	must(err)
	full, err := resnet.NewEvaluator[float64](net, resnet.Samples{X: set.X, Y: set.Y}, resnet.Options{Workers: 1})
	must(err)
	defer full.Close()
	d := &Descent[float64]{Network: net, Spec: options, Seed: seed, Theta: theta, Initial: slices.Clone(theta), Full: full}
	if options.Batch > 0 {
		d.Batch, err = resnet.NewEvaluator[float64](net, resnet.Samples{X: set.X, Y: set.Y}, resnet.Options{Workers: 1, Batch: options.Batch})
		must(err)
		defer d.Batch.Close()
	}
	out, err := d.Run(t.Context(), nil)
	must(err)
	if out.Stop == StopDiverged {
		return math.Inf(1)
	}
	sum := 0.0
	for _, row := range out.Rows[len(out.Rows)/2:] {
		if row.Loss != nil {
			sum += *row.Loss
		}
	}
	return math.Log(sum)
}

// slopeOf returns the least-squares slope of log y on log depth.
func slopeOf(depths []int, y []float64) float64 {
	var mx, my, above, below float64
	n := float64(len(depths))
	for i, depth := range depths {
		mx += math.Log(float64(depth)) / n
		my += math.Log(y[i]) / n
	}
	for i, depth := range depths {
		x := math.Log(float64(depth)) - mx
		above += x * (math.Log(y[i]) - my)
		below += x * x
	}
	return above / below
}

// TestGroupsApart wants η, λ and ε of every group at depth 32 by the law that docs/step-size.md
// derives: at the base depth they are as written, whatever the method.
func TestGroupsApart(t *testing.T) {
	alpha := 0.75
	network, err := resnet.Spec{Block: "mlp", Alpha: &alpha, Bias: true, Embed: "trained", Readout: "trained"}.Resolve(3, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range Methods {
		spec, err := Spec{Method: method, WeightDecay: new(Decay(0.1)), Step: Step{Groups: "apart", Value: 0.5, BaseDepth: 8, Parts: Parts{W: 2, Embed: 3}}}.Resolve(0)
		if err != nil {
			t.Fatal(err)
		}
		net, err := resnet.New(network, 32, 3, 2)
		if err != nil {
			t.Fatal(err)
		}
		layers := 0.5 // 2α − 1
		if normalised(method) {
			layers = -0.25 // α − 1
		}
		law := spec.At(32, network)
		for _, g := range net.Layout.Groups {
			if !g.Trained {
				continue
			}
			value, factor, epsilon := 0.5, math.Pow(4, layers), spec.Epsilon*math.Pow(4, -0.75)
			switch g.Name {
			case "W":
				value = 2
			case "E":
				value = 3
			}
			if g.Name == "E" || g.Name == "C" {
				factor, epsilon = 1, spec.Epsilon
			}
			for _, s := range spansOf(net, spec) {
				if g.Offset < s.begin || g.Offset >= s.end {
					continue
				}
				if got, want := s.scale**law.First, value*factor; !near(got, want) {
					t.Errorf("%s: step size of %s is %g, want %g", method, g.Name, got, want)
				}
				if got, want := s.decay*s.scale**law.First, 0.1*value; !near(got, want) {
					t.Errorf("%s: ηλ of %s is %g, want %g", method, g.Name, got, want)
				}
				if !near(s.epsilon, epsilon) {
					t.Errorf("%s: ε of %s is %g, want %g", method, g.Name, s.epsilon, epsilon)
				}
			}
		}
		for _, part := range spec.At(8, network).Parts {
			if part.Value != part.First || part.Epsilon != spec.Epsilon || part.Decay != 0.1 {
				t.Errorf("%s: at the base depth %+v, want value, decay and ε as written", method, part)
			}
		}
	}
}

// TestPartsStep wants each group of θ moved with its own step size.
func TestPartsStep(t *testing.T) {
	spec, err := Spec{Step: Step{Rule: "constant", Value: 0.5, Parts: Parts{W: 2, Readout: 3}}}.Resolve(0)
	if err != nil {
		t.Fatal(err)
	}
	net := mlpNetwork(t, [5]int{2, 3, 5, 4, 2})
	theta, grad := make([]float64, net.Layout.Trained), make([]float64, net.Layout.Trained)
	for i := range grad {
		grad[i] = 1
	}
	NewStepper[float64](&alloc.Account{}, net, spec, 2).Step(theta, grad, 0.5, 0, 0, alone)
	for _, g := range net.Layout.Groups {
		if !g.Trained {
			continue
		}
		want := map[string]float64{"W": -2, "C": -3}[g.Name]
		if want == 0 {
			want = -0.5
		}
		for _, got := range resnet.View(net.Layout, theta, g.Name) {
			if got != want {
				t.Errorf("%s moved by %g, want %g", g.Name, got, want)
			}
		}
	}
}
