package resnet

import (
	"fmt"
	"slices"
)

// A Group is one named array of parameters inside the parameter vector θ.
type Group struct {
	Name    string // A, b; V, c, W, b for block mlp; delta, E, C
	Shape   []int  // layered groups begin with L
	Offset  int    // of the first entry in θ
	Trained bool   // false for a fixed δ, E or C
}

// MostEntries bounds the entries of all groups: 2^44 float64 fill the 2^47 bytes that a
// process can address on common machines.
const MostEntries = 1 << 44

// checkEntries refuses groups whose entries no machine can address; below that, no
// product of sizes overflows.
func checkEntries(groups []Group) error {
	if total := countEntries(groups); !(total <= MostEntries) {
		return fmt.Errorf("got %.3g parameters, want at most 2^44", total)
	}
	return nil
}

// countEntries returns the entries of all groups, of any size.
func countEntries(groups []Group) float64 {
	total := 0.0
	for _, g := range groups {
		entries := 1.0
		for _, size := range g.Shape {
			entries *= float64(size)
		}
		total += entries
	}
	return total
}

// Entries returns the number of parameters of a network of a resolved spec, of any size.
func (s Spec) Entries(depth, inputs, outputs int) float64 {
	n := Network{Spec: s, Depth: depth, Inputs: inputs, Outputs: outputs}
	return countEntries(n.groups())
}

// Trained returns the names of the groups that training moves, in the order of the layout, of a
// network of a resolved spec.
func (s Spec) Trained() []string {
	n := Network{Spec: s, Depth: 1, Inputs: 1, Outputs: 1}
	var names []string
	for _, g := range n.groups() {
		if g.Trained {
			names = append(names, g.Name)
		}
	}
	return names
}

// Len returns the number of entries, the product of Shape.
func (g Group) Len() int {
	n := 1
	for _, s := range g.Shape {
		n *= s
	}
	return n
}

// Layout says where each group stands in the parameter vector. Trained groups come
// first, so that θ[:Trained] is what a descent method moves.
type Layout struct {
	Groups  []Group
	Trained int // number of trained entries
	Size    int // number of entries
}

// newLayout places groups one after another, the trained ones first.
func newLayout(groups []Group) Layout {
	slices.SortStableFunc(groups, func(a, b Group) int {
		switch {
		case a.Trained == b.Trained:
			return 0
		case a.Trained:
			return -1
		}
		return 1
	})
	layout := Layout{Groups: groups}
	for i := range groups {
		groups[i].Offset = layout.Size
		layout.Size += groups[i].Len()
		if groups[i].Trained {
			layout.Trained = layout.Size
		}
	}
	return layout
}

// Group returns the group with the given name and whether there is one.
func (l Layout) Group(name string) (Group, bool) {
	i := slices.IndexFunc(l.Groups, func(g Group) bool { return g.Name == name })
	if i < 0 {
		return Group{}, false
	}
	return l.Groups[i], true
}

// View returns the entries of the named group in theta, sharing memory, or nil
// when there is no such group or theta (a gradient, which ends at Trained) does not
// reach it.
func View[T Float](l Layout, theta []T, name string) []T {
	g, ok := l.Group(name)
	if !ok || g.Offset+g.Len() > len(theta) {
		return nil
	}
	end := g.Offset + g.Len()
	return theta[g.Offset:end:end]
}

// entries returns the group's entries in theta.
func entries[T any](g *Group, theta []T) []T { return theta[g.Offset : g.Offset+g.Len()] }
