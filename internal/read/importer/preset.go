package importer

import (
	"github.com/deeplimit/deeplimit/field"
)

// A Convention is on which side of the input a stored matrix stands.
type Convention string

// The two conventions. Run folders hold A of A·x, so that matrices stored for x·A are
// transposed.
const (
	ColumnVectors Convention = "Ax" // A·x, shape (outputs, inputs): torch.nn.Linear, convolutions
	RowVectors    Convention = "xA" // x·A, shape (inputs, outputs): x @ A, Conv1D of GPT-2, Dense of Keras and Flax
)

// A Layout says which tensors of a checkpoint make a path.
//
// A pattern is the name of a tensor with {k} for the index of the layer and * for
// anything, nothing included. A pattern without {k} names one tensor that holds all
// layers along one of its axes.
type Layout struct {
	Weight string `json:"weight"`          // A of a block σ(Ah+b) or Aσ(h)+b, or V of a block Vσ(Wh+b)+c
	Inner  string `json:"inner,omitempty"` // W of a block Vσ(Wh+b)+c; "" for a block of one map
	Bias   string `json:"bias,omitempty"`  // b, or c of a block of two maps; "" for none
	// InnerBias is b of a block of two maps; "" for none.
	InnerBias string `json:"inner_bias,omitempty"`
	// OptionalBias allows a checkpoint without any tensor that the bias patterns match.
	OptionalBias bool `json:"optional_bias,omitempty"`
	// AnyStride lets layers stand at every second, every third … index: in a Sequential
	// of PyTorch, activations are counted too. The stride is the smallest one found.
	AnyStride bool `json:"any_stride,omitempty"`
	// Convention is that of all maps; "" leaves it to shapes, biases, neighbours and names.
	Convention Convention `json:"convention,omitempty"`
	// LayersAxis is the axis of the layers in a tensor that holds all, counted from 0; nil
	// leaves it to the shapes.
	LayersAxis *int   `json:"layers_axis,omitempty"`
	Activation string `json:"activation,omitempty"` // "" when it is not known
}

// A Preset is the layout of a known kind of network. None gives a convention: shapes and names
// tell it, and programs that share names need not share it.
type Preset struct {
	Name, About string
	Layout      Layout
}

// Presets returns the presets, in the order of their names.
func Presets() []Preset {
	return []Preset{
		{"gpt2-attention", "output map of attention in GPT-2, of transformers or nanoGPT", Layout{
			Weight: "*h.{k}.attn.c_proj.weight", Bias: "*h.{k}.attn.c_proj.bias", OptionalBias: true,
		}},
		{"gpt2-mlp", "both maps of the perceptron in GPT-2, of transformers or nanoGPT", Layout{
			Weight: "*h.{k}.mlp.c_proj.weight", Inner: "*h.{k}.mlp.c_fc.weight",
			Bias: "*h.{k}.mlp.c_proj.bias", InnerBias: "*h.{k}.mlp.c_fc.bias", OptionalBias: true,
			Activation: "gelu",
		}},
		{"layers", "torch.nn.Linear in a list called layers", Layout{
			Weight: "*layers.{k}.weight", Bias: "*layers.{k}.bias", OptionalBias: true,
		}},
		{"resnet", "second convolutions of the third stage of ResNet in torchvision", Layout{
			Weight: "*layer3.{k}.conv2.weight", Activation: "relu",
		}},
		{"sequential", "torch.nn.Linear in a Sequential, activations between them", Layout{
			Weight: "*{k}.weight", Bias: "*{k}.bias", OptionalBias: true, AnyStride: true,
		}},
	}
}

// PresetLayout returns the layout of the preset called name.
func PresetLayout(name string) (Layout, error) {
	var names []string
	for _, p := range Presets() {
		if p.Name == name {
			return p.Layout, nil
		}
		names = append(names, p.Name)
	}
	return Layout{}, field.OneOf("preset", name, names...)
}
