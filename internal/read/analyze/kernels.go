package analyze

import (
	"fmt"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/read/proof"
)

// Kernels is what `deeplimit certify STUDY --kernel --json` prints: the kernel certificates of a study along depth, read from
// what its runs stored.
type Kernels struct {
	Study  string        `json:"study"`
	Runs   []KernelRun   `json:"runs"` // by group, depth and seed
	Groups []KernelGroup `json:"groups"`
	Notes  []string      `json:"notes,omitempty"`
}

// KernelRun is what one run has. Numbers that are not known are null.
type KernelRun struct {
	ID        string   `json:"id"`
	Group     string   `json:"group"`
	Depth     int      `json:"depth"`
	Seed      uint64   `json:"seed"`
	Loss      float64  `json:"loss"`
	LambdaMin *float64 `json:"lambda_min"`
	Condition *float64 `json:"condition"` // λ_max/λ_min
	Curvature *float64 `json:"curvature_at_centre"`
	// LossNeeded is the largest loss at which descent would be certified, and so the size of the region.
	LossNeeded *float64 `json:"loss_needed"`
	Distance   *float64 `json:"distance"` // of a zero-loss network, null where none is certain
	Descent    bool     `json:"descent"`  // whether descent is certified
	Polished   *float64 `json:"polished_distance,omitempty"`
	// CertifiedRate and ObservedRate are the part of the loss that a step takes off over its step size: as certified, at the
	// certified step size, and as fitted to a run of gd.
	CertifiedRate *float64 `json:"certified_rate"`
	ObservedRate  *float64 `json:"observed_rate"`
	Rounding      string   `json:"rounding"`
	Why           string   `json:"why,omitempty"` // zero is not certified
}

// KernelGroup has the exponents in depth of a group that has kernel certificates, by the names of kernelQuantities. Missing says which
// there are none of, and why.
type KernelGroup struct {
	Group     string            `json:"group"`
	Settings  map[string]string `json:"settings,omitempty"`
	Data      string            `json:"data"`
	Alpha     float64           `json:"alpha"`
	Exponents map[string]Slope  `json:"exponents"`
	Missing   map[string]string `json:"missing,omitempty"`
	Sentence  string            `json:"sentence"`
	Notes     []string          `json:"notes,omitempty"`
}

// A KernelQuantity is a number of a kernel certificate that depends on depth.
type KernelQuantity struct {
	Key, Symbol, Name string
	Value             func(*KernelRun) *float64
}

// KernelQuantities are those of tables, exponents and the figure.
var KernelQuantities = []KernelQuantity{
	{"lambda_min", "λ_min", "least eigenvalue", func(r *KernelRun) *float64 { return r.LambdaMin }},
	{"condition", "κ", "condition κ", func(r *KernelRun) *float64 { return r.Condition }},
	{"curvature_at_centre", "M", "curvature $M$", func(r *KernelRun) *float64 { return r.Curvature }},
	{"loss_needed", "J_close", "loss needed", func(r *KernelRun) *float64 { return r.LossNeeded }},
	{"distance", "l", "distance of a zero-loss network", func(r *KernelRun) *float64 { return r.Distance }},
	{"certified_rate", "certified rate", "certified rate", func(r *KernelRun) *float64 { return r.CertifiedRate }},
	{"observed_rate", "observed rate", "observed rate", func(r *KernelRun) *float64 { return r.ObservedRate }},
}

// Kernels returns the kernel certificates of the runs, nil where none has one.
func (f *Folder) Kernels() *Kernels {
	k := &Kernels{Study: f.Result.Study}
	for i := range f.Result.Runs {
		r := &f.Result.Runs[i]
		if d := f.Details[r.ID]; d != nil && d.Proof != nil && d.Proof.Kernel != nil && r.CopyOf == "" {
			k.Runs = append(k.Runs, NewKernelRun(r, d.Proof))
		}
	}
	if len(k.Runs) == 0 {
		return nil
	}
	for _, g := range f.Result.Groups {
		runs := slices.DeleteFunc(slices.Clone(k.Runs), func(r KernelRun) bool { return r.Group != g.Group })
		if len(runs) > 0 {
			k.Groups = append(k.Groups, NewKernelGroup(&g, runs))
		}
	}
	return k
}

// NewKernelRun returns the numbers of a run with a kernel certificate.
func NewKernelRun(r *Run, p *proof.Report) KernelRun {
	k := p.Kernel
	row := KernelRun{
		ID: r.ID, Group: r.Group, Depth: r.Depth, Seed: r.Seed, Loss: k.Loss, LambdaMin: k.LambdaMin, Curvature: k.CurvatureAtCentre,
		LossNeeded: k.LossNeeded, Distance: k.Zero.Distance, Descent: k.Descent.Issued, Rounding: k.Rounding, Why: k.Zero.Why,
	}
	if k.NewtonStep == nil { // the kernel is singular, and its λ_min rounding
		row.LambdaMin = nil
	} else if k.LambdaMin != nil && k.LambdaMax != nil {
		row.Condition = finite(*k.LambdaMax / *k.LambdaMin)
	}
	if k.Polish != nil {
		row.Polished = k.Polish.Distance
	}
	if d := certified(k); d > 0 {
		row.CertifiedRate = &d
	}
	if r.Rate != nil && r.Rate.Linear && r.Rate.Rho < 1 && p.StepSize > 0 {
		rate := (1 - r.Rate.Rho) / p.StepSize
		row.ObservedRate = &rate
	}
	return row
}

// Issued names the strongest statement that is issued: descent, zero, polish or none.
func (r *KernelRun) Issued() string {
	switch {
	case r.Descent:
		return "descent"
	case r.Distance != nil:
		return "zero"
	case r.Polished != nil:
		return "polish"
	}
	return "none"
}

// certified returns 1 − factor over the step size, 0 where descent is not certified.
func certified(k *certify.Kernel) float64 {
	d := &k.Descent
	if !d.Issued || d.LossFactor == nil || !(*d.LossFactor < 1) || !(*d.Step > 0) {
		return 0
	}
	return (1 - *d.LossFactor) / *d.Step
}

// NewKernelGroup fits the exponents of runs that differ in depth and seed alone.
func NewKernelGroup(g *Group, runs []KernelRun) KernelGroup {
	out := KernelGroup{Group: g.Group, Settings: g.Settings, Data: g.Data, Alpha: g.Alpha, Exponents: map[string]Slope{}, Missing: map[string]string{}}
	var fits Group // for its notes
	for _, q := range KernelQuantities {
		var samples []sample
		for i := range runs {
			s := sample{run: runs[i].ID}
			s.Depth, s.Seed, s.Value = runs[i].Depth, runs[i].Seed, math.NaN()
			if v := q.Value(&runs[i]); v != nil {
				s.Value = *v
			}
			samples = append(samples, s)
		}
		slope, missing := fits.slope(q.Key, samples)
		if slope == nil {
			out.Missing[q.Key] = missing
			continue
		}
		out.Exponents[q.Key] = *slope
	}
	out.Notes, out.Sentence = fits.Notes, kernelSentence(out)
	return out
}

// kernelSentence says whether the region of the certificate shrinks with depth.
func kernelSentence(g KernelGroup) string {
	s, ok := g.Exponents["loss_needed"]
	if !ok {
		return "Whether the region of the certificate shrinks with depth cannot be told: " + g.Missing["loss_needed"] + "."
	}
	e := s.Estimate()
	text := fmt.Sprintf("the loss at which descent is certified goes like L^%s", e)
	switch {
	case !e.Known():
		return "Whether the region of the certificate shrinks with depth cannot be told without an interval: " + text + "."
	case s.High < 0:
		return "The region of the certificate shrinks with depth: " + text + "."
	case s.Low > 0:
		return "The region of the certificate grows with depth: " + text + "."
	}
	return "The region of the certificate is not seen to depend on depth: " + text + ", an interval that holds 0."
}
