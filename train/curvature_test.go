package train

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/curvature"
	"github.com/deeplimit/deeplimit/resnet"
)

// TestHessianExtremes holds the eigenvalues of the operator that is searched to those of a
// dense Hessian, from fourth-order differences of the gradient (step 1e-3: 1e-12 of
// truncation, 1e-13 of rounding, times higher derivatives of order one), to 1e-8, the
// recorded ones to their residuals, and the smallest one of the neural tangent matrix to
// the PL ratio, which it bounds from below.
func TestHessianExtremes(t *testing.T) {
	for _, network := range []resnet.Spec{{}, {Block: "outer", Bias: true, Activation: "gelu"}, {Block: "mlp", Hidden: 3, Residual: "layered"}} {
		d := start[float64](t, problem{
			samples: 3, depth: 2, distance: 0.5, network: network,
			train: Spec{Stop: Stop{Iterations: 3}, Certify: Certify{Cadence: "ends", Curvature: true, Gram: true}},
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
		exact, err := curvature.Find(n, hessianProduct(d), curvature.Options{Tolerance: 1e-10})
		if err != nil {
			t.Fatal(err)
		}
		got := records[1].Hessian
		for name, c := range map[string]struct{ largest, smallest, tolerance float64 }{
			"searched to the end": {exact.Largest, exact.Smallest, 1e-8},
			"recorded":            {got.Largest, got.Smallest, got.Residual + 1e-8},
		} {
			if !(math.Abs(c.largest-values[n-1]) <= c.tolerance) || !(math.Abs(c.smallest-values[0]) <= c.tolerance) {
				t.Errorf("%+v: %s: got %+v, dense Hessian has [%v, %v]", network, name, c, values[0], values[n-1])
			}
		}
		if size := max(math.Abs(values[0]), values[n-1]); !(got.Residual <= 1e-3*size*(1+1e-8)) {
			t.Errorf("%+v: residual %g, want at most a thousandth of %g", network, got.Residual, size)
		}
		if records[0].StepSize == nil || records[1].StepSize != nil {
			t.Errorf("step sizes %v and %v, want one and none", records[0].StepSize, records[1].StepSize)
		}
		last := out.Rows[len(out.Rows)-1]
		if least := *records[1].GramSmallest; !(least > 0 && least <= *last.PLRatio) {
			t.Errorf("%+v: smallest eigenvalue of the Gram matrix %v, want a positive one below the PL ratio %v", network, least, *last.PLRatio)
		}
	}
}
