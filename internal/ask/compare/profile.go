package compare

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// The kinds of profile.
const (
	points = iota // one row for each sample
	steps         // row k − 1 on ((k − 1)/L, k/L]
	lines         // row k at k/L, linear between
)

// A profile is what is compared of a network: rows of dim numbers.
type profile struct {
	kind    int
	dim     int
	data    []float64
	samples int      // of outputs and states
	parts   []string // of weights
	shape   string   // of a layer of weights
	// unit is how many entries of a row belong to each hidden unit, which stand together; 0 without such units.
	unit int
}

func (p *profile) rows() int           { return len(p.data) / p.dim }
func (p *profile) row(i int) []float64 { return p.data[i*p.dim : (i+1)*p.dim] }

// profileOf reads what is compared of a run.
func (c *comparison) profileOf(m *member) (*profile, error) {
	weights, err := m.run.Weights()
	if err != nil {
		return nil, err
	}
	if c.network() {
		return c.evaluated(m, weights)
	}
	return c.stored(m, weights)
}

// evaluated returns outputs or hidden states of the rebuilt network.
func (c *comparison) evaluated(m *member, weights runfolder.Weights) (*profile, error) {
	problem, err := c.recorder.Problem(m.run)
	if err != nil {
		return nil, err
	}
	theta, err := problem.Stored(weights, "")
	if err != nil {
		return nil, err
	}
	samples, err := c.samplesOf(problem)
	if err != nil {
		return nil, err
	}
	m.samples = checksum(samples.X)
	e, err := resnet.NewEvaluator[float64](problem.Network, samples, resnet.Options{Workers: 1, Memory: c.memory})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	n := e.Len()
	var p *profile
	if c.options.Of == "outputs" {
		p = &profile{kind: points, dim: problem.Network.Outputs, samples: n, data: make([]float64, n*problem.Network.Outputs)}
		err = e.Outputs(theta, p.data)
	} else {
		p = statesOf(e, problem.Network, theta, n)
	}
	if err != nil {
		return nil, err
	}
	return p, p.check()
}

// samplesOf returns the samples that a network is evaluated on. Their targets count for nothing.
func (c *comparison) samplesOf(problem *plan.Problem) (resnet.Samples, error) {
	switch {
	case c.options.Inputs == "train":
		return problem.Samples, nil
	case c.options.Inputs == "test" && problem.Test == nil:
		return resnet.Samples{}, errors.New("--inputs test: got data without a test set, want train or a .npy file")
	case c.options.Inputs == "test":
		return *problem.Test, nil
	}
	net := problem.Network
	if c.columns != net.Inputs {
		return resnet.Samples{}, fmt.Errorf("--inputs %s: got %d columns, want %d as the network has inputs", c.options.Inputs, c.columns, net.Inputs)
	}
	n := len(c.inputs) / c.columns
	targets := make([]float64, n*net.Outputs) // one-hot, which every loss takes
	for i := range n {
		targets[i*net.Outputs] = 1
	}
	return resnet.Samples{X: c.inputs, Y: targets}, nil
}

// statesOf returns the hidden states h_k(x_i)/N^½ as a path over k of all samples together.
func statesOf(e *resnet.Evaluator[float64], net *resnet.Network, theta []float64, n int) *profile {
	rows, d := net.Depth+1, net.Width
	p := &profile{kind: lines, dim: n * d, samples: n, data: make([]float64, rows*n*d)}
	scale := 1 / math.Sqrt(float64(n))
	for first := 0; first < n; {
		chosen := make([]int, n-first)
		for i := range chosen {
			chosen[i] = first + i
		}
		e.Choose(chosen)
		states, count := e.HiddenStates(theta, len(chosen))
		for i := range count {
			for k := range rows {
				to := p.row(k)[(first+i)*d : (first+i+1)*d]
				for j, v := range states[(i*rows+k)*d : (i*rows+k+1)*d] {
					to[j] = scale * v
				}
			}
		}
		first += count
	}
	return p
}

// stored returns the rescaled weights, or displacements, as a path over the layers.
func (c *comparison) stored(m *member, weights runfolder.Weights) (*profile, error) {
	meta := &m.run.Meta
	parts := c.options.Parts
	if len(parts) == 0 {
		parts = []string{"A"}
		if meta.Block == "mlp" {
			parts = []string{"V", "W"}
		}
	}
	if c.options.Permute && meta.Block != "mlp" {
		return nil, fmt.Errorf("--permute: got block %s, want mlp: units of the other blocks are coordinates of the hidden state, whose order counts", meta.Block)
	}
	factor := math.Pow(float64(meta.Depth), meta.Beta())
	var paths []runfolder.Path
	p := &profile{kind: steps, parts: parts}
	for _, part := range parts {
		path, err := weights.Path(part)
		if err != nil {
			return nil, fmt.Errorf("--part: %w", err)
		}
		if c.options.Permute && !slices.Contains(partsOfUnits, part) {
			return nil, fmt.Errorf("--part: got %s, which has no hidden units, want some of %s with --permute", part, strings.Join(partsOfUnits, ", "))
		}
		if path.Depth != meta.Depth {
			return nil, fmt.Errorf("--part: got %s of %d rows, want a part with one for each of %d layers", part, path.Depth, meta.Depth)
		}
		if c.options.Of == "displacement" {
			initial, err := weights.Path(part + "_initial")
			if err != nil {
				return nil, fmt.Errorf("the weights before training are not known: %w", err)
			}
			if path, err = path.Sub(initial); err != nil {
				return nil, err
			}
		}
		paths = append(paths, path)
		p.dim += path.Rows * path.Cols
		p.shape = strings.TrimSpace(fmt.Sprintf("%s %s %d×%d", p.shape, part, path.Rows, path.Cols))
	}
	p.data = make([]float64, 0, meta.Depth*p.dim)
	if c.options.Permute {
		p.unit = p.dim / meta.Hidden
	}
	for k := range meta.Depth {
		p.data = appendLayer(p.data, paths, parts, k+1, p.unit)
	}
	for i := range p.data {
		p.data[i] *= factor
	}
	return p, p.check()
}

// partsOfUnits are the parts of block mlp in which every hidden unit has entries of its own.
var partsOfUnits = []string{"V", "W", "b"}

// appendLayer appends the entries of layer k of all parts. Where a hidden unit has a number of them, those of each unit
// stand together: columns of V, rows of W, entries of b.
func appendLayer(to []float64, paths []runfolder.Path, parts []string, k, unit int) []float64 {
	if unit == 0 {
		for _, path := range paths {
			to = append(to, path.Matrix(k)...)
		}
		return to
	}
	units := paths[0].Rows
	if parts[0] == "V" {
		units = paths[0].Cols
	}
	for u := range units {
		for i, path := range paths {
			layer := path.Matrix(k)
			if parts[i] != "V" {
				to = append(to, layer[u*path.Cols:(u+1)*path.Cols]...)
				continue
			}
			for r := range path.Rows {
				to = append(to, layer[r*path.Cols+u])
			}
		}
	}
	return to
}

// check returns an error for numbers that no distance can be had of.
func (p *profile) check() error {
	for _, v := range p.data {
		if math.IsNaN(v) || math.IsInf(v, 0) || math.Abs(v) > 1e150 {
			return fmt.Errorf("got %v, want finite numbers whose squares are", v)
		}
	}
	return nil
}
