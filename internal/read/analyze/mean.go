package analyze

import (
	"math"

	"github.com/deeplimit/deeplimit/scaling"
)

// sizeOf returns the mean over seeds of a distance, a loss or another number that is never
// negative, with its interval.
func sizeOf(values []float64) Estimate { return scaling.MeanOf(values).Within(0, math.Inf(1)) }

// A DistanceMean is the distance between the paths of two depths over seeds.
type DistanceMean struct {
	Depth, Next  int
	Integral     Estimate
	Displacement *Estimate // nil when no run has one
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
		out[i].Integral = sizeOf(integrals[pair])
		if values := displacements[pair]; values != nil {
			mean := sizeOf(values)
			out[i].Displacement = &mean
		}
	}
	return out
}
