package analyze

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/scaling"
)

// WriteTable writes the result as plain text: the runs of each group and then
// what the group says about depth, and last what was left out. Numbers that are
// not known show as "–".
func (r *Result) WriteTable(w io.Writer) error {
	if families, alone := r.Networks(); families != nil {
		if err := families.WriteTable(w); err != nil || alone {
			return err
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	table := &tableWriter{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	fmt.Fprintf(table, "study %s: runs %d, groups %d\n", plain.Text(r.Study), len(r.Runs), len(r.Groups))
	for _, group := range r.Groups {
		table.group(group, r.Runs)
	}
	if len(r.Unfinished) > 0 {
		fmt.Fprintf(table, "\nunfinished: %s\n", plain.Text(strings.Join(r.Unfinished, ", ")))
	}
	for _, damage := range r.Damaged {
		fmt.Fprintf(table, "\ndamaged: %s: %s\n", plain.Text(damage.ID), plain.Text(damage.Error))
	}
	return table.Flush()
}

type tableWriter struct{ *tabwriter.Writer }

// row writes cells as one line of the table.
func (t *tableWriter) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = plain.Text(cell)
	}
	fmt.Fprintln(t, strings.Join(cells, "\t"))
}

func (t *tableWriter) group(group Group, runs []Run) {
	block := group.Block
	if group.Normalise != "" {
		block += ", normalise " + group.Normalise
	}
	fmt.Fprintf(t, "\n%s  block %s, activation %s, alpha %s", plain.Text(group.Data), block, group.Activation, short(group.Alpha))
	for _, name := range slices.Sorted(maps.Keys(group.Settings)) {
		fmt.Fprintf(t, ", %s %s", plain.Text(name), plain.Text(group.Settings[name]))
	}
	fmt.Fprint(t, "\n\n")
	t.runs(group, runs)
	t.slopes(group)
	t.limits(group, runs)
	t.words(group)
	t.next(group)
	for _, note := range group.Notes {
		fmt.Fprintf(t, "note: %s\n", plain.Text(note))
	}
}

func (t *tableWriter) runs(group Group, runs []Run) {
	ps := exponentTexts(group, runs)
	header := []string{"depth", "seed", "iterations", "stop", "loss", "rate", "R²", "max‖A‖", "displacement", "max increment", "quadratic var."}
	for _, p := range ps {
		header = append(header, "V_"+p)
	}
	t.row(header...)
	for _, run := range runs {
		if run.Group != group.Group {
			continue
		}
		rate, r2 := "–", "–"
		if run.Rate != nil {
			rate, r2 = run.Rate.Text(), scaling.R2Text(run.Rate.R2)
		}
		cells := []string{
			strconv.Itoa(run.Depth), strconv.FormatUint(run.Seed, 10), strconv.Itoa(run.Iterations), run.Stop,
			short(run.Loss), rate, r2, short(run.MaxFrobenius), short(run.Displacement), short(run.MaxIncrement), short(run.QuadraticVariation),
		}
		for _, p := range ps {
			cells = append(cells, short(run.PVariation[p]))
		}
		t.row(cells...)
	}
	t.row()
}

func (t *tableWriter) slopes(group Group) {
	if len(group.Exponents)+len(group.VariationSlope) == 0 {
		return // the sentences say why
	}
	t.row("slope over these depths", "95 % interval", "exponent as L → ∞", "R²", "from", "")
	for _, row := range group.Rows() {
		if row.Law != nil {
			t.row(tableName(row.Key), row.Number+" "+row.Range, cmp.Or(row.Limit, "–"), row.R2, row.Basis, row.Warning)
		}
	}
	if sum := group.AlphaPlusBeta; sum != nil {
		t.row("alpha + beta", sum.String(), "", "", BasisText(sum.Basis, "run"))
	}
	if rate := group.Rate; rate != nil {
		span := "not linear"
		if rate.Linear > 0 {
			low, high := rhoTexts(*rate.MinRho, *rate.MaxRho)
			if span = low; high != low {
				span += " to " + high
			}
		}
		t.row("rate", span, "", "≥ "+scaling.R2Text(rate.MinR2), fmt.Sprintf("linear in %d of %s", rate.Linear, countOf(rate.Runs, "run")))
	}
}

// tableName is the key of a power law, with a variation as V_p.
func tableName(key string) string {
	if p, ok := strings.CutPrefix(key, "v_"); ok {
		return "V_" + p
	}
	return key
}

// words writes the sentences on a group.
func (t *tableWriter) words(group Group) {
	t.row()
	for _, s := range group.Sentences() {
		fmt.Fprintln(t, s.Text)
	}
}

// exponentTexts returns the p of the first run of the group, ascending.
func exponentTexts(group Group, runs []Run) []string {
	i := slices.IndexFunc(runs, func(r Run) bool { return r.Group == group.Group })
	if i < 0 {
		return nil
	}
	return sortedExponents(maps.Keys(runs[i].PVariation))
}

// short returns v to four digits, "–" if it is not known.
func short(v float64) string { return digits(v, 4) }

// digits returns v to n digits that count, "–" if it is not known.
func digits(v float64, n int) string {
	if finite(v) == nil {
		return "–"
	}
	return strconv.FormatFloat(v, 'g', n, 64)
}
