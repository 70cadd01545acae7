package train

import (
	"math/bits"
	"runtime"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// pathBytes returns what setPaths takes: a path in float64, and for each of the powers that is worked on at the same
// time, as package pvar does, a copy in tiles of Lanes points, the centres of blocks, twice as many as tiles and one for
// each level, and a few numbers for each point.
func pathBytes(net *resnet.Network, powers []float64) int64 {
	g, _ := net.Layout.Group(net.Parts()[0])
	path, at := 8*int64(g.Len()), int64(min(len(powers), runtime.GOMAXPROCS(0)))
	tiles := (net.Depth + kernel.Lanes - 1) / kernel.Lanes
	points := int64((kernel.Lanes+2)*tiles + bits.Len(uint(tiles)))
	return path + at*(points*(path/int64(net.Depth)+64))
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
