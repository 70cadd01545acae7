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
	ops.AddTransposed = func(p, w, e []T, r, c, n int) {
		if !(product(r, c, n) && len(p) >= c*n && len(w) >= r*c && len(e) >= r*n) {
			panic(mismatch("AddTransposed", r, c, n, "p c×n", len(p), "w r×c", len(w), "e r×n", len(e)))
		}
		raw.AddTransposed(p, w, e, r, c, n)
	}
	ops.AddOuter = func(g, e, h []T, r, c, n int, scratch []T) {
		if !(product(r, c, n) && len(g) >= r*c && len(e) >= r*n && len(h) >= c*n && len(scratch) >= OuterScratch(r, c, n)) {
			panic(mismatch("AddOuter", r, c, n, "g r×c", len(g), "e r×n", len(e), "h c×n", len(h), "scratch (c+16)×n", len(scratch)))
		}
		raw.AddOuter(g, e, h, r, c, n, scratch)
	}
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
	ops.SumSquaredDifferences = func(x, y []T) float64 {
		if len(x) != len(y) {
			panic(unequal("SumSquaredDifferences", "x", len(x), "y", len(y)))
		}
		return raw.SumSquaredDifferences(x, y)
	}
	ops.Forward = func(kind Activation, next, ds, w, h, b []T, a T, d, n int) {
		if !(known(kind) && product(d, d, n) && len(next) >= d*n && (ds == nil || len(ds) >= d*n) &&
			len(w) >= d*d && len(h) >= d*n && (b == nil || len(b) >= d)) {
			panic(mismatch("Forward", d, d, n, "next r×n", len(next), "ds r×n or nil", len(ds), "w r×c", len(w), "h r×n", len(h), "b r or nil", len(b)))
		}
		tile := d * n
		raw.Affine(next, w, h, b, d, d, n)
		if ds != nil {
			ds = ds[:tile]
		}
		raw.ActivateAdd(kind, next[:tile], ds, next[:tile], h[:tile], a)
	}
	ops.ForwardTanh = func(next, s, w, h []T, a T, d, n, layers, nextStep, sStep int) {
		tile := d * n
		if !(product(d, d, n) && layers > 0 && stepped(len(next), tile, layers, nextStep) && stepped(len(s), tile, layers, sStep) &&
			len(w) >= layers*d*d && len(h) >= tile) {
			panic(mismatch("ForwardTanh", d, d, n, "next", len(next), "s", len(s), "w layers×r×c", len(w), "h r×n", len(h), "layers", layers, "nextStep", nextStep, "sStep", sStep))
		}
		if raw.forwardTanh != nil && d <= mostChained {
			raw.forwardTanh(next, s, w, h, a, d, n, layers, nextStep, sStep)
			return
		}
		for k := range layers {
			value, to := s[k*sStep:][:tile], next[k*nextStep:][:tile]
			raw.Affine(value, w[k*d*d:], h, nil, d, d, n)
			raw.ActivateAdd(TanhValue, to, value, value, h[:tile], a)
			h = to
		}
	}
	ops.BackTanh = func(g, p, e, w, s, h []T, a T, d, n, layers int, fresh bool, scratch []T) {
		tile, square := d*n, d*d
		if !(product(d, d, n) && layers > 0 && len(g) >= layers*square && len(p) >= tile && len(e) >= layers*tile && len(w) >= layers*square &&
			len(s) >= layers*tile && len(h) >= layers*tile && len(scratch) >= OuterScratch(d, d, n)) {
			panic(mismatch("BackTanh", d, d, n, "g layers×r×c", len(g), "p r×n", len(p), "e layers×r×n", len(e), "w layers×r×c", len(w),
				"s layers×r×n", len(s), "h layers×r×n", len(h), "scratch (c+16)×n", len(scratch), "layers", layers))
		}
		outer := raw.AddOuter
		if fresh {
			outer = raw.setOuter
		}
		if raw.backTanh != nil && d <= mostChained {
			at := max(1, min(layers, nearErrors/tile)) // layers at a time
			for end := layers; end > 0; end -= at {
				first := max(0, end-at)
				raw.backTanh(e, p, w[first*square:], s[first*tile:], a, d, n, end-first)
				for k := first; k < end; k++ {
					outer(g[k*square:], e[(k-first)*tile:], h[k*tile:], d, d, n, scratch)
				}
			}
			return
		}
		for k := layers - 1; k >= 0; k-- {
			raw.ScaleMulSlope(e[:tile], a, p[:tile], s[k*tile:][:tile])
			outer(g[k*square:], e, h[k*tile:], d, d, n, scratch)
			raw.AddTransposed(p, w[k*square:], e, d, d, n)
		}
	}
	ops.Backward = func(kind Activation, g, gb, p, e, w, ds, h []T, a T, d, n int, scratch []T) {
		if !(known(kind) && product(d, d, n) && len(g) >= d*d && (gb == nil || len(gb) >= d) && len(p) >= d*n && len(e) >= d*n &&
			len(w) >= d*d && len(ds) >= d*n && len(h) >= d*n && len(scratch) >= OuterScratch(d, d, n)) {
			panic(mismatch("Backward", d, d, n, "g r×c", len(g), "gb r or nil", len(gb), "p r×n", len(p), "e r×n", len(e),
				"w r×c", len(w), "ds r×n", len(ds), "h r×n", len(h), "scratch (c+16)×n", len(scratch)))
		}
		tile := d * n
		if kind == TanhValue {
			raw.ScaleMulSlope(e[:tile], a, p[:tile], ds[:tile])
		} else {
			raw.ScaleMul(e[:tile], a, p[:tile], ds[:tile])
		}
		raw.AddOuter(g, e, h, d, d, n, scratch)
		if gb != nil {
			raw.AddRowSums(gb, e, d, n)
		}
		raw.AddTransposed(p, w, e, d, d, n)
	}
	return &ops
}

// nearErrors is how many entries of e BackTanh fills before it reads them again.
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
