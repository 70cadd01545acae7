// Package prolong takes what depends on the layers of a network to another depth: the weights as a function of s = k/L, by
// their rescaling L^e, and the gradients that an optimiser remembers, by theirs.
//
// A network of depth L with weights A_k = L^−e a(s_k) is a discretisation of the one with the path a. So the same path at depth
// M has A_j = (L/M)^e a(s_j), with e = β = 1 − α for the maps of the layers and e = α for a trained δ. In a block V σ(W h + b) + c
// the maps behind the activation have that e alone, and W and b stay as they are: scaled by M^−β, they would be small
// inside σ, and the block another function. One layer of M stands for L/M layers of L, so that the gradient of a loss falls by
// another 1/L: it is of the order L^(e−1). What has no layers (E, C, one δ for all) is one point of a path, of which the
// gradient is of the order L^e.
package prolong

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/resnet"
)

// Layered says whether a group has an entry for each layer.
func Layered(net *resnet.Network, g resnet.Group) bool {
	return g.Name != "E" && g.Name != "C" && (g.Name != "delta" || net.Residual == "layered")
}

// Exponent returns the power of L that rescales a group: α for δ, β for the maps of the layers, none for E and C.
func Exponent(net *resnet.Network, name string) float64 {
	switch name {
	case "delta":
		return *net.Alpha
	case "E", "C":
		return 0
	}
	return 1 - *net.Alpha
}

// keeping returns the power of L that keeps the function of a block: none for the map before the activation of block mlp.
func keeping(net *resnet.Network, g resnet.Group) float64 {
	if net.Block == "mlp" && (g.Name == "W" || g.Name == "b") {
		return 0
	}
	return Exponent(net, g.Name)
}

// gradientExponent returns the x in ∂J/∂θ ∝ L^x of a group's entries.
func gradientExponent(net *resnet.Network, g resnet.Group) float64 {
	x := keeping(net, g)
	if Layered(net, g) {
		x--
	}
	return x
}

// The ways of taking weights to another depth: each layer repeated, linear between layers, and initial weights drawn anew with
// what training has added to them linear between layers.
const (
	ByStretch = "stretch"
	ByLinear  = "linear"
	ByLimit   = "limit"
)

// A Path takes a path of one value for each layer to n layers.
type Path func(x pvar.Points, n int) pvar.Points

// Linear evaluates a path at the midpoints (j − ½)/n. It is linear between the points of x,
// which are at the midpoints (k − ½)/L, and extrapolates linearly beyond the first and the last.
func Linear(x pvar.Points, n int) pvar.Points {
	L := x.Len()
	if L == n {
		return x
	}
	y := pvar.Points{Dim: x.Dim, Data: make([]float64, n*x.Dim)}
	for j := range n {
		at := (float64(j)+0.5)/float64(n)*float64(L) - 0.5 // in layers of x, from 0
		k := min(max(int(math.Floor(at)), 0), max(L-2, 0))
		left, right := x.At(k), x.At(min(k+1, L-1))
		part := at - float64(k)
		for i := range y.At(j) {
			y.Data[j*x.Dim+i] = left[i] + part*(right[i]-left[i])
		}
	}
	return y
}

// Stretch evaluates a path that is constant on each layer of x at the midpoints (j − ½)/n: where n is a multiple of the layers
// of x, it repeats each as often.
func Stretch(x pvar.Points, n int) pvar.Points {
	L := x.Len()
	if L == n {
		return x
	}
	y := pvar.Points{Dim: x.Dim, Data: make([]float64, 0, n*x.Dim)}
	for j := range n {
		y.Data = append(y.Data, x.At((2*j+1)*L/(2*n))...)
	}
	return y
}

// Of returns the path of a way: that of what training has added for ByLimit.
func Of(way string) Path {
	if way == ByStretch {
		return Stretch
	}
	return Linear
}

// WeightsTo writes the trained groups of src, parameters of from, into dst, those of to, along their paths. The other
// entries of dst stay.
func WeightsTo[T resnet.Float](dst []T, to *resnet.Network, src []T, from *resnet.Network, along Path) error {
	return groupsTo(dst, to, src, from, along, func(g resnet.Group) float64 { return -keeping(from, g) })
}

// GradientsTo does the same with the trained entries of gradients to that power: 1 for means of them, 2 for means of squares.
func GradientsTo[T resnet.Float](dst []T, to *resnet.Network, src []T, from *resnet.Network, along Path, power float64) error {
	return groupsTo(dst, to, src, from, along, func(g resnet.Group) float64 { return power * gradientExponent(from, g) })
}

// groupsTo writes every trained group times the ratio of depths to the power that exponent returns.
func groupsTo[T resnet.Float](dst []T, to *resnet.Network, src []T, from *resnet.Network, along Path, exponent func(resnet.Group) float64) error {
	ratio := float64(to.Depth) / float64(from.Depth)
	for _, g := range from.Layout.Groups {
		if !g.Trained {
			continue
		}
		dim, points := g.Len(), 1
		if Layered(from, g) {
			dim, points = g.Len()/from.Depth, to.Depth
		}
		x := pvar.Points{Dim: dim, Data: make([]float64, g.Len())}
		for i, v := range src[g.Offset : g.Offset+g.Len()] {
			x.Data[i] = float64(v)
		}
		there, ok := to.Layout.Group(g.Name)
		if !ok || there.Len() != points*dim {
			return fmt.Errorf("prolong: group %s: got shape %v at depth %d, want %d entries for each of %d layers", g.Name, there.Shape, to.Depth, dim, points)
		}
		scale := math.Pow(ratio, exponent(g))
		for i, v := range along(x, points).Data {
			dst[there.Offset+i] = T(scale * v)
		}
	}
	return nil
}
