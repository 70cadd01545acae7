package report

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/read/proof"
	"github.com/deeplimit/deeplimit/runfolder"
)

// TestGolden holds every kind of figure to its golden file: those of a small study with
// all that analyze, transfer and certify may add, of its edge and of untrained networks.
// TestMap has that of the map.
func TestGolden(t *testing.T) {
	g := limitOf(sampleSmall)
	for i := range g.runs {
		if g.runs[i].trouble() == "" {
			g.runs[i].proof = sampleProof(g.runs[i].Depth)
		}
	}
	g.tune = sampleTune()
	g.plane, g.second = samplePlane()
	g.changes = sampleCoordinates().Quantities
	for i := range g.runs {
		g.runs[i].sampleCourse()
	}
	groups, overview := sampleGrid()
	drawn := map[string]bool{}
	for _, f := range append(overFigures(groups, overview, Options{Style: Paper}), figuresOf(g, Options{Style: Paper})...) {
		golden(t, f)
		drawn[f.Kind] = true
	}
	for _, k := range Kinds() {
		if !drawn[k.Name] {
			t.Errorf("there is no golden %s", k.Name)
		}
	}
	edge, err := EdgeFigure(sampleEdge(), Paper)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, edge)
	golden(t, DepthFigure(DeepAnswer{
		Study: "planted", Measure: "loss", Sentence: "More than 16 layers do not pay.", Limit: 0.1, LimitLow: new(0.09), LimitHigh: new(0.11), Knee: 16, KneeLow: 8, KneeHigh: new(16),
		Levels: []DeepLevel{{4, 0.5, new(0.4), new(0.6), 400}, {8, 0.2, new(0.15), new(0.25), 800}, {16, 0.12, new(0.11), new(0.13), 1600}, {32, 0.11, nil, nil, 3200}},
	}, Paper))
	dir := startStudy(t)
	result, err := analyze.Starts(dir)
	if err != nil {
		t.Fatal(err)
	}
	figures, err := StartFigures(t.Context(), result, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range figures {
		golden(t, f)
	}
}

// sampleCourse adds times, accuracies, mini-batches and a trained residual scale to a run.
func (r *run) sampleCourse() {
	meta := *r.meta
	meta.Batch, r.meta, r.accuracy = 2, &meta, map[string]series{}
	for i, t := range r.iteration {
		r.seconds = append(r.seconds, 0.01*float64(r.Depth*i))
		for j, name := range []string{"accuracy", "test_accuracy"} {
			c := r.accuracy[name]
			r.accuracy[name] = series{x: append(c.x, t), y: append(c.y, 1-0.1*float64(j)-0.8/(1+0.2*t))}
		}
	}
	r.Accuracy, r.TestAcc = new(0.95+1e-4*float64(r.Depth)), new(0.8+1e-3*float64(r.Depth))
	for k := range r.Depth {
		r.Delta = append(r.Delta, (1+0.2*math.Sin(float64(5*k)/float64(r.Depth)))/math.Sqrt(float64(r.Depth)))
	}
	r.MeanDelta, r.DeltaMaxFrobenius = new(1/math.Sqrt(float64(r.Depth))), 2/math.Sqrt(float64(r.Depth))
}

// sampleProof is what certify may say of a run: bounds that loosen, a certificate at
// iteration 4, and a sharpness that comes up to 2/η.
func sampleProof(depth int) *proof.Report {
	r := &proof.Report{
		Depth: depth, Verdict: proof.Certified,
		Certificate: &certify.Certificate{Iteration: 4, Loss: 1e-6, Radius: 0.1, Rate: 0.5, StepSize: 0.8},
	}
	size := float64(depth) // the loss needed goes like L^−2
	low, high, newton, curvature, needed := 0.1/size, 10., 1e-3, 20*size, 1e-8/(size*size)
	r.Kernel = &certify.Kernel{Loss: 1e-6, LambdaMin: &low, LambdaMax: &high, NewtonStep: &newton, CurvatureAtCentre: &curvature, LossNeeded: &needed}
	for _, t := range []int64{0, 1, 4, 16} {
		at := float64(t) + 1
		it := proof.Iterate{Iteration: t}
		for _, b := range []struct {
			name  string
			slack float64
		}{{"gradient-norm", 2}, {"pl-ratio", 1.5 * math.Sqrt(at)}, {"smoothness", 9 + 200/at}} {
			it.Bounds = append(it.Bounds, certify.Bound{Name: b.name, Value: b.slack, Measured: 1, Slack: b.slack, Verdict: certify.Holds})
		}
		step := 4.0
		r.Iterates = append(r.Iterates, it)
		r.Curvatures = append(r.Curvatures, runfolder.Curvature{
			Iteration: t, StepSize: &step,
			Hessian: &runfolder.Spectrum{Largest: 0.5 - 0.1/at - 0.4/float64(depth), Smallest: -0.1 / at},
		})
	}
	return r
}

// sampleEdge has step sizes that grow with depth as its α = 1 says.
func sampleEdge() *analyze.Edge {
	var runs []analyze.EdgeRun
	for _, depth := range []int{8, 16, 32} {
		for seed := range uint64(2) {
			size := float64(depth) * (1 + 0.01*float64(seed))
			runs = append(runs, analyze.EdgeRun{Group: "g", Data: "planted", Alpha: 1, Depth: depth, Seed: seed, Stable: size})
		}
	}
	return analyze.NewEdge("s", runs)
}

// coordinate matches the numbers of an SVG. Those of a golden file may be off by the
// rounding that fused multiply-add saves on some processors; drawn, nobody sees it.
var coordinate = regexp.MustCompile(`-?\d+(?:\.\d+)?(?:e[-+]\d+)?`)

// golden holds a figure to its file in testdata.
func golden(t *testing.T, f *Figure) {
	t.Helper()
	const tolerance = 0.02 // points: twice the last digit written
	got, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", f.Name+".svg")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if g, w := coordinate.ReplaceAllString(string(got), "#"), coordinate.ReplaceAllString(string(want), "#"); g != w {
		t.Errorf("%s: drawing is not that of the golden file; look at it and run with -update if it should be", f.Name)
		return
	}
	ws := coordinate.FindAllString(string(want), -1)
	for i, text := range coordinate.FindAllString(string(got), -1) {
		g, w := parse(t, text), parse(t, ws[i])
		if !(math.Abs(g-w) <= tolerance) {
			t.Errorf("%s: number %d is %v, want %v", f.Name, i, g, w)
			break
		}
	}
}
