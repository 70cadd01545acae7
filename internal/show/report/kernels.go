package report

import (
	"slices"
	"strconv"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// A kernelsView is the table of kernel certificates.
type kernelsView struct {
	Rows     []kernelView
	Sentence string
}

type kernelView struct {
	Depth, Seed, Issued string
	Values              []string // of analyze.KernelQuantities
	Rounding            string
}

// newKernelsView returns nil where no run has a kernel certificate.
func newKernelsView(g group) *kernelsView {
	rows := g.kernels()
	if len(rows) == 0 {
		return nil
	}
	v := &kernelsView{Sentence: analyze.NewKernelGroup(&g.Group, rows).Sentence}
	for i := range rows {
		r := &rows[i]
		row := kernelView{Depth: strconv.Itoa(r.Depth), Seed: strconv.FormatUint(r.Seed, 10), Issued: r.Issued(), Rounding: r.Rounding}
		for _, q := range analyze.KernelQuantities {
			text := none
			if value := q.Value(r); value != nil {
				text = number(*value, 3)
			}
			row.Values = append(row.Values, text)
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

// kernels returns the kernel certificates of the runs.
func (g group) kernels() []analyze.KernelRun {
	var rows []analyze.KernelRun
	for _, r := range g.runs {
		if r.proof != nil && r.proof.Kernel != nil && r.CopyOf == "" {
			rows = append(rows, analyze.NewKernelRun(&r.Run, r.proof))
		}
	}
	return rows
}

// kernelsFigure draws the numbers of the kernel certificates against depth; nil where no run has one, or all are of one depth.
// The distance of a zero-loss network is left out, as it follows from the loss at which training ended.
func kernelsFigure(g group, style Style) *Figure {
	rows, depths := g.kernels(), g.depths()
	if len(rows) == 0 || len(depths) < 2 {
		return nil
	}
	found := analyze.NewKernelGroup(&g.Group, rows)
	var quantities []quantity
	for _, q := range analyze.KernelQuantities {
		of := quantity{column: q.Key, text: q.Name}
		for i := range rows {
			if v := q.Value(&rows[i]); v != nil {
				of.points = append(of.points, depthValue{rows[i].Depth, rows[i].Seed, *v, true})
			}
		}
		if len(of.points) == 0 || q.Key == "distance" {
			continue
		}
		if s, ok := found.Exponents[q.Key]; ok {
			of = of.fit(&s)
		}
		quantities = append(quantities, of)
	}
	if len(quantities) == 0 {
		return nil
	}
	f := depthFigure(style, "value", slices.Compact(depths), quantities)
	return f.describe("certificates-"+g.slug, "Kernel certificates",
		"Least eigenvalue of the tangent kernel, its condition κ, the bound M of the curvature, the loss up to which descent is certified, and the part of the loss that a step takes off "+
			"over its step size, certified and observed, against depth L; one marker per seed. Power laws: slope [95 % interval]. "+found.Sentence)
}
