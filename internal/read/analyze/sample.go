package analyze

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/runfolder"
)

const (
	// overlaid is how many depths the figure of weights shows.
	overlaid = 5
	// PartitionDepth is the largest depth whose maximising partition is drawn where a study
	// has one: deeper, points run into one another.
	PartitionDepth = 256
)

// A PathSample is the rescaled weight path of one run as figures show it: some entries of
// the matrices, then their Frobenius norm.
type PathSample struct {
	Depth        int
	Seed         uint64
	Part         string      // name of the weights, A or V
	Entries      [][2]int    // zero-based row and column
	Trained      [][]float64 // L^β A_k(T): (entries + 1, L)
	Displacement [][]float64 // L^β (A_k(T) − A_k(0)): (entries + 1, L); nil without initial weights

	Factor    float64          // L^β
	Norms     *runfolder.Norms // of all layers along training, or nil
	States    [][]float64      // entries and norm of the first sample's hidden states, (·, L+1), or nil
	Partition *Partition       // of the one path that it is drawn for
	Moved     *Partition       // of its displacement, nil without initial weights
}

// A Partition is a path seen along one of its entries, with the partitions that attain
// its p-variations.
type Partition struct {
	Entry      [2]int    // zero-based row and column
	Values     []float64 // of that entry, rescaled
	Variations []pvar.Variation
}

// chooseShown marks the runs that the figure of weights shows: of the seed that finished at
// most depths some, spread from the smallest to the largest. members are sorted by seed and
// then depth.
func chooseShown(members []*outcome) {
	var best, now []*outcome // one run a depth
	for i, o := range members {
		if o.diverged() {
			continue
		}
		n := len(now)
		switch {
		case n > 0 && now[n-1].meta().Seed == o.meta().Seed && now[n-1].meta().Depth == o.meta().Depth:
			continue
		case n > 0 && now[n-1].meta().Seed != o.meta().Seed:
			now = nil
		}
		if now = append(now, members[i]); len(now) > len(best) {
			best = now
		}
	}
	best = Evenly(best, overlaid)
	for i, o := range best {
		depth := o.meta().Depth
		o.shown = true
		// The deepest that is not too deep, else the shallowest.
		o.divided = depth <= PartitionDepth && (i+1 == len(best) || best[i+1].meta().Depth > PartitionDepth) || i == 0 && depth > PartitionDepth
	}
}

// Evenly returns at most n of values, in order: the first, the last, and others evenly
// between them.
func Evenly[T any](values []T, n int) []T {
	if len(values) <= n {
		return values
	}
	out := make([]T, n)
	for i := range out {
		out[i] = values[int(math.Round(float64(i)*float64(len(values)-1)/float64(n-1)))]
	}
	return out
}

// pathSet returns the samples of the runs that are shown.
func (g *gathering) pathSet() PathSet {
	var set PathSet
	for _, o := range g.members {
		err := o.missing
		if o.sample != nil && len(set.Samples) > 0 && !o.sample.comparable(set.Samples[0]) {
			err = fmt.Errorf("their shape is not that of depth %d", set.Samples[0].Depth)
		}
		switch {
		case err != nil:
			set.Missing = append(set.Missing, fmt.Sprintf("Run %s: weights left out of the figure: %v", o.run.ID, err))
		case o.sample != nil:
			set.Samples = append(set.Samples, o.sample)
		}
	}
	return set
}

// comparable reports whether s has the panels of t.
func (s *PathSample) comparable(t *PathSample) bool {
	return s.Part == t.Part && len(s.Entries) == len(t.Entries) && (s.Displacement == nil) == (t.Displacement == nil)
}

// newPathSample samples the rescaled weights of a run, with the displacement when the file
// holds the initial ones, its norms and states and, if divided, the partitions of its
// p-variations.
func newPathSample(meta *runfolder.Meta, weights runfolder.Weights, norms *runfolder.Norms, states *runfolder.Tensor, divided bool) (*PathSample, error) {
	part := meta.Part()
	trained, err := weights.Path(part)
	if err != nil {
		return nil, err
	}
	var initial *runfolder.Path
	if _, ok := weights.Tensors[part+initialSuffix]; ok {
		p, err := weights.Path(part + initialSuffix)
		if err != nil {
			return nil, err
		}
		initial = &p
	}
	s, err := SamplePath(trained, initial, part, meta.Seed, math.Pow(float64(meta.Depth), meta.Beta()))
	if err != nil {
		return nil, err
	}
	s.Norms, s.States = norms, SampleStates(states)
	if divided {
		s.Partition, err = NewPartition(trained, s.Factor)
	}
	if divided && err == nil && initial != nil {
		moved, _ := trained.Sub(*initial) // SamplePath has made it
		s.Moved, err = NewPartition(moved, s.Factor)
	}
	return s, err
}

// SamplePath samples a path, rescaled by factor, at the entries that figures show: the first
// two of the first row, or as many as there are. initial may be nil.
func SamplePath(trained runfolder.Path, initial *runfolder.Path, part string, seed uint64, factor float64) (*PathSample, error) {
	s := &PathSample{Depth: trained.Depth, Seed: seed, Part: part, Factor: factor}
	for j := range min(2, trained.Cols) {
		s.Entries = append(s.Entries, [2]int{0, j})
	}
	s.Trained = s.sample(trained)
	if initial != nil {
		displacement, err := trained.Sub(*initial)
		if err != nil {
			return nil, err
		}
		s.Displacement = s.sample(displacement)
	}
	return s, nil
}

// sample returns the entries and the norm along p, rescaled.
func (s *PathSample) sample(p runfolder.Path) [][]float64 {
	out := make([][]float64, 0, len(s.Entries)+1)
	for _, e := range s.Entries {
		values := make([]float64, p.Depth)
		for k := range values {
			values[k] = s.Factor * p.Matrix(k + 1)[e[0]*p.Cols+e[1]]
		}
		out = append(out, values)
	}
	norms := p.Norms()
	floats.Scale(s.Factor, norms)
	return append(out, norms)
}

// SampleStates returns the first two entries and the norm of the hidden states (n, L+1, d)
// of the first sample, nil without any.
func SampleStates(h *runfolder.Tensor) [][]float64 {
	if h == nil || h.Shape[0] == 0 || h.Shape[2] == 0 {
		return nil
	}
	points, width := h.Shape[1], h.Shape[2]
	out := make([][]float64, min(2, width)+1)
	for k := range points {
		state := h.Data[k*width : (k+1)*width]
		for q := range len(out) - 1 {
			out[q] = append(out[q], state[q])
		}
		out[len(out)-1] = append(out[len(out)-1], floats.Norm(state, 2))
	}
	return out
}

// NewPartition finds the partitions of a path, rescaled by factor, and its entry that
// varies most over the layers.
func NewPartition(path runfolder.Path, factor float64) (*Partition, error) {
	rescaled := path.Rescaled(factor)
	size := path.Rows * path.Cols
	variations, err := pvar.Compute(points(rescaled), 1.5, 2, 3)
	if err != nil {
		return nil, err
	}
	out := &Partition{Variations: variations}
	most := math.Inf(-1)
	values := make([]float64, path.Depth)
	for e := range size {
		for k := range values {
			values[k] = rescaled.Data[k*size+e]
		}
		if v := stat.PopVariance(values, nil); v > most {
			most, out.Entry, out.Values = v, [2]int{e / path.Cols, e % path.Cols}, append([]float64(nil), values...)
		}
	}
	return out, nil
}
