package train

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/curvature"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// TestHessianExtremes holds the recorded eigenvalues to those of a dense Hessian, from
// fourth-order differences of the gradient (step 1e-3: 1e-12 of truncation, 1e-13 of
// rounding, times higher derivatives of order one): to 1e-4 of each, whatever the size of
// the other, and to their residuals. The smallest one of the neural tangent matrix
// bounds the PL ratio from below.
func TestHessianExtremes(t *testing.T) {
	for _, network := range []resnet.Spec{{}, {Block: "outer", Bias: true, Activation: "gelu"}, {Block: "mlp", Hidden: 3, Residual: "layered"}} {
		d := start[float64](t, problem{
			samples: 3, depth: 2, distance: 0.5, network: network,
			train: Spec{Stop: Stop{Iterations: new(3)}, Certify: Certify{Cadence: "ends", Curvature: true, Gram: true}},
		})
		out, err := d.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		records := out.Certification.Curvatures
		if len(records) != 2 || len(out.Certification.Notes) != 0 {
			t.Fatalf("got %d records, notes %v", len(records), out.Certification.Notes)
		}
		n := d.Network.Layout.Trained
		hessian := mat.NewSymDense(n, nil)
		theta := slices.Clone(d.Theta)
		columns := make([][]float64, n)
		for i := range columns {
			columns[i] = make([]float64, n)
			const h = 1e-3
			for _, point := range []struct{ at, weight float64 }{{-2, 1}, {-1, -8}, {1, 8}, {2, -1}} {
				theta[i] = d.Theta[i] + point.at*h
				grad := make([]float64, n)
				d.Full.Gradient(theta, grad)
				for j, v := range grad {
					columns[i][j] += point.weight * v / (12 * h)
				}
			}
			theta[i] = d.Theta[i]
		}
		for i := range n {
			for j := range i + 1 {
				hessian.SetSym(i, j, (columns[i][j]+columns[j][i])/2)
			}
		}
		var eigen mat.EigenSym
		if !eigen.Factorize(hessian, false) {
			t.Fatal("no eigenvalues")
		}
		values := eigen.Values(nil)
		got := records[1].Hessian
		for name, c := range map[string]struct{ got, residual, want float64 }{
			"largest":  {got.Largest, got.LargestResidual, values[n-1]},
			"smallest": {got.Smallest, got.SmallestResidual, values[0]},
		} {
			const differences = 1e-9
			if off := math.Abs(c.got - c.want); !(off <= c.residual+differences) || !(off <= 1e-4*math.Abs(c.want)) {
				t.Errorf("%+v: %s: got %v within %.1g, dense Hessian has %v", network, name, c.got, c.residual, c.want)
			}
			if !(c.residual <= 1e-4*math.Abs(c.got)) {
				t.Errorf("%+v: %s: residual %g of %g, want at most 1e-4 of it", network, name, c.residual, c.got)
			}
		}
		if !got.Converged {
			t.Errorf("%+v: got %+v, want it to have converged", network, got)
		}
		if records[0].StepSize == nil || records[1].StepSize != nil {
			t.Errorf("step sizes %v and %v, want one and none", records[0].StepSize, records[1].StepSize)
		}
		last := out.Rows[len(out.Rows)-1]
		if least := records[1].Gram.Smallest; !(least > 0 && least <= *last.PLRatio) {
			t.Errorf("%+v: smallest eigenvalue of the Gram matrix %v, want a positive one below the PL ratio %v", network, least, *last.PLRatio)
		}
	}
}

// TestGramResidual wants the smallest eigenvalue of the neural tangent matrix in float32
// within its residual of that in float64, and a matrix of a rank below its size to have one
// that is zero within it.
func TestGramResidual(t *testing.T) {
	p := problem{
		samples: 3, depth: 8, distance: 0.5, network: resnet.Spec{},
		train: Spec{Stop: Stop{Iterations: new(3)}, Certify: Certify{Cadence: "ends", Gram: true}},
	}
	exact := gramOf(t, start[float64](t, p))
	rough := gramOf(t, start[float32](t, p))
	if off := math.Abs(rough.Smallest - exact.Smallest); !(off <= rough.Residual+exact.Residual) || !(off > exact.Residual) {
		t.Errorf("got %+v in float32 and %+v in float64, want them apart by at most the residual of the first", rough, exact)
	}
	p.depth, p.network = 1, resnet.Spec{Block: "mlp", Hidden: 1} // 20 weights for 30 outputs
	if got := gramOf(t, start[float64](t, p)); !(math.Abs(got.Smallest) <= got.Residual) {
		t.Errorf("got %+v, want zero within its residual", got)
	}
}

func gramOf[T float32 | float64](t *testing.T, d *Descent[T]) runfolder.Gram {
	t.Helper()
	out, err := d.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return *out.Certification.Curvatures[0].Gram
}

// TestUnsettledEigenvalues wants a search that ended too early to say so.
func TestUnsettledEigenvalues(t *testing.T) {
	c := &certification[float64]{d: &Descent[float64]{}}
	c.unsettled("largest", curvature.Eigenvalue{Value: 1, Residual: 1e-9, Converged: true}, 30)
	c.unsettled("smallest", curvature.Eigenvalue{Value: -0.1, Residual: 0.02}, 1000)
	want := "iteration 0: after 1000 products the smallest eigenvalue of the Hessian is known to within 0.02, not to the accuracy asked for"
	if notes := c.record.Notes; len(notes) != 1 || notes[0] != want {
		t.Errorf("got notes %q, want %q", notes, want)
	}
}
