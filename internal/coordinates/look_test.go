package coordinates

import (
	"math"
	"testing"

	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// TestDiverged wants nothing recorded of weights that are not finite, as a diverged run has.
func TestDiverged(t *testing.T) {
	spec, err := resnet.Spec{Block: "mlp", Bias: true}.Resolve(3, 3)
	if err != nil {
		t.Fatal(err)
	}
	net, err := resnet.New(spec, 2, 3, 3)
	if err != nil {
		t.Fatal(err)
	}
	initial := make([]float64, net.Layout.Size)
	for i := range initial {
		initial[i] = math.Sin(float64(i))
	}
	l, err := NewLook(net, resnet.Samples{X: []float64{1, 0, 0}, Y: make([]float64, 3)}, 0, initial)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, value := range []float64{math.NaN(), math.Inf(1)} {
		theta := append([]float64(nil), initial...)
		for i := 3; i < net.Layout.Trained; i += 4 { // one entry of each matrix
			theta[i] = value
		}
		var row runfolder.Row
		if err := l.Fill(&row, theta); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"update-norm", "update-rank", "alignment"} {
			for _, part := range net.Parts() {
				if got := *row.Coordinate(name, part); got != nil {
					t.Errorf("weights of %g: got %s %s of %g, want none", value, name, part, *got)
				}
			}
		}
	}
}
