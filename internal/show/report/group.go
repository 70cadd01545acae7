package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/read/proof"
	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A group is what figures and page show together: runs that differ in depth and
// seed alone, with what analyze found and what their folders hold.
type group struct {
	analyze.Group
	slug  string // the group's name as it stands in file names
	label string // the group's name as a reader knows it
	runs  []run  // by depth, then seed
	paths []pathCurve
	notes []string // what could not be read or computed, and why

	missing []string // those of the notes that say what could not be read

	// tune is what a search or a grid over a step says of this group and those that differ from it in the
	// step alone; it is drawn once, with the first of them. searched says that the runs are those of a search, too many to be
	// drawn one by one.
	tune     *analyze.TuneGroup
	searched bool
	changes  []analyze.CoordinateQuantity // of runs with train.coordinates
	// second and plane are the second field's answer and that of both where two are tuned at a time.
	second *analyze.TuneGroup
	plane  *analyze.TunePlane

	source runfolder.Source // of the paths; "" for the weights
}

// unread notes what could not be read.
func (g *group) unread(note string) {
	g.notes = append(g.notes, note)
	g.missing = append(g.missing, note)
}

// A run is a row of the table of runs and a curve of the loss.
type run struct {
	analyze.Run
	meta      *runfolder.Meta // nil when the folder has none
	state     survey.State    // "" where it is not known
	reason    string          // of a failure or an interruption
	iteration []float64
	loss      []float64
	seconds   []float64         // of the wall clock, beside loss
	accuracy  map[string]series // along training, by its column in the trace
	variation map[string]series // V_p along training, by its column in the trace
	proof     *proof.Report     // nil for an unfinished run
}

// A pathCurve is an analyze.PathSample.
type pathCurve struct {
	depth        int
	seed         uint64
	part         string      // name of the weights, A or V
	entries      [][2]int    // zero-based row and column
	trained      [][]float64 // L^β A_k(T): (entries + 1, L)
	displacement [][]float64 // L^β (A_k(T) − A_k(0)): (entries + 1, L); nil without initial weights

	factor    float64            // L^β
	norms     *runfolder.Norms   // of all layers along training, or nil
	states    [][]float64        // entries and norm of the first sample's hidden states, (·, L+1), or nil
	partition *analyze.Partition // of the one path that it is drawn for
	moved     *analyze.Partition // of its displacement
}

// trouble says why the run's numbers count in no fit, or returns "".
func (r run) trouble() string {
	switch {
	case r.Stop == "" && (r.state == survey.Failed || r.state == survey.Running):
		return string(r.state)
	case r.Stop == "":
		return "not finished"
	case r.Stop == runfolder.Diverged:
		return "diverged"
	case r.Diverged():
		return "loss is not finite"
	case r.Parts == nil:
		return "not analysed"
	}
	return ""
}

// depths returns the depths of the runs, in order.
func (g group) depths() []int {
	var out []int
	for _, r := range g.runs {
		out = append(out, r.Depth)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// newGroups sorts the runs of a result into its groups. A run of a group that
// analyze did not list makes a group of its own name, so that no run is lost.
func newGroups(result *analyze.Result) []group {
	var groups []group
	index := map[string]int{}
	add := func(g analyze.Group) {
		g.Exponents, g.VariationSlope = finite(g.Exponents), finite(g.VariationSlope)
		index[g.Group] = len(groups)
		groups = append(groups, group{Group: g, label: label(g), notes: slices.Clone(g.Notes)})
	}
	for _, g := range result.Groups {
		add(g)
	}
	for _, r := range result.Runs {
		if _, ok := index[r.Group]; !ok {
			add(analyze.Group{Group: r.Group, Settings: r.Settings, Data: r.Data, Alpha: r.Alpha})
		}
		g := &groups[index[r.Group]]
		g.runs = append(g.runs, run{Run: r})
		for _, note := range r.Notes {
			g.notes = append(g.notes, fmt.Sprintf("Run %s: %s", r.ID, note))
		}
		if r.RateReason != "" {
			g.notes = append(g.notes, fmt.Sprintf("Run %s: no rate: %s", r.ID, r.RateReason))
		}
	}
	nameFiles(groups)
	for i := range groups {
		slices.SortStableFunc(groups[i].runs, func(a, b run) int {
			return cmp.Or(cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.ID, b.ID))
		})
	}
	return groups
}

// finite returns the slopes that are numbers; the others are no fits.
func finite(slopes map[string]analyze.Slope) map[string]analyze.Slope {
	out := maps.Clone(slopes)
	maps.DeleteFunc(out, func(_ string, s analyze.Slope) bool {
		sum := s.Slope + s.Intercept
		return math.IsNaN(sum) || math.IsInf(sum, 0)
	})
	return out
}

// label names a group by its data and by the settings that tell it from the others.
func label(g analyze.Group) string {
	parts := []string{cmp.Or(g.Data, "unnamed data")}
	for _, k := range slices.Sorted(maps.Keys(g.Settings)) {
		parts = append(parts, fmt.Sprintf("%s = %s", k, g.Settings[k]))
	}
	return strings.Join(parts, ", ")
}

// nameFiles gives each group the slug of its data and settings, followed by the
// start of its hash where two groups would share it.
func nameFiles(groups []group) {
	count := map[string]int{}
	for i := range groups {
		parts := []string{cmp.Or(groups[i].Data, "unnamed")}
		for _, k := range slices.Sorted(maps.Keys(groups[i].Settings)) {
			parts = append(parts, k[strings.LastIndexByte(k, '.')+1:], groups[i].Settings[k])
		}
		groups[i].slug = slug(strings.ReplaceAll(strings.Join(parts, "-"), ".", "_"))
		count[groups[i].slug]++
	}
	for i := range groups {
		if g := &groups[i]; count[g.slug] > 1 {
			g.slug = slug(g.slug + "-" + g.Group.Group[:min(8, len(g.Group.Group))])
		}
	}
}

// slug returns name where it is fit for a file name and a URL everywhere: letters,
// digits, - and _, no more than 64 of them. Other names lose what is not and end in
// a hash that keeps them apart.
func slug(name string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_':
			return r
		}
		return -1
	}, name)
	if kept == name && name != "" && len(name) <= 64 {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return strings.TrimLeft(kept[:min(len(kept), 40)]+"-"+hex.EncodeToString(sum[:4]), "-")
}
