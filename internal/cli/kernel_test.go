package cli

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/deeplimit/deeplimit/internal/npy/npytest"
	"github.com/deeplimit/deeplimit/runfolder"
)

// writeNet writes a net of the golden file of certificates as a study of no iterations:
// goldennet NAME. It leaves NAME.yaml, w.safetensors, X.npy and Y.npy.
func writeNet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: goldennet NAME")
	}
	text, err := os.ReadFile(ts.Getenv("GOLDEN"))
	ts.Check(err)
	var file struct {
		Cases []struct {
			Name    string
			Network struct {
				Block, Activation, Residual, Embed, Readout string
				Bias                                        bool
				Depth, Width, Hidden                        int
				Alpha                                       float64
			}
			Weights map[string]any
			X, Y    any
		}
	}
	ts.Check(json.Unmarshal(text, &file))
	for _, c := range file.Cases {
		if c.Name != args[0] {
			continue
		}
		w := runfolder.Weights{Tensors: map[string]runfolder.Tensor{}}
		for name, value := range c.Weights {
			shape, data := array(value)
			w.Tensors[name] = runfolder.Tensor{DType: "F64", Shape: shape, Data: data}
		}
		ts.Check(runfolder.WriteWeights(ts.MkAbs("w.safetensors"), w))
		for name, value := range map[string]any{"X.npy": c.X, "Y.npy": c.Y} {
			shape, data := array(value)
			ts.Check(os.WriteFile(ts.MkAbs(name), npytest.File(npytest.Array{Shape: shape, Values: data}), 0o666))
		}
		n, hidden := c.Network, ""
		if n.Block == "mlp" {
			hidden = fmt.Sprintf(", hidden: %d", n.Hidden)
		}
		study := fmt.Sprintf("name: %s\ndepths: [%d]\ndata: {kind: files, inputs: X.npy, targets: Y.npy}\n"+
			"network: {block: %s, activation: %s, residual: %s, embed: %s, readout: %s, bias: %v, width: %d, alpha: %v%s}\n"+
			"initial: {kind: file, path: w.safetensors}\ntrain: {stop: {iterations: 0}, certify: {cadence: off}}\n",
			c.Name, n.Depth, n.Block, n.Activation, n.Residual, n.Embed, n.Readout, n.Bias, n.Width, n.Alpha, hidden)
		ts.Check(os.WriteFile(ts.MkAbs(c.Name+".yaml"), []byte(study), 0o666))
		return
	}
	ts.Fatalf("got no case %s in the golden file", args[0])
}

// array returns the shape and the entries of nested lists.
func array(value any) (shape []int, data []float64) {
	list, ok := value.([]any)
	if !ok {
		return nil, []float64{value.(float64)}
	}
	for _, e := range list {
		inner, entries := array(e)
		shape, data = inner, append(data, entries...)
	}
	return append([]int{len(list)}, shape...), data
}
