package analyze

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/scaling"
)

// A Mean is that of a quantity over seeds, with its 95 % interval by Student's t; Low and
// High are NaN for one seed.
type Mean struct{ Value, Low, High float64 }

func newMean(values []float64) Mean {
	mean, half := scaling.MeanInterval(values, 0.95)
	return Mean{mean, mean - half, mean + half}
}

// String writes "0.0133 [0.0121, 0.0145]", and the mean alone for one seed.
func (m Mean) String() string {
	if math.IsNaN(m.Low) {
		return short(m.Value)
	}
	return fmt.Sprintf("%s [%s, %s]", short(m.Value), short(m.Low), short(m.High))
}

// A DistanceMean is the distance between the paths of two depths over seeds.
type DistanceMean struct {
	Depth, Next  int
	Integral     Mean
	Displacement *Mean // nil when no run has one
}

// Means returns the distances of every two depths that were compared, ascending.
func (l *Limit) Means() []DistanceMean {
	var out []DistanceMean
	integrals, displacements := map[[2]int][]float64{}, map[[2]int][]float64{}
	for _, d := range l.Distances {
		pair := [2]int{d.Depth, d.Next}
		if integrals[pair] == nil {
			out = append(out, DistanceMean{Depth: d.Depth, Next: d.Next})
		}
		integrals[pair] = append(integrals[pair], d.Integral)
		if d.Displacement != nil {
			displacements[pair] = append(displacements[pair], *d.Displacement)
		}
	}
	for i := range out {
		pair := [2]int{out[i].Depth, out[i].Next}
		out[i].Integral = newMean(integrals[pair])
		if values := displacements[pair]; values != nil {
			mean := newMean(values)
			out[i].Displacement = &mean
		}
	}
	return out
}
