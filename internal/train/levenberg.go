package train

import (
	"context"
	"fmt"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/tangent"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// LevenbergMarquardt is the method of damped Gauss–Newton steps by the tangent kernel, θ ← θ − DFᵀ(K + μ)⁻¹r.
// Its rule, gain-ratio, is its own: μ falls after a step that lowers the loss as foretold, and grows until one lowers it.
const (
	LevenbergMarquardt = "levenberg-marquardt"
	gainRatio          = "gain-ratio"
)

// levenberg is the update. The step that the search finds is made by move.
type levenberg[T kernel.Float] struct {
	damping []T // of tangent.Newton (1)
	theta   []float64
	newton  *tangent.Newton
}

func newLevenberg[T kernel.Float](mem *alloc.Account) *levenberg[T] {
	return &levenberg[T]{damping: alloc.Make[T](mem, 1)}
}

func (m *levenberg[T]) begin(int) {}

func (m *levenberg[T]) moments() map[string][]T { return map[string][]T{"damping": m.damping} }

// move moves theta to where the search ended.
func (m *levenberg[T]) move(_ span, _, offset int, theta, _ []T, _ float64) {
	for i := range theta {
		theta[i] = T(m.theta[offset+i])
	}
}

// searchNewton finds the step from the iterate and returns 1, the part of it to make; 0 where none lowers the loss.
func (d *Descent[T]) searchNewton(m *levenberg[T]) float64 {
	if m.newton == nil {
		m.theta = make([]float64, len(d.Theta))
		for i, v := range d.Theta {
			m.theta[i] = float64(v)
		}
		x, y := d.Full.Data()
		model, err := tangent.New(d.Network, m.theta, x, y, max(1, d.Cores))
		if err != nil {
			panic("train: levenberg-marquardt on a network that CheckNewton refuses: " + err.Error())
		}
		m.newton = &tangent.Newton{Model: model}
	}
	m.newton.Damping = float64(m.damping[0])
	// A step is not interrupted: the context's end is seen at the next iterate.
	length, _ := m.newton.Step(context.Background(), m.theta)
	m.damping[0] = T(m.newton.Damping)
	if length == 0 {
		return 0
	}
	return 1
}

// CheckNewton refuses a problem that method levenberg-marquardt, or certify.kernel, does not take, as a *field.Error relative
// to the section.
func CheckNewton(spec Spec, network resnet.Spec, dtype string, samples, outputs int) error {
	if spec.Method != LevenbergMarquardt && !spec.Certify.Kernel {
		return nil
	}
	refuse := func(want string) error {
		if spec.Method == LevenbergMarquardt {
			return &field.Error{Path: "method", Got: spec.Method, Want: "another method: " + want}
		}
		return &field.Error{Path: "certify.kernel", Got: true, Want: "it left out: " + want}
	}
	if spec.Method == LevenbergMarquardt && dtype != "float64" {
		return refuse("this one needs dtype: float64, not " + dtype)
	}
	if samples*outputs > tangent.MostOutputs {
		return refuse(fmt.Sprintf("the tangent kernel takes at most %d samples × outputs, and here are %d × %d", tangent.MostOutputs, samples, outputs))
	}
	refuses := tangent.Refuses
	if spec.Certify.Kernel {
		refuses = tangent.RefusesProof
	}
	if why := refuses(network); why != "" {
		return refuse(why)
	}
	return nil
}

// proveKernel adds what the tangent kernel proves of the last iterate.
func (d *Descent[T]) proveKernel(out *Outcome) {
	theta := make([]float64, len(d.Theta))
	for i, v := range d.Theta {
		theta[i] = float64(v)
	}
	if out.Certification == nil {
		out.Certification = &runfolder.Certification{Cadence: "off", Problem: d.Full.Problem(d.Spec.Method)}
	}
	note := func(err error) {
		out.Certification.Notes = append(out.Certification.Notes, "no kernel certificate: "+err.Error())
	}
	x, y := d.Full.Data()
	model, err := tangent.New(d.Network, theta, x, y, max(1, d.Cores))
	if err != nil {
		note(err)
		return
	}
	proved, err := model.Prove(context.Background(), tangent.Options{Bound: tangent.Auto})
	if err != nil {
		note(err)
		return
	}
	out.Certification.Kernel = proved
}
