package network

import (
	"fmt"
	"math"
	"strings"

	"github.com/deeplimit/deeplimit/layerorder"
)

// sentence says what the layers are.
func sentence(n *Numbers, equal bool) string {
	if equal {
		return "all layers are equal: nothing changes with depth"
	}
	p := fmt.Sprintf("order by permutation p = %.3g", n.PValue)
	var text string
	switch n.Verdict {
	case layerorder.Smooth:
		text = fmt.Sprintf("smooth path, with a share of noise of %s (%s)", percent(n.NoiseShare.Value), p)
	case layerorder.SmoothAndNoise:
		text = fmt.Sprintf("smooth trend with noise of share %s (95 %%: %s to %s; %s)", percent(n.NoiseShare.Value), percent(n.NoiseShare.Low), percent(n.NoiseShare.High), p)
	case layerorder.Rough:
		text = fmt.Sprintf("rough path of variation index %.2g (95 %%: %s; %s)", n.Index.Value, indexRange(n.Index), p)
	case layerorder.Jumps:
		text = fmt.Sprintf("a path with jumps behind layer %s (%s)", list(n.Jumps), p)
	case layerorder.Noise:
		text = fmt.Sprintf("no order beyond chance (%s)", p)
		if n.PValue <= layerorder.Level {
			text = fmt.Sprintf("no order to speak of: it is there (%s) and makes neighbours alike by %s", p, percent(n.OrderShare))
		}
	case layerorder.TooFewLayers:
		text = fmt.Sprintf("too few layers to tell (%s)", p)
	}
	if len(n.Outliers) > 0 {
		word := "layer"
		if len(n.Outliers) > 1 {
			word = "layers"
		}
		text += fmt.Sprintf("; unlike the others: %s %s", word, list(n.Outliers))
		if n.Judged[1]-n.Judged[0]+1 < len(n.Norms) {
			text += fmt.Sprintf(", so layers %d to %d are judged", n.Judged[0], n.Judged[1])
		}
	}
	return text
}

func percent(share float64) string {
	if share < 0.0005 {
		return "0 %"
	}
	if share >= 0.095 {
		return fmt.Sprintf("%.0f %%", 100*share)
	}
	return fmt.Sprintf("%.2g %%", 100*share)
}

func indexRange(i Interval) string {
	if math.IsInf(i.High, 0) {
		return fmt.Sprintf("%.2g or more", i.Low)
	}
	return fmt.Sprintf("%.2g to %.2g", i.Low, i.High)
}

func list(layers []int) string {
	texts := make([]string, len(layers))
	for i, k := range layers {
		texts[i] = fmt.Sprint(k)
	}
	return strings.Join(texts, ", ")
}
