package report

import (
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
)

// certified makes the folder of a study with one run, the worked example of
// docs/certificates.md: two layers of width one, one step of size 1/2, its certificate,
// one later iterate of that loss and what Lanczos would find.
func certified(t *testing.T, laterLoss float64) (dir string, study *analyze.Folder) {
	t.Helper()
	dir = t.TempDir()
	meta := runfolder.Meta{
		ID: "example", Hash: "hash", Group: "group", Study: "sample", Data: "example", Depth: 2, Width: 1, Samples: 1, Inputs: 1, Outputs: 1,
		Seed: 1, DType: "float64", Block: "inner", Activation: "tanh", Residual: "fixed", Loss: "squared", Method: "gd", Alpha: 0.5,
	}
	step, next := 0.5, 8.2281472e-05
	record := runfolder.Certification{
		Cadence: "growing",
		Problem: certify.Problem{
			Block: "inner", Activation: "tanh", Loss: "squared", Method: "gd", Residual: "fixed", Embed: "identity", Readout: "identity",
			Depth: 2, Width: 1, Samples: 1, Outputs: 1, Alpha: 0.5, MinInputNorm: 1, MaxInputNorm: 1, UnitRoundoff: 0x1p-53,
		},
		Measurements: []certify.Measurement{{
			Loss: 0.000462303126, GradientNorm: 0.0326741, Delta: []float64{0.7071067811865476},
			Weights: []float64{0.1, 0.2}, Gradients: []float64{0.0241642, 0.0219929}, Hidden: []float64{1, 1.0704759, 1.2195927},
			Features: []float64{1, 1.0704759}, Slopes: []float64{0.9900663, 0.9555284},
			WeightIncrements: []float64{0.1}, GradientIncrements: []float64{0.0021713},
			StepSize: &step, NextLoss: &next,
		}},
		Curvatures: []runfolder.Curvature{{
			Hessian:  &runfolder.Spectrum{Largest: 1.25, LargestResidual: 1e-9, Smallest: -0.125, SmallestResidual: 0.001, Converged: true, Products: 2},
			StepSize: &step, Gram: &runfolder.Gram{Smallest: 1e-17, Residual: 2e-16},
		}},
	}
	it, err := certify.New(record.Problem, record.Measurements[0])
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := it.Converge()
	if err != nil {
		t.Fatal(err)
	}
	record.Certificates = []certify.Certificate{*certificate}
	record.Later = []certify.Later{{Iteration: 1, Loss: laterLoss, Movement: 0.0120821, StepSum: 0.5, MinStep: 0.5, MaxStep: 0.5}}
	if err := record.History.Add(it, certify.Stretch{Steps: 1, RootLoss: 0.5 * 0.0304074, Lengths: []float64{0.0120821, 0.01099645}}); err != nil {
		t.Fatal(err)
	}
	path := func(first, second float64) runfolder.Tensor {
		return runfolder.Tensor{DType: "F64", Shape: []int{2, 1, 1}, Data: []float64{first, second}}
	}
	weights := runfolder.Weights{Tensors: map[string]runfolder.Tensor{"A_initial": path(0.1, 0.2), "A": path(0.1120821, 0.21099645)}}
	if err := runfolder.CreateStudy(dir, "sample", "name: sample\n", nil); err != nil {
		t.Fatal(err)
	}
	folder := runfolder.RunDir(dir, meta.ID)
	if err := runfolder.Create(folder, meta); err != nil {
		t.Fatal(err)
	}
	sums, err := runfolder.WriteCertification(folder, &record)
	if err != nil {
		t.Fatal(err)
	}
	summary := runfolder.Summary{Iterations: 1, Stop: "iterations", Loss: next, SHA256: sums}
	if err := runfolder.Finish(folder, meta, []runfolder.Row{{Loss: &record.Measurements[0].Loss}, {Iteration: 1, Loss: &next}}, weights, summary); err != nil {
		t.Fatal(err)
	}
	study, err = analyze.Read(t.Context(), dir, analyze.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	return dir, study
}

// TestCertificatesOnThePage wants the certificate, hypotheses, bounds and curvature of
// a run on the page, and their numbers in the figures' tables.
func TestCertificatesOnThePage(t *testing.T) {
	dir, study := certified(t, 8.2281472e-05)
	path, err := Write(t.Context(), dir, study, Options{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<h3>What is proved</h3>",
		`<th scope="row">2</th><td>1</td><td class="text">certified</td><td>0</td><td>4.62 × 10⁻⁴</td><td>0.0692</td><td>0.746</td><td>0.508</td><td class="text">2 of 2 hold</td>`,
		`<tr><th scope="row">unit-norm</th><td>yes</td>`,
		`<tr><th scope="row">0</th><td class="text">hidden-growth, layer 1</td><td>1.073</td><td>1.070</td><td>1.003</td><td class="text">holds</td>`,
		`<tr><th scope="row">whole run</th><td class="text">displacement</td>`,
		`<tr><th scope="row">last check</th><td class="text">certified-loss</td>`,
		`<tr><th scope="row">0</th><td>1.250</td><td>−0.12</td><td>4.000</td><td>0 ± 3 × 10⁻¹⁶</td></tr>`,
	} {
		if !strings.Contains(string(data), want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	if strings.Contains(string(data), "fault of deeplimit") {
		t.Error("the page tells of a violation that is not there")
	}
	groups := collect(study)
	slack, sharp := slackFigure(groups[0], Paper), sharpnessFigure(groups[0], Paper)
	if got := slack.Data.Rows; len(got) != 6 || got[0][0] != "hidden-growth" || got[0][3] != "0" || got[0][7] != "holds" {
		t.Errorf("table of slacks: %v", got)
	}
	if text := legendText(slack); !strings.Contains(text, "certificate of convergence, $t$ = 0") {
		t.Errorf("legend %q does not tell the moment of issue", text)
	}
	for _, m := range slack.panels[0][0].marks {
		for i, x := range m.x {
			if !(x == 1) || math.IsNaN(m.y[i]) {
				t.Errorf("a mark at (%v, %v), want iteration 0 at 1", x, m.y[i])
			}
		}
	}
	if row := sharp.Data.Rows[0]; row[3] != "1.25" || row[5] != "-0.125" || row[7] != strconv.Itoa(4) {
		t.Errorf("table of the sharpness: %v", row)
	}
}

// TestViolationOnThePage wants a broken promise to stand out.
func TestViolationOnThePage(t *testing.T) {
	dir, study := certified(t, 4.6e-4)
	path, err := Write(t.Context(), dir, study, Options{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<strong>Proved statements were found broken.", "the certificate of iteration 0 is violated: certified-loss",
		`<tr class="trouble"><th scope="row">2</th><td>1</td><td class="text">violated</td>`,
	} {
		if !strings.Contains(string(data), want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
}

// TestUnmeasuredOnThePage wants a study that measured nothing to say why nothing is proved,
// and to draw no figure of it.
func TestUnmeasuredOnThePage(t *testing.T) {
	_, page := written(t, sampleSmall, sampleSmall.result(), quick)
	for _, want := range []string{"not certified", "No certificate of convergence: nothing was measured", "Hypotheses of the theory", "not measured"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
}
