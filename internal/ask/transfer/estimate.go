package transfer

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/prolong"
	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// An estimate is the limit of every trained group, estimated from one run or two.
type estimate struct {
	sources []int // depths
	groups  []groupEstimate
}

// A groupEstimate holds the two limits of one group, rescaled: paths over the layers'
// midpoints, of one point for a group without layers (E, C, a shared δ).
type groupEstimate struct {
	name                string
	layered             bool
	exponent            float64 // what rescales: L^exponent times the group
	trend, displacement pvar.Points
}

// newEstimate returns the trend and the displacement of a run's trained groups.
func newEstimate(run *runfolder.Run, p *problem) (*estimate, error) {
	at, err := p.At(run.Meta.Depth)
	if err != nil {
		return nil, err
	}
	weights, err := run.Weights()
	if err != nil {
		return nil, err
	}
	e := &estimate{sources: []int{run.Meta.Depth}}
	for _, g := range at.Network.Layout.Groups {
		if !g.Trained {
			continue
		}
		trained, err := entries(weights, g.Name, g)
		if err != nil {
			return nil, err
		}
		initial, err := entries(weights, g.Name+"_initial", g)
		if err != nil {
			return nil, err
		}
		group, err := newGroupEstimate(at.Network, g, trained, initial)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", g.Name, err)
		}
		e.groups = append(e.groups, group)
	}
	return e, nil
}

// entries returns the numbers of group g in the tensor of the given name. A shared δ,
// which the file repeats for every layer, has one.
func entries(weights runfolder.Weights, name string, g resnet.Group) ([]float64, error) {
	tensor, ok := weights.Tensors[name]
	if !ok {
		return nil, fmt.Errorf("weights: got no tensor %q", name)
	}
	data := tensor.Data
	if g.Name == "delta" && g.Len() == 1 && len(data) > 1 {
		data = data[:1]
	}
	if len(data) != g.Len() {
		return nil, fmt.Errorf("weights: tensor %q: got shape %v, want %v", name, tensor.Shape, g.Shape)
	}
	return data, nil
}

// newGroupEstimate rescales a group and splits it.
func newGroupEstimate(net *resnet.Network, g resnet.Group, trained, initial []float64) (groupEstimate, error) {
	e := groupEstimate{name: g.Name, layered: prolong.Layered(net, g), exponent: prolong.Exponent(net, g.Name)}
	dim := g.Len()
	if e.layered {
		dim /= net.Depth
	}
	factor := math.Pow(float64(net.Depth), e.exponent)
	path := pvar.Points{Dim: dim, Data: make([]float64, len(trained))}
	e.displacement = pvar.Points{Dim: dim, Data: make([]float64, len(trained))}
	for i, v := range trained {
		path.Data[i] = factor * v
		e.displacement.Data[i] = factor * (v - initial[i])
	}
	e.trend = path
	if e.layered {
		var err error
		if e.trend, _, err = scaling.Split(path); err != nil {
			return e, err
		}
	}
	return e, nil
}

// extrapolate returns the limit in 1/L of estimates at two depths, on the layers of
// the deeper.
func extrapolate(coarse, fine *estimate) *estimate {
	from, to := coarse.sources[0], fine.sources[0]
	weight := float64(from) / float64(to-from)
	limit := &estimate{sources: []int{from, to}, groups: slices.Clone(fine.groups)}
	apply := func(a, b pvar.Points) pvar.Points {
		a = prolong.Linear(a, b.Len())
		x := pvar.Points{Dim: b.Dim, Data: make([]float64, len(b.Data))}
		for i, v := range b.Data {
			x.Data[i] = v + weight*(v-a.Data[i])
		}
		return x
	}
	for i, g := range fine.groups {
		limit.groups[i].trend = apply(coarse.groups[i].trend, g.trend)
		limit.groups[i].displacement = apply(coarse.groups[i].displacement, g.displacement)
	}
	return limit
}

// weights returns the tensors of the limit file: the trend under the name of each group and the
// limit of the displacement with the suffix "_displacement", rescaled, of shape
// (L, entries of a layer).
func (e *estimate) weights(meta *runfolder.Meta) runfolder.Weights {
	var depths []string
	for _, depth := range e.sources {
		depths = append(depths, strconv.Itoa(depth))
	}
	w := runfolder.Weights{
		Tensors: map[string]runfolder.Tensor{},
		Metadata: map[string]string{
			"alpha": strconv.FormatFloat(meta.Alpha, 'g', -1, 64), "beta": strconv.FormatFloat(meta.Beta(), 'g', -1, 64),
			"activation": meta.Activation, "block": meta.Block, "depths": strings.Join(depths, ","), "rescaled": "true",
		},
	}
	tensor := func(x pvar.Points) runfolder.Tensor {
		return runfolder.Tensor{DType: "F64", Shape: []int{x.Len(), x.Dim}, Data: x.Data}
	}
	for _, g := range e.groups {
		w.Tensors[g.name] = tensor(g.trend)
		w.Tensors[g.name+"_displacement"] = tensor(g.displacement)
	}
	return w
}
