package serve

import (
	"errors"
	"io/fs"
	"math"
	"net/http"
	"slices"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

const (
	maxCurves = 300 // runs in one answer
	points    = 600 // of a curve, about; fewer when there are many
)

// A curve is a sequence of points. Those of one group have a common grid: the first
// record of every stride iterations, and the last of all.
type curve struct {
	X []int  `json:"x"`
	Y series `json:"y"`
}

// newCurve thins a curve to the grid with this stride, after the iteration from if that is
// positive.
func newCurve(iterations []int, values []float64, stride, from int) curve {
	c := curve{X: []int{}, Y: series{}}
	cell := -1
	for i, t := range iterations {
		if t < from {
			continue
		}
		if t/stride != cell || i == len(iterations)-1 {
			cell = t / stride
			c.X, c.Y = append(c.X, t), append(c.Y, values[i])
		}
	}
	return c
}

// rows returns the recorded iterations of a run: its trace if it is finished, else those of its
// live file. Without either there are no rows and no error.
func (s *study) rows(r *survey.Run) ([]runfolder.Row, error) {
	if r.State == survey.Pending {
		return nil, nil
	}
	dir, err := s.contained(r.ID)
	if err != nil {
		return nil, err
	}
	run, err := runfolder.Open(dir)
	if err == nil && run.Done() {
		return run.Trace()
	}
	if runfolder.Unreadable(err) {
		return nil, err
	}
	rows, _, err := runfolder.ReadLive(dir, 0)
	return rows, err
}

// A runCurve is the loss of one run.
type runCurve struct {
	Run   string       `json:"run"`
	Depth int          `json:"depth"`
	Seed  uint64       `json:"seed"`
	State survey.State `json:"state"`
	curve
}

// groupLosses reads the loss of every run of a group, at most maxCurves of them.
type groupLosses struct {
	Stride  int        `json:"stride"`
	Curves  []runCurve `json:"curves"`
	Skipped int        `json:"skipped"` // runs beyond maxCurves
	Notes   []string   `json:"notes,omitempty"`
}

func (s *study) groupLosses(r *http.Request) (groupLosses, error) {
	seen := s.survey()
	if seen.err != nil {
		return groupLosses{}, seen.err
	}
	runs := seen.group(r.URL.Query().Get("group"))
	if len(runs) == 0 {
		return groupLosses{}, missing("group", r.URL.Query().Get("group"))
	}
	g := groupLosses{Stride: 1, Curves: []runCurve{}}
	if len(runs) > maxCurves {
		g.Skipped = len(runs) - maxCurves
		runs = runs[:maxCurves]
	}
	type recorded struct {
		iterations []int
		losses     []float64
	}
	all := make([]recorded, len(runs))
	longest := 0
	for i, run := range runs {
		if err := r.Context().Err(); err != nil {
			return groupLosses{}, err
		}
		rows, err := s.rows(run)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) { // removed a moment ago
				g.Notes = append(g.Notes, err.Error())
			}
			continue
		}
		iterations, losses := runfolder.Losses(rows)
		all[i] = recorded{iterations, losses}
		if len(iterations) > 0 {
			longest = max(longest, iterations[len(iterations)-1])
		}
	}
	g.Stride = max(1, longest/min(points, 30_000/len(runs)))
	for i, run := range runs {
		g.Curves = append(g.Curves, runCurve{run.ID, run.Depth, run.Seed, run.State, newCurve(all[i].iterations, all[i].losses, g.Stride, 0)})
	}
	return g, nil
}

// losses answers with the loss curves of a group.
func (s *Server) losses(r *http.Request) (any, error) {
	study, err := s.folder.study(r.PathValue("study"))
	if err != nil {
		return nil, err
	}
	return study.groupLosses(r)
}

// A band is the loss over the seeds of one depth, at the iterations that all seeds have recorded,
// because a mean over the rest would jump where one ends.
type band struct {
	Depth int    `json:"depth"`
	Seeds int    `json:"seeds"`
	X     []int  `json:"x"`
	Mean  series `json:"mean"` // geometric
	Low   series `json:"low"`  // the least of the seeds
	High  series `json:"high"` // the largest of the seeds
	Left  int    `json:"left"` // runs left out, without a usable loss
}

// newBand returns the band of the runs of one depth.
func newBand(depth int, curves []runCurve) band {
	b := band{Depth: depth, X: []int{}, Mean: series{}, Low: series{}, High: series{}}
	counts := map[int]int{}
	var used []map[int]float64
	for _, c := range curves {
		values := make(map[int]float64, len(c.X))
		for i, x := range c.X {
			if c.Y[i] > 0 && !math.IsInf(c.Y[i], 0) {
				values[x] = c.Y[i]
				counts[x]++
			}
		}
		if len(values) == 0 || c.State == survey.Diverged {
			for x := range values {
				counts[x]--
			}
			b.Left++
			continue
		}
		used = append(used, values)
	}
	b.Seeds = len(used)
	for x, n := range counts {
		if n == len(used) && n > 0 {
			b.X = append(b.X, x)
		}
	}
	slices.Sort(b.X)
	for _, x := range b.X {
		sum, low, high := 0.0, math.Inf(1), 0.0
		for _, values := range used {
			sum += math.Log(values[x])
			low, high = min(low, values[x]), max(high, values[x])
		}
		b.Mean = append(b.Mean, math.Exp(sum/float64(len(used))))
		b.Low, b.High = append(b.Low, low), append(b.High, high)
	}
	return b
}

// bands answers with the bands of a group, one for each depth, or for the one asked for.
func (s *Server) bands(r *http.Request) (any, error) {
	study, err := s.folder.study(r.PathValue("study"))
	if err != nil {
		return nil, err
	}
	depth, err := integer(r, "depth", 0, 1, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	losses, err := study.groupLosses(r)
	if err != nil {
		return nil, err
	}
	byDepth := map[int][]runCurve{}
	for _, c := range losses.Curves {
		if depth == 0 || c.Depth == depth {
			byDepth[c.Depth] = append(byDepth[c.Depth], c)
		}
	}
	list := []band{}
	for _, d := range sortedKeysInt(byDepth) {
		list = append(list, newBand(d, byDepth[d]))
	}
	if depth != 0 && len(list) == 0 {
		return nil, &field.Error{Path: "depth", Got: depth, Want: "a depth of the group"}
	}
	return map[string]any{"bands": list, "stride": losses.Stride, "skipped": losses.Skipped, "notes": losses.Notes}, nil
}
