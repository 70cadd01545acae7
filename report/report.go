// Package report draws a study: figures fit for a paper and one HTML page that
// opens offline.
//
// Numbers come from analyze.Result; what it does not hold (loss traces, weights,
// configurations) is read from the run folders through weightpath. Nothing is
// fitted here: a line in a figure is the fit that the result states. Equal results
// over equal folders give equal bytes in every file.
package report

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/deeplimit/deeplimit/analyze"
	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/field"
)

// Options say how a report looks.
type Options struct {
	Style Style // of the figures; Paper when empty
}

func (o Options) resolve() (Options, error) {
	if o.Style == "" {
		o.Style = Paper
	}
	return o, field.OneOf("style", string(o.Style), string(Paper), string(Slides))
}

// pngResolution is that which journals ask of pictures with lines and text in them.
const pngResolution = 300 // dots per inch

// Write writes the report of the study folder, or run folder, dir and returns the path of its page:
//
//	dir/report/index.html             the page, complete in itself
//	dir/report/figures/<name>.svg     each figure, and as .pdf, .png (300 dpi) and .csv
//
// Figures are named loss-, norms-, weights-, variation-, slopes-, regime-, distance-, transfer-,
// slack- and sharpness-<group>, so a report written again replaces them; each file is replaced whole or not at all, the page
// last. Runs whose folder cannot be read are named on the page. An unknown style is
// a *field.Error; a done context ends the work between two figures.
func Write(ctx context.Context, dir string, result *analyze.Result, options Options) (path string, err error) {
	options, err = options.resolve()
	if err != nil {
		return "", err
	}
	if _, err := disk.Stat(dir); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	groups, notes, err := collect(ctx, dir, result)
	if err != nil {
		return "", err
	}
	folder := filepath.Join(dir, "report")
	if err := disk.MkdirAll(filepath.Join(folder, "figures"), 0o755); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	figures := make([][]*Figure, len(groups))
	for i, g := range groups {
		figures[i] = g.figures(options.Style)
		for _, f := range figures[i] {
			if err := ctx.Err(); err != nil {
				return "", fmt.Errorf("report: drawing %s: %w", f.Name, err)
			}
			if err := f.writeFiles(filepath.Join(folder, "figures")); err != nil {
				return "", err
			}
		}
	}
	var page bytes.Buffer
	if err := writePage(&page, result.Study, groups, figures, notes); err != nil {
		return "", err
	}
	path = filepath.Join(folder, "index.html")
	return path, replace(path, page.Bytes())
}

// Figures returns the figures of the study folder dir, group after group, as Write
// puts them into its page.
func Figures(ctx context.Context, dir string, result *analyze.Result, options Options) ([]*Figure, error) {
	options, err := options.resolve()
	if err != nil {
		return nil, err
	}
	groups, _, err := collect(ctx, dir, result)
	if err != nil {
		return nil, err
	}
	var figures []*Figure
	for _, g := range groups {
		figures = append(figures, g.figures(options.Style)...)
	}
	return figures, nil
}

// writeFiles writes the figure in all its formats into folder.
func (f *Figure) writeFiles(folder string) error {
	for _, format := range []struct {
		extension string
		bytes     func() ([]byte, error)
	}{
		{".svg", f.SVG},
		{".pdf", f.PDF},
		{".png", func() ([]byte, error) { return f.PNG(pngResolution) }},
		{".csv", f.CSV},
	} {
		data, err := format.bytes()
		if err != nil {
			return err
		}
		if err := replace(filepath.Join(folder, f.Name+format.extension), data); err != nil {
			return err
		}
	}
	return nil
}

// replace puts data in the place of the file at path, or leaves it as it was.
func replace(path string, data []byte) error {
	if err := disk.WriteFile(path, func(w io.Writer) error { _, err := w.Write(data); return err }); err != nil {
		return fmt.Errorf("report: writing %s: %w", path, err)
	}
	return nil
}
