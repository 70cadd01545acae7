// Package tangent computes in float64 what certificates from the tangent kernel need of a
// network: the derivative DF of all outputs by the trained parameters in the form of the
// kernel K = DF DFᵀ and of products DFᵀy, minimum-norm Newton steps, and per sample how derivatives
// and second derivatives travel through the layers. docs/certificates.md, sections 12 to 16,
// has the formulas under the same names.
//
// Letters: L depth, d width, m rows of the activation, N samples, o outputs; k = 0..L−1 is layer
// k + 1. Results do not depend on the number of workers.
package tangent

import (
	"context"
	"math"
	"sync"
	"sync/atomic"

	"github.com/deeplimit/deeplimit/activation"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/resnet"
)

// A Model is a network at parameters θ with its samples.
type Model struct {
	net     *resnet.Network
	theta   []float64
	x, y    []float64 // (N,inputs), (N,outputs)
	samples int
	workers int
	sigma   activation.Function

	depth, width, middle, outputs int
	v, w                          []float64    // V (L,d,m), W (L,m,d); nil where the block has none
	vBias, wBias                  []float64    // c (L,d), b (L,m); nil without bias
	delta                         []float64    // (1) or (L)
	embed, readout                []float64    // E (d,inputs), C (o,d); nil for the identity
	norm                          *resnet.Norm // before each block; nil without

	states forward
	norms  []layerNorms // of the layers, by Layers
}

// forward holds the states of all samples at θ.
type forward struct {
	h                    []float64 // (N,L+1,d)
	x, r                 []float64 // norm(h) (N,L,d) and its r (N,L); nil without a norm
	value, slope, second []float64 // σ, σ′, σ″ at z (N,L,m)
	residual             []float64 // F − Y (N,o)
}

// A RefusedError says why no statement is about a network.
type RefusedError struct{ Why string }

func (e *RefusedError) Error() string { return "tangent: " + e.Why }

// Refuses returns why no statement is about networks of a resolved spec, "" if there may be one.
func Refuses(spec resnet.Spec) string {
	if spec.Loss != "squared" {
		return "the loss is " + spec.Loss + ", the statements are about squared loss"
	}
	if sigma, err := activation.ByName(spec.Activation); err != nil || sigma.Smoothness() < 2 {
		return "σ″ of " + spec.Activation + " jumps or does not exist, the statements need a bounded σ‴"
	}
	return ""
}

// RefusesProof returns why no certificate is about networks of a resolved spec, "" if there may be one. Newton steps are for all
// that Refuses allows.
func RefusesProof(spec resnet.Spec) string {
	if why := Refuses(spec); why != "" {
		return why
	}
	if spec.Norm() != nil {
		return "the blocks are normalised (" + spec.Normalise + "), the statements are about blocks that see the states as they are"
	}
	return ""
}

// New returns the model of a network with squared loss; x is (N,inputs), y (N,outputs). It keeps theta.
func New(net *resnet.Network, theta, x, y []float64, workers int) (*Model, error) {
	if why := Refuses(net.Spec); why != "" {
		return nil, &RefusedError{why}
	}
	sigma, err := activation.ByName(net.Activation)
	if err != nil {
		return nil, err
	}
	m := &Model{
		net: net, x: x, y: y, samples: len(y) / net.Outputs, workers: max(1, workers), sigma: sigma,
		depth: net.Depth, width: net.Width, middle: net.Width, outputs: net.Outputs, norm: net.Norm(),
	}
	if net.Block == "mlp" {
		m.middle = net.Hidden
	}
	layers := m.samples * m.depth * m.middle
	m.states = forward{
		h:     make([]float64, m.samples*(m.depth+1)*m.width),
		value: make([]float64, layers), slope: make([]float64, layers), second: make([]float64, layers),
		residual: make([]float64, m.samples*m.outputs),
	}
	if m.norm != nil {
		m.states.x, m.states.r = make([]float64, m.samples*m.depth*m.width), make([]float64, m.samples*m.depth)
	}
	m.Move(theta)
	return m, nil
}

// Move makes theta the parameters and computes the states there.
func (m *Model) Move(theta []float64) {
	m.theta = theta
	view := func(name string) []float64 { return resnet.View(m.net.Layout, theta, name) }
	switch m.net.Block {
	case "inner":
		m.w, m.wBias = view("A"), view("b")
	case "outer":
		m.v, m.vBias = view("A"), view("b")
	case "mlp":
		m.w, m.wBias, m.v, m.vBias = view("W"), view("b"), view("V"), view("c")
	}
	m.delta, m.embed, m.readout = view("delta"), view("E"), view("C")
	m.parallel(m.samples, func(_, i int) { m.run(i) })
}

// scale returns δ of layer k.
func (m *Model) scale(k int) float64 {
	if len(m.delta) == 1 {
		return m.delta[0]
	}
	return m.delta[k]
}

// hidden returns h_k of sample i, k = 0..L.
func (m *Model) hidden(i, k int) []float64 { return block(m.states.h, i*(m.depth+1)+k, m.width) }

// input returns what the block of layer k sees of sample i, k = 0..L−1.
func (m *Model) input(i, k int) []float64 {
	if m.norm == nil {
		return m.hidden(i, k)
	}
	return block(m.states.x, i*m.depth+k, m.width)
}

// of returns the entries of sample i and layer k of a (N,L,m) array.
func (m *Model) of(values []float64, i, k int) []float64 {
	return block(values, i*m.depth+k, m.middle)
}

func block(s []float64, j, size int) []float64 { return s[j*size : (j+1)*size : (j+1)*size] }

// Residual returns F − Y (N·o), the model's own memory.
func (m *Model) Residual() []float64 { return m.states.residual }

// Loss returns J.
func (m *Model) Loss() float64 {
	sum := norm(m.states.residual)
	return sum * sum / (2 * float64(m.samples))
}

// run computes the states of sample i.
func (m *Model) run(i int) {
	d, rows := m.width, m.middle
	x := block(m.x, i, m.net.Inputs)
	h := m.hidden(i, 0)
	if m.embed != nil {
		multiplyTo(h, m.embed, x, nil)
	} else {
		copy(h, x)
	}
	z, f := make([]float64, rows), make([]float64, d)
	for k := range m.depth {
		next, x := m.hidden(i, k+1), m.input(i, k)
		if m.norm != nil {
			m.states.r[i*m.depth+k] = m.norm.To(x, h)
		}
		u := z
		if m.w != nil {
			multiplyTo(z, block(m.w, k, rows*d), x, biasAt(m.wBias, k, rows))
		} else {
			u = x
		}
		value, slope, second := m.of(m.states.value, i, k), m.of(m.states.slope, i, k), m.of(m.states.second, i, k)
		for j, at := range u {
			value[j], slope[j], second[j] = m.sigma.Derivatives(at)
		}
		m.branchTo(f, i, k)
		delta := m.scale(k)
		for j := range next {
			next[j] = h[j] + delta*f[j]
		}
		h = next
	}
	r := block(m.states.residual, i, m.outputs)
	if m.readout != nil {
		multiplyTo(r, m.readout, h, nil)
	} else {
		copy(r, h)
	}
	for j, y := range block(m.y, i, m.outputs) {
		r[j] -= y
	}
}

// branchTo writes f_k of sample i.
func (m *Model) branchTo(f []float64, i, k int) {
	value := m.of(m.states.value, i, k)
	if m.v == nil {
		copy(f, value)
		return
	}
	multiplyTo(f, block(m.v, k, m.width*m.middle), value, biasAt(m.vBias, k, m.width))
}

// biasAt returns the bias of layer k, nil where there is none.
func biasAt(bias []float64, k, rows int) []float64 {
	if bias == nil {
		return nil
	}
	return block(bias, k, rows)
}

// multiplyTo computes y = M x + b, row-major; b may be nil.
func multiplyTo(y, matrix, x, b []float64) {
	n := len(x)
	for i := range y {
		y[i] = dot(matrix[i*n:(i+1)*n], x)
		if b != nil {
			y[i] += b[i]
		}
	}
}

// addTransposedTo adds Mᵀ x to y, scaled.
func addTransposedTo(y []float64, scale float64, matrix, x []float64) {
	n := len(y)
	for i, v := range x {
		axpy(y, scale*v, matrix[i*n:(i+1)*n])
	}
}

// axpy adds a x to y.
func axpy(y []float64, a float64, x []float64) { kernels.AddScaled(y, a, x[:len(y)]) }

var kernels = kernel.For[float64]()

// dot returns Σ a_i b_i in four chains.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s2) + (s1 + s3)
}

func norm(v []float64) float64 { return math.Sqrt(dot(v, v)) }

// parallel calls f for every i of count, with the number of the worker that does.
func (m *Model) parallel(count int, f func(worker, i int)) {
	_ = m.parallelWithin(context.Background(), count, f)
}

// parallelWithin is parallel that gives up when the context ends.
func (m *Model) parallelWithin(ctx context.Context, count int, f func(worker, i int)) error {
	var next atomic.Int64
	var group sync.WaitGroup
	for worker := range min(m.workers, count) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < count && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				f(worker, i)
			}
		})
	}
	group.Wait()
	return ctx.Err()
}

// Trained returns the number of trained parameters.
func (m *Model) Trained() int { return m.net.Layout.Trained }
