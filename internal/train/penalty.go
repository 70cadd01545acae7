package train

import (
	"cmp"
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A Penalty is what descent minimises beside the loss J, with β = 1 − α:
//
//	R(θ) = l2/2 ‖θ‖²  +  increments · L^(p(1+β)−1) Σ_k ‖A_{k+1} − A_k‖_F^p
//
// over all trained parameters, and over the trained weights A, or V and W each. The second term is increments·∫ |Ā′|^p ds
// of the rescaled path Ā = L^β A, and L·Σ ‖A_{k+1} − A_k‖² at α = 1 and p = 2, so that it has a limit.
type Penalty struct {
	// L2 is the coefficient of half the squared norm; 0 for none. It acts through the gradient, as coupled weight
	// decay does.
	L2 float64 `yaml:"l2,omitempty" json:"l2,omitempty"`
	// Increments is the coefficient of the increments between layers; 0 for none.
	Increments float64 `yaml:"increments,omitempty" json:"increments,omitempty"`
	// P is the power of the increments, at least 1; default 2.
	P float64 `yaml:"p,omitempty" json:"p,omitempty"`
}

// IsZero says whether there is no penalty, which has no part in the hash of a run.
func (p Penalty) IsZero() bool { return p == Penalty{} }

// String names what is minimised beside the loss, "" for nothing.
func (p Penalty) String() string {
	switch {
	case p.IsZero():
		return ""
	case p.Increments == 0:
		return fmt.Sprintf("l2 %g", p.L2)
	case p.L2 == 0:
		return fmt.Sprintf("increments %g, p %g", p.Increments, p.P)
	}
	return fmt.Sprintf("l2 %g, increments %g, p %g", p.L2, p.Increments, p.P)
}

// resolve fills in the default and refuses what is wrong.
func (p Penalty) resolve() (Penalty, error) {
	if p.Increments != 0 {
		p.P = cmp.Or(p.P, 2)
	}
	switch {
	case !(p.L2 >= 0) || math.IsInf(p.L2, 0):
		return p, &field.Error{Path: "l2", Got: p.L2, Want: "a number ≥ 0"}
	case !(p.Increments >= 0) || math.IsInf(p.Increments, 0):
		return p, &field.Error{Path: "increments", Got: p.Increments, Want: "a number ≥ 0"}
	case p.Increments == 0 && p.P != 0:
		return p, &field.Error{Path: "p", Got: p.P, Want: "it left out, or increments: the power is theirs"}
	case p.Increments != 0 && (!(p.P >= 1) || math.IsInf(p.P, 0)):
		return p, &field.Error{Path: "p", Got: p.P, Want: "a number ≥ 1"}
	}
	return p, nil
}

// checkPenalty refuses what says something of the loss alone.
func (s Spec) checkPenalty() error {
	if s.Penalty.IsZero() {
		return nil
	}
	const want = "it left out with train.penalty: certificates are about descent on the loss alone"
	switch c := s.Certify; {
	case s.Method == LevenbergMarquardt:
		return &field.Error{Path: "method", Got: s.Method, Want: "another method with train.penalty: this one solves for the loss alone"}
	case c.Kernel:
		return &field.Error{Path: "certify.kernel", Got: true, Want: want}
	case c.Cadence != "auto" && c.Cadence != "off":
		return &field.Error{Path: "certify.cadence", Got: c.Cadence, Want: want}
	case c.Curvature:
		return &field.Error{Path: "certify.curvature", Got: true, Want: want}
	case c.Gram:
		return &field.Error{Path: "certify.gram", Got: true, Want: want}
	case s.Step.Rule == "certified":
		return &field.Error{Path: "step.rule", Got: s.Step.Rule, Want: "depth, constant or armijo with train.penalty: certificates are about descent on the loss alone"}
	}
	return nil
}

// A Regulariser computes the penalty of a network's parameters. It holds no state.
type Regulariser[T kernel.Float] struct {
	penalty Penalty
	net     *resnet.Network
	scale   float64 // of the increments
}

// NewRegulariser returns that of a resolved section, nil where there is no penalty.
func NewRegulariser[T kernel.Float](penalty Penalty, net *resnet.Network) *Regulariser[T] {
	if penalty.IsZero() {
		return nil
	}
	r := &Regulariser[T]{penalty: penalty, net: net}
	if penalty.Increments != 0 {
		beta := 1 - *net.Alpha
		r.scale = penalty.Increments * math.Pow(float64(net.Depth), penalty.P*(1+beta)-1)
	}
	return r
}

// Value returns R(θ).
func (r *Regulariser[T]) Value(theta []T) float64 {
	value := 0.0
	if r.penalty.L2 != 0 {
		sum := 0.0
		for _, v := range theta[:r.net.Layout.Trained] {
			sum += float64(v) * float64(v)
		}
		value = r.penalty.L2 / 2 * sum
	}
	r.eachIncrement(theta, func(first, next []T, _ int) {
		if square := squaredDistance(next, first); square != 0 { // NaN shows
			value += r.scale * math.Pow(square, r.penalty.P/2)
		}
	})
	return value
}

// AddGradient adds ∇R(θ) to grad; where an increment is 0 and p = 1 it takes 0 of the subgradients.
func (r *Regulariser[T]) AddGradient(theta, grad []T) {
	if r.penalty.L2 != 0 {
		for i, v := range theta[:r.net.Layout.Trained] {
			grad[i] += T(r.penalty.L2 * float64(v))
		}
	}
	r.eachIncrement(theta, func(first, next []T, offset int) {
		square := squaredDistance(next, first)
		if square == 0 {
			return
		}
		factor := r.scale * r.penalty.P * math.Pow(square, r.penalty.P/2-1)
		n := len(first)
		for i := range first {
			g := factor * (float64(next[i]) - float64(first[i]))
			grad[offset+i] -= T(g)
			grad[offset+n+i] += T(g)
		}
	})
}

// AddHessianVector adds ∇²R(θ)·v to result. It is an error where the second derivative is not finite: p < 2 at an
// increment of 0.
func (r *Regulariser[T]) AddHessianVector(theta, v, result []T) error {
	if r.penalty.L2 != 0 {
		for i, x := range v[:r.net.Layout.Trained] {
			result[i] += T(r.penalty.L2 * float64(x))
		}
	}
	p := r.penalty.P
	var fault error
	r.eachIncrement(theta, func(first, next []T, offset int) {
		n := len(first)
		square, along := squaredDistance(next, first), 0.0
		if square == 0 && p < 2 {
			fault = fmt.Errorf("penalty: got an increment of 0, where the second derivative of ‖·‖^%g is not finite, want p ≥ 2 or increments that are not 0", p)
			return
		}
		if square == 0 && p > 2 {
			return
		}
		for i := range first {
			along += (float64(next[i]) - float64(first[i])) * (float64(v[offset+n+i]) - float64(v[offset+i]))
		}
		plain, radial := r.scale*p*math.Pow(square, p/2-1), 0.0
		if p != 2 {
			radial = r.scale * p * (p - 2) * math.Pow(square, p/2-2) * along
		}
		for i := range first {
			h := plain*(float64(v[offset+n+i])-float64(v[offset+i])) + radial*(float64(next[i])-float64(first[i]))
			result[offset+i] -= T(h)
			result[offset+n+i] += T(h)
		}
	})
	return fault
}

// eachIncrement calls f with the weights of every two neighbouring layers of a part, and where the first stand in θ.
func (r *Regulariser[T]) eachIncrement(theta []T, f func(first, next []T, offset int)) {
	if r.scale == 0 {
		return
	}
	for _, g := range r.net.Layout.Groups {
		if !g.Trained || g.Name != "A" && g.Name != "V" && g.Name != "W" {
			continue
		}
		n := g.Len() / r.net.Depth
		for k := range r.net.Depth - 1 {
			at := g.Offset + k*n
			f(theta[at:at+n], theta[at+n:at+2*n], at)
		}
	}
}

// squaredDistance returns ‖x − y‖².
func squaredDistance[T kernel.Float](x, y []T) float64 {
	sum := 0.0
	for i, v := range x {
		d := float64(v) - float64(y[i])
		sum += d * d
	}
	return sum
}

// objectiveOf returns what descent minimises: the loss of a row, over all samples or the mini-batch, and the penalty.
func objectiveOf(row runfolder.Row) float64 {
	loss := lossOf(row)
	if row.Loss == nil && row.BatchLoss != nil {
		loss = *row.BatchLoss
	}
	if row.Penalty != nil {
		loss += *row.Penalty
	}
	return loss
}

// gradientSquare returns the squared norm of the gradient of what descent minimises.
func (d *Descent[T]) gradientSquare() float64 {
	if d.penalty != nil {
		return d.square
	}
	return d.Full.GradientSquare()
}

// objective adds the penalty to the gradient and to a row of the trace.
func (d *Descent[T]) objective(row *runfolder.Row) {
	if d.penalty == nil {
		return
	}
	d.penalty.AddGradient(d.Theta, d.grad)
	value := d.penalty.Value(d.Theta)
	row.Penalty = &value
	square := kernel.For[T]().SumSquares(d.grad)
	norm := math.Sqrt(square)
	row.GradientNorm, row.PLRatio = &norm, nil
	d.square = square
}
