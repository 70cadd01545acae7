package report

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/test/zoo"
)

// readZoo writes a study of the zoo into a folder and reads it.
func readZoo(t *testing.T, s zoo.Study) (dir string, study *analyze.Folder) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), s.Name)
	if err := s.Write(dir); err != nil {
		t.Fatal(err)
	}
	study, err := analyze.Read(t.Context(), dir, analyze.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return dir, study
}

// TestDataOfTheZoo holds the data beside every figure over depth against the fits: in_fit and
// fitted values are there exactly where a fit is and a run entered it, and ends that are not
// known are empty.
func TestDataOfTheZoo(t *testing.T) {
	for _, s := range zoo.Studies() {
		_, study := readZoo(t, s)
		figures, _, err := Figures(study, Options{})
		if err != nil {
			t.Fatal(err)
		}
		g := &study.Result.Groups[0]
		for _, f := range figures {
			switch f.Kind {
			case "norms", "variation":
				checkFitted(t, s.Name, f, g)
			case "slopes":
				for _, row := range f.Data.Rows {
					e := slopeOf(g, "V_"+row[0])
					if row[0] == "index" {
						x := g.VariationIndex.Estimate()
						e = &x
					}
					if row[2] != ending(e.Low) || row[3] != ending(e.High) || e.Method == "none" && row[2]+row[3] != "" {
						t.Errorf("%s: slopes: row %q is not that of %+v", s.Name, row, e)
					}
				}
			case "transfer":
				for _, row := range f.Data.Rows {
					if !slices.Contains([]string{"excess_trend", "excess_redrawn", "excess_trend_only"}, row[0]) {
						t.Errorf("transfer: quantity %s has the name of a loss", row[0])
					}
				}
			}
		}
	}
}

// coloured are strokes and fills that are no part of axes and zero lines.
var coloured = regexp.MustCompile(`(?:stroke|fill):#([0-9a-fA-F]{6})`)

// TestNoEmptyFigure wants something drawn in every figure of the zoo, beside axes and legend: runs that diverged leave norms and fits
// without a point, and one step no line.
func TestNoEmptyFigure(t *testing.T) {
	for _, s := range zoo.Studies() {
		_, study := readZoo(t, s)
		figures, _, err := Figures(study, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range figures {
			f.legend, f.bar = nil, nil
			svg, err := f.SVG()
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(coloured.FindAllStringSubmatch(string(svg), -1), func(found []string) bool {
				return !slices.Contains([]string{"000000", "ffffff", "808080"}, strings.ToLower(found[1]))
			}) {
				t.Errorf("%s: figure %s is empty", s.Name, f.Name)
			}
		}
	}
}

// slopeOf returns the exponent of a quantity of norms or variation, nil without one.
func slopeOf(g *analyze.Group, quantity string) *analyze.Estimate {
	slope, ok := g.Exponents[quantity]
	if len(quantity) > 2 && quantity[:2] == "V_" {
		slope, ok = g.VariationSlope[quantity[2:]]
	}
	if !ok {
		return nil
	}
	e := slope.Estimate()
	return &e
}

func checkFitted(t *testing.T, name string, f *Figure, g *analyze.Group) {
	t.Helper()
	in := map[string]int{}
	for _, row := range f.Data.Rows {
		e := slopeOf(g, row[0])
		if row[6] == "true" {
			in[row[0]]++
		}
		if e == nil {
			if row[4]+row[5]+row[7]+row[8] != "" || row[6] != "false" {
				t.Errorf("%s: %s: row %q of no fit", name, f.Kind, row)
			}
			continue
		}
		depth, _ := strconv.Atoi(row[1])
		if fits := slices.Contains(e.Depths, depth); (row[4] != "") != fits || (row[7] != "") != (fits && e.Known()) {
			t.Errorf("%s: %s: row %q, fitted over %v", name, f.Kind, row, e.Depths)
		}
	}
	for _, row := range f.Data.Rows {
		if e := slopeOf(g, row[0]); e != nil && in[row[0]] != e.Runs {
			t.Errorf("%s: %s: %d rows of %s are in the fit, want %d", name, f.Kind, in[row[0]], row[0], e.Runs)
		}
	}
}
