package resnet

// Spec is the `network` section of a study file. Zero values mean the default,
// which Resolve fills in.
type Spec struct {
	// Block is inner (σ(A h + b)), outer (A σ(h) + b) or mlp (V σ(W h + b) + c); default inner.
	Block string `yaml:"block,omitempty" json:"block"`
	// Activation is one of activation.Names; default tanh.
	Activation string `yaml:"activation,omitempty" json:"activation"`
	// Alpha is the exponent of the residual scale δ = L^−α, in [0,1]; default 1/2. β = 1 − α.
	Alpha *float64 `yaml:"alpha,omitempty" json:"alpha"`
	// Residual says how δ is trained: fixed (not), shared (one δ for all layers)
	// or layered (one for each); default fixed. A trained δ starts at L^−α.
	Residual string `yaml:"residual,omitempty" json:"residual"`
	// Bias adds b (and c in block mlp); default false.
	Bias bool `yaml:"bias,omitempty" json:"bias"`
	// Loss is squared ((1/2N)Σ‖r‖²), cross-entropy (mean over samples, of the
	// softmax) or lp ((1/pN)ΣΣ|r|^p); default squared.
	Loss string `yaml:"loss,omitempty" json:"loss"`
	// Power is the p of loss lp, p > 1; default 4.
	Power float64 `yaml:"power,omitempty" json:"power,omitempty"`
	// Width is d, the dimension of a hidden state; default the dimension of the inputs.
	Width int `yaml:"width,omitempty" json:"width"`
	// Hidden is the hidden width of block mlp; default Width.
	Hidden int `yaml:"hidden,omitempty" json:"hidden,omitempty"`
	// Embed and Readout say what E and C are: auto (identity when sizes agree,
	// else orthonormal), identity, orthonormal (fixed, random) or trained
	// (starting from orthonormal); default auto.
	Embed   string `yaml:"embed,omitempty" json:"embed"`
	Readout string `yaml:"readout,omitempty" json:"readout"`
}

// Initial is the `initial` section of a study file: how the weights of every
// layer start. Entries are amplitude · L^−exponent times a standard draw.
type Initial struct {
	// Kind is one of: normal; truncated-normal (at ±2, not rescaled); uniform
	// (variance 1, on [−√3, √3]); constant; zero; gaussian-process (smooth in
	// k/L, squared-exponential kernel); fractional-brownian (its values at k/L);
	// fractional-noise (its increments, variance 1); file. Default normal.
	Kind string `yaml:"kind,omitempty" json:"kind"`
	// Amplitude defaults to 1/d (d the width), 0 for kind zero.
	Amplitude *float64 `yaml:"amplitude,omitempty" json:"amplitude,omitempty"`
	// Exponent is ρ in L^−ρ; default β + 1/2.
	Exponent *float64 `yaml:"exponent,omitempty" json:"exponent,omitempty"`
	// Tied makes one draw for all layers (normal, truncated-normal, uniform).
	Tied bool `yaml:"tied,omitempty" json:"tied,omitempty"`
	// Coupled draws the layer noise (normal, fractional-noise, fractional-brownian) from one path
	// per seed, shared by all depths: A_k ∝ B(k/L) − B((k−1)/L).
	Coupled bool `yaml:"coupled,omitempty" json:"coupled,omitempty"`
	// Hurst is the Hurst exponent H of the fractional kinds, in (0,1); default 1/2.
	Hurst float64 `yaml:"hurst,omitempty" json:"hurst,omitempty"`
	// Length is the correlation length ℓ of gaussian-process, in units of k/L; default 0.1.
	Length float64 `yaml:"length,omitempty" json:"length,omitempty"`
	// Path names the .npy or .safetensors file of kind file: (L,d,d), may hold {depth}.
	Path string `yaml:"path,omitempty" json:"path,omitempty"`
	// Bias names the (L,d) file for b of kind file; zero when absent.
	Bias string `yaml:"bias,omitempty" json:"bias,omitempty"`
	// Parts overrides the above for a parameter group on its own: A, V, W, b, c.
	// Without it b and c start at zero and V, W as the rest says.
	Parts map[string]Initial `yaml:"parts,omitempty" json:"parts,omitempty"`
}
