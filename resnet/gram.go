package resnet

import (
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/internal/kernel"
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
	t := e.wide()
	memory := int64(1) << 62
	if e.options.Memory > 0 {
		memory = e.options.Memory
	}
	g := &gramPass[T]{
		pass: newPass(e.net, e.ops, t.n, cut{segment: segmentLength[T](e.net, t.n, memory)}), tile: t, count: count,
		sum:  blas64.Symmetric{N: count, Stride: count, Data: make([]float64, count*count), Uplo: blas.Upper},
		left: make([]float64, count*count), right: make([]float64, count*count), scales: make([]float64, count),
	}
	g.run(theta)
	k := mat.NewSymDense(count, g.sum.Data)
	k.ScaleSym(1/float64(e.total), k)
	return k, nil
}

// wide packs the chosen samples into one tile, each once for every output.
func (e *Evaluator[T]) wide() *tile[T] {
	outputs := e.net.Outputs
	t := &tile[T]{used: e.total * outputs}
	t.n = pad(t.used)
	t.x = make([]T, e.net.Inputs*t.n)
	column := 0
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
	return t
}

// A gramPass takes the adjoints of all outputs back through the depth; column c of a
// tile is output c mod outputs of a sample.
type gramPass[T kernel.Float] struct {
	*pass[T]
	tile        *tile[T]
	count       int // columns in use
	sum         blas64.Symmetric
	left, right []float64 // Gram matrices of adjoints and inputs (count, count)
	scales      []float64 // of one δ for all layers: ∂ŷ/∂δ for each column
	columns     []float64 // what left or right is taken of, in float64
}

// run adds the layers' parts from the last to the first.
func (g *gramPass[T]) run(theta []T) {
	net, n := g.net, g.tile.n
	g.embed(theta, g.tile)
	last := g.segments() - 1
	for s := range last {
		g.forward(theta, s, n, false)
	}
	for s := last; s >= 0; s-- {
		h := g.forward(theta, s, n, true)
		if s == last {
			g.seed(theta, h)
		}
		g.back(theta, s)
	}
	if net.Residual == "shared" {
		g.addSquare(g.scales)
	}
	if net.embed != nil && net.embed.Trained {
		g.add(g.adjoint, g.tile.x, false)
	}
}

// seed sets the adjoint of each column to Cᵀ e_a, a its output, and adds the part of a
// trained readout: ∂ŷ_a/∂C is h in row a.
func (g *gramPass[T]) seed(theta, h []T) {
	net, n := g.net, g.tile.n
	output := g.output[:net.Outputs*n]
	clear(output)
	for c := range g.count {
		output[c%net.Outputs*n+c] = 1
	}
	if net.readout != nil && net.readout.Trained {
		g.add(output, h, false)
	}
	clear(g.adjoint)
	if r := net.readout; r != nil {
		g.ops.AddTransposed(g.adjoint, theta[r.Offset:r.Offset+r.Len()], output, net.Outputs, net.Width, n)
	} else {
		copy(g.adjoint, output)
	}
}

// back takes the adjoint through the layers of segment s and adds their parts, as
// pass.backward adds gradients.
func (g *gramPass[T]) back(theta []T, s int) {
	net, ops, n := g.net, g.ops, g.tile.n
	first := s * g.segment
	for j := min(g.segment, net.Depth-first) - 1; j >= 0; j-- {
		k := first + j
		h, ds := g.state(j, n), g.slope(j, n)
		if net.Residual != "fixed" {
			f := g.value(j, n)
			if net.behind.present {
				f = g.branch(j, n)
			}
			g.addScale(f)
		}
		delta := theta[net.scaleIndex(k)]
		pulled := g.pulled[:net.middle()*n]
		if a := &net.behind; a.present {
			clear(g.scaled)
			ops.AddScaled(g.scaled, delta, g.adjoint)
			g.add(g.scaled, g.value(j, n), a.bias != nil)
			clear(pulled)
			w, _ := weightsOf(a, theta, k)
			ops.AddTransposed(pulled, w, g.scaled, a.rows, a.cols, n)
			ops.ScaleMul(pulled, 1, pulled, ds)
		} else {
			ops.ScaleMul(pulled, delta, g.adjoint, ds)
		}
		if a := &net.before; a.present {
			g.add(pulled, h, a.bias != nil)
			w, _ := weightsOf(a, theta, k)
			ops.AddTransposed(g.adjoint, w, pulled, a.rows, a.cols, n)
		} else {
			ops.AddScaled(g.adjoint, 1, pulled)
		}
	}
}

// add adds ⟨q_i, q_j⟩(⟨u_i, u_j⟩ + [bias]) for the columns of q and u.
func (g *gramPass[T]) add(q, u []T, bias bool) {
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
func (g *gramPass[T]) columnGram(dst []float64, x []T) {
	g.columns = resize(g.columns, len(x))
	widenTo(g.columns, x)
	rows := len(x) / g.tile.n
	blas64.Syrk(blas.Trans, 1, blas64.General{Rows: rows, Cols: g.count, Stride: g.tile.n, Data: g.columns},
		0, blas64.Symmetric{N: g.count, Stride: g.count, Data: dst, Uplo: blas.Upper})
}

// addScale adds the part of a layer's δ, whose derivative is ⟨p, f⟩ for each column; one
// δ for all layers sums them first.
func (g *gramPass[T]) addScale(f []T) {
	n := g.tile.n
	inner := g.scales
	if g.net.Residual == "layered" {
		inner = make([]float64, g.count)
	}
	for r := range g.net.Width {
		for c := range inner {
			inner[c] += float64(g.adjoint[r*n+c]) * float64(f[r*n+c])
		}
	}
	if g.net.Residual == "layered" {
		g.addSquare(inner)
	}
}

// addSquare adds v vᵀ.
func (g *gramPass[T]) addSquare(v []float64) {
	blas64.Syr(1, blas64.Vector{N: g.count, Inc: 1, Data: v}, g.sum)
}
