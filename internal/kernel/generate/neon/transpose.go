package main

// transpose emits dst[s,j] = src[j,s] for rows rows of n columns, n a multiple of 8, with strides in bytes: src[j,·] at
// src + j·lds, dst[s,·] at dst + s·ldd. It takes as many rows at once as a vector has lanes. Where fewer are left, the
// last one stands for those that lack, so that a row of dst has room for whole vectors.
func (t target) transpose() {
	t = t.function("transpose", "computes dst[s,j] = src[j,s], see transpose.go of the generator.", "func(dst, src *T, lds, ldd, rows, n int)")
	dst, src, lds, ldd, rows := t.param("dst"), t.param("src"), t.param("lds"), t.param("ldd"), t.param("rows")
	from, to, moved, left := t.gps(t.lanes()), t.gp(), t.gp(), t.gp()
	t.label("block")
	t.line("MOVD %s, %s", src, from[0])
	for j := 1; j < len(from); j++ {
		t.line("ADD %s, %s, %s", lds, from[j-1], moved)
		t.line("CMP $%d, %s", j, rows)
		t.line("CSEL GT, %s, %s, %s", moved, from[j-1], from[j])
	}
	t.line("MOVD %s, %s", dst, to)
	t.line("MOVD %s, %s", t.slot("n"), left)
	t.label("loop")
	v := t.vecs(len(from))
	for j, pointer := range from {
		t.line("FMOVQ.P %d(%s), F%d", width, pointer, v[j])
	}
	if !t.double {
		// Pairs of columns of two rows each, as elements of 8 bytes.
		even01, odd01, even23, odd23 := t.vec(), t.vec(), t.vec(), t.vec()
		t.interleave("S4", v[0], v[1], even01, odd01)
		t.interleave("S4", v[2], v[3], even23, odd23)
		t.interleave("D2", even01, even23, v[0], v[2])
		t.interleave("D2", odd01, odd23, v[1], v[3])
	} else {
		columns := t.vecs(2)
		t.interleave("D2", v[0], v[1], columns[0], columns[1])
		v = columns
	}
	for _, column := range v {
		t.storeStep(to, ldd, []vec{column})
	}
	t.line("SUBS $%d, %[2]s, %[2]s", t.lanes(), left)
	t.jump("BNE", "loop")
	t.line("ADD $%d, %s", width, dst)
	for range from {
		t.line("ADD %s, %s", lds, src)
	}
	t.line("SUBS $%d, %[2]s, %[2]s", len(from), rows)
	t.jump("BGT", "block")
	t.end()
}

// interleave emits the even elements of a and b in turns, and the odd ones.
func (t target) interleave(shape string, a, b, even, odd vec) {
	for i, to := range []vec{even, odd} {
		t.line("VTRN%d V%d.%[5]s, V%[3]d.%[5]s, V%[4]d.%[5]s", i+1, b, a, to, shape)
	}
}
