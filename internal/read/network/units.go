package network

import (
	"fmt"
	"strings"

	"gonum.org/v1/gonum/blas/blas64"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// MostUnits is the largest number of hidden units that are matched: the time of one pair of layers grows with its cube.
const MostUnits = 4096

// A unitGroup is the maps of every block that share their hidden units: a layer numbers these for itself, the same in each map.
type unitGroup struct {
	sides []side
	heads int // that the units stand in, one behind the other, where they are known; else 1
}

// sharers are maps that share their hidden units, as some have no gate.
var sharers = [][]string{{"up", "gate", "down"}, {"q", "k"}, {"v", "o"}}

// unitGroups returns the maps whose hidden units can be matched, and why others that have some cannot be.
func unitGroups(families []Family, heads Heads) (groups []unitGroup, problems []string) {
	for _, sides := range blockSides(families) {
		for _, names := range sharers {
			g := unitGroup{heads: 1}
			twice := false
			for _, s := range sides {
				for _, name := range names {
					if s.name == name {
						twice = twice || only(sides, name) == nil
						g.sides = append(g.sides, s)
					}
				}
			}
			if len(g.sides) == 0 {
				continue
			}
			problem := g.problem()
			if twice {
				problem = "got several maps of one role, want names that tell the blocks apart"
			}
			if problem != "" {
				problems = append(problems, fmt.Sprintf("units not matched: %s: %s", plain.Text(strings.Join(g.patterns(), ", ")), problem))
				continue
			}
			if names[0] != "up" && heads.Query == heads.KeyValue && heads.Query > 0 && g.hidden()%heads.Query == 0 {
				g.heads = heads.Query
			}
			groups = append(groups, g)
		}
	}
	return groups, problems
}

func (g *unitGroup) hidden() int { return g.sides[0].hidden() }

// problem says why the units cannot be matched, "" for nothing.
func (g *unitGroup) problem() string {
	first := g.sides[0]
	for _, s := range g.sides {
		switch {
		case s.hidden() != first.hidden():
			return fmt.Sprintf("got %d hidden units in %s and %d in %s, want as many (keys and values that several queries share have no units of their own)", first.hidden(), first.name, s.hidden(), s.name)
		case s.family.Layers != first.family.Layers || s.family.Indices != first.family.Indices:
			return fmt.Sprintf("got other layers in %s than in %s", first.name, s.name)
		}
	}
	if first.hidden() > MostUnits {
		return fmt.Sprintf("got %d hidden units, want at most %d, as the time grows with the cube; invariants need no matching", first.hidden(), MostUnits)
	}
	return ""
}

// patterns are those of the families, each once.
func (g *unitGroup) patterns() []string {
	var out []string
	for _, s := range g.sides {
		if p := s.family.Pattern; len(out) == 0 || out[len(out)-1] != p {
			out = append(out, p)
		}
	}
	return out
}

// entries are those of one layer of all maps.
func (g *unitGroup) entries() int {
	n := 0
	for _, s := range g.sides {
		n += s.hidden() * s.stream()
	}
	return n
}

// A unitTable is the units of a layer with their weights in all maps of a group, in tiles: entry (i,j) of unit i stands at
// data[(j/unitTile·units + i)·unitTile + j mod unitTile], with zeros behind the last.
type unitTable struct {
	units, tiles int
	data         []float64
}

// unitTile is how many entries of a unit stand side by side.
const unitTile = 256

// table reads the units of a layer. Each map has norm 1, so that all count alike whatever their scales, times a sign.
func (g *unitGroup) table(load func(f *Family, k int) ([]float64, error), k int, sign float64) (*unitTable, error) {
	width := 0
	for _, s := range g.sides {
		width += s.stream()
	}
	t := &unitTable{units: g.hidden(), tiles: (width + unitTile - 1) / unitTile}
	t.data = make([]float64, t.tiles*t.units*unitTile)
	at := 0
	for _, s := range g.sides {
		m, err := s.load(load, k)
		if err != nil {
			return nil, err
		}
		size := blas64.Nrm2(blas64.Vector{N: m.Rows * m.Cols, Inc: 1, Data: m.Data})
		if size == 0 {
			size = 1
		}
		for i := range m.Rows {
			for j, v := range m.Data[i*m.Stride : i*m.Stride+m.Cols] {
				unit, entry := i, j
				if m.across {
					unit, entry = j, i
				}
				entry += at
				t.data[(entry/unitTile*t.units+unit)*unitTile+entry%unitTile] = sign * v / size
			}
		}
		at += s.stream()
	}
	return t, nil
}

// tile returns entries of consecutive units.
func (t *unitTable) tile(tile, from, to int) []float64 {
	return t.data[(tile*t.units+from)*unitTile : (tile*t.units+to)*unitTile]
}
