package activation

// identity is σ(z) = z, which makes the network linear in its input.
type identity struct{}

func (identity) Name() string { return "identity" }

func (identity) Value(z float64) float64 { return z }

func (identity) Derivatives(z float64) (value, first, second float64) { return z, 1, 0 }

func (identity) SupFirst() float64 { return 1 }

func (identity) SupSecond() float64 { return 0 }

func (identity) SupThird() float64 { return 0 }

func (identity) MinFirst(float64) float64 { return 1 }

func (identity) Smoothness() int { return Smooth }
