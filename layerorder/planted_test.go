package layerorder

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"text/tabwriter"
)

var draws = flag.Int("draws", 4, "draws of each planted network")

// A planted network is a draw of layers of rows × cols whose order is known.
type planted struct {
	name  string
	right Verdict
	share float64 // of noise
	index float64
	draw  func(r *rand.Rand, layers, rows, cols int) [][]float64
}

// smoothPath is one of several smooth paths: a polynomial, waves, a front.
func smoothPath(r *rand.Rand, layers, entries int) [][]float64 {
	out := empty(layers, entries)
	kind := r.IntN(3)
	for e := range entries {
		a, b, c, d := r.NormFloat64(), r.NormFloat64(), r.NormFloat64(), r.NormFloat64()
		phase := 2 * math.Pi * r.Float64()
		for k := range layers {
			s := (float64(k) + 0.5) / float64(layers)
			switch kind {
			case 0:
				out[k][e] = a + 2*b*s + 2*c*s*s
			case 1:
				out[k][e] = a/2 + b*math.Sin(math.Pi*s+phase) + c/2*math.Sin(2*math.Pi*s+2*phase) + d/8*math.Sin(3*math.Pi*s+3*phase)
			case 2:
				out[k][e] = a/2 + b*math.Tanh(3*(s-0.5)) + c*math.Exp(-2*s)
			}
		}
	}
	return out
}

func empty(layers, entries int) [][]float64 {
	out := make([][]float64, layers)
	for k := range out {
		out[k] = make([]float64, entries)
	}
	return out
}

// variance is that of the layers about their mean.
func variance(path [][]float64) float64 {
	g, err := NewGram(path)
	if err != nil {
		panic(err)
	}
	return g.without(-1).variance()
}

// withNoise returns a smooth path with noise that makes up a share of its variance.
func withNoise(share float64) func(r *rand.Rand, layers, rows, cols int) [][]float64 {
	return func(r *rand.Rand, layers, rows, cols int) [][]float64 {
		path := empty(layers, rows*cols)
		size := 1.0
		if share < 1 {
			path = smoothPath(r, layers, rows*cols)
			size = math.Sqrt(variance(path) / float64(rows*cols) * share / (1 - share))
		}
		for _, x := range path {
			for e := range x {
				x[e] += size * r.NormFloat64()
			}
		}
		return path
	}
}

func brownian(r *rand.Rand, layers, rows, cols int) [][]float64 {
	path := empty(layers, rows*cols)
	for k := 1; k < layers; k++ {
		for e := range path[k] {
			path[k][e] = path[k-1][e] + r.NormFloat64()
		}
	}
	return path
}

// plantedNetworks are the kinds of networks that verdicts are measured on.
var plantedNetworks = []planted{
	{"smooth", Smooth, 0, 1, func(r *rand.Rand, layers, rows, cols int) [][]float64 {
		return smoothPath(r, layers, rows*cols)
	}},
	{"smooth and noise 0.1", SmoothAndNoise, 0.1, math.Inf(1), withNoise(0.1)},
	{"smooth and noise 0.3", SmoothAndNoise, 0.3, math.Inf(1), withNoise(0.3)},
	{"smooth and noise 0.5", SmoothAndNoise, 0.5, math.Inf(1), withNoise(0.5)},
	{"independent", Noise, 1, math.Inf(1), withNoise(1)},
	{"shuffled", Noise, math.NaN(), math.Inf(1), func(r *rand.Rand, layers, rows, cols int) [][]float64 {
		path := smoothPath(r, layers, rows*cols)
		r.Shuffle(layers, func(i, j int) { path[i], path[j] = path[j], path[i] })
		return path
	}},
	{"hidden units permuted", Noise, math.NaN(), math.NaN(), func(r *rand.Rand, layers, rows, cols int) [][]float64 {
		path := smoothPath(r, layers, rows*cols)
		for k, x := range path {
			y := make([]float64, len(x))
			for i, j := range r.Perm(rows) {
				copy(y[i*cols:(i+1)*cols], x[j*cols:(j+1)*cols])
			}
			path[k] = y
		}
		return path
	}},
	{"brownian", Rough, math.NaN(), 2, brownian},
	{"smooth with a jump", Jumps, math.NaN(), math.NaN(), func(r *rand.Rand, layers, rows, cols int) [][]float64 {
		path := smoothPath(r, layers, rows*cols)
		at := layers/4 + r.IntN(layers/2)
		for e := range path[0] {
			step := 2 * r.NormFloat64()
			for k := at; k < layers; k++ {
				path[k][e] += step
			}
		}
		return path
	}},
}

// TestPlanted measures how often verdicts are right: go test ./layerorder -run TestPlanted -draws 200 -v.
func TestPlanted(t *testing.T) {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "network\tlayers\tright\tsmooth\torder p ≤ 0.01\tindex inside\tnoise share\tshare inside\tverdicts")
	for _, kind := range plantedNetworks {
		for _, layers := range []int{6, 12, 24, 96} {
			if layers < RoughLayers && (kind.right == Rough || kind.right == Jumps) {
				continue
			}
			t.Run(fmt.Sprint(kind.name, " ", layers), func(t *testing.T) { measurePlanted(t, table, kind, layers) })
		}
	}
	if testing.Verbose() {
		table.Flush()
	}
}

func measurePlanted(t *testing.T, table *tabwriter.Writer, kind planted, layers int) {
	counts := map[Verdict]int{}
	var ordered, index, inside int
	share := 0.0
	for draw := range *draws {
		r := rand.New(rand.NewPCG(uint64(draw), uint64(layers)))
		g, err := NewGram(kind.draw(r, layers, 32, 8))
		if err != nil {
			t.Fatal(err)
		}
		result, err := Analyze(g)
		if err != nil {
			t.Fatal(err)
		}
		counts[result.Verdict]++
		if result.Order.P <= Level {
			ordered++
		}
		if result.Index.Low <= kind.index && kind.index <= result.Index.High {
			index++
		}
		share += result.NoiseShare.Value / float64(*draws)
		if result.NoiseShare.Low <= kind.share && kind.share <= result.NoiseShare.High {
			inside++
		}
	}
	n := float64(*draws)
	right := counts[kind.right]
	if layers == 6 {
		right += counts[TooFewLayers]
	}
	fmt.Fprintf(table, "%s\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%v\n", kind.name, layers,
		float64(right)/n, float64(counts[Smooth])/n, float64(ordered)/n, float64(index)/n, share, float64(inside)/n, counts)
	atLeast := func(what string, got int, want float64) {
		if !(float64(got) >= n*want-3*math.Sqrt(n*want*(1-want))) {
			t.Errorf("%s: got %d of %d draws, want a share of %g", what, got, *draws, want)
		}
	}
	atLeast("verdict", right, 0.95)
	if !math.IsNaN(kind.index) {
		atLeast("index inside its interval", index, 0.93)
	}
	if kind.right != Smooth {
		atLeast("not smooth", *draws-counts[Smooth], 0.98)
	}
	if kind.name == "independent" || kind.name == "shuffled" {
		atLeast("no order", *draws-ordered, 0.99)
	}
	if kind.share > 0 && layers > 6 {
		atLeast("noise share inside its interval", inside, 0.93)
	}
}
