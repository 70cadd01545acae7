package train

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/dataset"
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
	{"adam-layered", "adam", 1, resnet.Spec{Residual: "layered"}, -0.5},
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
	if c.method == "adam" {
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
