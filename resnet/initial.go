package resnet

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// draw returns the entries of group g (L,…) at iteration 0: amplitude·L^−exponent
// times standard draws of the kind. Draws that depths share (tied, coupled,
// gaussian-process) use streams that do not name the depth.
func (i Initial) draw(g Group, depth int, seed uint64, base string) ([]float64, error) {
	k := kindNamed(i.Kind)
	if k == nil {
		return nil, fmt.Errorf("resnet: initial kind: got %q, want a kind that Initial documents", i.Kind)
	}
	if k.name == "file" {
		return i.read(g, depth, base)
	}
	entries, at := make([]float64, g.Len()), place{g, depth, seed}
	switch {
	case i.Tied:
		size := at.size()
		i.fill(entries[:size], at.shared("tied"))
		for layer := 1; layer < depth; layer++ {
			copy(entries[layer*size:], entries[:size])
		}
	case i.independent():
		i.fill(entries, rand.New(at.own()))
	default:
		k.paths(i, entries, at)
	}
	scale := i.scale(depth)
	for j := range entries {
		entries[j] *= scale
	}
	return entries, nil
}

// scale returns what standard draws are multiplied with, amplitude·L^−exponent; 0 for
// kinds zero and file.
func (i Initial) scale(depth int) float64 {
	if i.Kind == "zero" || i.Kind == "file" {
		return 0
	}
	return *i.Amplitude * math.Pow(float64(depth), -*i.Exponent)
}

// source returns the generator of the draws that a depth has for itself.
func (i Initial) source(g Group, depth int, seed uint64) *rand.PCG {
	return place{g, depth, seed}.own()
}

// independent says whether all entries are independent draws from source, layer after
// layer.
func (i Initial) independent() bool {
	k := kindNamed(i.Kind)
	return k != nil && k.entry != nil && !i.Tied && !i.Coupled
}

// fill fills entries with independent standard draws of a kind that has them.
func (i Initial) fill(entries []float64, rng *rand.Rand) {
	entry := kindNamed(i.Kind).entry
	for j := range entries {
		entries[j] = entry(rng)
	}
}

// Coupled says whether resolved initial weights of one seed are, at every depth, the same
// function of the layer index or increments of the same path. Files may hold anything.
func Coupled(initial Initial) bool {
	for _, part := range initial.Parts {
		if k := kindNamed(part.Kind); !part.Coupled && !part.Tied && (k == nil || !k.shared) {
			return false
		}
	}
	return true
}

// Drawn says whether resolved initial weights of a network are random: those of the layers, or E and C.
func Drawn(initial Initial, network Spec) bool {
	for _, part := range initial.Parts {
		if part.Kind != "constant" && part.Kind != "zero" && part.Kind != "file" {
			return true
		}
	}
	return network.Embed != "identity" || network.Readout != "identity"
}

// alongLayers calls fill with the path over the layers of each of the size entries
// of a layer, and stores what it wrote.
func alongLayers(entries []float64, size int, fill func(path []float64, entry int)) {
	path := make([]float64, len(entries)/size)
	for entry := range size {
		fill(path, entry)
		for k, v := range path {
			entries[k*size+entry] = v
		}
	}
}

// accumulate replaces path by its partial sums times scale.
func accumulate(path []float64, scale float64) {
	sum := 0.0
	for k, v := range path {
		sum += v
		path[k] = scale * sum
	}
}

// smooth fills entries (L, size) with a Gaussian process of covariance
// exp(−(s−t)²/2ℓ²) at s = k/L, k = 1..L, for each of the sources: a random Fourier
// series of period P = 1 + 8ℓ, whose periodic images change the covariance on [0,1] by
// less than e^−32. The functions drawn do not depend on L.
func smooth(entries []float64, depth int, length float64, sources []*rand.Rand) {
	period, size := 1+8*length, len(sources)
	a, b := make([]float64, size), make([]float64, size)
	clear(entries)
	for m := 0; ; m++ {
		frequency := 2 * math.Pi * float64(m) / period
		weight := math.Exp(-0.5 * frequency * frequency * length * length)
		if weight < 1e-17 {
			return
		}
		amplitude := math.Sqrt(length * math.Sqrt(2*math.Pi) / period * weight)
		if m > 0 {
			amplitude *= math.Sqrt2
		}
		for e, rng := range sources {
			a[e], b[e] = rng.NormFloat64(), rng.NormFloat64()
		}
		for k := range depth {
			sin, cos := math.Sincos(frequency * float64(k+1) / float64(depth))
			for e, v := range entries[k*size : (k+1)*size] {
				// The conversions round each product on its own on every machine.
				entries[k*size+e] = v + float64(amplitude*(float64(a[e]*cos)+float64(b[e]*sin)))
			}
		}
	}
}
