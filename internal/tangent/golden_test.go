package tangent

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/activation"
	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/resnet"
)

// A goldenCase is a net in full with every intermediate number, computed by an independent program.
type goldenCase struct {
	Name    string
	Network struct {
		Block, Activation, Residual, Embed, Readout    string
		Bias                                           bool
		Depth, Width, Hidden, Samples, Inputs, Outputs int
		Alpha                                          float64
	}
	Weights  map[string]any
	X, Y     [][]float64
	Expected struct {
		J, Residual, M0 float64
		LambdaMin       float64                           `json:"lambda_min"`
		LambdaMax       float64                           `json:"lambda_max"`
		NewtonStep      float64                           `json:"newton_step"`
		PerSample       map[string][]float64              `json:"per_sample"`
		At              []struct{ R, M, T1, T3 *float64 } `json:"M_at"`
		Zero, Descent   goldenStatement
	}
}

type goldenStatement struct {
	OK                        bool
	H, M, W, Distance, Length *float64
	StepMax                   *float64 `json:"step_max"`
	LossFactor                *float64 `json:"loss_factor"`
	Why                       string
}

func readGolden(t testing.TB) []goldenCase {
	t.Helper()
	text, err := os.ReadFile("testdata/certificates.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []goldenCase }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 11 {
		t.Fatalf("got %d golden cases, want 11", len(file.Cases))
	}
	return file.Cases
}

func flat(v any) []float64 {
	if list, ok := v.([]any); ok {
		var all []float64
		for _, e := range list {
			all = append(all, flat(e)...)
		}
		return all
	}
	return []float64{v.(float64)}
}

// model returns the network of a golden case.
func (c *goldenCase) model(t testing.TB, workers int) *Model {
	t.Helper()
	n := c.Network
	spec := resnet.Spec{
		Block: n.Block, Activation: n.Activation, Alpha: &n.Alpha, Residual: n.Residual, Bias: n.Bias,
		Width: n.Width, Embed: n.Embed, Readout: n.Readout,
	}
	if n.Block == "mlp" {
		spec.Hidden = n.Hidden
	}
	spec, err := spec.Resolve(n.Inputs, n.Outputs)
	if err != nil {
		t.Fatal(err)
	}
	net, err := resnet.New(spec, n.Depth, n.Inputs, n.Outputs)
	if err != nil {
		t.Fatal(err)
	}
	theta := make([]float64, net.Layout.Size)
	for _, g := range net.Layout.Groups {
		values := flat(c.Weights[g.Name])
		if len(values) != g.Len() {
			t.Fatalf("%s: got %d entries, want %d", g.Name, len(values), g.Len())
		}
		copy(resnet.View(net.Layout, theta, g.Name), values)
	}
	m, err := New(net, theta, slices.Concat(c.X...), slices.Concat(c.Y...), workers)
	if err != nil {
		t.Fatal(err)
	}
	if n.Activation == "softplus" {
		m.sigma = uncentred{m.sigma}
		m.Move(theta)
	}
	return m
}

// uncentred is log(1 + e^z), which the golden file calls softplus; ours vanishes at 0.
type uncentred struct{ activation.Function }

func (u uncentred) Derivatives(z float64) (value, first, second float64) {
	value, first, second = u.Function.Derivatives(z)
	return value + math.Ln2, first, second
}

// near wants a golden number to nine digits, absent where it is null.
func near(t *testing.T, what string, got, want *float64) {
	t.Helper()
	if (got == nil) != (want == nil) {
		t.Errorf("%s: got %v, want %v", what, got, want)
		return
	}
	if got != nil && !(math.Abs(*got-*want) <= 1e-9*math.Abs(*want)) {
		t.Errorf("%s: got %.17g, want %.17g", what, *got, *want)
	}
}

// TestGolden compares every number of sections 3 to 5 of the derivation.
func TestGolden(t *testing.T) {
	for _, c := range readGolden(t) {
		t.Run(c.Name, func(t *testing.T) {
			m := c.model(t, 2)
			want := c.Expected
			layers := m.Layers()
			samples, err := m.Propagations(context.Background(), true, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range samples {
				for name, got := range map[string]float64{"tau": s.Tau, "chi": s.Chi, "pi": s.Pi, "omega_max": slices.Max(s.Omega), "M0": s.Curvature} {
					near(t, name, &got, &want.PerSample[name][i])
				}
			}
			for _, at := range want.At {
				ball := layers.Ball(samples, *at.R)
				for _, pair := range []struct {
					name string
					got  float64
					want *float64
				}{{"M", ball.Curvature, at.M}, {"T1", ball.First, at.T1}, {"T3", ball.Third, at.T3}} {
					var got *float64
					if !math.IsInf(pair.got, 0) {
						got = &pair.got
					}
					near(t, pair.name, got, pair.want)
				}
			}
			k, err := m.Prove(context.Background(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			near(t, "J", &k.Loss, &want.J)
			near(t, "residual", &k.Residual, &want.Residual)
			if !(math.Abs(*k.LambdaMin-want.LambdaMin) <= 1e-9*want.LambdaMin+1e-14*want.LambdaMax) {
				t.Errorf("lambda_min: got %g, want %g", *k.LambdaMin, want.LambdaMin)
			}
			near(t, "lambda_max", k.LambdaMax, &want.LambdaMax)
			near(t, "M0", k.CurvatureAtCentre, &want.M0)
			compareZero(t, k.Zero, want.Zero)
			compareDescent(t, k.Descent, want.Descent)
			theta := slices.Clone(m.theta)
			if k.Descent.Issued && !want.Descent.OK {
				follow(t, 0, m, theta, k.Proven, &counts{})
			}
			if k.Zero.Issued && !want.Zero.OK {
				reach(t, 0, m, theta, k.Proven)
			}
		})
	}
}

func compareZero(t *testing.T, got certify.Zero, want goldenStatement) {
	t.Helper()
	if !got.Issued && want.OK {
		t.Fatalf("zero: not issued (%s), want it to be", got.Why)
	}
	if got.Issued && !want.OK { // by the sharper bound
		return
	}
	near(t, "zero.h", got.H, want.H)
	near(t, "zero.distance", got.Distance, want.Distance)
	near(t, "zero.M", got.CurvatureInBall, want.M)
	if want.W != nil {
		near(t, "zero.w", &got.Radius, want.W)
	}
}

func compareDescent(t *testing.T, got certify.LinearDescent, want goldenStatement) {
	t.Helper()
	if !got.Issued && want.OK {
		t.Fatalf("descent: not issued (%s), want it to be", got.Why)
	}
	if got.Issued && !want.OK {
		return
	}
	near(t, "descent.h", got.H, want.H)
	near(t, "descent.length", got.Length, want.Length)
	near(t, "descent.M", got.CurvatureInBall, want.M)
	near(t, "descent.step_max", got.StepMax, want.StepMax)
	near(t, "descent.loss_factor", got.LossFactor, want.LossFactor)
	if want.W != nil {
		near(t, "descent.w", &got.Radius, want.W)
	}
}
