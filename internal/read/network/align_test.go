package network

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"text/tabwriter"

	"gonum.org/v1/gonum/stat"

	"github.com/deeplimit/deeplimit/layerorder"
)

var draws = flag.Int("draws", 4, "draws of each planted network")

const plantedHidden, plantedWidth = 32, 16

// A plantedPath is layers of up and down, each (hidden, width), one behind the other.
type plantedPath struct {
	name  string
	right layerorder.Verdict
	share float64 // of noise in the matched layers, NaN where it is not known
	draw  func(r *rand.Rand, layers int) [][]float64
}

// smoothUnits is a smooth path, a wave of each entry, with noise that makes up a share of its variance.
func smoothUnits(share float64) func(r *rand.Rand, layers int) [][]float64 {
	return func(r *rand.Rand, layers int) [][]float64 {
		out := independentUnits(r, layers)
		for e := range out[0] {
			wave := make([]float64, layers)
			a, b, phase := r.NormFloat64(), r.NormFloat64(), 2*math.Pi*r.Float64()
			for k := range wave {
				wave[k] = a + b*math.Sin(math.Pi*(float64(k)+0.5)/float64(layers)+phase)
			}
			size := math.Sqrt(share / (1 - share) * stat.Variance(wave, nil))
			for k, v := range wave {
				out[k][e] = v + size*out[k][e]
			}
		}
		return out
	}
}

func independentUnits(r *rand.Rand, layers int) [][]float64 {
	out := make([][]float64, layers)
	for k := range out {
		out[k] = make([]float64, 2*plantedHidden*plantedWidth)
		for e := range out[k] {
			out[k][e] = r.NormFloat64()
		}
	}
	return out
}

var plantedPaths = []plantedPath{
	{"smooth", layerorder.Smooth, 0, smoothUnits(0)},
	{"smooth and noise 0.1", layerorder.SmoothAndNoise, 0.1, smoothUnits(0.1)},
	{"smooth and noise 0.3", layerorder.SmoothAndNoise, 0.3, smoothUnits(0.3)},
	{"independent", layerorder.Noise, math.NaN(), independentUnits},
	{"shuffled", layerorder.Noise, math.NaN(), func(r *rand.Rand, layers int) [][]float64 {
		path := smoothUnits(0)(r, layers)
		r.Shuffle(layers, func(i, j int) { path[i], path[j] = path[j], path[i] })
		return path
	}},
}

// plantedBlocks are up (hidden, width) and down (width, hidden) of a path, with the hidden units of every layer in an order of their own.
func plantedBlocks(r *rand.Rand, path [][]float64) (memorySource, []Family) {
	const n, d = plantedHidden, plantedWidth
	source := memorySource{tensors: map[string][]float64{}, pieces: true}
	up := Family{Pattern: "h.{k}.up", Layers: len(path), Shape: []int{n, d}, Rows: n, Columns: d, Role: "mlp up", Orientation: "Ax"}
	down := Family{Pattern: "h.{k}.down", Layers: len(path), Shape: []int{d, n}, Rows: d, Columns: n, Role: "mlp down", Orientation: "Ax"}
	for k, x := range path {
		u, v := make([]float64, n*d), make([]float64, n*d)
		for unit, place := range r.Perm(n) {
			for j := range d {
				u[place*d+j], v[j*n+place] = x[unit*d+j], x[n*d+unit*d+j]
			}
		}
		up.Tensors, down.Tensors = append(up.Tensors, fmt.Sprint("up", k)), append(down.Tensors, fmt.Sprint("down", k))
		source.tensors[fmt.Sprint("up", k)], source.tensors[fmt.Sprint("down", k)] = u, v
	}
	return source, []Family{up, down}
}

// TestPlantedUnits measures how often verdicts on matched units are right: go test ./internal/read/network -run TestPlantedUnits -draws 200 -v.
func TestPlantedUnits(t *testing.T) {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "network\tlayers\tright\tsmooth\torder p ≤ 0.01\tnoise as stored\tmean noise share\tshare inside\tverdicts")
	for _, kind := range plantedPaths {
		for _, layers := range []int{6, 12, 24, 96} {
			if layers > 24 && !testing.Verbose() {
				continue // 4,560 pairs of layers
			}
			t.Run(fmt.Sprint(kind.name, " ", layers), func(t *testing.T) { measurePlantedUnits(t, table, kind, layers) })
		}
	}
	if testing.Verbose() {
		table.Flush()
	}
}

func measurePlantedUnits(t *testing.T, table *tabwriter.Writer, kind plantedPath, layers int) {
	counts := map[layerorder.Verdict]int{}
	var ordered, stored, inside int
	share := 0.0
	for draw := range *draws {
		r := rand.New(rand.NewPCG(uint64(draw), uint64(layers)))
		source, families := plantedBlocks(r, kind.draw(r, layers))
		m := &Measurement{}
		if err := m.Add(context.Background(), source, families, Reading{Align: true}); err != nil {
			t.Fatal(err)
		}
		result, err := m.Result()
		if err != nil {
			t.Fatal(err)
		}
		up := &result.Families[0]
		counts[up.Verdict]++
		if up.PValue <= layerorder.Level {
			ordered++
		}
		if up.AsStored.Verdict == layerorder.Noise || up.AsStored.Verdict == layerorder.TooFewLayers {
			stored++
		}
		share += up.NoiseShare.Value / float64(*draws)
		if up.NoiseShare.Low <= kind.share && kind.share <= up.NoiseShare.High {
			inside++
		}
	}
	n := float64(*draws)
	right := counts[kind.right]
	if layers == 6 {
		right += counts[layerorder.TooFewLayers]
	}
	fmt.Fprintf(table, "%s\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%v\n", kind.name, layers, float64(right)/n, float64(counts[layerorder.Smooth])/n,
		float64(ordered)/n, float64(stored)/n, share, float64(inside)/n, counts)
	atLeast := func(what string, got int, want float64) {
		if !(float64(got) >= n*want-3*math.Sqrt(n*want*(1-want))-1) { // of few draws one may be the one in a hundred
			t.Errorf("%s: got %d of %d draws, want a share of %g", what, got, *draws, want)
		}
	}
	atLeast("verdict", right, 0.95)
	if kind.right == layerorder.Noise {
		atLeast("no order", *draws-ordered, 0.99)
		atLeast("not smooth", *draws-counts[layerorder.Smooth], 0.98)
	} else {
		atLeast("no order as stored", stored, 0.95)
	}
	if kind.share > 0 && layers > 6 {
		atLeast("noise share inside its interval", inside, 0.93)
	}
}
