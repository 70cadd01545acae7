package main

import (
	"fmt"
	"image/color"
	"os"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/deeplimit/deeplimit/internal/planted"
	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/scaling"
)

// figureFamilies are the panels of the figure: V_1 of these at the first set of depths and width 2.
var figureFamilies = []string{"smooth", "smooth + 0.3 noise", "fractional 0.3"}

const (
	figureDraws = 40
	figureWidth = 2
)

var (
	windowColour = color.RGBA{R: 0xd5, G: 0x5e, A: 0xff}
	limitColour  = color.RGBA{G: 0x72, B: 0xb2, A: 0xff}
)

// writeFigure draws 95 % intervals of the slope over the depths beside those of the exponent of the limit, with the truth.
func writeFigure(name string) error {
	const wide, high = 9 * vg.Inch, 4.4 * vg.Inch
	image := vgimg.NewWith(vgimg.UseWH(wide, high), vgimg.UseDPI(110))
	canvas := draw.New(image)
	for i, of := range figureFamilies {
		for _, family := range planted.Families() {
			if family.Name != of {
				continue
			}
			panel, err := newPanel(family)
			if err != nil {
				return err
			}
			left := canvas.Min.X + vg.Length(i)*wide/vg.Length(len(figureFamilies))
			panel.Draw(draw.Crop(canvas, left-canvas.Min.X, left+wide/vg.Length(len(figureFamilies))-canvas.Max.X, 0, 0))
		}
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := (vgimg.PngCanvas{Canvas: image}).WriteTo(file); err != nil {
		return err
	}
	return file.Close()
}

// newPanel has two intervals of every draw of a family, one above the other.
func newPanel(family planted.Family) (*plot.Plot, error) {
	p := plot.New()
	truth := family.Exponents["variation_1"]
	bar := func(low, high, y float64, c color.Color) error {
		line, err := plotter.NewLine(plotter.XYs{{X: low, Y: y}, {X: high, Y: y}})
		if err != nil {
			return err
		}
		line.Width, line.Color = vg.Points(1.4), c
		p.Add(line)
		return nil
	}
	window, limit := 0, 0
	for n := range figureDraws {
		paths := cell{family: family, set: depthSets[0], width: figureWidth}.paths(n)
		x, err := scaling.Infer(paths, scaling.Assumptions{})
		if err != nil {
			return nil, err
		}
		slope, err := scaling.Fit(firstVariations(paths))
		if err != nil {
			return nil, err
		}
		e := x.Variation(1)
		if slope.Low <= truth && truth <= slope.High {
			window++
		}
		if e.Low <= truth && truth <= e.High {
			limit++
		}
		if err := bar(slope.Low, slope.High, float64(n)+0.2, windowColour); err != nil {
			return nil, err
		}
		if err := bar(e.Low, e.High, float64(n)-0.2, limitColour); err != nil {
			return nil, err
		}
	}
	if err := bar(truth, truth+1e-9, -1, color.Black); err != nil {
		return nil, err
	}
	line, err := plotter.NewLine(plotter.XYs{{X: truth, Y: -1}, {X: truth, Y: figureDraws}})
	if err != nil {
		return nil, err
	}
	line.Dashes = []vg.Length{vg.Points(3), vg.Points(2)}
	p.Add(line)
	p.Title.Text = fmt.Sprintf("%s: V₁ ~ L^%g\nslope over the depths %d of %d\nexponent of the limit %d of %d", family.Name, truth, window, figureDraws, limit, figureDraws)
	p.X.Label.Text = "95 % interval"
	p.Y.Label.Text = "draw"
	p.Y.Min, p.Y.Max = -1, figureDraws
	return p, nil
}

// firstVariations are the sums of the steps of each path.
func firstVariations(paths []scaling.DepthPath) (samples []scaling.Sample) {
	for _, p := range paths {
		samples = append(samples, scaling.Sample{Depth: p.Depth, Seed: p.Seed, Value: steps(p.Path)})
	}
	return samples
}

func steps(x pvar.Points) (sum float64) {
	for k := range x.Len() - 1 {
		sum += floats.Distance(x.At(k), x.At(k+1), 2)
	}
	return sum
}
