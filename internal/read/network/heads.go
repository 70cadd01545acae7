package network

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// Heads are how many heads an attention has, for queries and for keys and values: fewer of these in grouped-query attention, where
// consecutive heads share them. Zero where they are not known.
type Heads struct {
	Query    int `json:"query"`
	KeyValue int `json:"key_value"`
}

// fit reports whether the hidden units of two maps, the first of queries or of the output, divide into the heads.
func (h Heads) fit(a, b *side) bool {
	return h.Query > 0 && h.KeyValue > 0 && h.Query%h.KeyValue == 0 && a.hidden()%h.Query == 0 && b.hidden()%h.KeyValue == 0 &&
		a.hidden()/h.Query == b.hidden()/h.KeyValue
}

func isAttention(name string) bool { return name == "q" || name == "o" }

// ofHeads returns what heads apart leave unchanged. Each layer numbers its heads for itself, and each head its directions: with M_h = left_h^T
// right_h of head h, Σ_h M_h is the product of all heads, in which heads may cancel. Σ_h M_h M_h^T is quadratic in each head, so
// that none cancels another, and no order of the heads enters.
func (p product) ofHeads() product {
	a, b := p.left.label(true), p.right.label(false)
	p.Name = a + " " + b + " " + p.right.label(true) + " " + p.left.label(false) + " by head"
	p.byHead = true
	return p
}

// summedHeads returns the left map with the heads added up that share a head of the right one, so that Σ_h left_h^T right_h is one
// product.
func (p *product) summedHeads(u layerMap) layerMap {
	group := 1
	if p.heads.KeyValue > 0 {
		group = p.heads.Query / p.heads.KeyValue
	}
	if group == 1 {
		return u
	}
	a := u.whole()
	size := a.Rows / p.heads.Query
	sum := blas64.General{Rows: a.Rows / group, Cols: a.Cols, Stride: a.Cols, Data: make([]float64, a.Rows/group*a.Cols)}
	for i := range a.Rows {
		head, row := i/size, i%size
		to := sum.Data[(head/group*size+row)*sum.Stride:][:a.Cols]
		for j, v := range a.Data[i*a.Stride:][:a.Cols] {
			to[j] += v
		}
	}
	return layerMap{sum, false}
}

// perHead returns Σ_h left_h^T (right_h right_h^T) left_h without its trace, or its projection.
func (p *product) perHead(u, v layerMap, projection blas64.General) blas64.General {
	columns := p.Rows
	if p.Sketch > 0 {
		columns = p.Sketch
	}
	out := blas64.General{Rows: p.Rows, Cols: columns, Stride: columns, Data: make([]float64, p.Rows*columns)}
	trace, group := 0.0, p.heads.Query/p.heads.KeyValue
	var square blas64.General
	for h := range p.heads.Query {
		if h%group == 0 {
			right := v.part(h/group, p.heads.KeyValue).whole()
			square = blas64.General{Rows: right.Rows, Cols: right.Rows, Stride: right.Rows, Data: make([]float64, right.Rows*right.Rows)}
			blas64.Gemm(blas.NoTrans, blas.Trans, 1, right, right, 0, square)
		}
		left := u.part(h, p.heads.Query).whole()
		half := blas64.General{Rows: left.Rows, Cols: left.Cols, Stride: left.Cols, Data: make([]float64, left.Rows*left.Cols)}
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, square, left, 0, half)
		for i := range left.Rows {
			for j, w := range left.Data[i*left.Stride:][:left.Cols] {
				trace += w * half.Data[i*half.Stride+j]
			}
		}
		if p.Sketch > 0 {
			half = timesTile(half, projection)
		}
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, left, half, 1, out)
	}
	removeTrace(out, trace, projection)
	return out
}
