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

// TuneEdge is where the mean measure is a tenth above its least.
type TuneEdge struct {
	Depth int     `json:"depth"`
	Value float64 `json:"value"` // as training uses it
}

// The sides of a flank.
const (
	LeftFlank  = "left"
	RightFlank = "right"
)

// findFlank sets Flank where at every depth the measure stays within a tenth of its least from the best to the end of what was
// tried on the same side, over a factor hardlyMatters, and at one depth or more no value there is told from the best. Best
// values are then places in noise: there are none, and the exponents are those of the flank.
func (g *TuneGroup) findFlank(bowls []scaling.Bowl, trials []scaling.Trial) {
	for _, side := range []string{RightFlank, LeftFlank} {
		if g.levelBut(side, bowls, trials) {
			g.Flank = &TuneFlank{Side: side}
		}
	}
	if g.Flank == nil {
		return
	}
	edges := map[int]float64{}
	for _, b := range bowls {
		edges[b.Depth] = b.NearHigh
		if g.Flank.Side == LeftFlank {
			edges[b.Depth] = b.NearLow
		}
		g.Flank.Edges = append(g.Flank.Edges, TuneEdge{b.Depth, edges[b.Depth]})
	}
	rising := slices.DeleteFunc(slices.Clone(trials), func(t scaling.Trial) bool {
		beyond := t.Setting / edges[t.Depth]
		if g.Flank.Side == LeftFlank {
			beyond = 1 / beyond
		}
		return beyond < 1/hardlyMatters // what is far on the level side is noise
	})
	g.Best = []TuneBest{}
	g.shift(rising)
	if g.Flank.Side == LeftFlank {
		g.Left, g.Right = g.Exponent, nil
	} else {
		g.Left, g.Right = nil, g.Exponent
	}
	g.Apart = false
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
