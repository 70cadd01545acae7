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

	"github.com/deeplimit/deeplimit/field"
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
	if g.Name == "delta" && len(g.Shape) == 1 && g.Shape[0] == 1 && slices.Equal(shape, []int{depth}) {
		if slices.Max(data) != slices.Min(data) {
			return nil, fmt.Errorf("%s: tensor delta: got entries that differ, want one value for all layers (use network.residual: layered)", path)
		}
		return data[:1], nil // as run folders store it
	}
	if !slices.Equal(shape, g.Shape) {
		return nil, fmt.Errorf("%s: got an array of shape %v, want %v", path, shape, g.Shape)
	}
	return data, nil
}

// WithFile returns resolved, which i resolves to at this depth, with a part of kind file for each further group
// that the .safetensors file of i.Path holds: b, c, delta, E and C. Other files have one group
// for each path, and change nothing.
//
// A tensor named like a group that the network does not have is a *field.Error.
func (i Initial) WithFile(resolved Initial, spec Spec, depth int, base string) (Initial, error) {
	if i.Kind != "file" || filepath.Ext(i.Path) != ".safetensors" {
		return resolved, nil
	}
	path := i.File(depth, base)
	weights, err := runfolder.ReadWeights(path)
	if err != nil {
		return Initial{}, &field.Error{Path: "path", Got: i.Path, Want: "a file of weights: " + err.Error()}
	}
	resolved.Parts = maps.Clone(resolved.Parts)
	layers := partNames(spec)
	own := slices.Clone(layers)
	for name, there := range map[string]bool{"delta": true, "E": spec.Embed != "identity", "C": spec.Readout != "identity"} {
		if there {
			own = append(own, name)
		}
	}
	for _, name := range []string{"A", "V", "W", "b", "c", "delta", "E", "C"} {
		if _, ok := weights.Tensors[name]; !ok {
			continue
		}
		_, chosen := i.Parts[name]
		switch {
		case !slices.Contains(own, name):
			slices.Sort(own)
			return Initial{}, &field.Error{Path: "path", Got: i.Path, Want: fmt.Sprintf("a file with tensors of this network alone, %s: it has %s, too (%s)", strings.Join(own, ", "), name, mends[name])}
		case chosen, slices.Contains(layers, name) && resolved.Parts[name].Kind == "file", name == "b" && i.Bias != "":
		case name == "E" && i.Embed != 0:
			return Initial{}, &field.Error{Path: "embed", Got: i.Embed, Want: "it left out, as " + i.Path + " holds E"}
		case name == "C" && i.Readout != 0:
			return Initial{}, &field.Error{Path: "readout", Got: i.Readout, Want: "it left out, as " + i.Path + " holds C"}
		default:
			switch name {
			case "E":
				resolved.Embed = 0
			case "C":
				resolved.Readout = 0
			}
			resolved.Parts[name] = Initial{Kind: "file", Path: strings.ReplaceAll(i.Path, depthMark, strconv.Itoa(depth))}
		}
	}
	return resolved, nil
}

// mends says for each group which setting gives it to a network.
var mends = map[string]string{
	"A": "use network.block: inner or outer", "V": "use network.block: mlp", "W": "use network.block: mlp",
	"b": "use network.bias: true", "c": "use network.block: mlp and network.bias: true",
	"E": "use network.embed: trained or orthonormal", "C": "use network.readout: trained or orthonormal",
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
