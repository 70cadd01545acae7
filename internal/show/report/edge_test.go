package report

import (
	"testing"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// TestEdgeFigure wants a row for every run and the fit of every group.
func TestEdgeFigure(t *testing.T) {
	e := sampleEdge()
	if s := e.Groups[0].Measured; s == nil || !(s.Slope > 1-1e-9 && s.Slope < 1+1e-9) || e.Groups[0].Bound != nil {
		t.Errorf("got %+v, want exponent 1 and none of the bound", e.Groups[0])
	}
	f, err := EdgeFigure(e, Paper)
	if err != nil || f == nil || len(f.Data.Rows) != 6 || len(f.legend) != 1 {
		t.Fatalf("got %+v, %v, want six points and one legend", f, err)
	}
	if f, err := EdgeFigure(&analyze.Edge{}, Paper); f != nil || err != nil {
		t.Errorf("no runs: got %v, %v, want nothing", f, err)
	}
	if _, err := EdgeFigure(e, "poster"); err == nil {
		t.Error("style poster: got no error")
	}
}
