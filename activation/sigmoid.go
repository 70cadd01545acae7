package activation

import "math"

// sigmoid is the logistic function s(z) = 1/(1 + e^−z). With c = 1 − s: σ′ = sc,
// at most 1/4, and σ″ = sc(c − s), extremal where σ‴ = sc(1 − 6sc) = 0, that is
// sc = 1/6 and |c − s| = √(1 − 4sc) = 1/√3: sup|σ″| = 1/(6√3). σ(0) = 1/2.
type sigmoid struct{}

func (sigmoid) Name() string { return "sigmoid" }

func (sigmoid) Value(z float64) float64 {
	s, _ := logistic(z)
	return s
}

func (sigmoid) Derivatives(z float64) (value, first, second float64) {
	s, c := logistic(z)
	return s, s * c, s * c * (c - s)
}

func (sigmoid) SupFirst() float64 { return 0.25 }

func (sigmoid) SupSecond() float64 { return 1 / (6 * math.Sqrt(3)) }

func (sigmoid) SupThird() float64 { return 0.125 }

// MinFirst returns σ′(z), as σ′ is even and decreases in |z|.
func (sigmoid) MinFirst(z float64) float64 {
	s, c := logistic(z)
	return s * c
}

func (sigmoid) Smoothness() int { return Smooth }

// centredSigmoid is the logistic function moved through the origin,
// σ(z) = s(z) − 1/2 = tanh(z/2)/2. Its derivatives are those of sigmoid.
type centredSigmoid struct{ sigmoid }

func (centredSigmoid) Name() string { return "centred-sigmoid" }

func (centredSigmoid) Value(z float64) float64 { return math.Tanh(z/2) / 2 }

func (f centredSigmoid) Derivatives(z float64) (value, first, second float64) {
	_, first, second = f.sigmoid.Derivatives(z)
	return f.Value(z), first, second
}

// logistic returns s = 1/(1 + e^−z) and c = 1 − s, both to full relative precision.
func logistic(z float64) (s, c float64) {
	e := math.Exp(-math.Abs(z))
	large, small := 1/(1+e), e/(1+e)
	if z < 0 {
		return small, large
	}
	return large, small
}
