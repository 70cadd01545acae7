package train

import (
	"unsafe"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/curvature"
	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/tangent"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Memory is how many bytes a descent takes beside its samples, its evaluators, and the
// weights that it moves and starts from.
type Memory struct {
	State int64 // all the time: gradient, moments, trial point, certificates, norms, trace

	// More, for a while.
	Checkpoint int64 // while one is written
	Variation  int64 // while statistics of paths are computed
	Lanczos    int64 // while the extreme eigenvalues of the Hessian are sought
	Gram       int64 // while those of the neural tangent matrix are
	Weights    int64 // while the weights are written at the end
}

// MemoryOf returns the memory of a descent on n samples by that many workers, with a test set
// or without, each of whose measurements keeps that many bytes.
func MemoryOf[T kernel.Float](net *resnet.Network, spec Spec, n, workers int, test bool, measured int64) (Memory, error) {
	var m Memory
	var entry T
	d := &Descent[T]{Network: net, Spec: spec}
	counts := spec.Count(n, test)
	m.State = alloc.Bytes(func(mem *alloc.Account) { d.reserve(mem, n, workers) })
	m.State += int64(counts.Rows)*rowBytes + int64(counts.Measured)*measured
	if spec.Method == LevenbergMarquardt {
		m.State += tangent.Bytes(net, n)
	}
	size, wide := int64(unsafe.Sizeof(entry)), int64(unsafe.Sizeof(float64(0)))
	trained, all := int64(net.Layout.Trained), int64(net.Layout.Size)

	// Tensors are in float64, and one at a time in the bytes of its file, too.
	tensors := int64(1)
	if d.certify != nil {
		m.State += int64(counts.Rows) * int64(unsafe.Sizeof(certify.Later{}))
		if size < wide {
			tensors++ // θ at the certificate
		}
	}
	m.Checkpoint = wide*(tensors*trained+int64(StateEntries(net, spec.Method))) + size*trained + int64(counts.Measured)*measured*streamCopies
	largest := int64(0)
	for _, g := range net.Layout.Groups {
		largest = max(largest, int64(g.Len()))
	}
	m.Weights = wide*(all+trained) + size*largest
	if spec.KeepState {
		m.Weights += wide * int64(StateEntries(net, spec.Method))
	}

	if spec.records() {
		m.Variation = pathBytes(net, spec.recordedPowers())
	}
	if spec.Certify.Curvature {
		limit, err := spec.MemoryBytes()
		if err != nil {
			return Memory{}, err
		}
		m.Lanczos = size*trained + wide*trained*int64(min(net.Layout.Trained, curvature.Fit(net.Layout.Trained, limit))+4)
	}
	if outputs := int64(n) * int64(net.Outputs); spec.Certify.Gram && outputs <= resnet.MostOutputs {
		m.Gram = 8 * outputs * outputs // of the eigenvalue problem
	}
	return m, nil
}

// rowBytes is what a row of the trace takes with the numbers that it points to.
const rowBytes = int64(unsafe.Sizeof(runfolder.Row{})) + 7*8

// streamCopies is how often a checkpoint holds the measurements while it is written: as a
// table, in base64, and in its header.
const streamCopies = 7
