package pipe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/scaling"
)

// points returns an array (n), (n,D) or (n,r,c) as a path, with the metric of that name.
func points(a Array, metric string) (pvar.Points, pvar.Metric, error) {
	if len(a.Shape) < 1 || len(a.Shape) > 3 || slices.Contains(a.Shape[1:], 0) {
		return pvar.Points{}, pvar.Metric{}, fmt.Errorf("path: got shape %v, want (n), (n,D) or (n,r,c)", a.Shape)
	}
	size := [3]int{1, 1, 1}
	copy(size[:], a.Shape)
	m, err := pvar.ParseMetric(metric, size[1], size[2])
	return pvar.Points{Dim: size[1] * size[2], Data: a.Floats}, m, err
}

// variationValues are those of the call "pvar".
type variationValues struct {
	P      []float64 `json:"p"`
	Metric string    `json:"metric"`
}

// variation answers with what `deeplimit pvar --json` prints.
func variation(_ context.Context, values variationValues, arrays []Array) (any, []Array, error) {
	array, err := only(arrays)
	if err != nil {
		return nil, nil, err
	}
	path, metric, err := points(array, values.Metric)
	if err != nil {
		return nil, nil, fmt.Errorf("pvar: %w", err)
	}
	variations, err := pvar.ComputeIn(metric, path, values.P...)
	if err != nil {
		return nil, nil, err
	}
	partitions := make([]Array, len(variations))
	for i := range variations { // a long list crosses as numbers
		partition := variations[i].Partition
		a := Array{Name: "partition", Shape: []int{len(partition)}, Ints: make([]int64, len(partition))}
		for j, k := range partition {
			a.Ints[j] = int64(k)
		}
		variations[i].Partition = nil
		partitions[i] = a
	}
	return variations, partitions, nil
}

// number is x as JSON has it: null for NaN, a text for an infinite one.
func number(x float64) any {
	switch {
	case math.IsNaN(x):
		return nil
	case math.IsInf(x, 0):
		return fmt.Sprint(x)
	}
	return x
}

// pathIndex answers with the variation index of one path.
func pathIndex(_ context.Context, _ struct{}, arrays []Array) (any, []Array, error) {
	array, err := only(arrays)
	if err != nil {
		return nil, nil, err
	}
	path, _, err := points(array, "frobenius")
	if err != nil {
		return nil, nil, fmt.Errorf("variation index: %w", err)
	}
	index, err := pvar.VariationIndex(path)
	if err != nil {
		return nil, nil, err
	}
	return map[string]any{"value": number(index.Index), "low": number(index.Low), "high": number(index.High), "lags": index.Lags}, nil, nil
}

// inferValues are those of the call "infer".
type inferValues struct {
	Seeds []uint64 `json:"seeds"` // one for each path
}

// infer answers with the variation index of the limit of paths of several depths and seeds.
func infer(_ context.Context, values inferValues, arrays []Array) (any, []Array, error) {
	if len(values.Seeds) != len(arrays) {
		return nil, nil, fmt.Errorf("variation index: seeds: got %d, want one for each of %d paths", len(values.Seeds), len(arrays))
	}
	var paths []scaling.DepthPath
	for i, array := range arrays {
		path, _, err := points(array, "frobenius")
		if err != nil {
			return nil, nil, fmt.Errorf("variation index: path %d: %w", i, err)
		}
		paths = append(paths, scaling.DepthPath{Depth: path.Len(), Seed: values.Seeds[i], Path: path})
	}
	inferred, err := scaling.Infer(paths, scaling.Assumptions{})
	if err != nil {
		return nil, nil, err
	}
	index := inferred.VariationIndex()
	if index == nil {
		return nil, nil, errors.New("variation index: got paths without one: the size of their increments does not settle as the depth grows")
	}
	return index, nil, nil
}

// slopeValues are those of the call "scaling": one depth, seed and value a sample.
type slopeValues struct {
	Depths []int     `json:"depths"`
	Seeds  []uint64  `json:"seeds"`
	Values []float64 `json:"values"`
	Level  float64   `json:"level"`
}

// slope answers with the exponent of values in depth.
func slope(_ context.Context, values slopeValues, _ []Array) (any, []Array, error) {
	if len(values.Depths) != len(values.Values) || len(values.Seeds) != len(values.Values) {
		return nil, nil, fmt.Errorf("scaling: got %d depths, %d seeds and %d values, want as many of each", len(values.Depths), len(values.Seeds), len(values.Values))
	}
	samples := make([]scaling.Sample, len(values.Values))
	for i, v := range values.Values {
		samples[i] = scaling.Sample{Depth: values.Depths[i], Seed: values.Seeds[i], Value: v}
	}
	fit, err := scaling.Fit(samples, scaling.Level(values.Level))
	if err != nil {
		return nil, nil, err
	}
	return fit, nil, nil
}
