// Package report draws a study: figures fit for a paper and one HTML page that
// opens offline.
//
// All that is shown comes from analyze, which has read each file of the study once: no
// file of a run is read here. Nothing is fitted here: a line in a figure is the fit that
// the result states. Equal folders give equal bytes in every file.
package report

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Options say how figures look. The zero value is the default.
type Options struct {
	Style   Style    // Paper when empty
	Columns int      // of a page that every figure takes, 1 or 2; 0 for what suits each
	Formats []string // of the files, of Formats; when empty all, and SVG alone for a page whose groups are folded. A CSV file is always written
	Names   []string // figures to draw, names of Kinds; all when empty
	All     bool     // whether Names are all there are, of which some may not be of paths

	Of runfolder.Source // the paths that are drawn; those of the weights when empty

	View    analyze.View          // of the overview of a page
	Observe func(done, total int) // told how many figures of a page are drawn, in any order; nil for nobody
}

// Formats are those that figures are written in.
var Formats = []string{"svg", "pdf", "png"}

// Check returns a *field.Error about the first option that is wrong, nil when none is.
func (o Options) Check() error {
	_, err := o.resolve()
	return err
}

// resolve fills in defaults; what is wrong is a *field.Error.
func (o Options) resolve() (Options, error) {
	if o.Style == "" {
		o.Style = Paper
	}
	if err := field.OneOf("style", string(o.Style), string(Paper), string(Slides)); err != nil {
		return o, err
	}
	if o.Columns < 0 || o.Columns > 2 {
		return o, &field.Error{Path: "width", Got: o.Columns, Want: "1 or 2 columns, or 0 for what suits each figure"}
	}
	if len(o.Formats) == 0 {
		o.Formats = Formats
	}
	for _, format := range o.Formats {
		if err := field.OneOf("format", format, Formats...); err != nil {
			return o, err
		}
	}
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.Name)
	}
	o.Of = cmp.Or(o.Of, runfolder.FromWeights)
	if err := field.OneOf("of", string(o.Of), string(runfolder.FromWeights), string(runfolder.FromDisplacement)); err != nil {
		return o, err
	}
	for _, name := range o.Names {
		if err := field.OneOf("figure", name, names...); err != nil {
			return o, err
		}
		if o.Of == runfolder.FromDisplacement && !o.All && !slices.Contains(ofPaths, name) {
			return o, &field.Error{Path: "of", Got: string(o.Of), Want: "it left out for " + name + ", or a figure of paths: " + strings.Join(ofPaths, ", ")}
		}
	}
	return o, nil
}

// pngResolution is that which journals ask of pictures with lines and text in them.
const pngResolution = 300 // dots per inch

// Write writes the report of the study folder, or run folder, dir, which study was read
// from, and returns the path of its page:
//
//	dir/report/index.html             the page, complete in itself for mostOpen groups or fewer; for more, groups
//	                                  are folded, and their figures are the SVG files beside it, loaded when unfolded
//	dir/report/figures/<name>.svg     each figure, and as .pdf, .png (300 dpi) and .csv
//
// A PNG takes as long as ten SVGs: without Formats, a page of more groups than mostOpen has none, and no PDF.
// Figures are named <kind>-<group>, so a report written again replaces them; each file
// is replaced whole or not at all, the page last. Files that cannot be read or are damaged
// are named on the page, and by the error: the page holds the rest whenever a path is
// returned. An option that is wrong is a *field.Error; a done context ends the work between
// two figures.
func Write(ctx context.Context, dir string, study *analyze.Folder, options Options) (path string, err error) {
	brief := len(options.Formats) == 0
	options, err = options.resolve()
	if err != nil {
		return "", err
	}
	if _, err := disk.Stat(dir); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	groups := collect(study)
	if brief && len(groups) > mostOpen {
		options.Formats = []string{"svg"}
	}
	overview, err := newOverviewView(study.Result.Overview, options.View, groups)
	if err != nil {
		return "", err
	}
	folder := filepath.Join(dir, "report")
	if err := disk.Subfolder(dir, "report", "figures"); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	figures := make([][]*Figure, len(groups))
	for i, g := range groups {
		drawn, empty := g.figures(options)
		figures[i], groups[i].notes = drawn, slices.Clone(g.notes)
		for _, f := range empty {
			groups[i].notes = append(groups[i].notes, f.left())
		}
	}
	over := overFigures(groups, study.Result.Overview, options)
	linked := len(groups) > mostOpen
	if linked {
		over = append(over, unfold(groups, figures)...)
	}
	written := slices.Clone(options.Formats)
	if linked && !slices.Contains(written, "svg") {
		written = append(written, "svg")
	}
	if err := drawAll(ctx, slices.Concat(over, slices.Concat(figures...)), filepath.Join(folder, "figures"), written, options.Observe); err != nil {
		return "", err
	}
	view, err := newPageView(study.Result.Study, groups, over, figures, pageFigures{formats: options.Formats, linked: linked})
	if err != nil {
		return "", err
	}
	view.Overview, view.Notes = overview, study.Notes
	view.Note, view.Tags = study.Result.Note, study.Result.Tags
	view.pending(study.Pending)
	var page bytes.Buffer
	if err := pageTemplate.Execute(&page, view); err != nil {
		return "", fmt.Errorf("report: page: %w", err)
	}
	path = filepath.Join(folder, "index.html")
	if err := replace(path, shown(&page)); err != nil {
		return "", errors.Join(study.Unread, err)
	}
	return path, study.Unread
}

// unfold takes those of searches out of the figures of groups, as they are over several groups, and says of what they are.
func unfold(groups []group, figures [][]*Figure) (out []*Figure) {
	for i, g := range groups {
		figures[i] = slices.DeleteFunc(figures[i], func(f *Figure) bool {
			if !slices.Contains(ofSearches, f.Kind) {
				return false
			}
			if g.tune != nil {
				f.Title += ", " + g.tune.Label()
			}
			out = append(out, f)
			return true
		})
	}
	return out
}

// drawAll writes figures into folder, several at a time.
func drawAll(ctx context.Context, figures []*Figure, folder string, formats []string, observe func(done, total int)) error {
	if observe == nil {
		observe = func(int, int) {}
	}
	observe(0, len(figures))
	var done atomic.Int64
	workers, working := errgroup.WithContext(ctx)
	workers.SetLimit(runtime.GOMAXPROCS(0))
	for _, f := range figures {
		workers.Go(func() error {
			if err := working.Err(); err != nil {
				return fmt.Errorf("report: drawing %s: %w", f.Name, err)
			}
			if _, err := f.WriteFiles(folder, formats); err != nil {
				return err
			}
			observe(int(done.Add(1)), len(figures))
			return nil
		})
	}
	return workers.Wait()
}

// Figures returns the figures of a study that options name, group after group, as Write puts
// them into its page, and notes on what the figures lack. A file that could not be read or is
// damaged is an error.
func Figures(study *analyze.Folder, options Options) (figures []*Figure, notes []string, err error) {
	options, err = options.resolve()
	if err != nil {
		return nil, nil, err
	}
	if study.Unread != nil {
		return nil, nil, study.Unread
	}
	notes = slices.Clone(study.Notes)
	groups := collect(study)
	figures = overFigures(groups, study.Result.Overview, options)
	for _, g := range groups {
		drawn, empty := g.figures(options)
		figures = append(figures, drawn...)
		notes = append(notes, g.missing...)
		for _, f := range empty {
			notes = append(notes, f.Name+": "+f.left())
		}
	}
	return figures, notes, nil
}

// WriteFiles writes the figure into folder, which is there, in the formats given and its data as CSV, and returns the paths. PNG has 300 dots per inch. Each file is
// replaced whole or not at all.
func (f *Figure) WriteFiles(folder string, formats []string) (paths []string, err error) {
	encoders := map[string]func() ([]byte, error){
		"svg": f.SVG, "pdf": f.PDF, "csv": f.CSV, "png": func() ([]byte, error) { return f.PNG(pngResolution) },
	}
	for _, format := range append(slices.Clone(formats), "csv") {
		encode, ok := encoders[format]
		if !ok {
			return paths, field.OneOf("format", format, Formats...)
		}
		data, err := encode()
		if err != nil {
			return paths, err
		}
		path := filepath.Join(folder, f.Name+"."+format)
		if err := replace(path, data); err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// shown returns a page with the characters escaped that are not seen: names in it come
// from files.
func shown(page *bytes.Buffer) []byte { return []byte(plain.Lines(page.String())) }

// replace puts data in the place of the file at path, or leaves it as it was.
func replace(path string, data []byte) error {
	if err := disk.WriteFile(path, func(w io.Writer) error { _, err := w.Write(data); return err }); err != nil {
		return fmt.Errorf("report: writing %s: %w", path, err)
	}
	return nil
}
