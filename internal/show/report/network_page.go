package report

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/network"
)

//go:embed network.html.tmpl
var networkSource string

var networkTemplate = template.Must(template.Must(parts.Clone()).New("network").Parse(networkSource))

// mostCards bounds the figures of one page, and mostGrowths those of them that are about trainings: a network of experts has thousands of families.
const (
	mostCards   = 60
	mostGrowths = 24
)

// The views are what the template shows: text, ready to be escaped.
type networkPage struct {
	Kind, Study, Lead string
	CSS               template.CSS
	Notes             []string
	Growth            *growthView
	Networks          []networkView
}

// growthView is a table of how order along depth grows in training, and its figures.
type growthView struct {
	Sentence string
	Tables   []growthTable
	Figures  []figureView
	Omitted  string
}

// growthTable is of the families and invariants at the same steps.
type growthTable struct {
	Label string
	Steps []string
	Rows  []growthRow
}

type growthRow struct {
	Figure, Name, Since, Verdict string
	Cosines                      []string
}

type networkView struct {
	Slug, Label string
	Earlier     bool // there is a later step of the training
	Rows        []familyRow
	Figures     []figureView
	Omitted     string
}

type familyRow struct {
	Figure, Name, Role, Size, Increment, Cosine, P, Noise, Index, Verdict string
	Layers                                                                int
}

// WriteNetwork writes the report of imported networks and returns the path of its page, report/index.html, or
// report/families.html beside the page of a study:
//
//	dir/report/families.html          the page, complete in itself
//	dir/report/families.csv           a row for each family and invariant
//	dir/report/figures/<name>.svg     a figure for each, and as .pdf, .png (300 dpi) and .csv
func WriteNetwork(ctx context.Context, dir, page string, result *network.Result, options Options) (path string, err error) {
	if options, err = options.resolve(); err != nil {
		return "", err
	}
	folder := filepath.Join(dir, "report")
	if err := disk.Subfolder(dir, "report", "figures"); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	w := &networkWriter{ctx: ctx, folder: folder, options: options, result: result}
	view := networkPage{Kind: "Imported network", Study: plain.Text(filepath.Base(filepath.Clean(dir))), CSS: template.CSS(pageStyle), Notes: result.Notes}
	if view.Growth, err = w.growth(); err != nil {
		return "", err
	}
	earlier := result.Earlier()
	for _, run := range lastFirst(result.Runs(), earlier) {
		v, err := w.network(run)
		if err != nil {
			return "", err
		}
		v.Slug, v.Earlier = strconv.Itoa(len(view.Networks)+1), earlier[run]
		view.Networks = append(view.Networks, v)
	}
	view.Lead = fmt.Sprintf("%s, %s and %s.", plain.Count(len(view.Networks), "network"), plain.Count(len(result.Families), "family"), plain.Count(len(result.Invariants), "invariant"))
	var table bytes.Buffer
	if err := result.WriteCSV(&table); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	if err := replace(filepath.Join(folder, "families.csv"), table.Bytes()); err != nil {
		return "", err
	}
	var text bytes.Buffer
	if err := networkTemplate.Execute(&text, view); err != nil {
		return "", fmt.Errorf("report: page: %w", err)
	}
	path = filepath.Join(folder, page)
	return path, replace(path, shown(&text))
}

// networkWriter draws the figures of a page, at most mostCards.
type networkWriter struct {
	ctx     context.Context
	folder  string
	options Options
	result  *network.Result
	drawn   int
}

// network returns what the page shows of one network: maps and invariants with a figure each, norms and biases in
// the table alone.
func (w *networkWriter) network(run string) (networkView, error) {
	v := networkView{}
	var figures []*Figure
	omitted := 0
	add := func(row familyRow, n *network.Numbers, spectrum *network.Spectrum, first int, card bool) {
		row.fill(n)
		switch {
		case card && w.drawn+len(figures) < mostCards:
			f := networkFigure(fmt.Sprintf("family-%d", w.drawn+len(figures)+1), row.Name, n, spectrum, first, w.options.Style)
			f.Caption = upperFirst(n.Sentence) + ". " + f.Caption
			row.Figure = f.Name
			figures = append(figures, f)
		case card:
			omitted++
		}
		v.Rows = append(v.Rows, row)
	}
	for i := range w.result.Families {
		f := &w.result.Families[i]
		if f.Run != run {
			continue
		}
		if v.Label == "" {
			v.Label = plain.Text(f.Run) + f.Origin.StepText()
		}
		name := plain.Text(f.Pattern)
		if f.Aligned != nil {
			name += ", units matched"
		}
		add(familyRow{Name: name, Role: f.Role, Size: fmt.Sprintf("%d×%d", f.Rows, f.Columns), Layers: f.Layers}, &f.Numbers, f.Spectrum, f.First, f.Orientation != "vector")
	}
	for i := range w.result.Invariants {
		if f := &w.result.Invariants[i]; f.Run == run {
			add(familyRow{Name: f.Title(), Role: "invariant", Size: fmt.Sprintf("%d×%d", f.Rows, f.Columns), Layers: f.Layers}, &f.Numbers, nil, f.First, true)
		}
	}
	if omitted > 0 {
		v.Omitted = fmt.Sprintf("%d more without a figure: a page has %d at most; families.csv has all numbers.", omitted, mostCards)
	}
	var err error
	v.Figures, err = w.write(figures)
	return v, err
}

// write writes figures and returns what the page shows of them.
func (w *networkWriter) write(figures []*Figure) ([]figureView, error) {
	for _, f := range figures {
		if err := w.ctx.Err(); err != nil {
			return nil, fmt.Errorf("report: drawing %s: %w", f.Name, err)
		}
		if _, err := f.WriteFiles(filepath.Join(w.folder, "figures"), w.options.Formats); err != nil {
			return nil, err
		}
	}
	how := pageFigures{formats: w.options.Formats, number: w.drawn}
	views, err := figureViews(figures, &how)
	w.drawn = how.number
	return views, err
}

// lastFirst puts networks of which there are later steps behind the others, the last step first.
func lastFirst(runs []string, earlier map[string]bool) []string {
	isEarlier := func(run string) bool { return earlier[run] }
	first := slices.DeleteFunc(slices.Clone(runs), isEarlier)
	for _, run := range slices.Backward(runs) {
		if isEarlier(run) {
			first = append(first, run)
		}
	}
	return first
}

// growth shows the families that there are at several steps of one training; nil for none.
func (w *networkWriter) growth() (*growthView, error) {
	trainings := w.result.Trainings
	if len(trainings) == 0 {
		return nil, nil
	}
	v := &growthView{Sentence: w.result.Growth()}
	var figures []*Figure
	for i := range trainings {
		t := &trainings[i]
		table := growthTable{Label: fmt.Sprintf("Depth %d, seed %d: cosine of neighbouring layers at steps of the training.", t.Depth, t.Seed)}
		row := growthRow{Name: plain.Text(t.Name), Since: t.Since(), Verdict: string(t.Verdict)}
		for _, place := range t.Shown() {
			table.Steps = append(table.Steps, unpadded(t.Steps[place]))
			row.Cosines = append(row.Cosines, decimal(t.Moments[place].Cosines[0].Cosine, 2))
		}
		if last := len(v.Tables) - 1; last < 0 || v.Tables[last].Label != table.Label || !slices.Equal(v.Tables[last].Steps, table.Steps) {
			v.Tables = append(v.Tables, table)
		}
		if len(figures) < mostGrowths {
			figures = append(figures, growthFigure(fmt.Sprintf("training-%d", i+1), t, w.options.Style))
			row.Figure = figures[i].Name
		}
		rows := &v.Tables[len(v.Tables)-1].Rows
		*rows = append(*rows, row)
	}
	if more := len(trainings) - len(figures); more > 0 {
		v.Omitted = fmt.Sprintf("%d more without a figure: a page has %d of trainings at most.", more, mostGrowths)
	}
	var err error
	v.Figures, err = w.write(figures)
	return v, err
}

// fill writes the numbers of a row.
func (r *familyRow) fill(n *network.Numbers) {
	r.Increment, r.Cosine = cell(n.MedianIncrement(), 3), decimal(n.Cosines[0].Cosine, 2)
	r.P, r.Verdict = decimal(n.PValue, 3), string(n.Verdict)
	r.Noise, r.Index = none, none
	if s := n.NoiseShare; !math.IsNaN(s.Value) {
		r.Noise = fmt.Sprintf("%s (%s to %s)", decimal(s.Value, 2), decimal(s.Low, 2), decimal(s.High, 2))
	}
	if s := n.Index; !math.IsNaN(s.Low) {
		r.Index = fmt.Sprintf("%s (%s to %s)", bounded(s.Value), bounded(s.Low), bounded(s.High))
	}
}

func bounded(v float64) string {
	if math.IsInf(v, 0) {
		return "∞"
	}
	return decimal(v, 2)
}
