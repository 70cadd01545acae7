package runfolder_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/deeplimit/deeplimit/runfolder"
)

// finishedRun makes the folder of a small run: depth 4, width 1, two iterations.
func finishedRun() string {
	parent, err := os.MkdirTemp("", "deeplimit-example-")
	if err != nil {
		panic(err)
	}
	dir := filepath.Join(parent, "run")
	meta := runfolder.Meta{ID: "run", Hash: "0123", Depth: 4, Width: 1, DType: "float64", Block: "inner", Alpha: 0.5}
	if err := runfolder.Create(dir, meta); err != nil {
		panic(err)
	}
	var rows []runfolder.Row
	for t, loss := range []float64{0.5, 0.25, 0.125} {
		rows = append(rows, runfolder.Row{Iteration: int64(t), Loss: &loss})
	}
	path := func(entries ...float64) runfolder.Tensor {
		return runfolder.Tensor{DType: "F64", Shape: []int{4, 1, 1}, Data: entries}
	}
	weights := runfolder.Weights{Tensors: map[string]runfolder.Tensor{
		"A": path(0.1, 0.2, 0.25, 0.3), "A_initial": path(0, 0.05, 0, 0.05),
	}}
	if err := runfolder.Finish(dir, meta, rows, weights, runfolder.Summary{Iterations: 2, Stop: "loss", Loss: 0.125}); err != nil {
		panic(err)
	}
	return dir
}

// A run as a path that is ready to plot: one entry of the rescaled weights L^β A_k against k/L.
func ExampleOpen() {
	dir := finishedRun() // such as runs/quickstart/runs/NAME
	defer os.RemoveAll(filepath.Dir(dir))

	run, err := runfolder.Open(dir)
	if err != nil {
		panic(err)
	}
	weights, err := run.Weights()
	if err != nil {
		panic(err)
	}
	path, err := weights.Path(run.Meta.Part())
	if err != nil {
		panic(err)
	}
	depth := float64(path.Depth)
	rescaled := path.Rescaled(math.Pow(depth, run.Meta.Beta()))
	for k := 1; k <= path.Depth; k++ {
		fmt.Printf("%.2f %.3f\n", float64(k)/depth, rescaled.Matrix(k)[0])
	}
	fmt.Printf("largest norm of a layer %.3g\n", path.MaxFrobenius())
	// Output:
	// 0.25 0.200
	// 0.50 0.400
	// 0.75 0.500
	// 1.00 0.600
	// largest norm of a layer 0.3
}

// The recorded losses of a run and their iterations.
func ExampleLosses() {
	dir := finishedRun()
	defer os.RemoveAll(filepath.Dir(dir))

	run, err := runfolder.Open(dir)
	if err != nil {
		panic(err)
	}
	rows, err := run.Trace()
	if err != nil {
		panic(err)
	}
	iterations, losses := runfolder.Losses(rows)
	fmt.Println(iterations, losses, run.Summary.Stop)
	// Output:
	// [0 1 2] [0.5 0.25 0.125] loss
}
