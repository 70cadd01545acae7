package train

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/random"
	"github.com/deeplimit/deeplimit/resnet"
)

// penalised are penalties of every kind.
var penalised = []Penalty{{L2: 0.3}, {Increments: 0.02, P: 2}, {Increments: 0.02, P: 1}, {Increments: 0.02, P: 1.5}, {L2: 0.1, Increments: 0.02, P: 3}}

// plainPenalty returns R(θ) by the formula.
func plainPenalty(p Penalty, net *resnet.Network, theta []float64) float64 {
	sum := 0.0
	for _, v := range theta[:net.Layout.Trained] {
		sum += p.L2 / 2 * v * v
	}
	beta, L := 1-*net.Alpha, float64(net.Depth)
	for _, name := range []string{"A", "V", "W"} {
		w := resnet.View(net.Layout, theta, name)
		n := len(w) / net.Depth
		for k := 0; w != nil && k+1 < net.Depth; k++ {
			square := 0.0
			for i := range n {
				square += math.Pow(math.Pow(L, beta)*(w[(k+1)*n+i]-w[k*n+i]), 2)
			}
			sum += p.Increments * math.Pow(L, p.P-1) * math.Pow(square, p.P/2) // ∫ |Ā′|^p ds
		}
	}
	return sum
}

// TestPenalty holds the value to the formula of the rescaled path, and gradient and Hessian to central differences.
func TestPenalty(t *testing.T) {
	for _, block := range []string{"inner", "mlp"} {
		d := separatedIn(t, block, 6, 0.75, nil)
		stream := random.New(3, "penalty")
		for i := range d.Theta {
			d.Theta[i] = stream.NormFloat64()
		}
		n := d.Network.Layout.Trained
		for _, p := range penalised {
			r := NewRegulariser[float64](p, d.Network)
			if got, want := r.Value(d.Theta), plainPenalty(p, d.Network, d.Theta); !(math.Abs(got-want) <= 1e-12*want) {
				t.Errorf("%s, %+v: got %v, want %v", block, p, got, want)
			}
			grad, along, product := make([]float64, n), make([]float64, n), make([]float64, n)
			r.AddGradient(d.Theta, grad)
			for i := range along {
				along[i] = stream.NormFloat64()
			}
			if err := r.AddHessianVector(d.Theta, along, product); err != nil {
				t.Fatal(err)
			}
			moved := func(h float64) []float64 {
				theta := slices.Clone(d.Theta)
				for i, v := range along {
					theta[i] += h * v
				}
				return theta
			}
			const h = 1e-5
			slope, second := 0.0, make([]float64, n)
			for i, g := range grad {
				slope += g * along[i]
			}
			if want := (r.Value(moved(h)) - r.Value(moved(-h))) / (2 * h); !(math.Abs(slope-want) <= 1e-6*(1+math.Abs(want))) {
				t.Errorf("%s, %+v: got the slope %v, want %v", block, p, slope, want)
			}
			up, down := make([]float64, n), make([]float64, n)
			r.AddGradient(moved(h), up)
			r.AddGradient(moved(-h), down)
			for i := range second {
				if want := (up[i] - down[i]) / (2 * h); !(math.Abs(product[i]-want) <= 1e-6*(1+math.Abs(want))) {
					t.Fatalf("%s, %+v: entry %d of the Hessian times a vector: got %v, want %v", block, p, i, product[i], want)
				}
			}
		}
	}
}

// TestPenaltyNotFinite wants a weight that is NaN to show in the value of every penalty.
func TestPenaltyNotFinite(t *testing.T) {
	d := separated(t, 4, 0.75, nil)
	d.Theta[1] = math.NaN()
	for _, p := range penalised {
		if got := NewRegulariser[float64](p, d.Network).Value(d.Theta); !math.IsNaN(got) {
			t.Errorf("%+v: got %v, want NaN", p, got)
		}
	}
}

// TestPenalisedDescent wants gradient descent, Armijo's too, to move as a loop does that adds the penalty's gradient,
// and the loss shown without it.
func TestPenalisedDescent(t *testing.T) {
	for _, p := range penalised {
		edit := func(s *Spec) {
			s.Stop, s.Penalty = Stop{Iterations: new(12)}, p
			s.Step = Step{Rule: "constant", Value: 0.01}
		}
		d := separated(t, 8, 0.5, edit)
		if d.Spec.Certifies() {
			t.Error("got certificates of a loss with a penalty")
		}
		theta, grad := slices.Clone(d.Theta), make([]float64, d.Network.Layout.Trained)
		var losses, penalties []float64
		for range 13 {
			losses = append(losses, d.Full.Gradient(theta, grad).Loss)
			r := NewRegulariser[float64](p, d.Network)
			penalties = append(penalties, plainPenalty(p, d.Network, theta))
			r.AddGradient(theta, grad)
			if len(losses) < 13 {
				for i, g := range grad {
					theta[i] -= 0.01 * g
				}
			}
		}
		out, err := d.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range out.Rows {
			if !(math.Abs(*row.Loss-losses[i]) <= 1e-12*losses[i]) || !(math.Abs(*row.Penalty-penalties[i]) <= 1e-12*penalties[i]) || row.PLRatio != nil {
				t.Errorf("%+v, iteration %d: got loss %v and penalty %v, want %v and %v", p, i, *row.Loss, *row.Penalty, losses[i], penalties[i])
			}
		}
		armijo := separated(t, 8, 0.5, func(s *Spec) { edit(s); s.Step = Step{Rule: "armijo", Value: 8} })
		if out, err = armijo.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		for i := 1; i < len(out.Rows); i++ {
			if now, before := *out.Rows[i].Loss+*out.Rows[i].Penalty, *out.Rows[i-1].Loss+*out.Rows[i-1].Penalty; !(now < before) {
				t.Errorf("%+v, armijo, iteration %d: the objective goes from %v to %v", p, i, before, now)
			}
		}
	}
}

// TestPenaltyRefuses wants numbers that are no penalties, and certificates, refused.
func TestPenaltyRefuses(t *testing.T) {
	for want, edit := range map[string]func(*Spec){
		"penalty.l2: got -1":                       func(s *Spec) { s.Penalty.L2 = -1 },
		"penalty.increments: got NaN":              func(s *Spec) { s.Penalty.Increments = math.NaN() },
		"penalty.p: got 0.5":                       func(s *Spec) { s.Penalty = Penalty{Increments: 1, P: 0.5} },
		"penalty.p: got 2, want it left out":       func(s *Spec) { s.Penalty = Penalty{L2: 1, P: 2} },
		"certify.cadence: got \"all\"":             func(s *Spec) { s.Penalty.L2, s.Certify.Cadence = 1, "all" },
		"certify.curvature: got true":              func(s *Spec) { s.Penalty.L2, s.Certify.Curvature = 1, true },
		"step.rule: got \"certified\", want depth": func(s *Spec) { s.Penalty.L2, s.Step.Rule, s.Step.Value = 1, "certified", 1 },
	} {
		spec := Spec{}
		edit(&spec)
		if _, err := spec.Resolve(8); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
