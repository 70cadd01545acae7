package network

import (
	"encoding/csv"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Runs returns the names of the networks, each once.
func (r *Result) Runs() []string {
	var runs []string
	for i := range r.Families {
		if run := r.Families[i].Run; !slices.Contains(runs, run) {
			runs = append(runs, run)
		}
	}
	return runs
}

// WriteCSV writes a row for each family and each invariant.
func (r *Result) WriteCSV(w io.Writer) error {
	table := csv.NewWriter(w)
	rows := [][]string{{
		"run", "depth", "seed", "step", "name", "role", "layers", "rows", "columns", "orientation", "verdict", "p_value", "p_value_independent", "order_share",
		"noise_share", "noise_share_low", "noise_share_high", "index", "index_low", "index_high", "median_increment", "cosine_1", "stable_rank_first", "stable_rank_last", "spectral_norm_first", "spectral_norm_last",
		"explained_1", "explained_2", "explained_3", "matched", "verdict_as_stored", "p_value_as_stored", "cosine_1_as_stored", "sentence",
	}}
	add := func(o *Origin, name, role string, layers, height, width int, orientation string, n *Numbers, spectrum *Spectrum, matched [4]string) {
		step := ""
		if o.Step != nil {
			step = decimal(*o.Step)
		}
		ends := spectrum.ends()
		rows = append(rows, []string{
			o.Run, strconv.Itoa(o.Depth), strconv.FormatUint(o.Seed, 10), step, name, role, strconv.Itoa(layers), strconv.Itoa(height), strconv.Itoa(width),
			orientation, string(n.Verdict), decimal(n.PValue), decimal(n.Independent), decimal(n.OrderShare),
			decimal(n.NoiseShare.Value), decimal(n.NoiseShare.Low), decimal(n.NoiseShare.High), decimal(n.Index.Value), decimal(n.Index.Low), decimal(n.Index.High),
			decimal(n.MedianIncrement()), decimal(n.Cosines[0].Cosine), ends[0], ends[1], ends[2], ends[3],
			n.explained(0), n.explained(1), n.explained(2), matched[0], matched[1], matched[2], matched[3], n.Sentence,
		})
	}
	for i := range r.Families {
		f := &r.Families[i]
		add(&f.Origin, f.Pattern, f.Role, f.Layers, f.Rows, f.Columns, f.Orientation, &f.Numbers, f.Spectrum, f.asStored())
	}
	for i := range r.Invariants {
		f := &r.Invariants[i]
		add(&f.Origin, f.Title(), "invariant", f.Layers, f.Rows, f.Columns, "", &f.Numbers, nil, [4]string{})
	}
	return table.WriteAll(rows)
}

// explained is the share of the variance along a principal component, empty where there are fewer.
func (n *Numbers) explained(component int) string {
	if component >= len(n.Explained) {
		return ""
	}
	return decimal(n.Explained[component])
}

// asStored are the maps whose units were matched, and what the layers say as they are; empty where none were.
func (f *FamilyResult) asStored() (texts [4]string) {
	if n := f.AsStored; n != nil {
		texts = [4]string{strings.Join(f.Aligned.Maps, " "), string(n.Verdict), decimal(n.PValue), decimal(n.Cosines[0].Cosine)}
	}
	return texts
}

// ends are the stable ranks and the largest singular values of the first and the last layer, empty where they were not measured.
func (s *Spectrum) ends() (texts [4]string) {
	if s != nil {
		last := len(s.StableRanks) - 1
		texts = [4]string{
			decimal(float64(s.StableRanks[0])), decimal(float64(s.StableRanks[last])), decimal(s.SingularValues[0][0]), decimal(s.SingularValues[last][0]),
		}
	}
	return texts
}

// decimal writes a number, nothing for one that is not known and inf for one without bound.
func decimal(v float64) string {
	switch {
	case math.IsNaN(v):
		return ""
	case math.IsInf(v, 0):
		return "inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
