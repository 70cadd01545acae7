//go:build browser

package browser

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestReport opens the report files of a study that converged and of one that diverged:
// no request, no fault that axe-core finds, light and dark; on paper, nothing is cut off.
func TestReport(t *testing.T) {
	dir := t.TempDir()
	for _, study := range []struct{ name, text string }{{"two-depths", twoDepths}, {"too-large-steps", diverging}} {
		out := filepath.Join(dir, study.name)
		train(t, out, study.text)
		if output, err := exec.Command(program(t), "report", out).CombinedOutput(); err != nil {
			t.Fatalf("deeplimit report: %v\n%s", err, output)
		}
	}
	p := open(t, "file://"+dir)
	for _, name := range []string{"two-depths", "too-large-steps"} {
		p.do(chromedp.Navigate("file://"+filepath.Join(dir, name, "report", "index.html")), chromedp.WaitVisible(chromedp.CSS("h1")))
		p.js(`document.querySelectorAll("details").forEach((d) => { d.open = true; })`)
		for _, scheme := range []string{"light", "dark"} {
			p.theme(scheme)
			p.axe("report of "+name, scheme)
			p.shoot("report-" + name + "-" + scheme)
		}
		// A4 within margins of 16 mm, at 96 dots an inch.
		call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		p.window(673, 1000)
		wide := `[...document.querySelectorAll("table, pre, svg, p, li")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.tagName + ": " + e.textContent.trim().slice(0, 60))`
		for _, what := range eval[[]string](p, wide) {
			t.Errorf("%s: cut off on paper: %s", name, what)
		}
		call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
		p.window(1280, 900)
	}
}
