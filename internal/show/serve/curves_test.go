package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

func TestSeriesJSON(t *testing.T) {
	data, err := json.Marshal(map[string]any{
		"s": series{0, 1, -2.5, math.NaN(), math.Inf(1), 1e-300, 123456789, 0.123456789}, "n": number(math.Inf(-1)), "empty": series{}, "nil": series(nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"empty":[],"n":null,"nil":[],"s":[0,1,-2.5,null,null,1e-300,123456789,0.123457]}`
	if string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
}

// TestCurveGrid wants curves of different lengths on one grid, with their last points.
func TestCurveGrid(t *testing.T) {
	count := func(n int) (x []int, y []float64) {
		for i := range n {
			x, y = append(x, i), append(y, float64(i))
		}
		return x, y
	}
	x, y := count(10)
	if got := newCurve(x, y, 4, 0).X; fmt.Sprint(got) != "[0 4 8 9]" {
		t.Errorf("every fourth of ten: %v, want 0 4 8 and the last, 9", got)
	}
	x, y = count(6)
	if got := newCurve(x, y, 4, 0).X; fmt.Sprint(got) != "[0 4 5]" {
		t.Errorf("every fourth of six: %v, want 0 4 and the last, 5", got)
	}
	// Losses of a mini-batch run are known at the ends of epochs alone.
	if got := newCurve([]int{0, 3, 6, 9, 12}, make([]float64, 5), 4, 0).X; fmt.Sprint(got) != "[0 6 9 12]" {
		t.Errorf("epochs of three: %v, want the first of each four", got)
	}
	if c := newCurve(nil, nil, 4, 0); c.X == nil || c.Y == nil {
		t.Error("an empty curve must be empty lists in JSON")
	}
}

func TestBand(t *testing.T) {
	curves := []runCurve{
		{curve: curve{X: []int{0, 1, 2}, Y: series{4, 2, 1}}},
		{curve: curve{X: []int{0, 1}, Y: series{1, 8}}},
		{curve: curve{X: []int{0, 1, 2}, Y: series{9, 9, 9}}, State: survey.Diverged},
		{curve: curve{}},
	}
	b := newBand(16, curves)
	if b.Seeds != 2 || b.Left != 2 {
		t.Errorf("seeds %d, left out %d, want 2 and 2", b.Seeds, b.Left)
	}
	// Iteration 2 was reached by one seed alone.
	if fmt.Sprint(b.X) != "[0 1]" || fmt.Sprint(b.Low) != "[1 2]" || fmt.Sprint(b.High) != "[4 8]" {
		t.Errorf("band %+v, want iterations 0 and 1 from the least to the largest", b)
	}
	for i, want := range []float64{2, 4} { // √(4·1), √(2·8)
		if !(math.Abs(b.Mean[i]-want) <= 1e-14) {
			t.Errorf("mean at %d: %v, want %v", i, b.Mean[i], want)
		}
	}
	if b := newBand(16, nil); b.Seeds != 0 || len(b.X) != 0 {
		t.Errorf("band of nothing: %+v", b)
	}
}

func TestLossesAndBands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plant(t, filepath.Join(dir, "one"), "one")
	s := running(t, dir, Options{})
	losses := get[groupLosses](t, s.base()+"/api/studies/one/losses?group=g")
	if len(losses.Curves) != 4 || losses.Stride != 1 || len(losses.Curves[0].X) != 15 || losses.Curves[3].Y[1] != 1 {
		t.Errorf("losses %+v, want four whole curves", losses)
	}
	bands := get[struct{ Bands []band }](t, s.base()+"/api/studies/one/bands?group=g&depth=8").Bands
	if len(bands) != 1 || bands[0].Depth != 8 || bands[0].Seeds != 2 || !(math.Abs(bands[0].Mean[0]-math.Sqrt2) <= 1e-5) {
		t.Errorf("bands %+v, want that of depth 8", bands)
	}
	for path, want := range map[string]int{"losses?group=none": 404, "bands?group=g&depth=5": 400, "bands?group=g&depth=-1": 400} {
		if status, _, body := ask(t, "GET", s.base()+"/api/studies/one/"+path, nil); status != want {
			t.Errorf("%s: %d %s, want %d", path, status, body, want)
		}
	}
	trace := get[struct {
		Iterations []int
		Columns    map[string][]float64
	}](t, s.base()+"/api/studies/one/runs/g-L0004-s1/trace")
	if len(trace.Iterations) != 15 || trace.Columns["loss"][2] != 0.25 || trace.Columns["max_frobenius"] == nil || trace.Columns["v_1"] != nil {
		t.Errorf("trace %+v, want the recorded columns alone", trace)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plant(t, filepath.Join(dir, "one"), "one")
	s := running(t, dir, Options{})
	type answer struct {
		Parts  []partInfo
		Part   string
		Power  float64
		Curves []struct {
			Depth int
			X, Y  []float64
		}
	}
	path := func(query string) answer {
		t.Helper()
		return get[answer](t, s.base()+"/api/studies/one/paths?group=g&seed=1"+query)
	}
	a := path("&entry=2,1")
	if len(a.Curves) != 2 || a.Part != "A" || a.Power != 0.5 || fmt.Sprint(a.Parts) != "[{A 2 2}]" {
		t.Fatalf("paths %+v, want depths 4 and 8 of part A", a)
	}
	// A_k has k + 20 + 1 there, and L^½ = 2 at depth 4.
	if fmt.Sprint(a.Curves[0].X, a.Curves[0].Y) != "[0.25 0.5 0.75 1] [44 46 48 50]" {
		t.Errorf("entry 2,1 at depth 4: %v", a.Curves[0])
	}
	if a := path("&entry=1,2&of=displacement"); fmt.Sprint(a.Curves[0].Y) != "[24 26 28 30]" {
		t.Errorf("displacement of entry 1,2: %v", a.Curves[0].Y)
	}
	if a := path("&of=initial"); fmt.Sprint(a.Curves[0].Y) != "[4 4 4 4]" { // ‖ones‖ = 2
		t.Errorf("norms of the initial weights: %v", a.Curves[0].Y)
	}
	want := 2 * math.Sqrt(12*12+13*13+22*22+23*23)
	if got := path("").Curves[0].Y[0]; !(math.Abs(got-want) <= 1e-4*want) { // six digits
		t.Errorf("norm of layer 1: %v, want %v", got, want)
	}
	for query, message := range map[string]string{
		"&entry=3,1": `entry: got \"3,1\", want at most 2,2`, "&entry=0,1": `counted from 1`, "&entry=x": `counted from 1`, "&of=all": `of: got \"all\"`, "&part=B": `part: got \"B\"`,
	} {
		if status, _, body := ask(t, "GET", s.base()+"/api/studies/one/paths?group=g"+query, nil); status != http.StatusBadRequest || !strings.Contains(body, message) {
			t.Errorf("%s: %d %s, want 400 with %s", query, status, body, message)
		}
	}
}

// TestPathOfIntegers has initial weights in integers: their bits are no floats.
func TestPathOfIntegers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plant(t, filepath.Join(dir, "one"), "one")
	name := filepath.Join(dir, "one", "runs", "g-L0004-s1", "weights.safetensors")
	old, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(old, []byte(`"A_initial":{"dtype":"F64"`), []byte(`"A_initial":{"dtype":"I64"`), 1)
	if bytes.Equal(old, changed) {
		t.Fatalf("got the header %.200q, want A_initial of dtype F64 in it", old)
	}
	if err := os.WriteFile(name, changed, 0o644); err != nil {
		t.Fatal(err)
	}
	s := running(t, dir, Options{})
	for of, want := range map[string]string{"initial": "got I64", "displacement": "got I64", "trained": "[44 46 48 50]"} {
		_, _, body := ask(t, "GET", s.base()+"/api/studies/one/paths?group=g&seed=1&entry=2,1&of="+of, nil)
		if !strings.Contains(strings.ReplaceAll(body, ",", " "), want) {
			t.Errorf("%s: got %s, want %s", of, body, want)
		}
	}
}

func TestAnalysis(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plant(t, filepath.Join(dir, "one"), "one")
	s := running(t, dir, Options{})
	var view struct {
		State  string
		Runs   int
		Groups []struct{ Exponents map[string]any }
		Points []struct {
			Depth int
			Loss  float64
		}
	}
	eventually(t, "the analysis is ready", func() bool {
		status, _, body := ask(t, "GET", s.base()+"/api/studies/one/analysis", nil)
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		if err := json.Unmarshal([]byte(body), &view); err != nil {
			t.Fatal(err)
		}
		return view.State != "computing"
	})
	if view.State != "ready" || view.Runs != 4 || len(view.Points) != 4 || len(view.Groups) != 1 || view.Groups[0].Exponents["max_frobenius"] == nil {
		t.Errorf("analysis %+v, want exponents of one group of four runs", view)
	}
	certificates := get[struct {
		Runs []struct{ Verdict, Conclusion string }
	}](t, s.base()+"/api/studies/one/certificates?group=g")
	if len(certificates.Runs) != 4 || certificates.Runs[0].Verdict != "not certified" || certificates.Runs[0].Conclusion == "" {
		t.Errorf("certificates %+v, want four runs of which nothing is proved, with the reason", certificates)
	}
}

// TestNorms shows the norms of layers at the iterations of a run that recorded them.
func TestNorms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	study := filepath.Join(dir, "one")
	plant(t, study, "one") // its runs recorded none
	m := meta("one", "recorded", 1024, 1)
	values := make([]float64, 100*m.Depth)
	iterations := make([]int64, 100)
	for i := range values {
		values[i] = float64(i / m.Depth) // t at iteration t
		iterations[i/m.Depth] = int64(i / m.Depth)
	}
	c := newNormCurve(&survey.Run{}, &m, iterations, runfolder.LayerNorms{Frobenius: values, Displacement: values}, false)
	if len(c.X) != maxLayers+1 || c.X[len(c.X)-1] != 1 || len(c.Frames) != len(c.Iterations) || len(c.Frames) > maxFrames {
		t.Errorf("%d layers, %d frames, want at most %d and the last, and at most %d", len(c.X), len(c.Frames), maxLayers, maxFrames)
	}
	if last := c.Iterations[len(c.Iterations)-1]; last != 99 || c.Frames[len(c.Frames)-1][0] != 99*32 { // 1024^½
		t.Errorf("last frame: iteration %d, first layer %v, want 99 and 99·1024^½", last, c.Frames[len(c.Frames)-1][0])
	}
	s := running(t, dir, Options{})
	answer := get[struct {
		Curves []normCurve
		Notes  []string
	}](t, s.base()+"/api/studies/one/norms?group=g&seed=1")
	if len(answer.Curves) != 0 || len(answer.Notes) != 2 || !strings.Contains(answer.Notes[0], "recorded no norms") {
		t.Errorf("norms %+v, want none, with the reason for both depths", answer)
	}
}
