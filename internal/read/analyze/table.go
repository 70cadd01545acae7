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
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// A View says what WriteTable shows of a study. The zero value is the default.
type View struct {
	Columns []string // of the overview, by name; all that a row has a number for when empty
	Sort    string   // the column that rows are sorted by, best first, or with a minus last; in the order of the study when empty
	Groups  []string // those shown in full: a number, field=value, or all; all of mostShown or fewer when empty
	Width   int      // of a terminal, in characters; 0 for any
}

// mostShown is the number of groups up to which each is shown in full.
const mostShown = 3

// writeNotes writes what people have written about the study.
func writeNotes(w io.Writer, n *runfolder.Notes) {
	if n.Note != "" {
		fmt.Fprintf(w, "note: %s\n", strings.ReplaceAll(plain.Lines(n.Note), "\n", "\n      "))
	}
	if len(n.Tags) > 0 {
		fmt.Fprintf(w, "tags: %s\n", plain.Text(strings.Join(n.Tags, ", ")))
	}
}

// WriteTable writes the result as plain text: the overview, then the runs of each group and
// what the group says about depth, and last what was left out. Numbers that are
// not known show as "–". A view that does not fit the study is a *field.Error.
func (r *Result) WriteTable(w io.Writer, view View) error {
	overview, columns, groups, err := r.view(view)
	if err != nil {
		return err
	}
	if families, alone := r.Networks(); families != nil {
		if err := families.WriteTable(w); err != nil || alone {
			return err
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	table := &tableWriter{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	fmt.Fprintf(w, "study %s: runs %d, groups %d\n", plain.Text(r.Study), len(r.Runs), len(r.Groups))
	writeNotes(w, &r.Notes)
	if len(r.Groups) > 0 {
		fmt.Fprintf(w, "%s\n\n", overview.About())
		if err := overview.Write(w, columns, view.Width); err != nil {
			return err
		}
	}
	for _, i := range groups {
		table.group(i+1, r.Groups[i], r.Runs)
	}
	if len(groups) < len(r.Groups) {
		fmt.Fprintf(table, "\nIn full, with every run and exponent: analyze DIR --group %d, --group all or --group field=value.\n", overview.Rows[0].Number)
	}
	if len(r.Unfinished) > 0 {
		fmt.Fprintf(table, "\nunfinished: %s\n", plain.Text(strings.Join(r.Unfinished, ", ")))
	}
	for _, damage := range r.Damaged {
		fmt.Fprintf(table, "\ndamaged: %s: %s\n", plain.Text(damage.ID), plain.Text(damage.Error))
	}
	return table.Flush()
}

// view returns the overview in the order asked for, its columns, and the places of the groups that are shown in full.
func (r *Result) view(v View) (o *Overview, columns []OverviewColumn, groups []int, err error) {
	if columns, err = r.Overview.Choose(v.Columns); err != nil {
		return nil, nil, nil, err
	}
	if o, err = r.Overview.Sorted(v.Sort); err != nil {
		return nil, nil, nil, err
	}
	names := v.Groups
	if len(names) == 0 && len(r.Groups) <= mostShown {
		names = []string{allGroups}
	}
	shown := map[int]bool{}
	for _, name := range names {
		found, err := o.group(name)
		if err != nil {
			return nil, nil, nil, err
		}
		for _, i := range found {
			shown[i] = true
		}
	}
	for _, row := range o.Rows {
		if shown[row.Number-1] {
			groups = append(groups, row.Number-1)
		}
	}
	return o, columns, groups, nil
}

type tableWriter struct{ *tabwriter.Writer }

// row writes cells as one line of the table.
func (t *tableWriter) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = plain.Text(cell)
	}
	fmt.Fprintln(t, strings.Join(cells, "\t"))
}

func (t *tableWriter) group(number int, group Group, runs []Run) {
	block := group.Block
	if group.Normalise != "" {
		block += ", normalise " + group.Normalise
	}
	fmt.Fprintf(t, "\ngroup %d: %s  block %s, activation %s, alpha %s", number, plain.Text(group.Data), block, group.Activation, short(group.Alpha))
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

// resultColumns are those of results that some runs have.
var resultColumns = []struct {
	title string
	value func(*Run) *float64
}{
	{"validation loss", func(r *Run) *float64 { return r.Validation }},
	{"test loss", func(r *Run) *float64 { return r.TestLoss }},
	{"accuracy", func(r *Run) *float64 { return r.Accuracy }},
	{"validation acc.", func(r *Run) *float64 { return r.ValidationAcc }},
	{"test acc.", func(r *Run) *float64 { return r.TestAcc }},
}

func (t *tableWriter) runs(group Group, runs []Run) {
	ps := exponentTexts(group, runs)
	header := []string{"depth", "seed", "iterations", "stop", "loss"}
	results := slices.Clone(resultColumns)
	for i := len(results) - 1; i >= 0; i-- {
		if !slices.ContainsFunc(runs, func(r Run) bool { return r.Group == group.Group && results[i].value(&r) != nil }) {
			results = slices.Delete(results, i, i+1)
		}
	}
	for _, c := range results {
		header = append(header, c.title)
	}
	header = append(header, "rate", "R²", "max‖A‖", "displacement", "max increment", "quadratic var.")
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
			short(run.Loss),
		}
		for _, c := range results {
			cells = append(cells, short(orNaN(c.value(&run))))
		}
		cells = append(cells, rate, r2, short(run.MaxFrobenius), short(run.Displacement), short(run.MaxIncrement), short(run.QuadraticVariation))
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
		t.row("rate", rate.span(), "", "≥ "+scaling.R2Text(rate.MinR2), fmt.Sprintf("linear in %d of %s", rate.Linear, plain.Count(rate.Runs, "run")))
	}
}

// span writes the least and the greatest rate of runs that fall linearly.
func (r *RateRange) span() string {
	if r.Linear == 0 {
		return "not linear"
	}
	low, high := rhoTexts(*r.MinRho, *r.MaxRho)
	if low == high {
		return low
	}
	return low + " to " + high
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
