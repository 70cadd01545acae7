package kernel

import (
	"fmt"
	"testing"
)

// updatesIdentical compares the steps of methods on n elements.
func updatesIdentical[T Float](t *testing.T, ops *Ops[T], a *arena[T], n int) {
	want := portableOf[T]()
	y, yWant := a.pair(n)
	m, mWant := a.pair(n)
	s, sWant := a.pair(n)
	g, size, b1, b2 := a.array(n), T(0.01), T(0.9), a.values(a.r)
	if n%3 == 0 {
		clear(g)
	}
	check := func(name string) {
		t.Helper()
		name = fmt.Sprintf("%s n=%d", name, n)
		same(t, name+" y", y, yWant)
		same(t, name+" m", m, mWant)
		same(t, name+" s", s, sWant)
	}
	ops.Scale(y, b2, g)
	want.Scale(yWant, b2, g)
	check("Scale")
	ops.Scale(y, b2, y)
	want.Scale(yWant, b2, yWant)
	check("Scale in place")
	ops.Momentum(y, m, -size, b2, g)
	want.Momentum(yWant, mWant, -size, b2, g)
	check("Momentum")
	ops.Nesterov(y, m, size, b2, g)
	want.Nesterov(yWant, mWant, size, b2, g)
	check("Nesterov")
	ops.Sign(y, size, g)
	want.Sign(yWant, size, g)
	check("Sign")
	ops.Lion(y, m, size, b1, b2, g)
	want.Lion(yWant, mWant, size, b1, b2, g)
	check("Lion")
	f := AdamFactors[T]{Size: size, Epsilon: 1e-8, B1: b1, B2: b2, Correct1: 10, Correct2: 1000}
	ops.Adam(y, m, s, f, g)
	want.Adam(yWant, mWant, sWant, f, g)
	check("Adam")
}
