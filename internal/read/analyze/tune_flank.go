package analyze

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/scaling"
)

// TuneFlank is what there is of a measure that has no minimum: on one side it stays within a tenth of its least as far as was
// tried, on the other it rises.
type TuneFlank struct {
	Side  string     `json:"side"`  // on which it rises: left or right
	Edges []TuneEdge `json:"edges"` // by depth
}

// TuneEdge is where the measure is a tenth above what it is on the level side, the geometric mean over seeds.
type TuneEdge struct {
	Depth int     `json:"depth"`
	Value float64 `json:"value"` // as training uses it
	// Low and High are its 95 % interval by Student's t over seeds, null with one seed.
	Low  *float64 `json:"low"`
	High *float64 `json:"high"`
}

// The sides of a flank.
const (
	LeftFlank  = "left"
	RightFlank = "right"
)

// findFlank sets Flank where at every depth the measure stays within a tenth of its least to the end of what was
// tried on one side, over a factor hardlyMatters, and at one depth or more no value there is told from the best. Best
// values are then places in noise: there are none, and the exponents are those of the edges of the flank.
func (g *TuneGroup) findFlank(bowls []scaling.Bowl, trials []scaling.Trial) {
	for _, side := range []string{RightFlank, LeftFlank} {
		if !g.levelBut(side, bowls, trials) {
			continue
		}
		var samples []scaling.Sample
		f := &TuneFlank{Side: side}
		for _, b := range bowls {
			edges := g.edges(side, b)
			if len(edges) == 0 {
				return
			}
			var logs []float64
			for _, e := range edges {
				logs = append(logs, math.Log(e.Value))
			}
			mean, half := scaling.MeanInterval(logs, 0.95)
			f.Edges = append(f.Edges, TuneEdge{b.Depth, math.Exp(mean), finite(math.Exp(mean - half)), finite(math.Exp(mean + half))})
			samples = append(samples, edges...)
		}
		g.Flank, g.Best = f, []TuneBest{}
		g.fitFlank(samples)
		return
	}
}

// edges returns, for each seed, where its measure is a tenth above its geometric mean on the level side of a bowl: between
// the last trial, from the level side, that is below and the next one, straight in logarithms.
func (g *TuneGroup) edges(side string, b scaling.Bowl) []scaling.Sample {
	var out []scaling.Sample
	for _, seed := range g.seeds(b.Depth) {
		var x, y []float64 // from the level side on
		level, count := 0.0, 0.0
		for i := range g.Runs { // by value
			r := &g.Runs[i]
			if r.Depth != b.Depth || r.Seed != seed {
				continue
			}
			x, y = append(x, math.Log(r.Value)), append(y, r.LogMeasure())
			far := r.Value*hardlyMatters <= b.NearHigh
			if side == LeftFlank {
				far = r.Value >= b.NearLow*hardlyMatters
			}
			if far {
				level, count = level+r.LogMeasure(), count+1
			}
		}
		if side == LeftFlank {
			slices.Reverse(x)
			slices.Reverse(y)
		}
		limit := level/count + math.Log(1.1)
		i := len(y) - 1
		for i >= 0 && !(y[i] <= limit) {
			i--
		}
		switch {
		case i < 0 || i == len(y)-1 || !(count > 0): // none of it is below, or none above
			continue
		case math.IsInf(y[i+1], 1):
			out = append(out, scaling.Sample{Depth: b.Depth, Seed: seed, Value: math.Exp((x[i] + x[i+1]) / 2)})
		default:
			out = append(out, scaling.Sample{Depth: b.Depth, Seed: seed, Value: math.Exp(x[i] + (x[i+1]-x[i])*(limit-y[i])/(y[i+1]-y[i]))})
		}
	}
	return out
}

// fitFlank sets the exponents from the edges of all depths and seeds.
func (g *TuneGroup) fitFlank(samples []scaling.Sample) {
	g.NoExponent()
	among := func(edges []TuneEdge) *Slope {
		part := slices.DeleteFunc(slices.Clone(samples), func(s scaling.Sample) bool {
			return !slices.ContainsFunc(edges, func(e TuneEdge) bool { return e.Depth == s.Depth })
		})
		slope, err := scaling.Fit(part)
		if err != nil {
			g.Notes = append(g.Notes, "no exponent: "+err.Error())
			return nil
		}
		return &slope
	}
	edges := g.Flank.Edges
	if g.Exponent = among(edges); g.Flank.Side == LeftFlank {
		g.Left = g.Exponent
	} else {
		g.Right = g.Exponent
	}
	if len(edges) < 3 {
		return
	}
	g.Deeper = among(edges[1:])
	for i := range len(edges) - 1 {
		if slope := among(edges[i : i+2]); slope != nil {
			g.Windows = append(g.Windows, scaling.Window{From: edges[i].Depth, To: edges[i+1].Depth, Exponent: *slope})
		}
	}
}

// levelBut reports whether the measure is level but on one side, at every depth.
func (g *TuneGroup) levelBut(side string, bowls []scaling.Bowl, trials []scaling.Trial) bool {
	open := false
	for _, b := range bowls {
		last, rises := math.Inf(1), b.NearHigh
		if side == LeftFlank {
			last, rises = math.Inf(-1), b.NearLow
		}
		farthest := rises
		for _, t := range trials {
			if t.Depth != b.Depth {
				continue
			}
			if side == RightFlank {
				last, farthest = min(last, t.Setting), max(farthest, t.Setting)
			} else {
				last, farthest = max(last, t.Setting), min(farthest, t.Setting)
			}
		}
		near, told := b.NearLow, !math.IsNaN(b.Low)
		if side == LeftFlank {
			near, told = b.NearHigh, !math.IsInf(b.High, 1)
		}
		if math.Abs(near/last-1) > 1e-9 || b.NearHigh < hardlyMatters*b.NearLow || farthest == rises { // not level, or level on both sides
			return false
		}
		open = open || !told
	}
	return open && len(bowls) > 1
}

// FlankText says where the flank begins at each depth, such as "up to 0.1 at depth 8, 0.05 at depth 32".
func (g *TuneGroup) FlankText() string {
	word := "up to"
	if g.Flank.Side == LeftFlank {
		word = "from"
	}
	var edges []string
	for _, e := range g.Flank.Edges {
		edges = append(edges, fmt.Sprintf("%.3g at depth %d", e.Value, e.Depth))
	}
	return word + " " + strings.Join(edges, ", ")
}
