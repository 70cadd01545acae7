package report

import (
	"context"
	"errors"
	"html"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
)

// quick leaves out the formats that take long to write.
var quick = Options{Formats: []string{"svg"}}

// written writes the study and its report and returns the folder and the page.
func written(t *testing.T, s sample, result *analyze.Result, options Options) (dir, page string) {
	t.Helper()
	dir = t.TempDir()
	if err := s.write(dir); err != nil {
		t.Fatal(err)
	}
	path, err := Write(t.Context(), dir, studyOf(t, dir, result), options)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "report", "index.html"); path != want {
		t.Errorf("path is %s, want %s", path, want)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return dir, string(data)
}

// studyOf reads the folder of a study or run, of which analyze is taken to have said result.
func studyOf(t *testing.T, dir string, result *analyze.Result) *analyze.Folder {
	t.Helper()
	study, err := analyze.Read(t.Context(), dir, analyze.Options{})
	if err != nil {
		t.Fatal(err)
	}
	study.Result = result
	return study
}

// contents returns the files under dir by their path in it.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		out[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWrite(t *testing.T) {
	dir, page := written(t, sampleSmall, sampleSmall.result(), Options{})
	files := contents(t, filepath.Join(dir, "report"))
	for _, figure := range []string{"loss", "loss-depth", "loss-layers", "norms", "weights", "norms-training", "states", "variation", "slopes", "partition", "variation-training", "variation-loss"} {
		name := "figures/" + figure + "-separated"
		for extension, start := range map[string]string{".svg": "<svg ", ".pdf": "%PDF-", ".png": "\x89PNG", ".csv": ""} {
			if data, ok := files[name+extension]; !ok || !strings.HasPrefix(data, start) || len(data) < 50 {
				t.Errorf("%s is missing or no such file: %.20q", name+extension, data)
			}
		}
		if !strings.Contains(page, files[name+".svg"]) {
			t.Errorf("the page does not hold %s.svg", name)
		}
	}
	if len(files) != 12*4+1 {
		t.Errorf("got %d files, want 49", len(files))
	}
	group := sampleSmall.result().Groups[0]
	for _, want := range []string{
		"<h1>sample</h1>",
		"L^b, b = " + typeset(group.Exponents["max_frobenius"].String()),
		typeset(group.VariationSlope["2"].Estimate().Range()) + ".</li>",
		"= " + typeset(group.AlphaPlusBeta.String()),
		"5 finished",
		"separated, depth 32, seed 2: diverged at iteration 14",
		`<tr class="trouble"><th scope="row">32</th>`,
		"arXiv 2204.07261",
		"&#34;rule&#34;: &#34;depth&#34;",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
}

func TestWriteAgainGivesEqualBytes(t *testing.T) {
	dir, _ := written(t, sampleSmall, sampleSmall.result(), quick)
	first := contents(t, filepath.Join(dir, "report"))
	if _, err := Write(t.Context(), dir, studyOf(t, dir, sampleSmall.result()), quick); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, contents(t, filepath.Join(dir, "report"))); diff != "" {
		t.Errorf("second report (-first +second):\n%s", diff)
	}
}

var (
	loads = regexp.MustCompile(`(?i)<(?:script|iframe|object|embed|img|video|audio|base|form)\b|\bon[a-z]+\s*=|url\(|@import`)
	links = regexp.MustCompile(`(?:href|src)="([^"]*)"`)
	names = regexp.MustCompile(`\sid="([^"]*)"`)
)

// TestPageIsSelfContained looks for anything that a browser would fetch or run.
func TestPageIsSelfContained(t *testing.T) {
	dir, page := written(t, sampleSmall, sampleSmall.result(), quick)
	checkLinks(t, dir, page)
}

// checkLinks wants a page in dir/report that loads nothing and whose links go somewhere.
func checkLinks(t *testing.T, dir, page string) {
	t.Helper()
	if found := loads.FindString(page); found != "" {
		t.Errorf("the page holds %q", found)
	}
	ids := map[string]bool{}
	for _, m := range names.FindAllStringSubmatch(page, -1) {
		if ids[m[1]] {
			t.Errorf("identifier %q is there twice", m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range links.FindAllStringSubmatch(page, -1) {
		target := html.UnescapeString(m[1])
		switch {
		case strings.HasPrefix(target, "#"):
			if !ids[target[1:]] {
				t.Errorf("link to %q goes nowhere", target)
			}
		case target == "data:,":
		default:
			if _, err := os.Stat(filepath.Join(dir, "report", target)); err != nil || !filepath.IsLocal(target) {
				t.Errorf("link to %q: %v", target, err)
			}
		}
	}
	if !strings.Contains(page, `http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;`) &&
		!strings.Contains(page, `http-equiv="Content-Security-Policy" content="default-src 'none'`) {
		t.Error("the page has no content security policy")
	}
}

// TestHostileNames puts markup and paths into every name that comes from a file.
func TestHostileNames(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>`
	result := sampleSmall.result()
	result.Study = evil
	group := &result.Groups[0]
	group.Group, group.Data, group.Block, group.Activation = "../../"+evil, evil, evil, evil
	group.Settings = map[string]string{evil: evil}
	for name, slope := range group.VariationSlope {
		slope.Warning = evil
		group.VariationSlope[name] = slope
	}
	for i := range result.Runs {
		r := &result.Runs[i]
		r.Group, r.Data, r.Stop = group.Group, evil, evil
		r.PVariation[evil] = 1
	}
	result.Runs[0].ID = "../../../etc/passwd"
	result.Runs[1].ID = evil
	dir, page := written(t, sampleSmall, result, quick)
	// Runs whose ID was changed are shown without what their folders hold.
	if found := regexp.MustCompile(`(?i)<(script|img)\b`).FindString(page); found != "" {
		t.Errorf("the page holds %q", found)
	}
	if !strings.Contains(page, "&lt;script&gt;") {
		t.Error("the names are not shown")
	}
	for path := range contents(t, filepath.Dir(dir)) {
		if strings.ContainsAny(path, "<>\" ") {
			t.Errorf("a file is called %q", path)
		}
	}
}

func TestUnreadableRunsAreNamed(t *testing.T) {
	dir := t.TempDir()
	if err := sampleSmall.write(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(runfolder.RunDir(dir, "separated-L0016-s1"), "trace.parquet"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(runfolder.RunDir(dir, "separated-L0064-s1"), "weights.safetensors")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(runfolder.RunDir(dir, "begun"), 0o755); err != nil {
		t.Fatal(err)
	}
	torn := filepath.Join(runfolder.RunDir(dir, "separated-L0064-s2"), "run.json")
	if err := os.WriteFile(torn, []byte("<torn>"), 0o644); err != nil {
		t.Fatal(err)
	}
	study, err := analyze.Read(t.Context(), dir, analyze.Options{})
	if study == nil || err == nil {
		t.Fatalf("got %v and error %v, want both the rest of the study and what is damaged", study, err)
	}
	path, err := Write(t.Context(), dir, study, quick)
	for _, want := range []string{"separated-L0016-s1/trace.parquet", "separated-L0064-s1/weights.safetensors", torn} {
		if err == nil || strings.Count(err.Error(), want+" is damaged") != 1 {
			t.Errorf("got error %v, want one that names %s once", err, want)
		}
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<li>Folder separated-L0064-s2: runfolder: ", "<li>Folder begun: ", "Run separated-L0016-s1: ", "Run separated-L0064-s1: "} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
}

// TestUnfinishedRunIsShown has a run that the result does not know, with a checkpoint.
func TestUnfinishedRunIsShown(t *testing.T) {
	dir := t.TempDir()
	if err := sampleSmall.write(dir); err != nil {
		t.Fatal(err)
	}
	meta := sampleSmall.runs()[0].meta
	meta.ID, meta.Hash, meta.Depth, meta.Seed, meta.Stop = "separated-L0128-s1", "another", 128, 1, ""
	folder := runfolder.RunDir(dir, meta.ID)
	if err := runfolder.Create(folder, meta); err != nil {
		t.Fatal(err)
	}
	loss := 0.0123
	err := runfolder.WriteCheckpoint(folder, &runfolder.Checkpoint{
		Hash: meta.Hash, Iteration: 7, Rows: []runfolder.Row{{Iteration: 7, Loss: &loss}},
	})
	if err != nil {
		t.Fatal(err)
	}
	path, err := Write(t.Context(), dir, studyOf(t, dir, sampleSmall.result()), quick)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "separated, depth 128, seed 1: not finished at iteration 7, loss 0.0123"; !strings.Contains(string(page), want) {
		t.Errorf("the page does not hold %q", want)
	}
}

// TestFailedRunIsShown has a run whose last attempt failed, one that nobody has begun, and
// the text to cite with what was left out.
func TestFailedRunIsShown(t *testing.T) {
	dir := t.TempDir()
	if err := sampleSmall.write(dir); err != nil {
		t.Fatal(err)
	}
	meta := sampleSmall.runs()[0].meta
	meta.ID, meta.Hash, meta.Depth, meta.Stop = "separated-L0128-s1", "another", 128, ""
	folder := runfolder.RunDir(dir, meta.ID)
	if err := runfolder.Create(folder, meta); err != nil {
		t.Fatal(err)
	}
	if err := runfolder.WriteFailure(folder, runfolder.Failure{Error: "disk <full>", Attempts: 2}); err != nil {
		t.Fatal(err)
	}
	manifest := runfolder.Manifest{Study: "sample", Runs: []runfolder.Planned{{ID: meta.ID, Hash: "another", Depth: 128, Seed: 1}, {ID: "separated-L0256-s1", Hash: "third", Depth: 256, Seed: 1}}}
	if err := runfolder.WriteManifest(dir, manifest); err != nil {
		t.Fatal(err)
	}
	result := sampleSmall.result()
	path, err := Write(t.Context(), dir, studyOf(t, dir, result), quick)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"separated, depth 128, seed 1: failed: disk &lt;full&gt;",
		"1 run more of the study not begun.",
		"L^b, b = " + typeset(result.Groups[0].Exponents["max_frobenius"].String()),
		"6 runs finished at 3 depths from 16 to 64 with 2 seeds; left out as diverged: 1.", "1 of 7 runs left out (failed).",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
}

// TestRunFolder reports on the folder of one run, as analyze reads it.
func TestRunFolder(t *testing.T) {
	dir := t.TempDir()
	if err := sampleSmall.write(dir); err != nil {
		t.Fatal(err)
	}
	result := sampleSmall.result()
	result.Runs, result.Groups = result.Runs[:1], nil
	folder := runfolder.RunDir(dir, result.Runs[0].ID)
	if _, err := Write(t.Context(), folder, studyOf(t, folder, result), quick); err != nil {
		t.Fatal(err)
	}
	files := contents(t, filepath.Join(folder, "report"))
	for _, name := range []string{"loss", "weights"} {
		if _, ok := files["figures/"+name+"-separated.svg"]; !ok {
			t.Errorf("there is no figure of %s", name)
		}
	}
}

func TestEmptyStudy(t *testing.T) {
	dir := t.TempDir()
	path, err := Write(t.Context(), dir, &analyze.Folder{Result: &analyze.Result{Study: "new"}}, quick)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "The study holds no runs yet.") {
		t.Error("the page does not say that there are no runs")
	}
}

func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	_, err := Write(t.Context(), dir, &analyze.Folder{Result: &analyze.Result{}}, Options{Style: "poster"})
	var refused *field.Error
	if want := `style: got "poster", want one of paper, slides`; !errors.As(err, &refused) || err.Error() != want {
		t.Errorf("unknown style: got %v, want %s", err, want)
	}
	missing := filepath.Join(dir, "missing")
	if _, err := Write(t.Context(), missing, &analyze.Folder{Result: &analyze.Result{}}, Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: got %v, want fs.ErrNotExist", err)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("the missing folder was made")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Write(ctx, dir, &analyze.Folder{Result: sampleSmall.result()}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v, want context.Canceled", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "report")); err == nil {
		t.Error("a refused report left a folder")
	}
}
