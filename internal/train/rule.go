package train

// A rule gives the step size of iteration t; Armijo's comes from a search instead.
type rule struct {
	Step
	first      float64 // η₀ at this depth (Spec.At); 0 for certified
	iterations int
}

// newRule returns the rule of a resolved section from its η₀ on.
func newRule(spec Spec, first *float64) rule {
	r := rule{Step: spec.Step, iterations: *spec.Stop.Iterations}
	if first != nil {
		r.first = *first
	}
	return r
}

// searches and certified say where η comes from an iterate rather than from t alone.
func (r rule) searches() bool  { return r.Rule == "armijo" || r.Rule == gainRatio }
func (r rule) certified() bool { return r.Rule == "certified" }

// size returns η of iteration t = 0, 1, …: η₀ times the schedule's factor. For armijo it
// is where the search starts.
func (r rule) size(t int) float64 { return r.first * r.factor(t) }

// backtrack returns the largest η in {first, first·factor, first·factor², …} with
// J(θ − ηg) < J and J(θ − ηg) ≤ J − c η ‖g‖² [Armijo 1966], or 0 when there is none: J is
// then at the floor of its precision. The search ends where η‖g‖², to first order the
// decrease of J, is below J's rounding: smaller steps differ by rounding alone, and one
// of them would lower J by chance.
func (r rule) backtrack(first, loss, squaredNorm, rounding float64, lossAt func(eta float64) float64) float64 {
	for eta := first; eta*squaredNorm > rounding*loss; eta *= r.Factor {
		if next := lossAt(eta); next < loss && next <= loss-r.Slope*eta*squaredNorm {
			return eta
		}
	}
	return 0
}
