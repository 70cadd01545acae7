package layerorder

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// permutations is how many shuffles of the layers the order test compares with.
const permutations = 999

// An Order is what the permutation test says.
type Order struct {
	// Statistic is the mean cosine of neighbouring layers.
	Statistic float64
	// Share is how much of the way from the mean cosine of all pairs to 1 that is: what order explains of the layers.
	Share float64
	// P is the share of shuffles of the layers, this one counted, whose neighbours are at least as near.
	P float64
	// Independent is the probability that independent normal layers of so many entries have such neighbours.
	Independent float64
}

// A Lag is the cosine of layers so far apart, and what shuffled layers have there.
type Lag struct {
	Lag    int     `json:"lag"`
	Cosine float64 `json:"cosine"` // mean over the pairs
	Low    float64 `json:"shuffled_low"`
	High   float64 `json:"shuffled_high"` // 95 % of the shuffles lie between
	// Mean and Deviation are those of independent normal layers; the mean is 0 unless something made layers alike.
	Mean      float64 `json:"independent_mean"`
	Deviation float64 `json:"independent_stddev"`
}

// testOrder compares the neighbours of layers with those of shuffled ones. The cosine is free of the norms, of which
// those of the first and the last layer would count half. The shuffles are exact whatever was done to the layers without regard to
// their order.
func testOrder(p products, g *Gram) (Order, []Lag) {
	n := p.layers
	cosines := p.cosines()
	lags := lagsOf(n)
	own := meanCosines(cosines, identity(n), lags)
	shuffled := shuffle(cosines, n, lags)
	tolerance := float64(n) * 0x1p-52 // ties are equal sums of n numbers of at most 1 in another order
	reached := 1
	for _, c := range shuffled[0] {
		if c >= own[0]-tolerance {
			reached++
		}
	}
	table := make([]Lag, len(lags))
	for i, m := range lags {
		slices.Sort(shuffled[i])
		at := func(q float64) float64 { return shuffled[i][int(q*float64(permutations))] }
		table[i] = Lag{Lag: m, Cosine: own[i], Low: at(0.025), High: at(0.975)}
	}
	g.independent(table)
	z := (own[0] - table[0].Mean) / table[0].Deviation
	mean := (sum(cosines) - float64(n)) / float64(n*(n-1))
	share := 0.0
	if mean < 1 {
		share = (own[0] - mean) / (1 - mean)
	}
	return Order{own[0], share, float64(reached) / (permutations + 1), math.Erfc(z/math.Sqrt2) / 2}, table
}

// independent fills in what independent normal layers have. Their order means nothing, so where they went through what the layers did their shuffles
// have the law of their mean cosines.
func (g *Gram) independent(table []Lag) {
	if g.Baseline == nil {
		entries := float64(g.Entries)
		if g.Independent > 0 {
			entries = g.Independent
		}
		for i := range table {
			table[i].Deviation = 1 / math.Sqrt(entries*float64(g.Layers-table[i].Lag))
		}
		return
	}
	lags := lagsOf(g.Layers)
	for i, values := range shuffle(g.Baseline.without(-1).cosines(), g.Layers, lags) {
		table[i].Mean, table[i].Deviation = stat.MeanStdDev(values, nil)
	}
}

// cosines returns those of all pairs of layers, (L,L).
func (p products) cosines() []float64 {
	n := p.layers
	cosines := make([]float64, n*n)
	for k := range n {
		for l := range n {
			cosines[k*n+l] = p.cosine(k, l)
		}
		cosines[k*n+k] = 1
	}
	return cosines
}

// shuffle returns the mean cosines of n layers at each lag, of many shuffles.
func shuffle(cosines []float64, n int, lags []int) [][]float64 {
	order := identity(n)
	shuffled := make([][]float64, len(lags))
	random := rand.New(rand.NewPCG(0x6c61796572, uint64(n)))
	for range permutations {
		random.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
		for i, c := range meanCosines(cosines, order, lags) {
			shuffled[i] = append(shuffled[i], c)
		}
	}
	return shuffled
}

// lagsOf returns 1, 2, 4 … up to half of the layers.
func lagsOf(layers int) []int {
	lags := []int{1}
	for m := 2; 2*m <= layers; m *= 2 {
		lags = append(lags, m)
	}
	return lags
}

func identity(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}

// meanCosines returns the mean cosine of layers of an order at each lag.
func meanCosines(cosines []float64, order, lags []int) []float64 {
	n := len(order)
	out := make([]float64, len(lags))
	for i, m := range lags {
		for k := range n - m {
			out[i] += cosines[order[k]*n+order[k+m]]
		}
		out[i] /= float64(n - m)
	}
	return out
}

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}
