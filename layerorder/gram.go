package layerorder

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// Bounds of a Gram matrix.
const (
	// Blocks is the number of blocks that a Gram matrix keeps its entries in, where there are so many.
	Blocks = 16
	// MaxLayers is the largest number of layers. Of more than 724 there are fewer blocks, so that a matrix takes 64 MiB at most.
	MaxLayers   = 2048
	mostNumbers = 2 * MaxLayers * MaxLayers
)

// BlocksOf returns the number of blocks of so many layers of so many entries.
func BlocksOf(layers, entries int) int { return min(Blocks, entries, mostNumbers/(layers*layers)) }

// A Gram holds the inner products ⟨X_k, X_l⟩ of the layers of a path: all that this package needs
// of it, whatever the number of entries. Sums over blocks of entries are kept apart, because intervals
// come from leaving out one block at a time.
type Gram struct {
	Layers  int
	Entries int // of one layer
	// Independent is how many of the entries say something of their own, d(d+1)/2 of a symmetric matrix; 0 for all.
	Independent float64
	// Products holds a matrix (L,L) for each block, row by row.
	Products [][]float64
	// Baseline holds the inner products of independent normal layers of as many entries that went through what these did, as a
	// matching of their units; nil for layers as they are, where chance is known. What was done must not depend on the order of
	// the layers.
	Baseline *Gram

	ops                 *kernel.Ops[float64]
	panels              []panel
	sums, tile, scratch []float64
}

// NewGram returns the Gram matrix of the layers, each a vector of the same length.
func NewGram(layers [][]float64) (*Gram, error) {
	if len(layers) == 0 || len(layers[0]) == 0 {
		return nil, fmt.Errorf("layerorder: %w", &field.Error{Path: "layers", Got: "none", Want: "at least one layer of at least one entry"})
	}
	if len(layers) > MaxLayers {
		return nil, fmt.Errorf("layerorder: %w", &field.Error{Path: "layers", Got: len(layers), Want: fmt.Sprintf("at most %d", MaxLayers)})
	}
	n := len(layers[0])
	g := EmptyGram(len(layers), n)
	parts := make([][]float64, len(layers))
	for b := range g.Products {
		from, to := g.block(b)
		for k, layer := range layers {
			if len(layer) != n {
				return nil, fmt.Errorf("layerorder: layer %d: %w", k, &field.Error{Path: "entries", Got: len(layer), Want: fmt.Sprintf("%d as in layer 0", n)})
			}
			parts[k] = layer[from:to]
		}
		if err := g.Add(from, parts); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// EmptyGram returns a Gram matrix of zeros, for Add. There are 1 to MaxLayers layers.
func EmptyGram(layers, entries int) *Gram {
	g := &Gram{Layers: layers, Entries: entries, Products: make([][]float64, BlocksOf(layers, entries))}
	for b := range g.Products {
		g.Products[b] = make([]float64, layers*layers)
	}
	return g
}

// block returns the range of entries of a block.
func (g *Gram) block(b int) (from, to int) {
	count := len(g.Products)
	return b * g.Entries / count, (b + 1) * g.Entries / count
}

// BlockEnd returns the end of the block that entry from is in: a piece given to Add must not pass it.
func (g *Gram) BlockEnd(from int) int {
	_, end := g.block(g.blockOf(from))
	return end
}

func (g *Gram) blockOf(entry int) int {
	b := entry * len(g.Products) / g.Entries
	for _, end := g.block(b); entry >= end; _, end = g.block(b) {
		b++
	}
	return b
}

// Add adds the products of entries from, from+1, … of all layers, all of one block. A path that does not fit
// in memory is added piece by piece.
func (g *Gram) Add(from int, layers [][]float64) error {
	if len(layers) != g.Layers || len(layers[0]) == 0 || from+len(layers[0]) > g.BlockEnd(from) {
		return fmt.Errorf("layerorder: entry %d: got a piece of %d layers that leaves its block, want %d layers inside one", from, len(layers), g.Layers)
	}
	n := g.Layers
	if g.sums == nil {
		g.ops = kernel.For[float64]()
		g.panels = panelsOf(n)
		last := g.panels[len(g.panels)-1]
		g.sums, g.tile = make([]float64, last.at+(n-last.from)*(last.to-last.from)), make([]float64, n*tileWidth)
		g.scratch = make([]float64, kernel.OuterScratch(n, n, tileWidth))
	}
	clear(g.sums)
	for at := 0; at < len(layers[0]); at += tileWidth {
		width := min(tileWidth, len(layers[0])-at)
		padded := (width + kernel.Lanes - 1) / kernel.Lanes * kernel.Lanes
		for k, x := range layers {
			row := g.tile[k*padded : (k+1)*padded]
			clear(row[copy(row, x[at:at+width]):])
		}
		for _, p := range g.panels {
			rows := g.tile[p.from*padded:]
			g.ops.AddOuter(g.sums[p.at:], rows, rows, n-p.from, p.to-p.from, padded, g.scratch)
		}
	}
	return g.addSums(g.Products[g.blockOf(from)])
}

// addSums adds the sums of a piece to the products of a block, both halves of which are the same.
func (g *Gram) addSums(total []float64) error {
	n := g.Layers
	for _, p := range g.panels {
		width := p.to - p.from
		for k := p.from; k < n; k++ {
			row := g.sums[p.at+(k-p.from)*width:][:min(width, k-p.from+1)]
			for i, v := range row {
				l := p.from + i
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return fmt.Errorf("layerorder: layers %d and %d: %w", l, k, &field.Error{Path: "product", Got: v, Want: "a finite number"})
				}
				total[k*n+l] += v
				if l < k {
					total[l*n+k] += v
				}
			}
		}
	}
	return nil
}

// A panel is columns from, …, to−1 of a Gram matrix from row from on, at a place in Gram.sums: what is above the panels is the same as
// what is below the diagonal. The kernel transposes the columns, which is done once for each so.
type panel struct{ from, to, at int }

// panelsOf divides the columns of so many layers. None is narrow, but of few layers, as the kernel sums narrow ones in another order.
func panelsOf(layers int) []panel {
	const width = 16
	var list []panel
	for from, at := 0, 0; from < layers; {
		to := from + width
		if to+width > layers {
			to = layers
		}
		list = append(list, panel{from, to, at})
		from, at = to, at+(layers-from)*(to-from)
	}
	return list
}

// tileWidth is how many entries of all layers are multiplied at a time.
const tileWidth = 256

// A products is the sum of a Gram matrix over its blocks, but one.
type products struct {
	layers int
	data   []float64
}

func (p products) at(k, l int) float64 { return p.data[k*p.layers+l] }

// without returns the sum over all blocks but one, over all for −1.
func (g *Gram) without(block int) products {
	p := products{g.Layers, make([]float64, g.Layers*g.Layers)}
	for b, part := range g.Products {
		if b == block {
			continue
		}
		for i, v := range part {
			p.data[i] += v
		}
	}
	return p
}

// Whole returns the Gram matrix with all entries in one block.
func (g *Gram) Whole() *Gram {
	return &Gram{Layers: g.Layers, Entries: g.Entries, Independent: g.Independent, Products: [][]float64{g.without(-1).data}}
}

// Slice returns the Gram matrix of layers from, …, to−1.
func (g *Gram) Slice(from, to int) *Gram {
	part := &Gram{Layers: to - from, Entries: g.Entries, Independent: g.Independent, Products: make([][]float64, len(g.Products))}
	if g.Baseline != nil {
		part.Baseline = g.Baseline.Slice(from, to)
	}
	for b, whole := range g.Products {
		for k := from; k < to; k++ {
			part.Products[b] = append(part.Products[b], whole[k*g.Layers+from:k*g.Layers+to]...)
		}
	}
	return part
}

// norms returns ‖X_k‖.
func (p products) norms() []float64 {
	out := make([]float64, p.layers)
	for k := range out {
		out[k] = math.Sqrt(max(0, p.at(k, k)))
	}
	return out
}

// squaredDistance returns ‖X_k − X_l‖².
func (p products) squaredDistance(k, l int) float64 {
	return max(0, p.at(k, k)+p.at(l, l)-2*p.at(k, l))
}

// equal reports whether all layers are the first one, to 2^-23 of its norm. The variance does not tell: its sums of L² products
// round by more than equal layers differ.
func (p products) equal() bool {
	for k := range p.layers {
		if p.squaredDistance(0, k) > 0x1p-46*p.at(0, 0) {
			return false
		}
	}
	return true
}

// cosine returns that of the angle between two layers, 0 where one of them is zero.
func (p products) cosine(k, l int) float64 {
	size := math.Sqrt(p.at(k, k)) * math.Sqrt(p.at(l, l))
	if !(size > 0) {
		return 0
	}
	return max(-1, min(1, p.at(k, l)/size))
}

// variance returns Σ_k ‖X_k − X̄‖²/(L − 1).
func (p products) variance() float64 {
	trace, total := 0.0, 0.0
	for k := range p.layers {
		trace += p.at(k, k)
		for l := range p.layers {
			total += p.at(k, l)
		}
	}
	return max(0, trace-total/float64(p.layers)) / float64(p.layers-1)
}

// differences returns the mean over k of ‖Δ^q X_k‖², differences of order q at lag m.
func (p products) differences(q, m int) float64 {
	weights := binomials(q)
	windows := p.layers - q*m
	sum := 0.0
	for k := range windows {
		for i, a := range weights {
			for j, b := range weights {
				sum += a * b * p.at(k+i*m, k+j*m)
			}
		}
	}
	return max(0, sum) / float64(windows)
}

// binomials returns (−1)^i (q over i), i = 0..q.
func binomials(q int) []float64 {
	row := []float64{1}
	for range q {
		next := make([]float64, len(row)+1)
		for i, v := range row {
			next[i] += v
			next[i+1] -= v
		}
		row = next
	}
	return row
}
