package kernel

import "fmt"

// checked returns ops with the shapes of all arguments checked before any loop runs.
func checked[T Float](ops Ops[T]) *Ops[T] {
	raw := ops
	ops.Affine = func(z, w, h, b []T, r, c, n int) {
		if !(product(r, c, n) && len(z) >= r*n && len(w) >= r*c && len(h) >= c*n && (b == nil || len(b) >= r)) {
			panic(mismatch("Affine", r, c, n, "z r×n", len(z), "w r×c", len(w), "h c×n", len(h), "b r or nil", len(b)))
		}
		raw.Affine(z, w, h, b, r, c, n)
	}
	transposed := func(name string, raw func(p, w, e []T, r, c, n int)) func(p, w, e []T, r, c, n int) {
		return func(p, w, e []T, r, c, n int) {
			if !(product(r, c, n) && len(p) >= c*n && len(w) >= r*c && len(e) >= r*n) {
				panic(mismatch(name, r, c, n, "p c×n", len(p), "w r×c", len(w), "e r×n", len(e)))
			}
			raw(p, w, e, r, c, n)
		}
	}
	ops.AddTransposed = transposed("AddTransposed", raw.AddTransposed)
	ops.SetTransposed = transposed("SetTransposed", raw.SetTransposed)
	outer := func(name string, raw func(g, e, h []T, r, c, n int, scratch []T)) func(g, e, h []T, r, c, n int, scratch []T) {
		return func(g, e, h []T, r, c, n int, scratch []T) {
			if !(product(r, c, n) && len(g) >= r*c && len(e) >= r*n && len(h) >= c*n && len(scratch) >= OuterScratch(r, c, n)) {
				panic(mismatch(name, r, c, n, "g r×c", len(g), "e r×n", len(e), "h c×n", len(h), "scratch (c+16)×n", len(scratch)))
			}
			raw(g, e, h, r, c, n, scratch)
		}
	}
	ops.AddOuter = outer("AddOuter", raw.AddOuter)
	ops.SetOuter = outer("SetOuter", raw.SetOuter)
	ops.AddRowSums = func(g, e []T, r, n int) {
		if !(product(r, 1, n) && len(g) >= r && len(e) >= r*n) {
			panic(mismatch("AddRowSums", r, 1, n, "g r", len(g), "e r×n", len(e)))
		}
		raw.AddRowSums(g, e, r, n)
	}
	ops.Activate = func(kind Activation, s, ds, u []T) {
		if !(known(kind) && len(s) == len(u) && len(ds) == len(u)) {
			panic(inactive("Activate", kind, "s", len(s), "ds", len(ds), "u", len(u)))
		}
		raw.Activate(kind, s, ds, u)
	}
	ops.ActivateAdd = func(kind Activation, next, ds, u, h []T, a T) {
		if !(known(kind) && len(next) == len(u) && (ds == nil || len(ds) == len(u)) && len(h) == len(u)) {
			panic(inactive("ActivateAdd", kind, "next", len(next), "ds (or nil)", len(ds), "u", len(u), "h", len(h)))
		}
		raw.ActivateAdd(kind, next, ds, u, h, a)
	}
	ops.AddScaled = func(y []T, a T, x []T) {
		if len(y) != len(x) {
			panic(unequal("AddScaled", "y", len(y), "x", len(x)))
		}
		raw.AddScaled(y, a, x)
	}
	ops.ScaleMul = func(z []T, a T, x, y []T) {
		if len(z) != len(x) || len(y) != len(x) {
			panic(unequal("ScaleMul", "z", len(z), "x", len(x), "y", len(y)))
		}
		raw.ScaleMul(z, a, x, y)
	}
	ops.ScaleMulSlope = func(z []T, a T, x, y []T) {
		if len(z) != len(x) || len(y) != len(x) {
			panic(unequal("ScaleMulSlope", "z", len(z), "x", len(x), "y", len(y)))
		}
		raw.ScaleMulSlope(z, a, x, y)
	}
	ops.SumScaled = func(z []T, a T, x, y []T) {
		if len(z) != len(x) || len(y) != len(x) {
			panic(unequal("SumScaled", "z", len(z), "x", len(x), "y", len(y)))
		}
		raw.SumScaled(z, a, x, y)
	}
	ops.Scale = func(z []T, a T, x []T) {
		if len(z) != len(x) {
			panic(unequal("Scale", "z", len(z), "x", len(x)))
		}
		raw.Scale(z, a, x)
	}
	ops.Momentum = func(y, v []T, a, mu T, g []T) {
		if len(y) != len(g) || len(v) != len(g) {
			panic(unequal("Momentum", "y", len(y), "v", len(v), "g", len(g)))
		}
		raw.Momentum(y, v, a, mu, g)
	}
	ops.Nesterov = func(y, v []T, a, mu T, g []T) {
		if len(y) != len(g) || len(v) != len(g) {
			panic(unequal("Nesterov", "y", len(y), "v", len(v), "g", len(g)))
		}
		raw.Nesterov(y, v, a, mu, g)
	}
	ops.Sign = func(y []T, a T, g []T) {
		if len(y) != len(g) {
			panic(unequal("Sign", "y", len(y), "g", len(g)))
		}
		raw.Sign(y, a, g)
	}
	ops.Lion = func(y, m []T, a, b1, b2 T, g []T) {
		if len(y) != len(g) || len(m) != len(g) {
			panic(unequal("Lion", "y", len(y), "m", len(m), "g", len(g)))
		}
		raw.Lion(y, m, a, b1, b2, g)
	}
	ops.Adam = func(y, m, s []T, f AdamFactors[T], g []T) {
		if len(y) != len(g) || len(m) != len(g) || len(s) != len(g) {
			panic(unequal("Adam", "y", len(y), "m", len(m), "s", len(s), "g", len(g)))
		}
		raw.Adam(y, m, s, f, g)
	}
	ops.Centre = func(x, h []T, r, n int) {
		if !(product(r, 1, n) && len(x) >= r*n && len(h) >= r*n) {
			panic(mismatch("Centre", r, 1, n, "x r×n", len(x), "h r×n", len(h)))
		}
		raw.Centre(x, h, r, n)
	}
	ops.Normalise = func(x, inverse, h []T, r, n int, epsilon float64) {
		if !(product(r, 1, n) && len(x) >= r*n && len(inverse) >= n && len(h) >= r*n) {
			panic(mismatch("Normalise", r, 1, n, "x r×n", len(x), "inverse n", len(inverse), "h r×n", len(h)))
		}
		raw.Normalise(x, inverse, h, r, n, epsilon)
	}
	ops.AddNormalised = func(p, g, x, inverse []T, r, n int) {
		if !(product(r, 1, n) && len(p) >= r*n && len(g) >= r*n && len(x) >= r*n && len(inverse) >= n) {
			panic(mismatch("AddNormalised", r, 1, n, "p r×n", len(p), "g r×n", len(g), "x r×n", len(x), "inverse n", len(inverse)))
		}
		raw.AddNormalised(p, g, x, inverse, r, n)
	}
	ops.SumSquaredDifferences = func(x, y []T) float64 {
		if len(x) != len(y) {
			panic(unequal("SumSquaredDifferences", "x", len(x), "y", len(y)))
		}
		return raw.SumSquaredDifferences(x, y)
	}
	ops.SquaredDistances = func(dst []float64, x, y []T) {
		if len(y) == 0 || len(dst)%Lanes != 0 || len(x) != len(dst)*len(y) {
			panic(fmt.Sprintf("kernel: SquaredDistances: got lengths dst: %d, x: %d, y: %d, want tiles×%d, tiles×y×%d, at least 1", len(dst), len(x), len(y), Lanes, Lanes))
		}
		raw.SquaredDistances(dst, x, y)
	}
	ops.FromBfloat16 = func(x []float64, data []byte) bool {
		if len(data) != 2*len(x) {
			panic(fmt.Sprintf("kernel: FromBfloat16: got lengths x: %d, data: %d, want two bytes for each number", len(x), len(data)))
		}
		return raw.FromBfloat16(x, data)
	}
	ops.Forward = func(kind Activation, next, ds, w, b, h []T, a T, d, n, layers, nextStep, dsStep int) {
		tile := d * n
		if !(known(kind) && product(d, d, n) && layers > 0 && stepped(len(next), tile, layers, nextStep) && stepped(len(ds), tile, layers, dsStep) &&
			len(w) >= layers*d*d && (b == nil || len(b) >= layers*d) && len(h) >= tile) {
			panic(mismatch("Forward", d, d, n, "next", len(next), "ds", len(ds), "w layers×r×c", len(w), "b layers×r or nil", len(b), "h r×n", len(h),
				"layers", layers, "nextStep", nextStep, "dsStep", dsStep))
		}
		if raw.forwardTanh != nil && kind == TanhValue && b == nil && d <= mostChained {
			raw.forwardTanh(next, ds, w, h, a, d, n, layers, nextStep, dsStep)
			return
		}
		for k := range layers {
			u, to := ds[k*dsStep:][:tile], next[k*nextStep:][:tile]
			raw.Affine(u, w[k*d*d:], h, row(b, k, d), d, d, n)
			slopes := u
			if dsStep == 0 {
				slopes = nil
			}
			raw.ActivateAdd(kind, to, slopes, u, h[:tile], a)
			h = to
		}
	}
	ops.Backward = func(kind Activation, g, gb, p, e, w, ds, h []T, a T, d, n, layers int, fresh, prefetch bool, scratch []T) {
		tile, square := d*n, d*d
		if !(known(kind) && product(d, d, n) && layers > 0 && len(g) >= layers*square && (gb == nil || len(gb) >= layers*d) && len(p) >= tile &&
			len(e) >= layers*tile && len(w) >= layers*square && len(ds) >= layers*tile && len(h) >= layers*tile && len(scratch) >= OuterScratch(d, d, n)) {
			panic(mismatch("Backward", d, d, n, "g layers×r×c", len(g), "gb layers×r or nil", len(gb), "p r×n", len(p), "e layers×r×n", len(e), "w layers×r×c", len(w),
				"ds layers×r×n", len(ds), "h layers×r×n", len(h), "scratch (c+16)×n", len(scratch), "layers", layers))
		}
		outer := raw.AddOuter
		if fresh {
			outer = raw.SetOuter
			clear(gb[:min(len(gb), layers*d)])
		}
		gradient := func(k int, e []T) {
			outer(g[k*square:], e, h[k*tile:], d, d, n, scratch)
			if gb != nil {
				raw.AddRowSums(gb[k*d:], e, d, n)
			}
		}
		if raw.backTanh != nil && kind == TanhValue && d <= mostChained {
			at := max(1, min(layers, nearErrors/tile)) // layers at a time
			for end := layers; end > 0; end -= at {
				first := max(0, end-at)
				raw.backTanh(e, p, w[first*square:], ds[first*tile:], a, d, n, end-first)
				for k := first; k < end; k++ {
					gradient(k, e[(k-first)*tile:])
				}
			}
			return
		}
		scaleMul := raw.ScaleMul
		if kind == TanhValue {
			scaleMul = raw.ScaleMulSlope
		}
		for k := layers - 1; k >= 0; k-- {
			if k > 0 && prefetch {
				raw.prefetch(w[(k-1)*square:][:square])
				raw.prefetch(g[(k-1)*square:][:square])
			}
			scaleMul(e[:tile], a, p[:tile], ds[k*tile:][:tile])
			gradient(k, e)
			raw.AddTransposed(p, w[k*square:], e, d, d, n)
		}
	}
	return &ops
}

// row returns the k-th d entries of b, nil of nil.
func row[T Float](b []T, k, d int) []T {
	if b == nil {
		return nil
	}
	return b[k*d : (k+1)*d]
}

// nearErrors is how many entries of e Backward fills before it reads them again.
const nearErrors = 2048

// product reports whether r, c and n are the dimensions of a product.
func product(r, c, n int) bool { return r > 0 && c > 0 && n > 0 && n%Lanes == 0 }

// stepped reports whether tiles at multiples of step fit into an array.
func stepped(length, tile, layers, step int) bool {
	return step >= 0 && length >= (layers-1)*step+tile
}

func known(kind Activation) bool { return kind >= Tanh && kind <= TanhValue }

// mismatch returns the panic text of a product; lengths alternates what an array holds
// and how long it is.
func mismatch(name string, r, c, n int, lengths ...any) string {
	return fmt.Sprintf("kernel: %s: got r=%d c=%d n=%d (want r, c ≥ 1 and n a positive multiple of %d) with lengths%s (want at least that)",
		name, r, c, n, Lanes, list(lengths))
}

// unequal returns the panic text of a function of vectors.
func unequal(name string, lengths ...any) string {
	return fmt.Sprintf("kernel: %s: got lengths%s, want equal lengths", name, list(lengths))
}

// inactive returns the panic text of an activation.
func inactive(name string, kind Activation, lengths ...any) string {
	return fmt.Sprintf("kernel: %s: got activation %d and lengths%s, want an activation from %d to %d and equal lengths",
		name, kind, list(lengths), Tanh, TanhValue)
}

// list returns pairs of what and how long in words.
func list(pairs []any) (s string) {
	for i := 0; i < len(pairs); i += 2 {
		s += fmt.Sprintf(" %s: %d", pairs[i], pairs[i+1])
		if i+2 < len(pairs) {
			s += ","
		}
	}
	return s
}
