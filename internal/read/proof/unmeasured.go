package proof

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/curvature"
	"github.com/deeplimit/deeplimit/runfolder"
)

// unmeasured fills in what is known of a run that left no measurement: which
// hypotheses fail, by what run.json and the weights say, and hence which bounds could
// not apply in any case.
func (r *Report) unmeasured(run *runfolder.Run, weights runfolder.Weights, record *runfolder.Certification) {
	r.Reason = "nothing was measured (train.certify.cadence is off, or the weights come from elsewhere): set train.certify.cadence to growing and run again"
	if run.Meta.Penalty != "" {
		r.Reason = "the run minimises a penalty beside the loss (" + run.Meta.Penalty + "), and certificates are about descent on the loss alone"
	}
	dataKnown := record != nil
	if dataKnown {
		r.Problem, r.Cadence, r.Notes = record.Problem, record.Cadence, record.Notes
		r.Reason = "no iterate could be measured"
	} else {
		r.Problem = problemOf(run.Meta, weights)
	}
	it, err := certify.New(r.Problem, blank(r.Problem, weights, run.Meta.Part()))
	if err != nil {
		r.Reason += fmt.Sprintf("; no hypothesis can be looked at: %v", err)
		return
	}
	r.Hypotheses = it.Hypotheses()
	for i := range r.Hypotheses {
		h := &r.Hypotheses[i]
		if !dataKnown && (h.Name == "unit-norm" || h.Name == "separation") {
			h.Met, h.Got = false, "not measured"
		}
		if h.Name == "method" && run.Meta.Penalty != "" {
			h.Met, h.Got = false, h.Got+" with a penalty"
		}
	}
	only := Iterate{Reason: "not measured"}
	for _, b := range it.Bounds() {
		only.Bounds = append(only.Bounds, unknown(b))
	}
	if _, err := it.CertifiedStepSize(); err != nil {
		only.Reason = err.Error()
	}
	r.Iterates = []Iterate{only}

	var history certify.History
	nothing := certify.Stretch{Steps: 1, Lengths: make([]float64, r.Problem.Depth)}
	if err := history.Add(it, nothing); err == nil {
		if bounds, err := history.Bounds(r.Problem, certify.Displaced{}); err == nil {
			for _, b := range bounds {
				r.Way = append(r.Way, unknown(b))
			}
		}
	}
	_, err = it.Converge()
	if refusal, ok := err.(*certify.Refusal); ok && refusal.Hypothesis {
		r.Refusals = append(r.Refusals, runfolder.Refusal{Reason: refusal.Reason})
	} else {
		r.Refusals = append(r.Refusals, runfolder.Refusal{Reason: "not measured"})
	}
}

// unknown returns b without its numbers: as not applicable where a hypothesis fails,
// else as undecided because nothing was measured.
func unknown(b certify.Bound) certify.Bound {
	b.Value, b.Measured, b.Slack, b.Margin, b.Layer = math.NaN(), math.NaN(), math.NaN(), math.NaN(), 0
	if b.Verdict != certify.NotApplicable {
		b.Verdict, b.Reason = certify.Undecided, "not measured"
	}
	return b
}

// problemOf says what run.json and the names of the weights tell about a run. What
// they do not tell, the data, is 0.
func problemOf(m runfolder.Meta, weights runfolder.Weights) certify.Problem {
	p := certify.Problem{
		Block: m.Block, Activation: m.Activation, Loss: m.Loss, Method: m.Method, Residual: m.Residual, Normalise: m.Normalise, Bias: m.Bias,
		Depth: m.Depth, Width: m.Width, Hidden: m.Hidden, Samples: m.Samples, Outputs: m.Outputs, Alpha: m.Alpha,
		UnitRoundoff: 0x1p-53,
	}
	if m.Altered {
		p.Method = "altered " + m.Method
	}
	if m.DType == "float32" {
		p.UnitRoundoff = 0x1p-24
	}
	frame := func(name string) string {
		if _, ok := weights.Tensors[name+"_initial"]; ok {
			return "trained"
		}
		if _, ok := weights.Tensors[name]; ok {
			return "orthonormal"
		}
		return "identity"
	}
	p.Embed, p.Readout = frame("E"), frame("C")
	return p
}

// blank returns a measurement that holds the initial weights' norms and otherwise
// only what makes every hypothesis be looked at; its other numbers mean nothing.
func blank(p certify.Problem, weights runfolder.Weights, part string) certify.Measurement {
	zeros := func(n int, present bool) []float64 {
		if !present {
			return nil
		}
		return make([]float64, max(0, n))
	}
	mlp, step := p.Block == "mlp", 0.0
	rows := p.Width
	if mlp {
		rows = p.Hidden
	}
	features := p.Samples <= rows
	m := certify.Measurement{
		Loss: 1, Delta: []float64{math.Pow(float64(p.Depth), -p.Alpha)}, Weights: zeros(p.Depth, true),
		InnerWeights: zeros(p.Depth, mlp), Biases: zeros(p.Depth, p.Bias), OuterBiases: zeros(p.Depth, p.Bias && mlp),
		Gradients: zeros(p.Depth, true), Hidden: zeros(p.Depth+1, true),
		Features: zeros(p.Depth, features), Slopes: zeros(p.Depth, features && p.Block == "inner"),
		WeightIncrements: zeros(p.Depth-1, !mlp), BiasIncrements: zeros(p.Depth-1, !mlp && p.Bias),
		GradientIncrements: zeros(p.Depth-1, !mlp), StepSize: &step, NextLoss: &step,
	}
	path, err := weights.Path(part + "_initial")
	if err != nil {
		path, err = weights.Path(part)
	}
	if err != nil || path.Depth != p.Depth {
		return m
	}
	for k := range m.Weights {
		m.Weights[k] = spectralNorm(mat.NewDense(path.Rows, path.Cols, path.Matrix(k+1)))
	}
	return m
}

// spectralNorm returns ‖a‖₂ to four digits at least from the largest eigenvalue of aᵀa, for
// widths at which a dense SVD of every layer would take minutes; 0 for entries that
// are not finite.
func spectralNorm(a *mat.Dense) float64 {
	rows, cols := a.Dims()
	image := mat.NewVecDense(rows, nil)
	found, err := curvature.Find(cols, func(dst, v []float64) error {
		image.MulVec(a, mat.NewVecDense(cols, v))
		mat.NewVecDense(cols, dst).MulVec(a.T(), image)
		return nil
	}, curvature.Options{LargestOnly: true})
	if err != nil {
		return 0
	}
	return math.Sqrt(max(0, found.Largest.Value))
}
