package report

import "gonum.org/v1/plot/plotter"

// columns is how many slices of the x axis a line is thinned in: more than the 1004
// dots that a figure over one journal column is wide at 300 dpi.
const columns = 1200

// thin returns the points that a line over [low, high] needs to look the same: of
// every slice of the axis with more than four points, in order of x, the first, the
// lowest, the highest and the last. Points must be in order of x; a line of few
// points is returned as it is.
func thin(points plotter.XYs, low, high float64) plotter.XYs {
	if len(points) <= 4*columns {
		return points
	}
	column := func(x float64) int { return int((x - low) / (high - low) * columns) }
	var out plotter.XYs
	for start := 0; start < len(points); {
		end := start + 1
		lowest, highest := start, start
		for end < len(points) && column(points[end].X) == column(points[start].X) {
			if points[end].Y < points[lowest].Y {
				lowest = end
			}
			if points[end].Y > points[highest].Y {
				highest = end
			}
			end++
		}
		last := -1
		for _, i := range []int{start, min(lowest, highest), max(lowest, highest), end - 1} {
			if i > last {
				out = append(out, points[i])
				last = i
			}
		}
		start = end
	}
	return out
}
