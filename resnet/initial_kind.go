package resnet

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/deeplimit/deeplimit/internal/random"
)

// A kind is a law of initial weights: a value of Initial.Kind. To add one is to add it to
// kinds.
type kind struct {
	name string
	uses []string // the fields of Initial that it has a use for
	// shared says that the draws are one function of k/L, or one number, at every depth.
	shared bool
	// entry, of a kind with independent entries, draws one of the given variance.
	entry    func(rng *rand.Rand) float64
	variance float64
	// paths, of a kind whose entries are paths over the layers, fills those of a group.
	paths func(i Initial, entries []float64, at place)
}

// A place is where draws are made: a group of a network of a depth, and the run's seed.
type place struct {
	group Group
	depth int
	seed  uint64
}

// size returns the entries of a layer.
func (p place) size() int { return p.group.Len() / p.depth }

// own returns the generator of the draws that a depth has for itself.
func (p place) own() *rand.PCG {
	return random.Source(p.seed, fmt.Sprintf("initial/%s/depth=%d", p.group.Name, p.depth))
}

// shared returns a generator that all depths have in common.
func (p place) shared(purpose string) *rand.Rand {
	return random.New(p.seed, "initial/"+p.group.Name+"/"+purpose)
}

// scale are the fields of every kind that is drawn.
var scale = []string{"amplitude", "exponent"}

// kinds lists the laws in the order of the documentation.
var kinds = []kind{
	{
		name: "normal", uses: append(scale, "tied", "coupled"), variance: 1,
		entry: func(rng *rand.Rand) float64 { return rng.NormFloat64() },
		paths: func(_ Initial, entries []float64, at place) {
			alongLayers(entries, at.size(), func(path []float64, entry int) {
				coupledNoise(path, at.shared(fmt.Sprintf("brownian/%d", entry)).Uint64())
			})
		},
	},
	{
		name: "truncated-normal", uses: append(scale, "tied"),
		variance: 1 - 4*math.Exp(-2)/math.Sqrt(2*math.Pi)/math.Erf(math.Sqrt2), // 1 − 2z φ(z)/(2Φ(z) − 1) at z = 2
		entry: func(rng *rand.Rand) float64 {
			z := rng.NormFloat64()
			for math.Abs(z) > 2 {
				z = rng.NormFloat64()
			}
			return z
		},
	},
	{
		name: "uniform", uses: append(scale, "tied"), variance: 1,
		entry: func(rng *rand.Rand) float64 { return math.Sqrt(3) * (2*rng.Float64() - 1) },
	},
	{
		name: "constant", uses: scale, shared: true,
		paths: func(_ Initial, entries []float64, _ place) {
			for j := range entries {
				entries[j] = 1
			}
		},
	},
	{name: "zero", shared: true, paths: func(Initial, []float64, place) {}},
	{
		name: "gaussian-process", uses: append(scale, "length"), shared: true,
		paths: func(i Initial, entries []float64, at place) {
			sources := make([]*rand.Rand, at.size())
			for entry := range sources {
				sources[entry] = at.shared(fmt.Sprintf("process/%d", entry))
			}
			smooth(entries, at.depth, i.Length, sources)
		},
	},
	{
		name: "fractional-brownian", uses: append(scale, "coupled", "hurst"),
		paths: func(i Initial, entries []float64, at place) {
			fractional(i, entries, at, func(path []float64) { accumulate(path, math.Pow(float64(at.depth), -i.Hurst)) })
		},
	},
	{
		name: "fractional-noise", uses: append(scale, "coupled", "hurst"),
		paths: func(i Initial, entries []float64, at place) { fractional(i, entries, at, func([]float64) {}) },
	},
	{name: "file", uses: []string{"path"}},
}

// kindNames returns the values of Initial.Kind.
func kindNames() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// kindNamed returns the kind of that name, nil if there is none.
func kindNamed(name string) *kind {
	for i := range kinds {
		if kinds[i].name == name {
			return &kinds[i]
		}
	}
	return nil
}

// uses says whether a kind has a use for a field of Initial.
func uses(kind, field string) bool {
	k := kindNamed(kind)
	return k != nil && slices.Contains(k.uses, field)
}

// users returns the names of the kinds that have a use for a field.
func users(field string) []string {
	return slices.DeleteFunc(kindNames(), func(name string) bool { return !uses(name, field) })
}

// fractional fills entries with fractional noise along the layers, and calls form with the
// path of each.
func fractional(i Initial, entries []float64, at place, form func(path []float64)) {
	noise := newFractionalNoise(i.Hurst, at.depth, i.Coupled)
	rng := rand.New(at.own())
	if i.Coupled {
		rng = at.shared("fractional")
	}
	alongLayers(entries, at.size(), func(path []float64, _ int) {
		noise.drawTo(path, rng)
		form(path)
	})
}
