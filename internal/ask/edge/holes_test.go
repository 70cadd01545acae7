package edge

import (
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/plantest"
	"github.com/deeplimit/deeplimit/resnet"
)

var draws = flag.Int("draws", 20, "step sizes that TestHoles draws for each run")

// TestHoles draws step sizes below the edge of problems whose stability is not monotone
// in the step size, and wants descent to be stable at all of them.
func TestHoles(t *testing.T) {
	for name, text := range map[string]string{
		"mlp":   "seeds: 4\ndata: {kind: normal, width: 4, samples: 6}\nnetwork: {block: mlp, activation: tanh, alpha: 1, hidden: 3}\n",
		"outer": "seeds: 2\ndata: {kind: normal, width: 4, samples: 6}\nnetwork: {block: outer, activation: tanh, alpha: 1}\n",
		"relu":  "seeds: 2\ndata: {kind: normal, width: 4, samples: 6}\nnetwork: {block: outer, activation: relu, alpha: 0.5}\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := plantest.New(t, "edge.yaml", "name: h\ndepths: [8]\n"+text+"train: {stop: {iterations: 60}}\n")
			found, err := Find(t.Context(), p, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range p.Runs {
				run := &p.Runs[i]
				var stable float64
				for _, r := range found.Runs {
					if r.ID == run.ID {
						stable = r.Stable
						if r.Unstable != nil {
							if at := exceeds(t, p.Problem(run), *r.Unstable); at < 0 {
								t.Errorf("%s: η = %v is stable, want it unstable", run.ID, *r.Unstable)
							}
						}
					}
				}
				random := rand.New(rand.NewPCG(1, uint64(i)))
				for range *draws {
					eta := stable * (0.5 + 0.5*random.Float64())
					if at := exceeds(t, p.Problem(run), eta); at >= 0 {
						t.Errorf("%s: at η = %v, below %v, the loss exceeds its first value in iteration %d", run.ID, eta, stable, at)
					}
				}
			}
		})
	}
}

// TestHoleOfTheFirstDraw has the draw at which bisection went over a hole: it gave an edge
// of 26.57, and at 25.24 the loss grows from 4.89 to 3.2e6.
func TestHoleOfTheFirstDraw(t *testing.T) {
	p := plantest.New(t, "edge.yaml", "name: h\ndepths: [16]\ndata: {kind: normal, width: 4, samples: 6}\nnetwork: {block: mlp, activation: tanh, alpha: 1, hidden: 3}\ntrain: {stop: {iterations: 100}}\n")
	if at := exceeds(t, p.Problem(&p.Runs[0]), 25.24); at < 0 {
		t.Error("η = 25.24 is stable, want a hole there")
	}
	found, err := Find(t.Context(), p, Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if r := found.Runs[0]; !(r.Stable < 25.24) || !(*r.Unstable <= 25.24*1.01) {
		t.Errorf("got stable %v and unstable %v, want both below 25.24", r.Stable, *r.Unstable)
	}
}

// exceeds makes a descent without anything of this package and returns the first iteration
// at which the loss exceeds that at the start, −1 where none does.
func exceeds(t *testing.T, p *plan.Problem, eta float64) int {
	t.Helper()
	theta, err := plan.Initial[float64](p)
	if err != nil {
		t.Fatal(err)
	}
	evaluator, err := resnet.NewEvaluator[float64](p.Network, p.Samples, resnet.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer evaluator.Close()
	grad := make([]float64, p.Network.Layout.Trained)
	var first float64
	for i := range *p.Run.Train.Stop.Iterations + 1 {
		loss := evaluator.Gradient(theta, grad).Loss
		if i == 0 {
			first = loss
		}
		if !(loss <= first) {
			return i
		}
		kernel.For[float64]().AddScaled(theta[:len(grad)], -eta, grad)
	}
	return -1
}
