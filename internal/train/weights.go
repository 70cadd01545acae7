package train

import (
	"strconv"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Weights returns what weights.safetensors holds: every group of theta, δ expanded
// to one entry a layer, and each trained group again as it was at iteration 0 with
// the suffix "_initial".
func Weights[T kernel.Float](net *resnet.Network, theta, initial []T) runfolder.Weights {
	w := runfolder.Weights{
		Tensors: map[string]runfolder.Tensor{},
		Metadata: map[string]string{
			"alpha":      strconv.FormatFloat(*net.Alpha, 'g', -1, 64),
			"beta":       strconv.FormatFloat(1-*net.Alpha, 'g', -1, 64),
			"activation": net.Activation,
			"block":      net.Block,
			"residual":   net.Residual,
			"loss":       net.Loss,
		},
	}
	if net.Norm() != nil {
		w.Metadata["normalise"], w.Metadata["norm"] = net.Normalise, net.NormKind
		w.Metadata["norm_epsilon"] = strconv.FormatFloat(net.NormEpsilon, 'g', -1, 64)
	}
	for _, g := range net.Layout.Groups {
		w.Tensors[g.Name] = group(net, theta, g)
		if g.Trained {
			w.Tensors[g.Name+"_initial"] = group(net, initial, g)
		}
	}
	return w
}

// group returns one parameter group as a tensor; δ gets one entry for each layer.
func group[T kernel.Float](net *resnet.Network, theta []T, g resnet.Group) runfolder.Tensor {
	view := resnet.View(net.Layout, theta, g.Name)
	if g.Name == "delta" && len(view) == 1 {
		expanded := make([]T, net.Depth)
		for k := range expanded {
			expanded[k] = view[0]
		}
		return tensor(expanded, net.Depth)
	}
	return tensor(view, g.Shape...)
}

// frozen is tensor for entries that nobody changes: those in float64 need no copy.
func frozen[T kernel.Float](entries []T, shape ...int) runfolder.Tensor {
	if data, ok := any(entries).([]float64); ok {
		return runfolder.Tensor{DType: "F64", Shape: shape, Data: data}
	}
	return tensor(entries, shape...)
}

// tensor copies entries to a tensor that is stored in their own precision.
func tensor[T kernel.Float](entries []T, shape ...int) runfolder.Tensor {
	t := runfolder.Tensor{DType: "F64", Shape: shape, Data: make([]float64, len(entries))}
	if _, single := any(T(0)).(float32); single {
		t.DType = "F32"
	}
	for i, v := range entries {
		t.Data[i] = float64(v)
	}
	return t
}
