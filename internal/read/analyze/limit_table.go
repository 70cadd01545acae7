package analyze

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/deeplimit/deeplimit/runfolder"
)

// limits writes what a group says about its limit: variation index, Hölder exponents,
// regime, distances between depths, and transfer. Blocks with several parts have their
// names in it.
func (t *tableWriter) limits(group Group, runs []Run) {
	for _, part := range slices.Sorted(maps.Keys(group.Parts)) {
		path, suffix := group.Parts[part], ""
		if len(group.Parts) > 1 {
			suffix = " of " + part
		}
		for _, source := range runfolder.Sources {
			of := suffix
			if source == runfolder.FromDisplacement {
				of = " of the displacement" + suffix
			}
			view := path.Of(source)
			if view == nil {
				continue
			}
			if x := view.VariationIndex; x != nil {
				t.row("variation index of the limit"+of, x.String(), "", "", BasisText(x.Basis, "run"), x.Warning)
			}
			t.hoelder(group, runs, part, of, source)
			if r := view.Regime; r.told() {
				t.row("limit"+of, cmp.Or(string(r.Verdict), "not settled")) // the sentences below have the reason
			}
		}
		if path.Limit != nil {
			t.distances(suffix, path.Limit)
			t.deepest(suffix, path.Limit)
		}
	}
	if group.Transfer != nil {
		t.transfer(group.Transfer)
	}
}

// hoelder writes the Hölder exponents of one part at the deepest depth that has them,
// means over seeds.
func (t *tableWriter) hoelder(group Group, runs []Run, part, suffix string, source runfolder.Source) {
	var mean, uniform []float64
	deepest := 0
	for _, run := range runs {
		n := run.Of(source).Parts[part]
		if run.Group != group.Group || run.Diverged() || run.Depth < deepest || n.PVariation == nil || finite(n.Hoelder) == nil {
			continue
		}
		if run.Depth > deepest {
			mean, uniform, deepest = nil, nil, run.Depth
		}
		mean, uniform = append(mean, n.Hoelder), append(uniform, n.HoelderUniform)
	}
	if len(mean) > 0 {
		t.row("Hölder exponent"+suffix, fmt.Sprintf("%.3f in the mean, %.3f uniform", stat.Mean(mean, nil), stat.Mean(uniform, nil)), "", "", fmt.Sprintf("depth %d", deepest))
	}
}

// distances writes the mean over seeds of the distances between two depths, and how
// they fall.
func (t *tableWriter) distances(suffix string, limit *Limit) {
	t.row()
	t.row("distance of depths"+suffix, "integral", "displacement")
	for _, m := range limit.Means() {
		cells := []string{fmt.Sprintf("%d, %d", m.Depth, m.Next), m.Integral.Size(digits), "–"}
		if m.Displacement != nil {
			cells[2] = m.Displacement.Size(digits)
		}
		t.row(cells...)
	}
	if limit.Integral != nil {
		cells := []string{"exponent in depth", limit.Integral.String(), "–", limit.Integral.Warning}
		if limit.Displacement != nil {
			cells[2] = limit.Displacement.String()
		}
		t.row(cells...)
	}
}

// deepest writes the mean over seeds of the distances to the deepest run, and how they fall.
func (t *tableWriter) deepest(suffix string, limit *Limit) {
	if len(limit.Deepest) == 0 {
		return
	}
	t.row()
	t.row("distance to the deepest"+suffix, "L²")
	for from, to := 0, 0; from < len(limit.Deepest); from = to {
		var values []float64
		for ; to < len(limit.Deepest) && limit.Deepest[to].Depth == limit.Deepest[from].Depth; to++ {
			values = append(values, limit.Deepest[to].L2)
		}
		t.row(strconv.Itoa(limit.Deepest[from].Depth), sizeOf(values).Size(digits))
	}
	if s := limit.ToDeepest; s != nil {
		t.row("exponent in depth", s.String(), "", s.Warning)
	}
}

// transfer writes the losses of rebuilt networks and how they fall.
func (t *tableWriter) transfer(transfer *Transfer) {
	t.row()
	t.row("transfer to depth", "seed", "from depths", "trained loss", "trend alone", "initial redrawn")
	for _, l := range transfer.Losses {
		var sources []string
		for _, depth := range l.Sources {
			sources = append(sources, strconv.Itoa(depth))
		}
		t.row(strconv.Itoa(l.Depth), strconv.FormatUint(l.Seed, 10), strings.Join(sources, ", "),
			short(l.Trained), optional(l.Trend), optional(l.Redrawn))
	}
	t.trainings(transfer)
	t.row() // columns of their own
	for _, f := range []struct {
		name  string
		slope *Slope
	}{
		{"excess of the trend, exponent", transfer.Trend},
		{"excess with redrawn weights, exponent", transfer.Redrawn},
		{"excess of a run's own trend, exponent", transfer.TrendOnly},
	} {
		if f.slope != nil {
			t.row(f.name, f.slope.String(), "", f.slope.Warning)
		}
	}
	t.orders(transfer)
}

// orders writes the orders of errors of rebuilt networks.
func (t *tableWriter) orders(transfer *Transfer) {
	for _, o := range transfer.Orders {
		e := Estimate{Value: o.Exponent, Low: orNaN(o.Low), High: orNaN(o.High), Method: o.Method}
		t.row("order of "+o.Of, e.String(), "against "+o.Against, o.Warning)
	}
}

// trainings writes the iterations of training from rebuilt networks and from scratch.
func (t *tableWriter) trainings(transfer *Transfer) {
	headed := false
	for _, l := range transfer.Losses {
		if l.Training == nil {
			continue
		}
		if !headed {
			t.row()
			t.row("training at depth", "seed", "from rebuilt", "from scratch")
			headed = true
		}
		scratch := "–"
		if l.Training.Scratch != nil {
			scratch = l.Training.Scratch.String()
		}
		t.row(strconv.Itoa(l.Depth), strconv.FormatUint(l.Seed, 10), l.Training.Rebuilt.String(), scratch)
	}
}

// optional returns v to four digits, "–" if there is none.
func optional(v *float64) string {
	if v == nil {
		return short(math.NaN())
	}
	return short(*v)
}
