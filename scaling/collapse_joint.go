package scaling

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/interp"
)

// A joint is what runs through the trials of a curve: a monotone cubic, or straight lines.
type joint struct {
	curve  *curve
	cubic  interp.FritschButland
	linear interp.PiecewiseLinear
	lines  bool
	error  []float64 // by interval between trials, the variance of what joins them
}

func newJoint(c *curve, straight bool) joint {
	j := joint{curve: c, lines: straight}
	if j.linear.Fit(c.x, c.y) != nil || j.cubic.Fit(c.x, c.y) != nil {
		panic("scaling: collapse: trials of a curve are not in order") // newBowlTrials sorts them
	}
	for i := range len(c.x) - 1 {
		most := 0.0
		for part := 0.125; part < 1; part += 0.125 {
			x := c.x[i] + part*(c.x[i+1]-c.x[i])
			most = max(most, math.Abs(j.cubic.Predict(x)-j.linear.Predict(x)))
		}
		j.error = append(j.error, most*most)
	}
	return j
}

// at returns the curve at x, and the variance of its error there; false beyond its ends.
func (j *joint) at(x float64) (value, variance float64, ok bool) {
	c := j.curve
	if x < c.x[0] || x > c.x[len(c.x)-1] {
		return 0, 0, false
	}
	i, found := slices.BinarySearch(c.x, x)
	if !found {
		i--
	}
	i = min(i, len(c.x)-2)
	value = j.cubic.Predict(x)
	if j.lines {
		value = j.linear.Predict(x)
	}
	return value, j.error[i] + max(c.variance[i], c.variance[i+1]), true
}
