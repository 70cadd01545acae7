package certify

import "math"

// A majorant is ψ(t)/σ₀ = first − t + ½at² + bt³/6 with a = M(0)/σ₀ and b = T/σ₀, T a bound of ‖F‴‖ in the ball: ‖F − Y‖ lies below
// ψ at path length t of gradient descent, and the steps of Newton's method below those on ψ (docs/certificates.md, section 12).
type majorant struct{ first, a, b float64 }

// lowest returns about where ψ is least.
func (m majorant) lowest() float64 { return 2 / (m.a + math.Sqrt(m.a*m.a+2*m.b)) }

// reaches says whether ψ(t) ≤ 0, for certain.
func (m majorant) reaches(t float64) bool {
	return above(m.first+t*t*(0.5*m.a+m.b*t/6)) <= t
}

// root returns a number at or above the first root of ψ and close to it; ok is false where there is none.
func (m majorant) root() (t float64, ok bool) {
	low, high := 0.0, m.lowest()
	if !m.reaches(high) {
		return 0, false
	}
	for range 80 {
		if middle := low + 0.5*(high-low); m.reaches(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high, true
}

// slope returns a lower bound of −ψ′(t)/σ₀.
func (m majorant) slope(t float64) float64 { return max(0, below(1-above(t*(m.a+0.5*m.b*t)))) }

// FirstRoot returns a number at or above the first root of ψ(t) = σ₀(first − t) + ½centre t² + growth t³/6 and close to it; ok is false where there is none. It is for
// who weakens the constants of a statement.
func FirstRoot(first, sigma, centre, growth float64) (t float64, ok bool) {
	return majorant{first, above(centre / sigma), above(growth / sigma)}.root()
}

// closeSharper looks for a radius w at which ψ has a root l ≤ w, with the curvature at the centre and a bound of how it grows. Its h is such that
// −ψ′(l) = σ₀√(1 − 2h), as where ψ has no cubic term.
func (t *Tangent) closeSharper(first float64) closure {
	c := closure{radius: first, why: "no sharper bound holds"}
	if t.Growth == nil {
		return c
	}
	sigma := below(math.Sqrt(t.LambdaMin))
	for range mostBalls {
		growth := t.Growth(c.radius)
		if !(growth <= math.MaxFloat64 && t.Centre <= math.MaxFloat64) {
			return c
		}
		m := majorant{first, above(t.Centre / sigma), above(growth / sigma)}
		length, ok := m.root()
		if !ok {
			return c
		}
		if length <= c.radius {
			end := m.slope(length)
			c.h, c.length, c.why = min(0.5, 0.5*above(1-below(end*end))), length, ""
			c.curvature = above(t.Centre + above(growth*c.radius))
			c.growth = growth
			c.lost = above(length * (t.Centre + 0.5*growth*length))
			return c
		}
		c.radius = length * (1 + closureSlack)
	}
	return c
}
