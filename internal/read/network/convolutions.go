package network

import (
	"regexp"
	"slices"
	"strconv"
)

// numbered is the name of a convolution behind the index of its block: conv1 reads the residual stream, the one of the highest number
// writes to it.
var numbered = regexp.MustCompile(`^(.*\{k\}[._/]?)conv_?([0-9]+)([._/](weight|kernel))?$`)

// convolutions returns the factors that the convolutions of a residual block give, as the ResNets of torchvision and others name them: the
// first with the channels of the stream as inputs, at each place of the window, and the last with those channels as outputs. What is
// between them has hidden channels on both sides, which each block numbers for itself; so has a convolution of one input channel, which
// takes channels apart.
func convolutions(families []Family) [][]side {
	type block struct {
		name  string
		convs []side
		order []int
	}
	var blocks []block
	for i := range families {
		f := &families[i]
		match := numbered.FindStringSubmatch(f.Pattern)
		if match == nil || f.Orientation != "Ax" || f.Axis != nil || len(f.Shape) < 3 || f.Shape[1] == 1 {
			continue
		}
		number, err := strconv.Atoi(match[2])
		if err != nil {
			continue
		}
		at := slices.IndexFunc(blocks, func(b block) bool { return b.name == match[1] })
		if at < 0 {
			at = len(blocks)
			blocks = append(blocks, block{name: match[1]})
		}
		b := &blocks[at]
		b.convs, b.order = append(b.convs, side{name: "conv" + match[2], family: f, parts: 1}), append(b.order, number)
	}
	var out [][]side
	for _, b := range blocks {
		if len(slices.Compact(slices.Sorted(slices.Values(b.order)))) != len(b.order) {
			continue // two of one number: which one belongs to the block is not known
		}
		first, last := slices.Index(b.order, slices.Min(b.order)), slices.Index(b.order, slices.Max(b.order))
		if first == last {
			continue
		}
		b.convs[last].writes = true
		out = append(out, []side{b.convs[first], b.convs[last]})
	}
	return out
}
