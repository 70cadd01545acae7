package proof

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/runfolder"
)

// example is the worked example of docs/certificates.md with one step of size 1/2:
// two layers of width one, tanh, A = (0.1, 0.2), x = 1, y = 1.25.
func example() (runfolder.Meta, runfolder.Weights, runfolder.Certification) {
	meta := runfolder.Meta{
		ID: "example", Hash: "hash", Depth: 2, Width: 1, Samples: 1, Inputs: 1, Outputs: 1, DType: "float64",
		Block: "inner", Activation: "tanh", Residual: "fixed", Loss: "squared", Method: "gd", Alpha: 0.5,
	}
	path := func(first, second float64) runfolder.Tensor {
		return runfolder.Tensor{DType: "F64", Shape: []int{2, 1, 1}, Data: []float64{first, second}}
	}
	weights := runfolder.Weights{Tensors: map[string]runfolder.Tensor{
		"A_initial": path(0.1, 0.2), "A": path(0.1+0.0120821, 0.2+0.01099645),
	}}
	step, next := 0.5, 8.2281472e-05
	return meta, weights, runfolder.Certification{
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
	}
}

// finish makes a run folder of the example, with the record unless it is nil.
func finish(t *testing.T, meta runfolder.Meta, weights runfolder.Weights, record *runfolder.Certification) *runfolder.Run {
	t.Helper()
	dir := t.TempDir() + "/run"
	if err := runfolder.Create(dir, meta); err != nil {
		t.Fatal(err)
	}
	var sums map[string]string
	if record != nil {
		var err error
		if sums, err = runfolder.WriteCertification(dir, record); err != nil {
			t.Fatal(err)
		}
	}
	if err := runfolder.Finish(dir, meta, nil, weights, runfolder.Summary{Iterations: 1, Stop: "iterations", SHA256: sums}); err != nil {
		t.Fatal(err)
	}
	run, err := runfolder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// complete adds the certificate, one later iterate and the way to the example's record.
func complete(t *testing.T, record *runfolder.Certification) {
	t.Helper()
	it, err := certify.New(record.Problem, record.Measurements[0])
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := it.Converge()
	if err != nil {
		t.Fatal(err)
	}
	record.Certificates = []certify.Certificate{*certificate}
	record.Later = []certify.Later{{Iteration: 1, Loss: 8.2281472e-05, Movement: 0.0120821, StepSum: 0.5, MinStep: 0.5, MaxStep: 0.5}}
	stretch := certify.Stretch{Steps: 1, RootLoss: 0.5 * 0.0304074, Lengths: []float64{0.0120821, 0.01099645}}
	if err := record.History.Add(it, stretch); err != nil {
		t.Fatal(err)
	}
}

// TestRead evaluates the worked example from its folder alone and wants every bound
// to hold, the certificate and both promises.
func TestRead(t *testing.T) {
	meta, weights, record := example()
	complete(t, &record)
	r, err := Read(finish(t, meta, weights, &record))
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != Certified || len(r.Violations) != 0 {
		t.Fatalf("got verdict %s, violations %v", r.Verdict, r.Violations)
	}
	if len(r.Iterates) != 1 || len(r.Iterates[0].Bounds) != 6 || len(r.Way) != 3 || len(r.Hypotheses) < 10 {
		t.Fatalf("got %d iterates, %d bounds of the way, %d hypotheses", len(r.Iterates), len(r.Way), len(r.Hypotheses))
	}
	for _, b := range append(r.Iterates[0].Bounds, r.Way...) {
		if b.Verdict != certify.Holds {
			t.Errorf("%+v", b)
		}
	}
	if len(r.Promises) != 2 || r.Promises[0].Holds != 1 || r.Promises[1].Holds != 1 {
		t.Errorf("promises: %+v", r.Promises)
	}
	var text bytes.Buffer
	if err := r.WriteTable(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"run example: certified\n", "From iteration 0 on (loss 0.0004623)", "unit-norm          yes  ‖x_i‖ in [1, 1]",
		"hidden-growth (layer 1)        1.073      1.07       1.003  holds", "certified-ball  1        1",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, text.String())
		}
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

// TestReadOfLargerSteps wants a run whose steps exceed those of its certificate told
// apart from one that it binds.
func TestReadOfLargerSteps(t *testing.T) {
	meta, weights, record := example()
	complete(t, &record)
	record.Later[0].StepSum, record.Later[0].MinStep, record.Later[0].MaxStep = 2, 2, 2
	r, err := Read(finish(t, meta, weights, &record))
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != CertifiedSmaller || !strings.Contains(r.Promises[0].Reason, "a step of 2 exceeded") || !strings.Contains(r.Conclusion(), "This run took larger steps") {
		t.Errorf("got verdict %q, promises %+v, conclusion %s", r.Verdict, r.Promises, r.Conclusion())
	}
}

// TestReadFindsWhatIsBroken plants one broken statement of each kind and wants the
// verdict to be that and to name it.
func TestReadFindsWhatIsBroken(t *testing.T) {
	for _, c := range []struct {
		name  string
		plant func(*runfolder.Certification, runfolder.Weights)
		want  string
	}{
		{"promise of the loss", func(r *runfolder.Certification, _ runfolder.Weights) { r.Later[0].Loss = 4.6e-4 }, "certified-loss: got 0.00046"},
		{"promise of the ball", func(r *runfolder.Certification, _ runfolder.Weights) { r.Later[0].Movement = 0.07 }, "certified-ball: got 0.07"},
		{"bound at an iterate", func(r *runfolder.Certification, _ runfolder.Weights) { r.Measurements[0].Hidden[2] = 1.3 }, "iteration 0: hidden-growth: got 1.3"},
		{"bound of the way", func(_ *runfolder.Certification, w runfolder.Weights) { w.Tensors["A"].Data[0] = 0.2 }, "the whole run: displacement: got 0.1"},
		{"what training saw", func(r *runfolder.Certification, _ runfolder.Weights) { r.Violation = "certify: iteration 7: broken" }, "certify: iteration 7: broken"},
	} {
		meta, weights, record := example()
		complete(t, &record)
		c.plant(&record, weights)
		r, err := Read(finish(t, meta, weights, &record))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if r.Verdict != Violated || !strings.Contains(strings.Join(r.Violations, "\n"), c.want) {
			t.Errorf("%s: got verdict %s, violations %q, want one with %q", c.name, r.Verdict, r.Violations, c.want)
		}
	}
}

// TestReadUnmeasured wants, of a run that measured nothing, every bound with its
// reason, from run.json and the weights: not applicable where a hypothesis fails.
func TestReadUnmeasured(t *testing.T) {
	meta, weights, _ := example()
	r, err := Read(finish(t, meta, weights, nil))
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != NotCertified || !strings.Contains(r.Reason, "train.certify.cadence") {
		t.Errorf("got verdict %s, reason %q", r.Verdict, r.Reason)
	}
	for _, b := range append(r.Iterates[0].Bounds, r.Way...) {
		if b.Verdict != certify.Undecided || b.Reason != "not measured" || b.Value == b.Value {
			t.Errorf("nothing fails, nothing was measured: got %+v", b)
		}
	}
	for _, h := range r.Hypotheses {
		if known := h.Name != "unit-norm" && h.Name != "separation"; h.Met != known || known == (h.Got == "not measured") {
			t.Errorf("hypothesis %+v", h)
		}
	}
	meta.Method, meta.Activation, meta.Samples = "adam", "relu", 7
	if r, err = Read(finish(t, meta, weights, nil)); err != nil {
		t.Fatal(err)
	}
	for _, b := range append(r.Iterates[0].Bounds, r.Way...) {
		applies := b.Name == "hidden-growth" || b.Name == "gradient-norm"
		if (b.Verdict == certify.NotApplicable) == applies || b.Reason == "" {
			t.Errorf("adam and relu with too many samples: got %+v", b)
		}
	}
	if !strings.Contains(r.Refusals[0].Reason, "the method is adam") {
		t.Errorf("refusals %+v", r.Refusals)
	}
	meta.Activation = "secret"
	if r, err = Read(finish(t, meta, weights, nil)); err != nil || !strings.Contains(r.Reason, `"secret"`) {
		t.Errorf("unknown activation: got error %v, reason %q", err, r.Reason)
	}
}

// TestReadRefuses wants an unfinished run, and an iterate that was not measured, refused.
func TestReadRefuses(t *testing.T) {
	meta, weights, record := example()
	complete(t, &record)
	run := finish(t, meta, weights, &record)
	const want = "proof: run example: got iteration 3, want one that was measured: [0]"
	if _, err := Read(run, 3); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	run.Summary = nil
	if _, err := Read(run); !errors.Is(err, ErrUnfinished) {
		t.Errorf("got %v, want ErrUnfinished", err)
	}
}
