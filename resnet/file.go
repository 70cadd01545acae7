package resnet

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/npy"
	"github.com/deeplimit/deeplimit/runfolder"
)

// File returns the file of kind file for a depth, with {depth} replaced, relative
// paths being under base.
func (i Initial) File(depth int, base string) string {
	path := strings.ReplaceAll(i.Path, "{depth}", strconv.Itoa(depth))
	if !filepath.IsAbs(path) {
		path = filepath.Join(base, path)
	}
	return path
}

// read returns the entries of group g from the file of kind file: a .npy array, or
// the tensor named like the group in a .safetensors file, of the group's shape and
// with finite entries.
func (i Initial) read(g Group, depth int, base string) ([]float64, error) {
	path := i.File(depth, base)
	var shape []int
	var data []float64
	switch filepath.Ext(path) {
	case ".npy":
		var err error
		if shape, data, err = npy.Read(path); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	case ".safetensors":
		weights, err := runfolder.ReadWeights(path)
		if err != nil {
			return nil, err
		}
		tensor, ok := weights.Tensors[g.Name]
		if !ok {
			names := strings.Join(slices.Sorted(maps.Keys(weights.Tensors)), ", ")
			return nil, fmt.Errorf("%s: got the tensors %s, want one named %s of shape %v", path, cmp.Or(names, "(none)"), g.Name, g.Shape)
		}
		if i := slices.IndexFunc(tensor.Data, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }); i >= 0 {
			return nil, fmt.Errorf("%s: tensor %s: entry %d: got %v, want a finite number", path, g.Name, i, tensor.Data[i])
		}
		shape, data = tensor.Shape, tensor.Data
	default:
		return nil, fmt.Errorf("%s: got extension %q, want .npy or .safetensors", path, filepath.Ext(path))
	}
	if !slices.Equal(shape, g.Shape) {
		return nil, fmt.Errorf("%s: got an array of shape %v, want %v", path, shape, g.Shape)
	}
	return data, nil
}

// CheckInitial reads the initial weights that come from files, for their errors.
// Without such a part it does nothing.
func (n *Network) CheckInitial(initial Initial, base string) error {
	for _, g := range n.Layout.Groups {
		if part, ok := initial.Parts[g.Name]; ok && part.Kind == "file" {
			if _, err := part.read(g, n.Depth, base); err != nil {
				return fmt.Errorf("resnet: initial %s at depth %d: %w", g.Name, n.Depth, err)
			}
		}
	}
	return nil
}
