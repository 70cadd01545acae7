package importer

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	vector "gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/curvature"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/runfolder"
)

// statesTensor names the hidden states h_0 … h_L of some samples, (L+1, …), in a recorder's checkpoint. The samples are
// the same at every step.
const statesTensor = "deeplimit.states"

// mostLayers bounds the layers whose updates and blocks are looked at, evenly spaced, as those of runs are.
const mostLayers = 64

// A start is what the checkpoints of one training are compared with.
type start struct {
	meta    *runfolder.Meta
	layout  Layout
	layers  Range
	initial runfolder.Weights // names end in _initial
	states  *runfolder.Tensor // nil where none were recorded
	factor  float64           // L^β
}

// newStart returns the start of the training of p, with the states of its first checkpoint.
func (p *plan) newStart(meta *runfolder.Meta, o *Options, initial runfolder.Weights) (*start, error) {
	s := &start{meta: meta, layout: p.layout(o), layers: o.Layers, initial: initial, factor: math.Pow(float64(meta.Depth), meta.Beta())}
	first := &p.checkpoint
	if len(p.series) > 0 {
		first = &p.series[0].checkpoint
	}
	err := first.use(func(f *opened) (err error) {
		s.states, err = readStates(f, meta.Depth)
		return err
	})
	return s, err
}

// readStates returns the hidden states in a checkpoint as (L+1, n), nil for none.
func readStates(f *opened, depth int) (*runfolder.Tensor, error) {
	if f.holder[statesTensor] == nil {
		return nil, nil
	}
	shape := f.shape(statesTensor)
	if len(shape) < 2 || shape[0] != depth+1 {
		return nil, fmt.Errorf("tensor %q: got shape %v, want (%d, …), a state before the first layer and one behind each of %d", statesTensor, shape, depth+1, depth)
	}
	data, err := f.Read(statesTensor)
	return &runfolder.Tensor{Shape: []int{depth + 1, len(data) / (depth + 1)}, Data: data}, err
}

// measure returns the row of a checkpoint and, of matrices, the norms of every layer by part.
func (s *start) measure(step *plan) (runfolder.Row, map[string]runfolder.LayerNorms, error) {
	row, norms := runfolder.Row{Iteration: int64(step.time)}, map[string]runfolder.LayerNorms{}
	if err := step.told(&row); err != nil {
		return row, nil, err
	}
	weights := runfolder.Weights{Tensors: map[string]runfolder.Tensor{}}
	err := step.use(func(f *opened) error {
		found, err := findParts(f, s.layout, s.layers)
		if err != nil {
			return err
		}
		for name, part := range found {
			if weights.Tensors[name], err = part.read(f); err != nil {
				return err
			}
		}
		states, err := readStates(f, s.meta.Depth)
		if err != nil || states == nil || s.states == nil {
			return err
		}
		return s.blocks(&row, states.Data)
	})
	if err != nil {
		return row, nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(weights.Tensors)) {
		n, err := s.part(&row, name, weights)
		if err != nil {
			return row, nil, fmt.Errorf("importer: %s: %w", plain.Text(step.path), err)
		}
		if n != nil {
			norms[name] = *n
		}
	}
	return row, norms, nil
}

// part fills in what a row says of one part, and returns its norms; nil for biases.
func (s *start) part(row *runfolder.Row, name string, weights runfolder.Weights) (*runfolder.LayerNorms, error) {
	path, err := weights.Path(name)
	if err != nil {
		return nil, err
	}
	initial, err := s.initial.Path(name + "_initial")
	if err != nil {
		return nil, err
	}
	moved, err := path.Sub(initial)
	if err != nil {
		return nil, err
	}
	if name == s.meta.Part() {
		if err := measure(row, path, moved, s.factor); err != nil {
			return nil, err
		}
	}
	if len(weights.Tensors[name].Shape) != 3 {
		return nil, nil
	}
	if err := s.update(row, name, moved); err != nil {
		return nil, err
	}
	return &runfolder.LayerNorms{Frobenius: single(path.Norms()), Displacement: single(moved.Norms())}, nil
}

// sampled returns at most mostLayers of the layers, from 0.
func (s *start) sampled() []int {
	depth := s.meta.Depth
	layers := make([]int, min(depth, mostLayers))
	for i := range layers {
		layers[i] = i * depth / len(layers)
	}
	return layers
}

// update fills in, as means over layers, L^β‖ΔA_k‖₂ and the stable rank ‖ΔA_k‖_F²/‖ΔA_k‖₂² of the layers that moved.
// Weights that are not finite have neither.
func (s *start) update(row *runfolder.Row, part string, moved runfolder.Path) error {
	norm, rank, counted := 0.0, 0.0, 0.0
	layers := s.sampled()
	for _, k := range layers {
		delta := mat.NewDense(moved.Rows, moved.Cols, moved.Matrix(k+1))
		frobenius := mat.Norm(delta, 2)
		if frobenius == 0 {
			continue
		}
		spectral, err := spectralNorm(delta)
		if errors.Is(err, curvature.ErrNotFinite) {
			return nil
		}
		if err != nil {
			return err
		}
		norm += s.factor * spectral / float64(len(layers))
		rank += frobenius * frobenius / (spectral * spectral)
		counted++
	}
	set := func(name string, value float64) {
		if at := row.Coordinate(name, part); at != nil && !math.IsNaN(value) && !math.IsInf(value, 0) {
			*at = &value
		}
	}
	set("update-norm", norm)
	set("update-rank", rank/counted)
	return nil
}

// spectralNorm returns ‖a‖₂ from the largest eigenvalue of the smaller of aᵀa and aaᵀ: the singular values of every layer
// at every record would take minutes at the widths of transformers.
func spectralNorm(a *mat.Dense) (float64, error) {
	rows, cols := a.Dims()
	var b mat.Matrix = a
	if cols > rows {
		rows, cols, b = cols, rows, a.T()
	}
	if cols == 1 {
		return mat.Norm(a, 2), nil
	}
	image := mat.NewVecDense(rows, nil)
	found, err := curvature.Find(cols, func(dst, v []float64) error {
		image.MulVec(b, mat.NewVecDense(cols, v))
		mat.NewVecDense(cols, dst).MulVec(b.T(), image)
		return nil
	}, curvature.Options{LargestOnly: true, Accuracy: 1e-7})
	return math.Sqrt(max(0, found.Largest.Value)), err
}

// blocks fills in what has become of the hidden states: ‖Δh_L‖/‖h_L‖, and L times the root mean square over layers of
// ‖Δ(h_k − h_{k−1})‖/‖h_{k−1}‖.
func (s *start) blocks(row *runfolder.Row, states []float64) error {
	if len(states) != len(s.states.Data) {
		return fmt.Errorf("tensor %q: got %d numbers, want %d as at step 0", statesTensor, len(states), len(s.states.Data))
	}
	depth, n := s.meta.Depth, s.states.Shape[1]
	at := func(of []float64, k int) []float64 { return of[k*n : (k+1)*n] }
	keep := func(to **float64, value float64) {
		if !math.IsNaN(value) && !math.IsInf(value, 0) {
			*to = &value
		}
	}
	keep(&row.LastState, vector.Distance(at(states, depth), at(s.states.Data, depth), 2)/vector.Norm(at(s.states.Data, depth), 2))
	sum, change := 0.0, make([]float64, n)
	layers := s.sampled()
	for _, k := range layers {
		vector.SubTo(change, at(states, k+1), at(states, k))
		vector.Sub(change, at(s.states.Data, k+1))
		vector.Add(change, at(s.states.Data, k))
		ratio := vector.Norm(change, 2) / vector.Norm(at(s.states.Data, k), 2)
		sum += ratio * ratio / float64(len(layers))
	}
	keep(&row.BlockChange, float64(depth)*math.Sqrt(sum))
	return nil
}
