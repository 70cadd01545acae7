package network

import "slices"

// A Reading says what is measured of a checkpoint beside its families.
type Reading struct {
	// Invariants asks for singular values and products of maps, which take several times as long as families: each map is read again
	// and multiplied.
	Invariants bool
	// Align asks for the families with their hidden units matched over the layers, which takes a time that grows with the square of the layers and
	// the cube of the units.
	Align bool
	Heads Heads
	// Tell is told how many numbers were read, now and then; nil for nobody.
	Tell func(entries int)
}

func (r *Reading) tell(entries int) {
	if r.Tell != nil {
		r.Tell(entries)
	}
}

// Numbers returns how many numbers the reading of these families takes.
func (r *Reading) Numbers(families []Family) int {
	total := 0
	for i := range families {
		total += families[i].Layers * families[i].entries()
	}
	if r.Align {
		groups, _ := unitGroups(families, r.Heads)
		for i := range groups { // and of the baseline
			n := groups[i].sides[0].family.Layers
			total += 2 * (n*(n-1)/2 + n) * groups[i].entries()
		}
	}
	if r.Invariants {
		for i := range families {
			if families[i].hasSpectrum() {
				total += families[i].Layers * families[i].entries()
			}
		}
		for _, p := range invariants(families, r.Heads) {
			total += p.Layers * p.entries()
		}
	}
	return total
}

// entries are those of one layer that a product reads.
func (p *product) entries() int {
	n := p.left.family.entries()
	if p.left != p.right {
		n += p.right.family.entries()
	}
	return n
}

// HasHeads reports whether families hold pairs of maps of an attention, whose invariants say more where the number of its heads is known.
func HasHeads(families []Family) bool {
	for _, sides := range blockSides(families) {
		for _, pair := range pairs {
			if isAttention(pair[0]) && only(sides, pair[0]) != nil && only(sides, pair[1]) != nil {
				return true
			}
		}
	}
	return false
}

// HeadsFit reports whether the heads divide the maps of an attention.
func (r *Reading) HeadsFit(families []Family) bool {
	return slices.ContainsFunc(invariants(families, r.Heads), func(p product) bool { return p.byHead })
}
