// Package kernel holds the hot loops of a layer: products of a small weight
// matrix with a tile of samples, activations, and long-vector updates.
//
// A tile is a (rows, n) row-major array: one column per sample, so a vector lane
// is a sample. n is a multiple of Lanes; callers fill unused columns with a copy
// of a used one and give them a zero adjoint.
//
// # The contract: the same bits from every tier
//
// Each function's documentation is the loop it computes. Products are chains of
// fused multiply-adds in the order written, one rounding each; nothing is
// reassociated, but for AddOuter of narrow layers. Sums over samples or over a long
// vector run in 16 interleaved chains (element i goes to chain i mod 16), added at the end as a tree:
// 16 → 8 → 4 → 2 → 1, chain i with chain i + half. All tiers therefore return the
// same bits (a NaN for a NaN, whatever its payload), and a run may be resumed on
// another machine.
//
// Shapes are checked before any loop; a mismatch panics, as it is a bug of the
// caller. The arrays of a product may be longer than their shape, vectors have equal
// lengths. Arguments that are written must not overlap others unless said.
package kernel

// Lanes is the granularity of a tile's width n, the same for all tiers and types.
const Lanes = 8

// Float is the set of element types.
type Float interface{ float32 | float64 }

// Activation selects the function of Activate.
type Activation int

// The activations.
const (
	// Tanh is tanh u, with σ′ = 1 − σ(u)² rounded once. The error is at most 2 ulp in
	// float64 and 4 ulp in float32 (measured: 1.69 over 12 million arguments, 2.54 over all
	// float32); |tanh| ≤ 1, tanh ±0 = ±0, tanh ±Inf = ±1, NaN gives NaN.
	Tanh Activation = iota
	// GELU is u Φ(u) in the exact form, Φ(u) = (1 + erf(u/√2))/2, with σ′ = Φ(u) + u φ(u).
	// The error of u Φ(u) is below 8 ulp (measured: 5.2 and 5.0), also where Φ is tiny, down
	// to u = −37.5 (float64) and −12.5 (float32), below which the result is −0; that of σ′,
	// which has a zero, is below 4·2⁻⁵³ and 4·2⁻²⁴. −Inf gives −0 and σ′ = 0.
	GELU
	// Sin is sin u with σ′ = cos u, each to 4·2⁻⁵³ and 4·2⁻²⁴ (absolute) for |u| ≤ 2²⁰ and 2¹⁰; sin u to 4 ulp there. |u| beyond
	// 2⁵² or 2²³ is taken as that, but the sine of an infinity is NaN.
	Sin
	// SiLU is u s for s = 1/(1 + e^−u), σ′ = s(1 + u(1 − s)). Here and in the next four, the error of σ is below 4 ulp (measured:
	// at most 1.9 in float64, 2.3 in float32), that of σ′ below 4·2⁻⁵³ and 4·2⁻²⁴ (2.1 and 1.9), and |u| beyond 708 or 87 is
	// taken as that where e^−|u| is concerned.
	SiLU
	// Softplus is log(1 + eᵘ) − log 2 with σ′ = s.
	Softplus
	// ELU is u, or eᵘ − 1 for u ≤ 0, with σ′ = 1 or eᵘ.
	ELU
	// Sigmoid is s with σ′ = s(1 − s).
	Sigmoid
	// CentredSigmoid is tanh(u/2)/2 with σ′ = 1/4 − σ².
	CentredSigmoid
	// ReLU is max(0, u), a NaN where u is one, with σ′ = 1 for u > 0 and 0 elsewhere.
	ReLU
	// Identity is u with σ′ = 1.
	Identity
	// TanhValue is Tanh with σ in the place of σ′ wherever it goes: as σ′ = 1 − σ², a layer's
	// output and its σ′ both follow from σ and the layer's input, with the same bits.
	TanhValue
)

// Ops is one tier's implementation for one element type. Symbols: W (r,c) row-major
// weights, H (c,n), Z (r,n), E (r,n), P (c,n).
type Ops[T Float] struct {
	Tier string // "avx512", "avx2", "neon" or "portable"

	// Affine computes z[i,s] = b[i] + Σ_j w[i,j] h[j,s]: the chain starts at b[i]
	// (at 0 where b is nil) and adds j = 0..c−1 in order.
	Affine func(z, w, h, b []T, r, c, n int)

	// AddTransposed computes p[j,s] += Σ_i w[i,j] e[i,s]: the chain starts at the old
	// p[j,s] and adds i = 0..r−1 in order.
	AddTransposed func(p, w, e []T, r, c, n int)

	// AddOuter computes g[i,j] += Σ_s e[i,s] h[j,s] for g (r,c): the chain starts at the old
	// g[i,j] and adds s = 0..n−1 in order. Where interleaved says so the sum over s runs in
	// interleaved chains of fused multiply-adds, as many as a cache line has elements (16 in
	// float32, 8 in float64), and is added to g[i,j] at the end. scratch holds at least
	// OuterScratch(r,c,n) elements and is overwritten.
	AddOuter func(g, e, h []T, r, c, n int, scratch []T)

	// SetTransposed and SetOuter are AddTransposed and AddOuter to arrays of zeros, whatever they hold.
	SetTransposed func(p, w, e []T, r, c, n int)
	SetOuter      func(g, e, h []T, r, c, n int, scratch []T)

	// AddRowSums computes g[i] += Σ_s e[i,s], the sum over s in interleaved chains.
	AddRowSums func(g, e []T, r, n int)

	// Activate computes s[i] = σ(u[i]) and ds[i] = σ′(u[i]); s may alias u. The
	// operations are those of the functions in portable_activation.go and portable_smooth.go.
	Activate func(kind Activation, s, ds, u []T)

	// ActivateAdd computes next[i] = fma(a, σ(u[i]), h[i]) and, unless ds is nil,
	// ds[i] = σ′(u[i]); next may alias u or h.
	ActivateAdd func(kind Activation, next, ds, u, h []T, a T)

	// AddScaled computes y[i] = fma(a, x[i], y[i]).
	AddScaled func(y []T, a T, x []T)

	// ScaleMul computes z[i] = (a·x[i])·y[i], two roundings; z may alias x or y.
	ScaleMul func(z []T, a T, x, y []T)

	// ScaleMulSlope computes z[i] = (a·x[i])·fma(−y[i], y[i], 1), each product rounded; z may
	// alias x or y. It is ScaleMul by σ′ for TanhValue.
	ScaleMulSlope func(z []T, a T, x, y []T)

	// SumScaled computes z[i] = fma(a, x[i], y[i]), i in order; z may alias x or y, or begin at
	// least 16 elements behind the start of y: states follow from their differences.
	SumScaled func(z []T, a T, x, y []T)

	// SumSquares returns Σ x[i]² in float64, each element converted first, fused
	// multiply-adds in interleaved chains.
	SumSquares func(x []T) float64

	// SumSquaredDifferences returns Σ (x[i] − y[i])² likewise; the difference is
	// taken in float64.
	SumSquaredDifferences func(x, y []T) float64

	// SquaredDistances computes dst[t·Lanes+s] = Σ_k (y[k] − x[t,k,s])² for tiles x (tiles, d, Lanes)
	// of points, Lanes side by side, and one point y (d), in float64: coordinate k goes to chain
	// k mod 4, and the sum is (c₀ + c₂) + (c₁ + c₃). dst has Lanes elements for each tile.
	SquaredDistances func(dst []float64, x, y []T)

	// FromBfloat16 sets x[i] to the bfloat16 number, the upper half of a float32, whose bits are data[2i] and data[2i+1], little-endian, for
	// each element type of the tier, and reports whether all are finite.
	FromBfloat16 func(x []float64, data []byte) bool

	// Scale computes z[i] = a·x[i]; z may be x.
	Scale func(z []T, a T, x []T)

	// The steps of methods along g, each product and sum rounded: Momentum computes v[i] = μ·v[i] + g[i],
	// y[i] = fma(a, v[i], y[i]), Nesterov the same v and y[i] −= a·(g[i] + μ·v[i]), Sign y[i] −= a·sign(g[i]) for a ≥ 0.
	// The sign of 0 is 0, and of a NaN that NaN.
	Momentum func(y, v []T, a, mu T, g []T)
	Nesterov func(y, v []T, a, mu T, g []T)
	Sign     func(y []T, a T, g []T)

	// Lion computes y[i] −= a·sign(b1·m[i] + (1 − b1)·g[i]), then m[i] = b2·m[i] + (1 − b2)·g[i].
	Lion func(y, m []T, a, b1, b2 T, g []T)

	// Adam computes m[i] = b1·m[i] + (1 − b1)·g[i], s[i] = b2·s[i] + ((1 − b2)·g[i])·g[i] and, with the corrections c1 and c2 of
	// both means, y[i] −= (a·(c1·m[i]))/(√(c2·s[i]) + ε).
	Adam func(y, m, s []T, f AdamFactors[T], g []T)

	// Centre computes x[j,s] = h[j,s] − m[s] for h (r,n), m[s] the mean of column s, rounded to T. x may be h.
	// A sum over the rows of a column, here and below, is one of float64 numbers in 4 chains, row j in chain j mod 4,
	// added as (0 + 2) + (1 + 3).
	Centre func(x, h []T, r, n int)

	// Normalise computes inverse[s] = 1/√(q/r + ε), q = Σ_j h[j,s]², of fused multiply-adds in float64, rounded to T,
	// and x[j,s] = h[j,s]·inverse[s]. x may be h. ε > 0 makes a column of zeros one of zeros.
	Normalise func(x, inverse, h []T, r, n int, epsilon float64)

	// AddNormalised computes p[j,s] = fma(inverse[s], fma(−x[j,s], t[s], g[j,s]), p[j,s]), t[s] = Σ_i x[i,s] g[i,s] / r, of fused
	// multiply-adds in float64, rounded to T: it adds the derivative of Normalise, along g or transposed, which are the same.
	AddNormalised func(p, g, x, inverse []T, r, n int)

	// Forward takes a tile (d,n) from h through consecutive layers of the inner block, whose W
	// (d,d) stand one behind the other in w and b (d) in b, nil without. Layer k = 0, 1, …
	// computes h + a σ(W h + b) by Affine and ActivateAdd, with their bits. It goes to
	// next[k·nextStep:], is the h of the next layer, and σ′ goes to ds[k·dsStep:]. Where
	// nextStep is 0, next may be h; where dsStep is 0, ds (d,n) is scratch.
	Forward func(kind Activation, next, ds, w, b, h []T, a T, d, n, layers, nextStep, dsStep int)

	// Backward takes the adjoint p of the last of such layers' output to that of the first's
	// input and adds their gradients to g (layers,d,d) and, unless nil, gb (layers,d), given ds
	// and the inputs h (layers,d,n). From the last layer to the first, with their bits:
	// E = (a·P)·ds by ScaleMul (ScaleMulSlope for TanhValue), G += E Hᵀ by AddOuter, gb by
	// AddRowSums, P += Wᵀ E by AddTransposed. With fresh it is as if g and gb were zero
	// before; with prefetch a layer's W and G may be brought into the cache before its turn.
	// e (layers,d,n) is overwritten.
	Backward func(kind Activation, g, gb, p, e, w, ds, h []T, a T, d, n, layers int, fresh, prefetch bool, scratch []T)

	// prefetch brings x into the cache.
	prefetch func(x []T)

	// forwardTanh is Forward for TanhValue without b, backTanh leaves e_k = (a·p)·(1 − s_k²)
	// of each layer in e (layers,d,n) and adds no gradient: for d ≤ mostChained, nil where there is none.
	forwardTanh func(next, s, w, h []T, a T, d, n, layers, nextStep, sStep int)
	backTanh    func(e, p, w, s []T, a T, d, n, layers int)

	peak func(rounds int) (flops float64)
}

// AdamFactors are the numbers of a step of Adam.
type AdamFactors[T Float] struct{ Size, Epsilon, B1, B2, Correct1, Correct2 T }

// mostChained is the most rows that forwardTanh and backTanh take.
const mostChained = 12

// interleaved says whether AddOuter, for g of c columns, sums over n samples in interleaved
// chains. It is so where a row of g would leave many lanes idle, unless n is too small to
// pay for adding up the chains.
func interleaved(c, n int) bool { return 9 <= c && c <= 15 && n >= 32 }

// OuterScratch returns the scratch length that AddOuter needs.
func OuterScratch(r, c, n int) int { return (c + 16) * n }
