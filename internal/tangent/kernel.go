package tangent

import (
	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/resnet"
)

// MostOutputs is the largest samples × outputs that a kernel is computed for.
const MostOutputs = 4000

// Kernel returns K = DF DFᵀ (No,No); row i·o + a is output a of sample i. DF is never formed: a
// group adds ⟨q_i,q_j⟩⟨u_i,u_j⟩ for its adjoints q and inputs u, layer by layer on one
// backward pass of all outputs. Costs about 2(No)² d L floating-point operations per matrix group.
func (m *Model) Kernel() *mat.SymDense {
	count := m.samples * m.outputs
	s := &sweep{
		Model: m, count: count, columns: pad(max(m.width, m.middle, m.net.Inputs)),
		k: make([]float64, count*count), p: make([]float64, count*m.width),
		q: make([]float64, count*m.middle), u: make([]float64, m.samples*m.samples),
		f: make([]float64, m.samples*m.width), scales: make([]float64, count),
	}
	s.left = make([]float64, count*s.columns)
	s.right = make([]float64, m.samples*s.columns)
	s.product, s.scratch = make([][]float64, m.workers), make([][]float64, m.workers)
	s.run()
	for i := range count {
		for j := range i {
			s.k[i*count+j] = s.k[j*count+i]
		}
	}
	return mat.NewSymDense(count, s.k)
}

// pad returns the least multiple of kernel.Lanes that is at least n.
func pad(n int) int { return (n + kernel.Lanes - 1) / kernel.Lanes * kernel.Lanes }

// rowsAtATime is how many rows of the kernel a worker takes.
const rowsAtATime = 32

// A sweep takes the adjoints P of all outputs back through the layers.
type sweep struct {
	*Model
	count, columns int
	k              []float64   // upper triangle (No,No)
	p              []float64   // adjoints of h_k (No,d)
	q              []float64   // P V D, adjoints of z (No,m)
	u              []float64   // Gram matrix of inputs (N,N)
	f              []float64   // branches (N,d)
	scales         []float64   // ∂ŷ/∂δ, summed for a shared δ
	left, right    []float64   // padded copies
	product        [][]float64 // of the rows at hand, by worker
	scratch        [][]float64
}

// run adds all groups.
func (s *sweep) run() {
	m := s.Model
	if m.net.Readout == "trained" {
		unit := make([]float64, s.count*m.outputs)
		for c := range s.count {
			unit[c*m.outputs+c%m.outputs] = 1
		}
		s.add(unit, m.outputs, 1, func(i int) []float64 { return m.hidden(i, m.depth) }, m.width, false)
	}
	for c := range s.count {
		p := block(s.p, c, m.width)
		if m.readout != nil {
			copy(p, block(m.readout, c%m.outputs, m.width))
		} else {
			p[c%m.outputs] = 1
		}
	}
	for k := m.depth - 1; k >= 0; k-- {
		delta := m.scale(k)
		if m.net.Residual != "fixed" {
			s.addScale(k)
		}
		if m.v != nil {
			s.add(s.p, m.width, delta, func(i int) []float64 { return m.of(m.states.value, i, k) }, m.middle, m.vBias != nil)
		}
		m.parallel(s.count, func(_, c int) {
			q := block(s.q, c, m.middle)
			m.pullBranch(q, block(s.p, c, m.width), c/m.outputs, k)
		})
		if m.w != nil {
			s.add(s.q, m.middle, delta, func(i int) []float64 { return m.input(i, k) }, m.width, m.wBias != nil)
		}
		m.parallel(s.count, func(_, c int) {
			m.pullMap(block(s.p, c, m.width), block(s.q, c, m.middle), c/m.outputs, k)
		})
	}
	if m.net.Residual == "shared" {
		s.addSquare(s.scales)
	}
	if m.net.Embed == "trained" {
		s.add(s.p, m.width, 1, func(i int) []float64 { return block(m.x, i, m.net.Inputs) }, m.net.Inputs, false)
	}
}

// pullBranch writes q = D Vᵀ p of sample i at layer k.
func (m *Model) pullBranch(q, p []float64, i, k int) {
	if m.v != nil {
		clear(q)
		addTransposedTo(q, 1, block(m.v, k, m.width*m.middle), p)
	} else {
		copy(q, p)
	}
	for j, slope := range m.of(m.states.slope, i, k) {
		q[j] *= slope
	}
}

// pullMap adds δ Wᵀ q to p, behind the norm's derivative where there is one.
func (m *Model) pullMap(p, q []float64, i, k int) {
	to := p
	if m.norm != nil {
		to = make([]float64, m.width)
	}
	if m.w != nil {
		addTransposedTo(to, m.scale(k), block(m.w, k, m.middle*m.width), q)
	} else {
		axpy(to, m.scale(k), q)
	}
	if m.norm != nil {
		m.norm.AddDerivative(p, to, m.input(i, k), m.states.r[i*m.depth+k])
	}
}

// add adds scale² ⟨q_i,q_j⟩(⟨u_i,u_j⟩ + [bias]) for q (No,rows) and the samples' inputs u (terms).
func (s *sweep) add(q []float64, rows int, scale float64, input func(i int) []float64, terms int, bias bool) {
	ops, n := kernel.For[float64](), s.samples
	for i := range n {
		row := block(s.right, i, s.columns)
		clear(row[copy(row, input(i)[:terms]):])
	}
	for i := range n {
		for j := i; j < n; j++ {
			v := scale * scale * dot(block(s.right, i, s.columns)[:terms], block(s.right, j, s.columns)[:terms])
			if bias {
				v += scale * scale
			}
			s.u[i*n+j] = v
		}
	}
	width := pad(rows)
	left := s.left[:s.count*width]
	for c := range s.count {
		row := block(left, c, width)
		clear(row[copy(row, block(q, c, rows)):])
	}
	blocks := (s.count + rowsAtATime - 1) / rowsAtATime
	s.parallel(blocks, func(worker, b int) {
		first := b * rowsAtATime
		last := min(first+rowsAtATime, s.count)
		tail := s.count - first
		product, scratch := grown(&s.product[worker], (last-first)*tail), grown(&s.scratch[worker], kernel.OuterScratch(last-first, tail, width))
		ops.SetOuter(product, left[first*width:last*width], left[first*width:], last-first, tail, width, scratch)
		for r := first; r < last; r++ {
			row, sums := s.k[r*s.count:], product[(r-first)*tail:]
			for j := r / s.outputs; j < n; j++ {
				weight := s.u[r/s.outputs*n+j]
				for c := max(r, j*s.outputs); c < (j+1)*s.outputs; c++ {
					row[c] += weight * sums[c-first]
				}
			}
		}
	})
}

// grown returns that many entries of memory that is kept, whatever they hold.
func grown(memory *[]float64, n int) []float64 {
	if len(*memory) < n {
		*memory = make([]float64, n)
	}
	return (*memory)[:n]
}

// addScale adds the part of layer k's δ, ⟨p, f⟩ for each output; one δ for all layers sums them first.
func (s *sweep) addScale(k int) {
	for i := range s.samples {
		s.branchTo(block(s.f, i, s.width), i, k)
	}
	to := s.scales
	if s.net.Residual == "layered" {
		to = make([]float64, s.count)
	}
	for c := range to {
		to[c] += dot(block(s.p, c, s.width), block(s.f, c/s.outputs, s.width))
	}
	if s.net.Residual == "layered" {
		s.addSquare(to)
	}
}

// addSquare adds v vᵀ.
func (s *sweep) addSquare(v []float64) {
	for i, a := range v {
		axpy(s.k[i*s.count+i:(i+1)*s.count], a, v[i:])
	}
}

// Pull writes DFᵀ y for y (N·o) to grad (Layout.Trained).
func (m *Model) Pull(grad, y []float64) {
	partial := make([][]float64, min(shards, m.samples))
	m.parallel(len(partial), func(_, s int) {
		partial[s] = make([]float64, len(grad))
		for i := s * m.samples / len(partial); i < (s+1)*m.samples/len(partial); i++ {
			m.pull(partial[s], i, block(y, i, m.outputs))
		}
	})
	clear(grad)
	for _, p := range partial {
		axpy(grad, 1, p)
	}
}

// shards is the number of parts that Pull sums in order.
const shards = 4

// pull adds the part of sample i.
func (m *Model) pull(grad []float64, i int, y []float64) {
	group := func(name string) []float64 { return resnet.View(m.net.Layout, grad, name) }
	p, q, f := make([]float64, m.width), make([]float64, m.middle), make([]float64, m.width)
	last := m.hidden(i, m.depth)
	if m.readout != nil {
		addTransposedTo(p, 1, m.readout, y)
	} else {
		copy(p, y)
	}
	if m.net.Readout == "trained" {
		addOuter(group("C"), 1, y, last)
	}
	wName, vName, wBias, vBias := m.groups()
	dw, dv, db, dc := group(wName), group(vName), group(wBias), group(vBias)
	dd := group("delta")
	for k := m.depth - 1; k >= 0; k-- {
		delta := m.scale(k)
		if m.net.Residual != "fixed" {
			m.branchTo(f, i, k)
			dd[min(k, len(dd)-1)] += dot(p, f)
		}
		if m.v != nil {
			addOuter(block(dv, k, m.width*m.middle), delta, p, m.of(m.states.value, i, k))
			if m.vBias != nil {
				axpy(block(dc, k, m.width), delta, p)
			}
		}
		m.pullBranch(q, p, i, k)
		if m.w != nil {
			addOuter(block(dw, k, m.middle*m.width), delta, q, m.input(i, k))
			if m.wBias != nil {
				axpy(block(db, k, m.middle), delta, q)
			}
		}
		m.pullMap(p, q, i, k)
	}
	if m.net.Embed == "trained" {
		addOuter(group("E"), 1, p, block(m.x, i, m.net.Inputs))
	}
}

// groups returns the names of W, V and their biases.
func (m *Model) groups() (w, v, wBias, vBias string) {
	switch m.net.Block {
	case "inner":
		return "A", "", "b", ""
	case "outer":
		return "", "A", "", "b"
	}
	return "W", "V", "b", "c"
}

// addOuter adds scale · a bᵀ to M.
func addOuter(matrix []float64, scale float64, a, b []float64) {
	for i, v := range a {
		axpy(matrix[i*len(b):(i+1)*len(b)], scale*v, b)
	}
}
