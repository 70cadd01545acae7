package analyze

import (
	"cmp"
	"slices"
	"strings"
)

// Edge is what `deeplimit edge --json` prints: how large a step size gradient descent
// bears at each depth.
type Edge struct {
	Study string `json:"study"`
	// Scan is how far apart, relatively, the step sizes are that were tried, and Precision
	// the relative width of the gap in which the end of the stable ones lies.
	Scan      float64 `json:"scan"`
	Precision float64 `json:"precision"`

	Runs   []EdgeRun   `json:"runs"` // by data, α, group, depth and seed
	Groups []EdgeGroup `json:"groups"`
}

// EdgeRun is the edge of stability of one run. A step size is stable where the loss never
// exceeds its first value.
type EdgeRun struct {
	ID       string            `json:"id"`
	Group    string            `json:"group"`
	Settings map[string]string `json:"settings,omitempty"`
	Data     string            `json:"data"`
	Alpha    float64           `json:"alpha"`
	Depth    int               `json:"depth"`
	Seed     uint64            `json:"seed"`
	// Stable is the step size up to which all are stable: at every one tried up to it the
	// loss never regains more than a tenth of what it has lost.
	Stable float64 `json:"stable"`
	// Unstable is the smallest step size tried that is not stable; between the two lie both
	// kinds. Null where none is.
	Unstable *float64 `json:"unstable"`
	Tried    int      `json:"tried"` // how many step sizes were
	// Sharpness is the largest eigenvalue of the Hessian at the initial weights; Bound is 2/Sharpness,
	// where descent on the quadratic with that Hessian turns unstable. Null where it is not
	// larger than its residual, within which some eigenvalue lies.
	Sharpness         float64  `json:"sharpness"`
	SharpnessResidual float64  `json:"sharpness_residual"`
	Bound             *float64 `json:"bound"`
}

// EdgeGroup has the exponents of the edge in depth, null without two depths.
type EdgeGroup struct {
	Group    string            `json:"group"`
	Settings map[string]string `json:"settings,omitempty"`
	Data     string            `json:"data"`
	Alpha    float64           `json:"alpha"`
	Measured *Slope            `json:"measured"`
	Bound    *Slope            `json:"bound"`
	Notes    []string          `json:"notes,omitempty"`
}

// NewEdge sorts the runs and fits power laws in depth to each group.
func NewEdge(study string, runs []EdgeRun) *Edge {
	e := &Edge{Study: study, Runs: slices.Clone(runs)}
	slices.SortStableFunc(e.Runs, func(a, b EdgeRun) int {
		return cmp.Or(
			cmp.Compare(a.Data, b.Data), cmp.Compare(a.Alpha, b.Alpha), strings.Compare(a.Group, b.Group),
			cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Seed, b.Seed),
		)
	})
	for from, to := 0, 0; from < len(e.Runs); from = to {
		for to = from + 1; to < len(e.Runs) && e.Runs[to].Group == e.Runs[from].Group; {
			to++
		}
		e.Groups = append(e.Groups, newEdgeGroup(e.Runs[from:to]))
	}
	return e
}

// newEdgeGroup fits the edges of runs that differ in depth and seed alone.
func newEdgeGroup(runs []EdgeRun) EdgeGroup {
	first := &runs[0]
	var measured, bounds []sample
	for i := range runs {
		r := &runs[i]
		at := func(v float64) sample {
			s := sample{run: r.ID}
			s.Depth, s.Seed, s.Value = r.Depth, r.Seed, v
			return s
		}
		measured = append(measured, at(r.Stable))
		if r.Bound != nil {
			bounds = append(bounds, at(*r.Bound))
		}
	}
	var g Group // for its fits and notes
	group := EdgeGroup{Group: first.Group, Settings: first.Settings, Data: first.Data, Alpha: first.Alpha}
	group.Measured, _ = g.slope("edge", measured)
	group.Bound, _ = g.slope("2/sharpness", bounds)
	group.Notes = g.Notes
	return group
}
