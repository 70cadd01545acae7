package resnet

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/deeplimit/deeplimit/internal/random"
)

// draw returns the entries of group g (L,…) at iteration 0: amplitude·L^−exponent
// times standard draws of the kind. Draws that depths share (tied, coupled,
// gaussian-process) use streams that do not name the depth.
func (i Initial) draw(g Group, depth int, seed uint64, base string) ([]float64, error) {
	entries := make([]float64, g.Len())
	size := g.Len() / depth
	scale := i.scale(depth)
	own := func() *rand.Rand { return rand.New(i.source(g, depth, seed)) }
	shared := "initial/" + g.Name
	switch i.Kind {
	case "zero":
		return entries, nil
	case "file":
		return i.read(g, depth, base)
	case "constant":
		for j := range entries {
			entries[j] = 1
		}
	case "normal", "truncated-normal", "uniform":
		switch {
		case i.Tied:
			independent(entries[:size], i.Kind, random.New(seed, shared+"/tied"))
			for k := 1; k < depth; k++ {
				copy(entries[k*size:], entries[:size])
			}
		case i.Coupled:
			alongLayers(entries, size, func(path []float64, entry int) {
				coupledNoise(path, random.New(seed, fmt.Sprintf("%s/brownian/%d", shared, entry)).Uint64())
			})
		default:
			independent(entries, i.Kind, own())
		}
	case "gaussian-process":
		sources := make([]*rand.Rand, size)
		for entry := range sources {
			sources[entry] = random.New(seed, fmt.Sprintf("%s/process/%d", shared, entry))
		}
		smooth(entries, depth, i.Length, sources)
	case "fractional-brownian", "fractional-noise":
		noise := newFractionalNoise(i.Hurst, depth, i.Coupled)
		rng := own()
		if i.Coupled {
			rng = random.New(seed, shared+"/fractional")
		}
		alongLayers(entries, size, func(path []float64, _ int) {
			noise.drawTo(path, rng)
			if i.Kind == "fractional-brownian" {
				accumulate(path, math.Pow(float64(depth), -i.Hurst))
			}
		})
	default:
		return nil, fmt.Errorf("resnet: initial kind: got %q, want a kind that Initial documents", i.Kind)
	}
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
	return random.Source(seed, fmt.Sprintf("initial/%s/depth=%d", g.Name, depth))
}

// independent says whether all entries are independent draws from source, layer after
// layer.
func (i Initial) independent() bool {
	return slices.Contains(tieable, i.Kind) && !i.Tied && !i.Coupled
}

// independent fills entries with draws of mean 0: standard normal, the same
// rejected outside ±2, or uniform with variance 1.
func independent(entries []float64, kind string, rng *rand.Rand) {
	switch kind {
	case "normal":
		for j := range entries {
			entries[j] = rng.NormFloat64()
		}
	case "truncated-normal":
		for j := range entries {
			z := rng.NormFloat64()
			for math.Abs(z) > 2 {
				z = rng.NormFloat64()
			}
			entries[j] = z
		}
	case "uniform":
		for j := range entries {
			entries[j] = math.Sqrt(3) * (2*rng.Float64() - 1)
		}
	}
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
