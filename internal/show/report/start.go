package report

import (
	"context"
	"fmt"
	"image/color"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
)

// enoughDraws is how many make a histogram: 20 bars of 25 draws.
const enoughDraws = 500

// StartFigures returns the figures of a study's untrained networks: start-ratio and
// start-change, means over draws against depth with their exact expectations, and for
// every ensemble of at least 500 draws start-histogram-<id>, the distribution with the
// log-normal law fitted to it.
func StartFigures(ctx context.Context, result *analyze.StartResult, options Options) ([]*Figure, error) {
	options, err := options.resolve()
	if err != nil {
		return nil, err
	}
	figures := []*Figure{
		startFigure(result, options.Style, "start-ratio", "Lengths after an untrained network", "forward", "backward",
			"Mean over draws of the initial weights of ‖h_L‖²/‖h_0‖² (left) and of ‖p_0‖²/‖p_L‖² (right), pₖ = ∂J/∂hₖ, against depth L, with 95 % intervals."),
		startFigure(result, options.Style, "start-change", "Change by an untrained network", "change", "backward_change",
			"Mean over draws of the initial weights of ‖h_L − h_0‖²/‖h_0‖² (left) and of ‖p_0 − p_L‖²/‖p_L‖² (right), pₖ = ∂J/∂hₖ, against depth L, with 95 % intervals."),
	}
	for _, g := range result.Groups {
		for _, s := range g.Starts {
			if s.Draws < enoughDraws {
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("report: drawing %s: %w", s.ID, err)
			}
			figures = append(figures, histogramFigure(s, startLabel(g), s.Ensemble.Draws, options.Style))
		}
	}
	return figures, nil
}

// startLabel names a group by what the study varies.
func startLabel(g analyze.StartGroup) string {
	var words []string
	for _, path := range slices.Sorted(maps.Keys(g.Settings)) {
		words = append(words, path[strings.LastIndexByte(path, '.')+1:]+" "+g.Settings[path])
	}
	if len(words) == 0 {
		return "α = " + unpadded(g.Alpha)
	}
	return strings.Join(words, ", ")
}

// startAxes are the labels of the quantities.
var startAxes = map[string]string{
	"forward": "E $‖h_L‖^2/‖h_0‖^2$", "backward": "E $‖p_0‖^2/‖p_L‖^2$",
	"change": "E $‖h_L − h_0‖^2/‖h_0‖^2$", "backward_change": "E $‖p_0 − p_L‖^2/‖p_L‖^2$",
}

// startFigure draws two quantities against depth, side by side.
func startFigure(result *analyze.StartResult, style Style, name, title, left, right, caption string) *Figure {
	s := style.sizes()
	f := &Figure{
		Name: name, Title: title, Caption: caption, style: style, wide: true,
		Data: Table{Header: []string{"group", "quantity", "depth", "draws", "mean", "low", "high", "expected"}},
	}
	depths := map[int]bool{}
	for _, g := range result.Groups {
		for _, start := range g.Starts {
			depths[start.Depth] = true
		}
	}
	all := slices.Sorted(maps.Keys(depths))
	row := make([]panel, 2)
	known, cut := false, false
	for side, quantity := range []string{left, right} {
		row[side] = panel{
			x: axis{label: "depth $L$", log: true, margin: 0.05, depths: all},
			y: axis{label: startAxes[quantity], log: true, margin: 0.06},
		}
		for i, g := range result.Groups {
			look := categories[i%len(categories)]
			points := mark{color: look.color, shape: look.shape, radius: s.marker}
			theory := mark{color: look.color, width: s.line, dashes: []vg.Length{4 * s.line, 2.5 * s.line}}
			var bars []mark
			for _, start := range g.Starts {
				spread, ok := start.Spreads[quantity]
				if !ok {
					continue
				}
				expected := ""
				if e := spread.Expected; e != nil {
					known, expected = true, exact(*e)
					theory.x, theory.y = append(theory.x, float64(start.Depth)), append(theory.y, *e)
				}
				f.Data.Rows = append(f.Data.Rows, []string{
					startLabel(g), quantity, strconv.Itoa(start.Depth), strconv.Itoa(start.Draws),
					exact(spread.Mean), exact(spread.Low), exact(spread.High), expected,
				})
				points.x, points.y = append(points.x, float64(start.Depth)), append(points.y, spread.Mean)
				// An interval that reaches zero has no lower end on a logarithmic axis.
				low := spread.Low
				if low <= 0 {
					low, cut = spread.Mean, true
				}
				bars = append(bars, mark{
					x: []float64{float64(start.Depth), float64(start.Depth)}, y: []float64{low, spread.High},
					color: look.color, width: s.line,
				})
			}
			row[side].marks = append(append(append(row[side].marks, theory), bars...), points)
			if side == 0 {
				sample := points
				f.legend = append(f.legend, entry{text: startLabel(g), mark: &sample})
			}
		}
	}
	if known {
		f.Caption += " Dashed: the exact expectation, where it is known in closed form."
		f.legend = append(f.legend, entry{text: "exact", mark: &mark{color: color.Gray{0x40}, width: s.line, dashes: []vg.Length{4 * s.line, 2.5 * s.line}}})
	}
	if cut {
		f.Caption += " Of an interval that reaches 0 the upper half alone is drawn."
	}
	f.Alt = fmt.Sprintf("Log–log plots of two means against depth %s for %s.", depthText(all), plain.Count(len(result.Groups), "kind")+" of initial weights")
	f.panels = [][]panel{row}
	return f
}

// histogramFigure draws how the squared lengths are distributed over draws.
func histogramFigure(start analyze.Start, label string, draws []runfolder.Draw, style Style) *Figure {
	s := style.sizes()
	f := &Figure{
		Name: "start-histogram-" + start.ID, Title: fmt.Sprintf("Distribution at depth %d, %s", start.Depth, label), style: style, wide: true,
		Data: Table{Header: []string{"quantity", "from", "to", "density", "fitted"}},
	}
	f.Caption = fmt.Sprintf("Density of ‖h_L‖²/‖h_0‖² (left) and of ‖p_0‖²/‖p_L‖² (right), pₖ = ∂J/∂hₖ, over %d draws of the initial weights at depth %d, %s, and the log-normal law with the mean and deviation of the logarithms.",
		len(draws), start.Depth, label)
	f.Alt = f.Caption
	row := make([]panel, 2)
	for side, q := range []analyze.StartQuantity{analyze.StartQuantities[0], analyze.StartQuantities[2]} {
		row[side] = panel{
			x: axis{label: "$" + map[string]string{"forward": "‖h_L‖^2/‖h_0‖^2", "backward": "‖p_0‖^2/‖p_L‖^2"}[q.Name] + "$", margin: 0.02},
			y: axis{label: "density", margin: 0.06},
		}
		spread, ok := start.Spreads[q.Name]
		if !ok || spread.Log == nil || spread.Log.Deviation == 0 {
			f.Notes = append(f.Notes, q.Name+" is not finite and positive in every draw, or the same in all.")
			continue
		}
		values := make([]float64, len(draws))
		for i, d := range draws {
			values[i] = q.Value(d)
		}
		row[side].marks = f.histogram(q.Name, values, spread.Log, s)
		f.Alt += fmt.Sprintf(" %s: distance to the law %s.", q.Name, number(spread.Log.Distance, 2))
	}
	f.panels = [][]panel{row}
	f.legend = []entry{
		{text: "draws", mark: &mark{color: categories[0].color, width: s.line}},
		{text: "log-normal law", mark: &mark{color: categories[1].color, width: s.line}},
	}
	return f
}

// histogram returns the outline of the histogram of values and the density of the law,
// up to the 99.5 % quantile: beyond it bars hold a draw or two.
func (f *Figure) histogram(name string, values []float64, law *analyze.LogNormal, s sizes) []mark {
	slices.Sort(values)
	low, high := values[0], values[(len(values)-1)*995/1000]
	bins := min(60, int(math.Sqrt(float64(len(values)))))
	width := (high - low) / float64(bins)
	bars := mark{color: categories[0].color, width: s.line, x: []float64{low}, y: []float64{0}}
	fit := mark{color: categories[1].color, width: s.line}
	density := func(x float64) float64 {
		z := (math.Log(x) - law.Mean) / law.Deviation
		return math.Exp(-z*z/2) / (x * law.Deviation * math.Sqrt(2*math.Pi))
	}
	next := 0
	for bin := range bins {
		from, to, inside := low+float64(bin)*width, low+float64(bin+1)*width, 0
		for next < len(values) && (values[next] < to || bin == bins-1 && values[next] <= high) {
			next++
			inside++
		}
		height := float64(inside) / (float64(len(values)) * width)
		bars.x, bars.y = append(bars.x, from, to), append(bars.y, height, height)
		middle := (from + to) / 2
		f.Data.Rows = append(f.Data.Rows, []string{name, exact(from), exact(to), exact(height), exact(density(middle))})
	}
	bars.x, bars.y = append(bars.x, high), append(bars.y, 0)
	const steps = 200
	for i := range steps + 1 {
		x := low + (high-low)*float64(i)/steps
		fit.x, fit.y = append(fit.x, x), append(fit.y, density(x))
	}
	return []mark{bars, fit}
}
