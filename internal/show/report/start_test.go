package report

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
)

// startStudy makes a study of 600 log-normal draws at two depths, and 3 of another group,
// one of them infinite.
func startStudy(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := runfolder.CreateStudy(dir, "s", "name: s\n", nil); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i, e := range []runfolder.Ensemble{
		{ID: "a1", Group: "a", Depth: 10, ExpectedForward: new(1.5), Settings: map[string]string{"network.alpha": "0.5"}},
		{ID: "a2", Group: "a", Depth: 100, ExpectedForward: new(1.6), Settings: map[string]string{"network.alpha": "0.5"}},
		{ID: "b", Group: "b", Depth: 10, Alpha: 0.25},
	} {
		for seed := range []int{600, 600, 3}[i] {
			x := math.Exp(0.5 * random.NormFloat64())
			e.Draws = append(e.Draws, runfolder.Draw{Seed: uint64(seed), Forward: x, Change: x, Backward: x, BackwardChange: x})
		}
		if e.ID == "b" {
			e.Draws[0].Change = math.Inf(1)
		}
		if err := runfolder.WriteEnsemble(dir, e); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestStartFigures wants two figures over depth and one histogram for each ensemble that
// is large enough.
func TestStartFigures(t *testing.T) {
	dir := startStudy(t)
	result, err := analyze.Starts(dir)
	if err != nil {
		t.Fatal(err)
	}
	figures, err := StartFigures(t.Context(), result, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range figures {
		names = append(names, f.Name)
	}
	if want := []string{"start-ratio", "start-change", "start-histogram-a1", "start-histogram-a2"}; !slices.Equal(names, want) {
		t.Fatalf("got figures %q, want %q", names, want)
	}
	if rows := len(figures[0].Data.Rows); rows != 6 { // 3 ensembles, 2 quantities
		t.Errorf("start-ratio has %d rows of data, want 6", rows)
	}
	if rows := len(figures[1].Data.Rows); rows != 5 { // one is not finite
		t.Errorf("start-change has %d rows of data, want 5", rows)
	}
	// The bars hold all draws but the last half per cent, and the fitted density agrees.
	area, fitted := 0.0, 0.0
	for _, row := range figures[2].Data.Rows {
		if row[0] != "forward" {
			continue
		}
		var v [4]float64
		for i := range v {
			if v[i], err = strconv.ParseFloat(row[i+1], 64); err != nil {
				t.Fatal(err)
			}
		}
		area += (v[1] - v[0]) * v[2]
		fitted += (v[1] - v[0]) * v[3]
	}
	if !(area >= 0.99 && area <= 1) || !(math.Abs(fitted-area) <= 0.02) {
		t.Errorf("bars have area %v and the law %v, want both just below 1", area, fitted)
	}
	if _, err := StartFigures(t.Context(), result, Options{Style: "poster"}); err == nil {
		t.Error("an unknown style: got no error")
	}
}

// TestWriteStarts wants every figure in four files and a page that needs nothing else, with
// the interval of each mean, the exact expectation and what is not finite.
func TestWriteStarts(t *testing.T) {
	dir := startStudy(t)
	result, err := analyze.Starts(dir)
	if err != nil {
		t.Fatal(err)
	}
	result.Study = "<script>alert(1)</script>"
	path, err := WriteStarts(t.Context(), dir, result, Options{Style: Slides})
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "report", "start.html"); path != want {
		t.Errorf("path is %s, want %s", path, want)
	}
	files, err := os.ReadDir(filepath.Join(dir, "report", "figures"))
	if err != nil || len(files) != 16 {
		t.Errorf("got %d files, %v, want 4 figures in 4 formats", len(files), err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	checkLinks(t, dir, page)
	forward := result.Groups[0].Starts[0].Spreads["forward"]
	for _, want := range []string{
		"<title>&lt;script&gt;alert(1)&lt;/script&gt; – Untrained networks</title>",
		"3 ensembles in 2 groups. Nothing was trained.",
		fmt.Sprintf("<td>600</td><td class=\"interval\">%s<br>exact ", forward.Estimate().Size(number)),
		"<td class=\"interval\">—</td>", "change at depth 10 left out",
		"<i>α</i> = 0.25 and width", "with 600 draws each", `id="start-histogram-a2"`, "@misc{cont2022convergence",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	var refused *field.Error
	if _, err := WriteStarts(t.Context(), dir, result, Options{Style: "poster"}); !errors.As(err, &refused) {
		t.Errorf("an unknown style: got %v, want a field error", err)
	}
}
