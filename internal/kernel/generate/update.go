package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The updates of methods, operation by operation those of portable_update.go in package kernel, for n elements,
// a multiple of the lanes.

// factors loads that many numbers of the array c, each into all lanes.
func (t target) factors(n int) []reg.VecVirtual {
	c, v := param("c"), t.vecs(n)
	for i := range v {
		t.broadcast(Mem{Base: c, Disp: i * t.size()}, v[i])
	}
	return v
}

func (t target) scale() {
	t.function("scale", "computes z[i] = a·x[i] for n elements, a multiple of the lanes.", "func(z, x *%[1]s, a %[1]s, n int)")
	z, x, a := param("z"), param("x"), t.vec()
	t.broadcast(slot("a"), a)
	t.stream(t.lanes(), func(at func(reg.GPVirtual) Mem) {
		v := t.vec()
		t.mul(at(x), a, v)
		t.store(v, at(z))
	})
	VZEROUPPER()
	RET()
}

// velocity emits v = μ·v + g and returns v and g.
func (t target) velocity(v, g Mem, mu reg.VecVirtual) (moved, gradient reg.VecVirtual) {
	moved, gradient = t.vec(), t.vec()
	t.mul(v, mu, moved)
	t.load(g, gradient)
	t.add(gradient, moved, moved)
	t.store(moved, v)
	return moved, gradient
}

func (t target) momentum() {
	t.function("momentum", "computes v = c[1]·v + grad, y = c[0]·v + y.", "func(y, v, grad, c *%[1]s, n int)")
	y, v, g, c := param("y"), param("v"), param("grad"), t.factors(2)
	t.stream(t.lanes(), func(at func(reg.GPVirtual) Mem) {
		moved, _ := t.velocity(at(v), at(g), c[1])
		t.fmaTo(at(y), c[0], moved)
		t.store(moved, at(y))
	})
	VZEROUPPER()
	RET()
}

func (t target) nesterov() {
	t.function("nesterov", "computes v = c[1]·v + grad, y = y − c[0]·(c[1]·v + grad).", "func(y, v, grad, c *%[1]s, n int)")
	y, v, g, c := param("y"), param("v"), param("grad"), t.factors(2)
	t.stream(t.lanes(), func(at func(reg.GPVirtual) Mem) {
		moved, gradient := t.velocity(at(v), at(g), c[1])
		t.mul(moved, c[1], moved)
		t.add(moved, gradient, moved)
		t.mul(c[0], moved, moved)
		t.takeFrom(at(y), moved)
	})
	VZEROUPPER()
	RET()
}

// takeFrom emits y −= step.
func (t target) takeFrom(y Mem, step reg.VecVirtual) {
	old := t.vec()
	t.load(y, old)
	t.sub(step, old, old)
	t.store(old, y)
}

// mean emits b·m + other·g, each product rounded.
func (t target) mean(m Mem, b, other, g reg.VecVirtual) reg.VecVirtual {
	mean, part := t.vec(), t.vec()
	t.mul(m, b, mean)
	t.mul(g, other, part)
	t.add(part, mean, mean)
	return mean
}

func (t target) adam() {
	t.function("adam", "computes a step of Adam; see adam in package kernel.", "func(y, m, s, grad, c *%[1]s, n int)")
	y, m, s, g, c := param("y"), param("m"), param("s"), param("grad"), t.factors(8)
	size, epsilon, correct1, correct2 := c[0], c[1], c[2], c[3]
	t.stream(t.lanes(), func(at func(reg.GPVirtual) Mem) {
		gradient, part, square := t.vec(), t.vec(), t.vec()
		t.load(at(g), gradient)
		mean := t.mean(at(m), c[4], c[5], gradient)
		t.store(mean, at(m))
		t.mul(at(s), c[6], square)
		t.mul(gradient, c[7], part)
		t.mul(gradient, part, part)
		t.add(part, square, square)
		t.store(square, at(s))
		t.mul(square, correct2, square)
		t.pick(VSQRTPS, VSQRTPD)(square, square)
		t.add(epsilon, square, square)
		t.mul(mean, correct1, mean)
		t.mul(mean, size, mean)
		t.pick(VDIVPS, VDIVPD)(square, mean, mean)
		t.takeFrom(at(y), mean)
	})
	VZEROUPPER()
	RET()
}

// againstSign emits y −= a with the sign of v, and y −= v where v is 0 or a NaN.
func (t target) againstSign(y Mem, a, v reg.VecVirtual) {
	g := group{target: t, count: 1}
	step, zero := t.vec(), t.vec()
	t.load(t.bits(uint64(g.sign())), step)
	t.pick(VANDPS, VANDPD)(v, step, step)
	t.pick(VORPS, VORPD)(a, step, step)
	t.zero(zero)
	const unequal = 0x0c // NEQ_OQ
	if t.zmm {
		k := K()
		t.pick(VCMPPS, VCMPPD)(Imm(unequal), zero, v, k)
		t.pick(VMOVAPS, VMOVAPD)(step, k, v)
	} else {
		t.pick(VCMPPS, VCMPPD)(Imm(unequal), zero, v, zero)
		t.pick(
			func(ops ...Op) { VBLENDVPS(ops[0], ops[1], ops[2], ops[3]) },
			func(ops ...Op) { VBLENDVPD(ops[0], ops[1], ops[2], ops[3]) },
		)(zero, step, v, v)
	}
	t.takeFrom(y, v)
}

func (t target) signDescent() {
	t.function("signDescent", "computes y −= c[0]·sign(grad), y −= grad where grad is 0 or a NaN.", "func(y, grad, c *%[1]s, n int)")
	y, g, c := param("y"), param("grad"), t.factors(1)
	t.stream(t.lanes(), func(at func(reg.GPVirtual) Mem) {
		v := t.vec()
		t.load(at(g), v)
		t.againstSign(at(y), c[0], v)
	})
	VZEROUPPER()
	RET()
}

func (t target) lion() {
	t.function("lion", "computes y −= c[0]·sign(c[1]·m + c[2]·grad), as signDescent, m = c[3]·m + c[4]·grad.", "func(y, m, grad, c *%[1]s, n int)")
	y, m, g, c := param("y"), param("m"), param("grad"), t.factors(5)
	t.stream(t.lanes(), func(at func(reg.GPVirtual) Mem) {
		gradient := t.vec()
		t.load(at(g), gradient)
		t.againstSign(at(y), c[0], t.mean(at(m), c[1], c[2], gradient))
		t.store(t.mean(at(m), c[3], c[4], gradient), at(m))
	})
	VZEROUPPER()
	RET()
}
