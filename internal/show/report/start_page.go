package report

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

//go:embed start.html.tmpl
var startSource string

var startTemplate = template.Must(template.Must(parts.Clone()).New("start").Parse(startSource))

// WriteStarts writes the report of a study's untrained networks and returns the path of
// its page, which stands beside that of the trained ones:
//
//	dir/report/start.html             the page, complete in itself
//	dir/report/figures/<name>.svg     StartFigures, and as .pdf, .png (300 dpi) and .csv
//
// A report written again replaces the files, the page last. An option that is wrong is a
// *field.Error; a done context ends the work between two figures.
func WriteStarts(ctx context.Context, dir string, result *analyze.StartResult, options Options) (path string, err error) {
	if options, err = options.resolve(); err != nil {
		return "", err
	}
	figures, err := StartFigures(ctx, result, options)
	if err != nil {
		return "", err
	}
	folder := filepath.Join(dir, "report")
	if err := disk.Subfolder(dir, "report", "figures"); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	for _, f := range figures {
		if err := ctx.Err(); err != nil {
			return "", fmt.Errorf("report: drawing %s: %w", f.Name, err)
		}
		if _, err := f.WriteFiles(filepath.Join(folder, "figures"), options.Formats); err != nil {
			return "", err
		}
	}
	view, err := newStartPage(result, figures, options.Formats)
	if err != nil {
		return "", err
	}
	var page bytes.Buffer
	if err := startTemplate.Execute(&page, view); err != nil {
		return "", fmt.Errorf("report: page: %w", err)
	}
	path = filepath.Join(folder, "start.html")
	return path, replace(path, shown(&page))
}

// The views are what the template shows: text, ready to be escaped.
type startPage struct {
	Kind    string
	Study   string
	CSS     template.CSS
	Lead    string
	Figures []figureView
	Groups  []startView
	Version string
}

type startView struct {
	Slug, Label string
	Quantities  []string // heads of the columns of Rows
	Rows        []startRow
	Laws        []law
	Notes       []string
	Method      startMethod
}

// A startRow holds the mean of every quantity with its interval, and its exact expectation
// where that is known.
type startRow struct {
	Depth, Draws int
	Cells        []startCell
}

type startCell struct{ Mean, Exact string }

// A startMethod says how the draws of a group were made.
type startMethod struct {
	Block                  template.HTML
	Activation, Alpha      string
	Width, Hidden, Samples int
	Data, DType, Depths    string
	Draws                  string
	Version                string
	ID, Config             string // an ensemble and its configuration
}

// newStartPage fills the page of the ensembles of a study.
func newStartPage(result *analyze.StartResult, figures []*Figure, formats []string) (startPage, error) {
	view := startPage{Kind: "Untrained networks", Study: result.Study, CSS: template.CSS(pageStyle)}
	if view.Study == "" {
		view.Study = "unnamed study"
	}
	ensembles := 0
	var err error
	if view.Figures, err = figureViews(figures, &pageFigures{formats: formats}); err != nil {
		return view, err
	}
	for i, g := range result.Groups {
		ensembles += len(g.Starts)
		v := startView{Slug: strconv.Itoa(i + 1), Label: g.Data + ", " + startLabel(g), Notes: g.Notes}
		for _, q := range analyze.StartQuantities {
			v.Quantities = append(v.Quantities, "E "+q.Text)
			if slope, ok := g.Exponents[q.Name]; ok {
				v.Laws = append(v.Laws, lawRow(analyze.NewRow(analyze.Quantity{Key: q.Name, Symbol: q.Text, Name: q.Text}, &slope)))
			}
		}
		for _, s := range g.Starts {
			v.Rows = append(v.Rows, newStartRow(s))
		}
		if v.Method, err = newStartMethod(g); err != nil {
			return view, err
		}
		view.Version = v.Method.Version
		view.Groups = append(view.Groups, v)
	}
	view.Lead = fmt.Sprintf("%s in %s. Nothing was trained.", plain.Count(ensembles, "ensemble"), plain.Count(len(result.Groups), "group"))
	return view, nil
}

func newStartRow(s analyze.Start) startRow {
	row := startRow{Depth: s.Depth, Draws: s.Draws}
	for _, q := range analyze.StartQuantities {
		cell := startCell{Mean: none}
		if spread, ok := s.Spreads[q.Name]; ok {
			cell.Mean = spread.Estimate().Size(number)
			if spread.Expected != nil {
				cell.Exact = number(*spread.Expected, 4)
			}
		}
		row.Cells = append(row.Cells, cell)
	}
	return row
}

// newStartMethod describes a group by the first of its ensembles.
func newStartMethod(g analyze.StartGroup) (startMethod, error) {
	e := g.Starts[0].Ensemble
	m := startMethod{
		Activation: e.Activation, Alpha: unpadded(e.Alpha), Width: e.Width, Hidden: e.Hidden, Samples: e.Samples,
		Data: e.Data, DType: e.DType, Version: e.Version, ID: e.ID,
	}
	depths, draws := map[int]bool{}, map[int]bool{}
	for _, s := range g.Starts {
		depths[s.Depth], draws[s.Draws] = true, true
	}
	m.Depths, m.Draws = sortedList(depths), sortedList(draws)
	m.Block = blockForm(e.Block, false, "")
	if len(e.Config) == 0 {
		return m, nil
	}
	var config struct {
		Network struct {
			Bias      bool
			Normalise string
		}
	}
	if err := json.Unmarshal(e.Config, &config); err != nil {
		return startMethod{}, fmt.Errorf("report: ensemble %s: configuration: %w", e.ID, err)
	}
	m.Block = blockForm(e.Block, config.Network.Bias, config.Network.Normalise)
	var text bytes.Buffer
	if err := json.Indent(&text, e.Config, "", "  "); err != nil {
		return startMethod{}, fmt.Errorf("report: ensemble %s: configuration: %w", e.ID, err)
	}
	m.Config = text.String()
	return m, nil
}

// sortedList writes the keys of a set in order.
func sortedList(set map[int]bool) string {
	var texts []string
	for _, n := range slices.Sorted(maps.Keys(set)) {
		texts = append(texts, strconv.Itoa(n))
	}
	return strings.Join(texts, ", ")
}
