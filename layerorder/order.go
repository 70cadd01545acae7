package layerorder

import (
	"math"
	"math/rand/v2"
	"slices"
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
	Lag       int     `json:"lag"`
	Cosine    float64 `json:"cosine"` // mean over the pairs
	Low       float64 `json:"shuffled_low"`
	High      float64 `json:"shuffled_high"`      // 95 % of the shuffles lie between
	Deviation float64 `json:"independent_stddev"` // of independent normal layers, whose mean is 0
}

// testOrder compares the neighbours of layers with those of shuffled ones. The cosine is free of the norms, of which
// those of the first and the last layer would count half.
func testOrder(p products, entries float64) (Order, []Lag) {
	n := p.layers
	cosines := make([]float64, n*n)
	for k := range n {
		for l := range n {
			cosines[k*n+l] = p.cosine(k, l)
		}
		cosines[k*n+k] = 1
	}
	lags := lagsOf(n)
	order := identity(n)
	own := meanCosines(cosines, order, lags)
	shuffled := make([][]float64, len(lags))
	random := rand.New(rand.NewPCG(0x6c61796572, uint64(n)))
	tolerance := float64(n) * 0x1p-52 // ties are equal sums of n numbers of at most 1 in another order
	reached := 1
	for range permutations {
		random.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
		for i, c := range meanCosines(cosines, order, lags) {
			shuffled[i] = append(shuffled[i], c)
			if i == 0 && c >= own[0]-tolerance {
				reached++
			}
		}
	}
	table := make([]Lag, len(lags))
	for i, m := range lags {
		slices.Sort(shuffled[i])
		at := func(q float64) float64 { return shuffled[i][int(q*float64(permutations))] }
		table[i] = Lag{m, own[i], at(0.025), at(0.975), 1 / math.Sqrt(entries*float64(n-m))}
	}
	z := own[0] / table[0].Deviation
	mean := (sum(cosines) - float64(n)) / float64(n*(n-1))
	share := 0.0
	if mean < 1 {
		share = (own[0] - mean) / (1 - mean)
	}
	return Order{own[0], share, float64(reached) / (permutations + 1), math.Erfc(z/math.Sqrt2) / 2}, table
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
