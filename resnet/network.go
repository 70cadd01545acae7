// Package resnet is the deep residual network of constant width
//
//	h_0 = E x,   h_k = h_{k−1} + δ_k f_k(h_{k−1}),   k = 1..L,   ŷ = C h_L
//
// with its loss J (a mean over samples), the gradient of every parameter group and
// Hessian-vector products, in float64 or float32.
//
// A block is an affine map before the activation, one behind it, or both:
//
//	inner  f(h) = σ(A h + b)            before: (A, b)
//	outer  f(h) = A σ(h) + b            behind: (A, b)
//	mlp    f(h) = V σ(W h + b) + c      before: (W, b), behind: (V, c)
//
// With normalise: pre it stands behind a Norm, f(norm(h)).
//
// # Use
//
// Spec and Initial are the sections network and initial of a study file. Their Resolve checks
// them and fills in defaults. New makes the Network, Parameters draws θ, NewEvaluator takes
// the samples and computes J(θ), ∇J(θ) and ∇²J(θ)·v (Loss, Gradient, HessianVector).
//
// # Shapes
//
// L is the depth, d the width, m the hidden width of block mlp, N the number of samples, n the
// columns of a tile. Vectors are columns: z = A h [CRX, Section 2]. θ is one flat vector;
// Network.Layout says where the groups A (L,d,d), b (L,d), … stand in it, row-major, and View
// returns one of them. The first Layout.Trained entries are the trained parameters, which
// gradients and directions hold alone. Samples are X (N,inputs) and Y (N,outputs), row-major.
//
// # Errors and cost
//
// Sections out of range, samples whose shapes do not fit, and networks beyond the memory of the
// process are errors of the constructors; the evaluator's methods panic on slices that are too
// short. A loss that is not finite is returned as it is.
//
// A gradient costs about 6 d² N L floating-point operations, a Hessian-vector product a few
// times as many. Samples pass through all layers in tiles that fit the cache, so memory
// for hidden states is small and Options.Memory bounds it. Results are the same bits for any
// number of workers and any memory limit.
package resnet

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/deeplimit/deeplimit/activation"
	"github.com/deeplimit/deeplimit/internal/machine"
	"github.com/deeplimit/deeplimit/internal/random"
)

// A Network is the architecture: it holds no trained weights. Parameters are a
// flat vector θ described by Layout.
type Network struct {
	Spec
	Depth, Inputs, Outputs int
	Layout                 Layout

	activation activation.Function
	loss       loss
	before     affine // the map in front of σ; absent for outer
	behind     affine // the map behind σ; absent for inner
	delta      Group  // δ: one entry, or L when layered
	embed      *Group // E (d,inputs), nil for the identity
	readout    *Group // C (outputs,d), nil for the identity
}

// affine is z = M·h + bias for every layer, with the groups that hold M (L,rows,cols)
// and the bias (L,rows).
type affine struct {
	present    bool
	rows, cols int
	weights    Group
	bias       *Group // nil when the network has no bias
}

// New returns the network of the given depth for samples with inputs and outputs
// entries. spec must come from Spec.Resolve.
func New(spec Spec, depth, inputs, outputs int) (*Network, error) {
	if depth < 1 || inputs < 1 || outputs < 1 || spec.Width < 1 || spec.Alpha == nil {
		return nil, fmt.Errorf("resnet: New: got depth %d, inputs %d, outputs %d, width %d, want all positive and a resolved network section", depth, inputs, outputs, spec.Width)
	}
	sigma, err := activation.ByName(spec.Activation)
	if err != nil {
		return nil, err
	}
	n := &Network{Spec: spec, Depth: depth, Inputs: inputs, Outputs: outputs, activation: sigma}
	if n.loss, err = newLoss(spec); err != nil {
		return nil, err
	}
	groups := n.groups()
	if err := checkEntries(groups); err != nil {
		return nil, fmt.Errorf("resnet: New: depth %d, width %d, hidden %d: %w", depth, spec.Width, spec.Hidden, err)
	}
	n.Layout = newLayout(groups)
	n.bind()
	return n, nil
}

// groups lists the parameter groups in file order, without offsets.
func (n *Network) groups() []Group {
	depth, width, hidden := n.Depth, n.Width, n.Hidden
	var groups []Group
	layered := func(name string, shape ...int) {
		groups = append(groups, Group{Name: name, Shape: append([]int{depth}, shape...), Trained: true})
	}
	switch n.Block {
	case "mlp":
		layered("V", width, hidden)
		layered("W", hidden, width)
		if n.Bias {
			layered("b", hidden)
			layered("c", width)
		}
	default:
		layered("A", width, width)
		if n.Bias {
			layered("b", width)
		}
	}
	scales := 1
	if n.Residual == "layered" {
		scales = depth
	}
	groups = append(groups, Group{Name: "delta", Shape: []int{scales}, Trained: n.Residual != "fixed"})
	if n.Embed != "identity" {
		groups = append(groups, Group{Name: "E", Shape: []int{width, n.Inputs}, Trained: n.Embed == "trained"})
	}
	if n.Readout != "identity" {
		groups = append(groups, Group{Name: "C", Shape: []int{n.Outputs, width}, Trained: n.Readout == "trained"})
	}
	return groups
}

// bind points the block's maps, δ, E and C at their groups.
func (n *Network) bind() {
	bind := func(weights, bias string) affine {
		g := n.find(weights)
		return affine{present: true, rows: g.Shape[1], cols: g.Shape[2], weights: *g, bias: n.find(bias)}
	}
	switch n.Block {
	case "inner":
		n.before = bind("A", "b")
	case "outer":
		n.behind = bind("A", "b")
	case "mlp":
		n.before, n.behind = bind("W", "b"), bind("V", "c")
	}
	n.bindScale()
}

// bindScale does so for δ, E and C alone.
func (n *Network) bindScale() {
	n.delta, n.embed, n.readout = *n.find("delta"), n.find("E"), n.find("C")
}

// find returns the named group, nil where there is none.
func (n *Network) find(name string) *Group {
	if g, ok := n.Layout.Group(name); ok {
		return &g
	}
	return nil
}

// middle returns the number of rows of the activation: d, or m for block mlp.
func (n *Network) middle() int {
	if n.Block == "mlp" {
		return n.Hidden
	}
	return n.Width
}

// Parts returns the names of the groups that hold a weight matrix for each layer:
// A, or V and W.
func (n *Network) Parts() []string {
	if n.Block == "mlp" {
		return []string{"V", "W"}
	}
	return []string{"A"}
}

// ResidualScale returns L^−α, the fixed δ and the value a trained one starts from.
func (n *Network) ResidualScale() float64 { return math.Pow(float64(n.Depth), -*n.Alpha) }

// Parameters returns θ at iteration 0: the layers' weights as the resolved initial
// section says, δ = L^−α, E and C random with orthonormal rows or columns from
// seed, unless a file has them. base is the folder that relative paths of kind file start from.
func Parameters[T Float](n *Network, initial Initial, seed uint64, base string) ([]T, error) {
	if err := fitsEntries[T](float64(n.Layout.Size), drawnEntries(n)); err != nil {
		return nil, fmt.Errorf("resnet: initial weights at depth %d, width %d: %w", n.Depth, n.Width, err)
	}
	theta := make([]T, n.Layout.Size)
	for _, g := range n.Layout.Groups {
		view := View(n.Layout, theta, g.Name)
		_, given := initial.Parts[g.Name]
		switch {
		case g.Name == "delta" && !given:
			for i := range view {
				view[i] = T(n.ResidualScale())
			}
		case (g.Name == "E" || g.Name == "C") && !given:
			frame := orthonormal(g.Shape[0], g.Shape[1], random.New(seed, "frame/"+g.Name))
			if by := map[string]float64{"E": initial.Embed, "C": initial.Readout}[g.Name]; by != 0 {
				for i := range frame {
					frame[i] *= by
				}
			}
			convert(view, frame)
		default:
			entries, err := initial.Parts[g.Name].draw(g, n.Depth, seed, base)
			if err != nil {
				return nil, fmt.Errorf("resnet: initial %s at depth %d: %w", g.Name, n.Depth, err)
			}
			convert(view, entries)
		}
	}
	return theta, nil
}

// drawnEntries returns the most float64 numbers that one group is drawn into.
func drawnEntries(n *Network) float64 {
	most := 0
	for _, g := range n.Layout.Groups {
		most = max(most, g.Len())
	}
	return float64(most)
}

// fitsEntries returns a *machine.MemoryError unless that many entries of type T and
// that many float64 fit into memory.
func fitsEntries[T Float](entries, wide float64) error {
	var zero T
	return machine.Fits(entries*float64(unsafe.Sizeof(zero)) + 8*wide)
}

// convert copies src into dst, rounding to T.
func convert[T Float](dst []T, src []float64) {
	for i, v := range src {
		dst[i] = T(v)
	}
}
