package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/network"
	"github.com/deeplimit/deeplimit/layerorder"
)

// networkFigure draws a family of layers or an invariant: norms, singular values and stable ranks where there are any, cosines against
// chance, and the path.
func networkFigure(name, title string, n *network.Numbers, spectrum *network.Spectrum, first int, style Style) *Figure {
	s := style.sizes()
	f := &Figure{
		Name: name, Title: title, style: style, wide: true,
		Caption: "Left: the norm of every layer k; layers unlike the others are orange. Middle: mean cosine of layers m apart, and where 95 % of shuffles of the layers lie (grey) and 95 % of independent normal layers (green, where near). Right: the layers along the first principal components of their path, with the share of its variance; layers at the ends that are unlike the others are left out.",
		Alt:     "Norms against the layer, cosines against the lag and principal components against the layer: " + n.Sentence,
		Data:    Table{Header: []string{"quantity", "layer_or_lag", "value", "low", "high"}},
	}
	f.panels = [][]panel{{f.normPanel(n, first, s), f.cosinePanel(n, s), f.pathPanel(n, first, s)}}
	if spectrum != nil {
		f.panels = append(f.panels, []panel{f.singularPanel(spectrum, first, s), f.rankPanel(spectrum, first, s)})
		f.Caption = strings.Replace(f.Caption, "Left:", "Above, left:", 1) + " Below: the largest singular values of every layer, and its stable rank ‖A_k‖_F²/‖A_k‖₂², which do not depend on how a layer numbers its units."
	}
	return f
}

// addNumber adds a row of data.
func (f *Figure) addNumber(quantity string, at int, value, low, high string) {
	f.Data.Rows = append(f.Data.Rows, []string{quantity, strconv.Itoa(at), value, low, high})
}

func (f *Figure) normPanel(n *network.Numbers, first int, s sizes) panel {
	p := panel{x: axis{label: "layer $k$", whole: true, margin: 0.05}, y: axis{label: "$‖A_k‖$", margin: 0.08}}
	line := mark{color: categories[0].color, width: s.line, shape: circle, radius: s.marker}
	odd := mark{color: categories[1].color, shape: square, radius: 1.5 * s.marker}
	for i, v := range n.Norms {
		k := first + i
		line.x, line.y = append(line.x, float64(k)), append(line.y, v)
		f.addNumber("norm", k, exact(v), "", "")
		if slices.Contains(n.Outliers, k) {
			odd.x, odd.y = append(odd.x, float64(k)), append(odd.y, v)
		}
	}
	p.marks = []mark{line, odd}
	return p
}

// chanceColor fills where shuffled layers lie.
var chanceColor = color.NRGBA{0x56, 0x56, 0x56, 0x2e}

func (f *Figure) cosinePanel(n *network.Numbers, s sizes) panel {
	p := panel{x: axis{label: "lag $m$", log: true, margin: 0.06}, y: axis{label: "cosine", margin: 0.1}}
	line := mark{color: categories[0].color, width: s.line, shape: circle, radius: s.marker}
	b := band{color: chanceColor}
	for _, c := range n.Cosines {
		m := float64(c.Lag)
		p.x.depths = append(p.x.depths, c.Lag)
		line.x, line.y = append(line.x, m), append(line.y, c.Cosine)
		b.x, b.low, b.high = append(b.x, m), append(b.low, c.Low), append(b.high, c.High)
		f.addNumber("cosine", c.Lag, exact(c.Cosine), exact(c.Low), exact(c.High))
		f.addNumber("cosine of independent layers", c.Lag, exact(c.Mean), exact(c.Mean-normalQuantile*c.Deviation), exact(c.Mean+normalQuantile*c.Deviation))
		p.marks = append(p.marks, mark{x: []float64{m, m}, y: []float64{c.Low, c.High}, color: color.NRGBA{0x56, 0x56, 0x56, 0x60}, width: s.thin})
	}
	p.bands = []band{b}
	if normal, near := independentBand(n.Cosines); near {
		p.bands = append(p.bands, normal)
		for i, m := range normal.x {
			p.marks = append(p.marks, mark{x: []float64{m, m}, y: []float64{normal.low[i], normal.high[i]}, color: independentColor, width: s.thin})
		}
	}
	p.marks = append(p.marks, line)
	return p
}

// normalQuantile is the number of standard deviations about the mean between which 95 % of a normal distribution lie.
const normalQuantile = 1.96

// independentColor fills where independent normal layers lie.
var independentColor = color.NRGBA{categories[2].color.R, categories[2].color.G, categories[2].color.B, 0x50}

// independentBand is where 95 % of independent normal layers have their cosines, and whether that is so near to the others that both
// can be told on one axis.
func independentBand(cosines []layerorder.Lag) (b band, near bool) {
	b.color = independentColor
	low, high := math.Inf(1), math.Inf(-1)
	for _, c := range cosines {
		b.x = append(b.x, float64(c.Lag))
		b.low, b.high = append(b.low, c.Mean-normalQuantile*c.Deviation), append(b.high, c.Mean+normalQuantile*c.Deviation)
		low, high = min(low, c.Cosine, c.Low), max(high, c.Cosine, c.High)
	}
	return b, low-slices.Max(b.high) < 2*(high-low)
}

func (f *Figure) pathPanel(n *network.Numbers, first int, s sizes) panel {
	p := panel{x: axis{label: "layer $k$", whole: true, margin: 0.05}, y: axis{label: "principal component", margin: 0.08}}
	var shares []string
	for i, component := range n.Components {
		look := categories[i%len(categories)]
		line := mark{color: look.color, width: s.line, shape: look.shape, radius: 0.8 * s.marker}
		odd := mark{color: categories[1].color, shape: square, radius: 1.5 * s.marker}
		for k, number := range component {
			v := float64(number)
			if math.IsNaN(v) {
				continue
			}
			line.x, line.y = append(line.x, float64(first+k)), append(line.y, v)
			f.addNumber(fmt.Sprintf("component %d", i+1), first+k, exact(v), "", "")
			if slices.Contains(n.Outliers, first+k) {
				odd.x, odd.y = append(odd.x, float64(first+k)), append(odd.y, v)
			}
		}
		p.marks = append(p.marks, line, odd)
		shares = append(shares, fmt.Sprintf("%.0f %%", 100*n.Explained[i]))
	}
	p.title = strings.Join(shares, ", ")
	return p
}

func (f *Figure) singularPanel(spectrum *network.Spectrum, first int, s sizes) panel {
	p := panel{x: axis{label: "layer $k$", whole: true, margin: 0.05}, y: axis{label: "singular values", margin: 0.08}}
	for i := range spectrum.SingularValues[0] {
		look := categories[0].color
		look.A = uint8(0xff - 0x14*i)
		line := mark{color: look, width: s.line}
		for k, values := range spectrum.SingularValues {
			line.x, line.y = append(line.x, float64(first+k)), append(line.y, values[i])
			f.addNumber(fmt.Sprintf("singular value %d", i+1), first+k, exact(values[i]), "", "")
		}
		p.marks = append(p.marks, line)
	}
	return p
}

func (f *Figure) rankPanel(spectrum *network.Spectrum, first int, s sizes) panel {
	p := panel{x: axis{label: "layer $k$", whole: true, margin: 0.05}, y: axis{label: "stable rank", margin: 0.08}}
	line := mark{color: categories[0].color, width: s.line, shape: circle, radius: s.marker}
	for k, v := range spectrum.StableRanks {
		if !math.IsNaN(float64(v)) {
			line.x, line.y = append(line.x, float64(first+k)), append(line.y, float64(v))
			f.addNumber("stable rank", first+k, exact(float64(v)), "", "")
		}
	}
	p.marks = []mark{line}
	return p
}

// mostSteps is how many steps an axis of them names at most.
const mostSteps = 9

// growthFigure draws the norms of a family over layers and steps of a training, and how its order grows.
func growthFigure(name string, t *network.Training, style Style) *Figure {
	s, of := style.sizes(), t.Moments
	f := &Figure{
		Name: name, Title: plain.Text(t.Name) + " along training", style: style, wide: true,
		Alt:  fmt.Sprintf("Norms over layers and %d steps, and the cosine of neighbours against the step.", len(of)),
		Data: Table{Header: []string{"step", "layer", "norm", "cosine", "low", "high", "p_value", "noise_share", "verdict"}},
	}
	grid := &heat{}
	var norms []float64
	var steps []string
	rises := panel{x: axis{label: "step", margin: 0.05}, y: axis{label: "cosine of neighbours", margin: 0.1}}
	line := mark{color: categories[0].color, width: s.line, shape: circle, radius: s.marker}
	chance := band{color: chanceColor}
	for i := range of {
		m, at := &of[i], float64(i)
		c := m.Cosines[0]
		steps = append(steps, unpadded(m.Step))
		grid.values, grid.y = append(grid.values, m.Norms), append(grid.y, at-0.5)
		norms = append(norms, m.Norms...)
		line.x, line.y = append(line.x, at), append(line.y, c.Cosine)
		chance.x, chance.low, chance.high = append(chance.x, at), append(chance.low, c.Low), append(chance.high, c.High)
		for k, v := range m.Norms {
			f.Data.Rows = append(f.Data.Rows, []string{
				exact(m.Step), strconv.Itoa(m.First + k), exact(v), exact(c.Cosine), exact(c.Low), exact(c.High),
				exact(m.PValue), blank(m.NoiseShare.Value), string(m.Verdict),
			})
		}
	}
	f.Caption = "Left: the norm of every layer at every step that there is. Right: mean cosine of neighbouring layers at these steps, and where 95 % of shuffles of the layers lie: order along depth is there where the line leaves the band."
	grid.y = append(grid.y, float64(len(of))-0.5)
	rises.x.names, rises.x.stride = steps, 1+(len(of)-1)/mostSteps
	for k := range len(of[0].Norms) + 1 {
		grid.x = append(grid.x, float64(of[0].First+k)-0.5)
	}
	grid.scale = newColorScale("$‖A_k‖$", norms, true)
	f.bar = &grid.scale
	heated := panel{
		heat: grid, x: axis{label: "layer $k$", whole: true, low: grid.x[0], high: grid.x[len(grid.x)-1]},
		y: axis{label: "step", names: steps, stride: rises.x.stride, low: grid.y[0], high: grid.y[len(grid.y)-1]},
	}
	edge := func(y []float64) mark { return mark{x: chance.x, y: y, color: chanceColor, width: s.thin} }
	rises.bands, rises.marks = []band{chance}, []mark{edge(chance.low), edge(chance.high), line}
	f.panels = [][]panel{{heated, rises}}
	return f
}
