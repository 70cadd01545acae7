package train

import (
	"math"
	"runtime"

	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// variationTime says whether a row holds the p-variation of the weight path: every
// Spec.Variation iterations and at the end.
func (d *Descent[T]) variationTime(row runfolder.Row) bool {
	every := d.Spec.Variation
	return every > 0 && (d.t%every == 0 || row.StepSize == nil)
}

// setVariation fills V_p of the rescaled path L^β A (V for block mlp). A path with an
// entry that is not finite, as a diverged run has, leaves the columns empty, and so does a sum
// that float64 cannot hold.
func (d *Descent[T]) setVariation(row *runfolder.Row) {
	weights := resnet.View(d.Network.Layout, d.Theta, d.Network.Parts()[0])
	rescale := math.Pow(float64(d.Network.Depth), 1-*d.Network.Alpha)
	path := pvar.Points{Dim: len(weights) / d.Network.Depth, Data: make([]float64, len(weights))}
	for i, w := range weights {
		path.Data[i] = rescale * float64(w)
	}
	variations, err := pvar.Compute(path, 1, 1.5, 2, 2.5, 3)
	if err != nil {
		return
	}
	for i, column := range []**float64{&row.Variation1, &row.Variation15, &row.Variation2, &row.Variation25, &row.Variation3} {
		if v := variations[i].Value; !math.IsNaN(v) {
			*column = &v
		}
	}
}

// variationBytes returns what setVariation takes: the path in float64, and for each p above 1 that
// is worked on at the same time the centres of blocks of 4 points, twice as many as there are
// of the smallest, with a few numbers for each point.
func variationBytes(net *resnet.Network) int64 {
	g, _ := net.Layout.Group(net.Parts()[0])
	path, at := 8*int64(g.Len()), int64(min(4, runtime.GOMAXPROCS(0)))
	return path + at*(path/2+32*int64(net.Depth))
}

// keptStates is the number of samples whose hidden states a run leaves behind.
const keptStates = 4

// States returns the hidden states of the first training samples at theta, for
// states.safetensors: tensor h (samples, L+1, d).
func States[T float32 | float64](full *resnet.Evaluator[T], net *resnet.Network, theta []T) runfolder.Weights {
	data, count := full.HiddenStates(theta, keptStates)
	h := runfolder.Tensor{DType: "F64", Shape: []int{count, net.Depth + 1, net.Width}, Data: data}
	return runfolder.Weights{Tensors: map[string]runfolder.Tensor{"h": h}}
}
