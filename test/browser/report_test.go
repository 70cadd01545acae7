//go:build browser

package browser

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// tested is a study whose table of runs has every column, those of a test set too.
const tested = `name: tested
depths: [8, 16]
seeds: 2
data: {kind: digits, samples: 40, test: 20}
train: {step: {value: 0.5}, stop: {iterations: 20}}
`

// TestReport opens the report files of a study that converged and of one that diverged:
// no request, and no fault that axe-core finds, light and dark.
func TestReport(t *testing.T) {
	dir := t.TempDir()
	pages := reports(t, dir, map[string]string{"two-depths": twoDepths, "too-large-steps": diverging})
	p := open(t, "file://"+dir)
	for name, path := range pages {
		p.show(path)
		for _, scheme := range []string{"light", "dark"} {
			p.theme(scheme)
			p.axe("report of "+name, scheme)
			p.shoot("report-" + name + "-" + scheme)
		}
	}
}

// fontSets are folders of fonts of which a machine may have one alone: letters of
// different widths, those of the last all as wide as its widest.
var fontSets = map[string]string{"DejaVu": "dejavu", "Liberation": "liberation", "Noto": "noto/NotoSerif-*", "monospaced": "dejavu/DejaVuSansMono*"}

// TestPaper prints reports on A4 with each set of fonts: nothing is cut off, and no number
// is broken in two.
func TestPaper(t *testing.T) {
	dir := t.TempDir()
	pages := reports(t, dir, map[string]string{"two-depths": twoDepths, "too-large-steps": diverging, "tested": tested})
	untrained := filepath.Join(dir, "untrained")
	if output, err := exec.Command(program(t), "probe", write(t, twoDepths), "--out", untrained, "--draws", "20").CombinedOutput(); err != nil {
		t.Fatalf("deeplimit probe: %v\n%s", err, output)
	}
	pages["untrained"] = filepath.Join(untrained, "report", "start.html")
	for fonts, pattern := range fontSets {
		p := open(t, "file://"+dir, chromedp.Env("FONTCONFIG_FILE="+onlyFonts(t, pattern)))
		// A4 within margins of 16 mm, at 96 dots an inch.
		p.window(673, 1000)
		for name, path := range pages {
			call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
			p.show(path)
			for _, what := range eval[[]string](p, cutOff) {
				t.Errorf("%s, fonts %s: cut off on paper: %s", name, fonts, what)
			}
			for _, what := range eval[[]string](p, broken) {
				t.Errorf("%s, fonts %s: a number is broken over lines: %s", name, fonts, what)
			}
		}
	}
}

// cutOff lists what reaches beyond the right edge, and broken the cells of tables that hold
// one word, a number, on more than one line.
const (
	cutOff = `[...document.querySelectorAll("table, pre, svg, img, p, li, td, th")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.tagName + ": " + e.textContent.trim().slice(0, 60))`
	broken = `[...document.querySelectorAll("td, tbody th")].filter((e) => {
		if (!/^\S*[0-9]\S*$/.test(e.textContent.trim())) return false;
		const range = document.createRange();
		range.selectNodeContents(e);
		const rows = [...range.getClientRects()];
		return rows.some((r) => r.top >= rows[0].bottom - 1);
	}).map((e) => e.textContent.trim())`
)

// reports trains studies in folders of dir and returns the pages of their reports.
func reports(t *testing.T, dir string, studies map[string]string) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for name, text := range studies {
		out := filepath.Join(dir, name)
		train(t, out, text)
		if output, err := exec.Command(program(t), "report", out, "--format", "svg").CombinedOutput(); err != nil {
			t.Fatalf("deeplimit report: %v\n%s", err, output)
		}
		pages[name] = filepath.Join(out, "report", "index.html")
	}
	return pages
}

// show opens a page with all its details unfolded.
func (p *page) show(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate("file://"+path), chromedp.WaitVisible(chromedp.CSS("h1")))
	p.js(`document.querySelectorAll("details").forEach((d) => { d.open = true; })`)
}

// onlyFonts writes a configuration of fontconfig that knows the fonts of one pattern below
// Debian's folder alone, and returns its path.
func onlyFonts(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("/usr/share/fonts/truetype", pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("got no fonts %s, %v; want Debian's fonts-dejavu-core, fonts-liberation and fonts-noto-core", pattern, err)
	}
	dir := t.TempDir()
	for _, path := range found {
		if err := os.Symlink(path, filepath.Join(dir, filepath.Base(path))); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "fonts.conf")
	text := fmt.Sprintf("<?xml version=\"1.0\"?>\n<fontconfig><dir>%s</dir><cachedir>%s</cachedir></fontconfig>\n", dir, filepath.Join(dir, "cache"))
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
