package resnet

import (
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/internal/alloc"
)

// MostOutputs is the largest samples × outputs that Gram takes.
const MostOutputs = 2000

// Gram returns the neural tangent matrix K = (1/N) D Dᵀ of the chosen samples, D
// (N·outputs, trained) the derivative of all outputs by the trained parameters; row i·outputs
// + a is output a of sample i. With squared loss ‖∇J‖² ≥ 2 λ_min(K) J [Jacot,
// Gabriel, Hongler 2018].
//
// D is never formed. A layer's gradient is a product q uᵀ of an adjoint and an input, so
// that it adds ⟨q_i, q_j⟩⟨u_i, u_j⟩ to K_ij; one backward pass for all outputs gives
// the q. Takes about 2 L (d + m)(N·outputs)² floating-point operations, and the states
// of N·outputs columns, recomputed in segments beyond the memory limit.
//
// More than MostOutputs samples × outputs are an error.
func (e *Evaluator[T]) Gram(theta []T) (*mat.SymDense, error) {
	count := e.total * e.net.Outputs
	if count > MostOutputs {
		return nil, fmt.Errorf("resnet: Gram: got %d samples × %d outputs, want at most %d together", e.total, e.net.Outputs, MostOutputs)
	}
	g := e.newGram(&alloc.Account{})
	e.widen(g.tile)
	g.run(theta)
	k := mat.NewSymDense(count, g.sum.Data)
	k.ScaleSym(1/float64(e.total), k)
	return k, nil
}

// newGram returns the memory of a Gram.
func (e *Evaluator[T]) newGram(mem *alloc.Account) *gram[T] {
	net, count := e.net, e.total*e.net.Outputs
	t := &tile[T]{}
	t.reserve(mem, count, net.Inputs, 0, false)
	memory := int64(1) << 62
	if e.options.Memory > 0 {
		memory = e.options.Memory
	}
	layers := newPlain(mem, net, e.ops, t.n, segmentLength[T](net, t.n, memory), net.keptByGradient())
	square := func() []float64 { return alloc.Make[float64](mem, count*count) }
	return &gram[T]{
		pass: newPass(mem, net, e.ops, t.n, layers), layers: layers, tile: t, count: count,
		sum:  blas64.Symmetric{N: count, Stride: count, Data: square(), Uplo: blas.Upper},
		left: square(), right: square(), scales: alloc.Make[float64](mem, count),
		columns: alloc.Make[float64](mem, max(net.Width, net.middle(), net.Inputs, net.Outputs)*t.n),
	}
}

// widen packs the chosen samples into one tile, each once for every output.
func (e *Evaluator[T]) widen(t *tile[T]) {
	outputs, column := e.net.Outputs, 0
	for i := range e.tiles {
		from := &e.tiles[i]
		for c := range from.used {
			for range outputs {
				for r := range e.net.Inputs {
					t.x[r*t.n+column] = from.x[r*from.n+c]
				}
				column++
			}
		}
	}
	for ; column < t.n; column++ {
		for r := range e.net.Inputs {
			t.x[r*t.n+column] = t.x[r*t.n]
		}
	}
}

// A gram takes the adjoints of all outputs back through the depth; column c of a
// tile is output c mod outputs of a sample.
type gram[T Float] struct {
	*pass[T]
	layers      *plain[T]
	tile        *tile[T]
	count       int // columns in use
	sum         blas64.Symmetric
	left, right []float64 // Gram matrices of adjoints and inputs (count, count)
	scales      []float64 // of one δ for all layers: ∂ŷ/∂δ for each column
	columns     []float64 // what left or right is taken of, in float64
}

// run adds the parts of all parameters.
func (g *gram[T]) run(theta []T) {
	net, n := g.net, g.tile.n
	g.embed(theta, g.tile)
	h := g.layers.forward(theta, n, true)
	output := g.output[:net.Outputs*n]
	for c := range g.count { // the derivative by its own output
		output[c%net.Outputs*n+c] = 1
	}
	if net.readout != nil && net.readout.Trained { // ∂ŷ_a/∂C is h in row a
		g.add(output, h, false)
	}
	p := g.pull(theta, n)
	g.layers.backwardWith(theta, p, n, g.layer)
	if net.Residual == "shared" {
		g.addSquare(g.scales)
	}
	if net.embed != nil && net.embed.Trained {
		g.add(p, g.tile.x, false)
	}
}

// layer adds the parts of a layer, as gradient.layer adds derivatives.
func (g *gram[T]) layer(l *layer[T]) {
	if g.net.Residual != "fixed" {
		g.addScale(l.p, l.branch)
	}
	if a := &g.net.behind; a.present {
		g.add(l.q, l.value, a.bias != nil)
	}
	if a := &g.net.before; a.present {
		g.add(l.e, l.x, a.bias != nil)
	}
}

// add adds ⟨q_i, q_j⟩(⟨u_i, u_j⟩ + [bias]) for the columns of q and u.
func (g *gram[T]) add(q, u []T, bias bool) {
	g.columnGram(g.left, q)
	g.columnGram(g.right, u)
	one := 0.0
	if bias {
		one = 1
	}
	for i := range g.count { // the upper triangle
		row := i * g.count
		for c := row + i; c < row+g.count; c++ {
			g.sum.Data[c] += g.left[c] * (g.right[c] + one)
		}
	}
}

// columnGram writes the upper triangle of XᵀX to dst for the columns of x in use.
func (g *gram[T]) columnGram(dst []float64, x []T) {
	columns := g.columns[:len(x)]
	widenTo(columns, x)
	rows := len(x) / g.tile.n
	blas64.Syrk(blas.Trans, 1, blas64.General{Rows: rows, Cols: g.count, Stride: g.tile.n, Data: columns},
		0, blas64.Symmetric{N: g.count, Stride: g.count, Data: dst, Uplo: blas.Upper})
}

// addScale adds the part of a layer's δ, whose derivative is ⟨p, f⟩ for each column; one
// δ for all layers sums them first.
func (g *gram[T]) addScale(p, f []T) {
	n := g.tile.n
	inner := g.scales
	if g.net.Residual == "layered" {
		inner = make([]float64, g.count)
	}
	for r := range g.net.Width {
		for c := range inner {
			inner[c] += float64(p[r*n+c]) * float64(f[r*n+c])
		}
	}
	if g.net.Residual == "layered" {
		g.addSquare(inner)
	}
}

// addSquare adds v vᵀ.
func (g *gram[T]) addSquare(v []float64) {
	blas64.Syr(1, blas64.Vector{N: g.count, Inc: 1, Data: v}, g.sum)
}
