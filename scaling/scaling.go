// Package scaling fits power laws in depth, with intervals over seeds, and tells
// the regimes of weight paths apart.
package scaling

// Sample is one measured value y at one depth, from one seed.
type Sample struct {
	Depth int
	Seed  uint64
	Value float64
}

// Slope is the fit of y ≈ e^Intercept · L^Slope.
type Slope struct {
	Slope     float64
	Low, High float64 // 95 % interval of Slope; NaN-free: see Method
	Intercept float64 // log y at log L = 0
	R2        float64
	Method    string // "seeds", "regression" or "none" when no interval can be given (Low = High = Slope)
	Warning   string
	Residuals []float64 // log y − fit, in the order of the samples
}
