package study

import "math"

// Steps returns the largest number of steps the run may take.
func (r *Run) Steps() int { return r.Train.Stop.Iterations }

// Flops returns about how many floating-point operations one step on n training
// samples takes (on a mini-batch: of its samples): the matrix products alone, each
// entry a multiplication and an addition.
//
//	layers   6 d² n L for blocks inner and outer, 12 d m n L for mlp: forward, adjoint, gradient
//	E        2 d inputs n, twice that when trained; none for the identity
//	C        4 d outputs n, one and a half times that when trained; none for the identity
//
// Armijo's extra evaluations and activations are not counted.
func (r *Run) Flops(n int) float64 {
	if r.Train.Batch > 0 {
		n = min(n, r.Train.Batch)
	}
	samples, width := float64(n), float64(r.Network.Width)
	layer := 6 * width * width
	if r.Network.Block == "mlp" {
		layer = 12 * width * float64(r.Network.Hidden)
	}
	flops := float64(r.Depth) * layer * samples
	switch r.Network.Embed {
	case "orthonormal":
		flops += 2 * width * float64(r.Inputs) * samples
	case "trained":
		flops += 4 * width * float64(r.Inputs) * samples
	}
	switch r.Network.Readout {
	case "orthonormal":
		flops += 4 * width * float64(r.Outputs) * samples
	case "trained":
		flops += 6 * width * float64(r.Outputs) * samples
	}
	return flops
}

// Bytes returns about how much memory the run takes with n training samples and the
// given number of workers, e bytes an entry (4 or 8):
//
//	parameters    e P (3 + moments): θ, θ at iteration 0, gradient, and the method's
//	              moments, 1 for momentum and 2 for adam, or Armijo's trial point
//	gradients     e P for each worker
//	samples       8 n (inputs + outputs)
//	states        e L (2 d + m) 64 for each worker: a tile of 64 samples over the whole
//	              depth, m = d but for block mlp; less where segments are recomputed
func (r *Run) Bytes(n, workers int) float64 {
	entry := r.entry()
	middle := r.Network.Width
	if r.Network.Block == "mlp" {
		middle = r.Network.Hidden
	}
	states := float64(r.Depth) * float64(2*r.Network.Width+middle) * 64
	return r.LeastBytes(n) + entry*(float64(workers-1)*r.parameters()+float64(workers)*states)
}

// LeastBytes returns about how much memory the run takes on one core when all hidden
// states are computed again: what Bytes counts, without states.
func (r *Run) LeastBytes(n int) float64 {
	copies := 3.0
	switch {
	case r.Train.Method == "momentum", r.Train.Step.Rule == "armijo":
		copies++
	case r.Train.Method == "adam":
		copies += 2
	}
	return r.entry()*(copies+1)*r.parameters() + 8*float64(n)*float64(r.Inputs+r.Outputs)
}

// entry returns the bytes of a number.
func (r *Run) entry() float64 {
	if r.DType == "float32" {
		return 4
	}
	return 8
}

// parameters returns the number of entries of all weights, biases, δ, E and C.
func (r *Run) parameters() float64 {
	n := r.Network
	width, depth := float64(n.Width), float64(r.Depth)
	layer := width * width
	bias := width
	if n.Block == "mlp" {
		layer, bias = 2*width*float64(n.Hidden), width+float64(n.Hidden)
	}
	if n.Bias {
		layer += bias
	}
	total := math.FMA(depth, layer, depth)
	if n.Embed != "identity" {
		total += width * float64(r.Inputs)
	}
	if n.Readout != "identity" {
		total += width * float64(r.Outputs)
	}
	return total
}
