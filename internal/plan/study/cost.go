package study

// Steps returns the largest number of steps the run may take.
func (r *Run) Steps() int { return *r.Train.Stop.Iterations }

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

// EntryBytes returns the bytes of a number of the run's element type.
func (r *Run) EntryBytes() int {
	if r.DType == "float32" {
		return 4
	}
	return 8
}
