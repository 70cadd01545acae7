package certify_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/deeplimit/deeplimit/activation"
	"github.com/deeplimit/deeplimit/certify"
	"gonum.org/v1/gonum/mat"
)

// goldenCase is one entry of resnet/testdata/network.json as far as it is used here.
type goldenCase struct {
	Case struct {
		Name      string
		D, N, L   int
		Alpha     float64
		Act       string
		Eps, Amp  float64
		Twist     float64
		Bias, Eta float64
	}
	Loss        float64 `json:"loss"`
	Certificate *struct {
		S, R       float64
		PLLower    float64 `json:"pl_lower_bound"`
		PLRatio    float64 `json:"pl_ratio"`
		GradUpper  float64 `json:"grad_upper_bound"`
		GradMax    float64 `json:"grad_max"`
		Smoothness float64 `json:"smoothness_bound"`
	}
}

// closedForm builds the network whose data are formulas of a golden case without bias.
func closedForm(t *testing.T, g goldenCase) *network {
	t.Helper()
	c := g.Case
	σ, err := activation.ByName(c.Act)
	if err != nil {
		t.Fatal(err)
	}
	L, d := float64(c.L), float64(c.D)
	n := &network{block: "inner", σ: σ, alpha: c.Alpha, δ: math.Pow(L, -c.Alpha)}
	for j := range c.N {
		x, y := make([]float64, c.D), make([]float64, c.D)
		for i := range x {
			x[i] = math.Cos(float64((i+1)*(j+1)) + c.Twist)
		}
		size := norm(x)
		for i := range x {
			x[i] /= size
			y[i] = x[i] + c.Eps*math.Sin(float64(1+2*i+3*j)+c.Twist)
		}
		n.x, n.y = append(n.x, x), append(n.y, y)
	}
	for k := 1; k <= c.L; k++ {
		a := mat.NewDense(c.D, c.D, nil)
		for r := range c.D {
			for s := range c.D {
				a.Set(r, s, c.Amp*math.Pow(L, c.Alpha-1)*math.Sin(float64(r+2*s+3*k)+c.Twist)/d)
			}
		}
		n.v = append(n.v, a)
	}
	return n
}

func TestGolden(t *testing.T) {
	data, err := os.ReadFile("../resnet/testdata/network.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []goldenCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	certificates := 0
	for _, g := range cases {
		if g.Certificate == nil {
			continue
		}
		certificates++
		t.Run(g.Case.Name, func(t *testing.T) {
			n := closedForm(t, g)
			s := n.evaluate()
			m := n.measure(s)
			it, err := certify.New(n.problem(), m)
			if err != nil {
				t.Fatal(err)
			}
			pl, upper, smooth := it.PLRatio(), it.GradientUpper(), it.Smoothness()
			var S float64
			for _, a := range m.Weights {
				S += n.δ * a
			}
			for _, c := range []struct {
				name      string
				got, want float64
			}{
				{"loss", s.loss, g.Loss},
				{"S", S, g.Certificate.S},
				{"R", m.Hidden[0], g.Certificate.R},
				{"pl_lower_bound", pl.Value, g.Certificate.PLLower},
				{"pl_ratio", pl.Measured, g.Certificate.PLRatio},
				{"grad_upper_bound", upper.Value, g.Certificate.GradUpper},
				{"grad_max", upper.Measured, g.Certificate.GradMax},
				{"smoothness_bound", smooth.Value, g.Certificate.Smoothness},
			} {
				if !(math.Abs(c.got-c.want) <= 1e-10*c.want) {
					t.Errorf("%s: got %.17g, want %.17g", c.name, c.got, c.want)
				}
			}
		})
	}
	if certificates != 3 {
		t.Errorf("%d golden certificates, want 3", certificates)
	}
}
