package train

// Spec is the `train` section of a study file. Zero values mean the default.
type Spec struct {
	// Method is gd (full-batch gradient descent), sgd, momentum or adam; default gd.
	Method string `yaml:"method,omitempty" json:"method"`
	// Batch is the number of samples of a mini-batch; 0 for all. Default 32 for
	// sgd, else 0; not allowed with gd.
	Batch int `yaml:"batch,omitempty" json:"batch,omitempty"`
	// Momentum is the factor of method momentum; default 0.9.
	Momentum float64 `yaml:"momentum,omitempty" json:"momentum,omitempty"`
	// Beta1, Beta2, Epsilon are those of Adam; defaults 0.9, 0.999, 1e-8.
	Beta1   float64 `yaml:"beta1,omitempty" json:"beta1,omitempty"`
	Beta2   float64 `yaml:"beta2,omitempty" json:"beta2,omitempty"`
	Epsilon float64 `yaml:"epsilon,omitempty" json:"epsilon,omitempty"`
	Step    Step    `yaml:"step,omitempty" json:"step"`
	Stop    Stop    `yaml:"stop,omitempty" json:"stop"`
}

// Step is the step-size rule: the η of iteration t.
type Step struct {
	// Rule is depth (η = value·L^(2α−1)), constant (η = value), armijo
	// (backtracking from value·L^(2α−1)), cosine (from value·L^(2α−1) down to
	// minimum times that over stop.iterations) or decay (value·L^(2α−1)·factor^⌊t/every⌋);
	// default depth.
	Rule string `yaml:"rule,omitempty" json:"rule"`
	// Value is η₀; default 1.
	Value float64 `yaml:"value,omitempty" json:"value"`
	// Factor is what Armijo and decay multiply η with; default 1/2.
	Factor float64 `yaml:"factor,omitempty" json:"factor,omitempty"`
	// Slope is the Armijo constant c: accept when J(θ−ηg) ≤ J − cη‖g‖²; default 1e-4.
	Slope float64 `yaml:"slope,omitempty" json:"slope,omitempty"`
	// Every is the number of iterations between decays; default a third of stop.iterations.
	Every int `yaml:"every,omitempty" json:"every,omitempty"`
	// Minimum is the last η of cosine as a fraction of the first; default 0.
	Minimum float64 `yaml:"minimum,omitempty" json:"minimum,omitempty"`
}

// Stop says when a run ends; the first condition that holds ends it.
type Stop struct {
	// Loss stops when J ≤ loss; 0 for never.
	Loss float64 `yaml:"loss,omitempty" json:"loss,omitempty"`
	// Iterations is the largest number of steps; default 1000.
	Iterations int `yaml:"iterations,omitempty" json:"iterations"`
	// Seconds stops after that much training time; 0 for never. The result then
	// depends on the machine.
	Seconds float64 `yaml:"seconds,omitempty" json:"seconds,omitempty"`
	// Plateau stops when J has not fallen by a factor 1 − 1e-6 over this many iterations; 0 for never.
	Plateau int `yaml:"plateau,omitempty" json:"plateau,omitempty"`
	// Divergence stops when J exceeds this multiple of J(0), or is not finite; default 1e6.
	Divergence float64 `yaml:"divergence,omitempty" json:"divergence,omitempty"`
}
