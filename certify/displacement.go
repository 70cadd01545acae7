package certify

import (
	"fmt"
	"math"
)

// A Stretch is the part of a run between two measurements, or a single step. Its
// sums run over the iterations s from the first measurement up to, but not
// including, the second one.
type Stretch struct {
	Steps    int64     `json:"steps" parquet:"steps"`
	RootLoss float64   `json:"root_loss" parquet:"root_loss"`  // Σ_s η_s √(2J_s)
	Lengths  []float64 `json:"lengths" parquet:"lengths,list"` // Σ_s η_s ‖∂J/∂θ_k(s)‖_F, k = 1..L
}

// A History bounds how far a run of gradient descent has moved since iteration 0,
// U_k = θ_k(T) − θ_k(0), as a sum over stretches. The zero value is that of iteration 0. It
// is plain data that a checkpoint can store.
type History struct {
	Steps int64 `json:"steps"`
	// Displacement bounds max_k ‖U_k‖_F and Variation bounds Σ_k ‖U_{k+1} − U_k‖_F,
	// both rounded up; Rounding is the part of max_k ‖U_k‖_F that rounded steps may add.
	Displacement float64 `json:"displacement"`
	Variation    float64 `json:"variation"`
	Rounding     float64 `json:"rounding"`
	// Refused says why there are no bounds, RefusedVariation why there is none on Variation.
	Refused          string `json:"refused,omitempty"`
	RefusedVariation string `json:"refused_variation,omitempty"`
}

// Add extends h by the stretch that begins at it. Along the stretch every norm is at most the
// one at it plus the length ℓ_k of the path, so with S, T and R̃ at those norms and
// Λ = Σ η√(2J)
//
//	max_k ‖U_k‖_F grows by at most δ e^S T Λ,
//	Σ_k ‖U_{k+1} − U_k‖_F by Λ times the sum over k of the bound of GradientIncrements,
//
// with B_k + ℓ_k + ℓ_{k+1} in place of B_k. A failed hypothesis is recorded in h; Add returns
// an error if s does not fit it.
func (h *History) Add(it *Iterate, s Stretch) error {
	if len(s.Lengths) != it.p.Depth {
		return fmt.Errorf("certify: lengths of a stretch: got %d values, want %d (the depth)", len(s.Lengths), it.p.Depth)
	}
	if s.Steps < 1 {
		return fmt.Errorf("certify: steps of a stretch: got %d, want at least 1", s.Steps)
	}
	if err := numbers("lengths of a stretch", s.Lengths); err != nil {
		return fmt.Errorf("certify: %w", err)
	}
	if err := numbers("root_loss of a stretch", []float64{s.RootLoss}); err != nil {
		return fmt.Errorf("certify: %w", err)
	}
	h.Steps += s.Steps
	if h.Refused == "" {
		h.Refused = it.refuse(gradientDescent, fixedResidual, zeroAtOrigin, squaredLoss, isometricReadout)
	}
	if h.Refused != "" {
		h.RefusedVariation = h.Refused
		return nil
	}
	e := it.frobeniusError() + it.lossError() + it.γ(int(s.Steps)+4)
	radii := make([]interval, it.p.Depth)
	for k, l := range s.Lengths {
		radii[k] = within(l, e)
	}
	n := it.norms.grown(radii)
	env := it.envelope(n)
	way := within(s.RootLoss, e).mul(within(1, it.outerError()+it.branchError()))
	h.Displacement = up(h.Displacement + it.δmax.mul(env.exp).mul(env.t).mul(way).hi)
	h.Rounding = up(h.Rounding + it.stretchRounding(n, s))

	if h.RefusedVariation == "" {
		h.RefusedVariation = it.refuse(lipschitzSlope, notTwoLayer)
	}
	switch {
	case h.RefusedVariation != "":
	case it.p.Depth == 1:
		h.RefusedVariation = oneLayer
	case len(it.m.WeightIncrements) == 0:
		h.RefusedVariation = noIncrements
	}
	if h.RefusedVariation != "" {
		return nil
	}
	var sum interval
	for k := range it.p.Depth - 1 {
		b := it.weightIncrement(k).add(radii[k]).add(radii[k+1])
		sum = sum.add(it.incrementLimit(n, env, k, b).mul(way))
	}
	grain := it.incrementNoise(n, env) * up(way.hi) / max(it.loss.hi, math.SmallestNonzeroFloat64)
	h.Variation = up(h.Variation + sum.hi + grain*float64(it.p.Depth-1))
	return nil
}

// stretchRounding bounds the sum of the rounding errors of the steps of s in any one layer.
func (it *Iterate) stretchRounding(n norms, s Stretch) float64 {
	u, root := it.p.UnitRoundoff, math.Sqrt(float64(it.widest()))
	var most float64
	for k, l := range s.Lengths {
		most = max(most, float64(s.Steps)*u*n.size(k, root)+2*u*l)
	}
	return most * forwardNoise
}

// A Displaced holds measured movements of a run, to compare with a History.
type Displaced struct {
	Displacement float64 `json:"displacement"` // max_k ‖θ_k(T) − θ_k(0)‖_F
	Variation    float64 `json:"variation"`    // Σ_k ‖U_{k+1} − U_k‖_F, U = A(T) − A(0), not rescaled
	Initial      float64 `json:"initial"`      // V_2(L^β A(0))^½ of the rescaled path
	Final        float64 `json:"final"`        // V_2(L^β A(T))^½
}

// Bounds compares the measured movement of a run of problem p with h:
//
//	displacement            max_k ‖U_k‖_F ≤ Σ η δ e^S T √(2J)
//	displacement-variation  L^β V_1(U) ≤ L^β Σ η Σ_k (bound of the gradient's increments)
//	path-variation          V_2(L^β A(T))^½ ≤ V_2(L^β A(0))^½ + L^β V_1(U)
//
// The last one uses the bound on V_1(U), not its measured value. Problem p must be the one
// that h was summed for.
func (h *History) Bounds(p Problem, d Displaced) ([]Bound, error) {
	if err := p.validate(); err != nil {
		return nil, fmt.Errorf("certify: %w", err)
	}
	if err := numbers("displacement, variation, initial or final", []float64{d.Displacement, d.Variation, d.Initial, d.Final}); err != nil {
		return nil, fmt.Errorf("certify: %w", err)
	}
	it := &Iterate{p: p}
	far := Bound{Name: "displacement", Formula: "max ‖θ_k(T) − θ_k(0)‖_F ≤ Σ η δ e^S T √(2J)", Source: source("section 7")}
	long := Bound{Name: "displacement-variation", Formula: "L^β V_1(A(T) − A(0)) ≤ L^β Σ_t η Σ_k bound of ‖G_{k+1} − G_k‖_F", Source: source("section 7")}
	rough := Bound{Name: "path-variation", Formula: "V_2(Ā(T))^½ ≤ V_2(Ā(0))^½ + L^β V_1(A(T) − A(0))", Source: source("section 7")}
	why, whyVariation := h.Refused, h.RefusedVariation
	if h.Steps == 0 {
		why, whyVariation = "no step was taken yet", "no step was taken yet"
	}
	if why != "" {
		far = far.refused(why)
	} else {
		far = far.judge(exact(h.Displacement), widened(within(d.Displacement, it.frobeniusError()), h.Rounding))
	}
	if whyVariation != "" {
		return []Bound{far, long.refused(whyVariation), rough.refused(whyVariation)}, nil
	}
	scale := within(math.Pow(float64(p.Depth), 1-p.Alpha), elementary*0x1p-52)
	terms := gamma(4*p.Depth*(p.Width*p.Width+2), double)
	jitter := 2 * h.Rounding * float64(p.Depth)
	limit := scale.mul(exact(h.Variation))
	long = long.judge(limit, scale.mul(widened(within(d.Variation, terms), jitter)))
	root := terms / 2 // a root halves the relative error of its sum, and terms is large enough for its own rounding
	rough = rough.judge(
		within(d.Initial, root).add(limit),
		widened(within(d.Final, root), scale.hi*jitter))
	return []Bound{far, long, rough}, nil
}
