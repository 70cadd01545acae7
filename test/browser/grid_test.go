//go:build browser

package browser

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	printing "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// gridStudy has groups enough for them to be folded, of a classification.
const gridStudy = `name: grid
depths: [4, 8, 16]
seeds: 2
data: {kind: digits, samples: 40, test: 20}
network: {loss: cross-entropy}
train: {method: sgd, batch: 20, step: {value: 0.5}, stop: {iterations: 20}}
grid: {network.alpha: [0.5, 1], train.step.value: [0.1, 0.5, 1e5]}
`

// TestFoldedReport opens the report of a grid on a phone, a tablet, a screen and a wide one, light and dark: no width is too
// small for it, every figure of a group is there once it is unfolded, and axe-core finds no fault. Printed on A4 and
// Letter, every group has its pages and nothing is cut off.
func TestFoldedReport(t *testing.T) {
	dir := t.TempDir()
	path := reports(t, dir, map[string]string{"grid": gridStudy})["grid"]
	p := open(t, "file://"+dir)
	for _, width := range []int64{390, 768, 1400, 2560} {
		for _, scheme := range []string{"light", "dark"} {
			p.window(width, 1000)
			p.theme(scheme)
			start := time.Now()
			p.do(chromedp.Navigate("file://"+path), chromedp.WaitVisible(chromedp.CSS("h1")))
			t.Logf("%d pixels: open after %.2f s", width, time.Since(start).Seconds())
			if n := eval[int](p, `document.querySelectorAll("details.fold").length`); n != 6 {
				t.Fatalf("%d groups are folded, want 6", n)
			}
			p.look("report-grid", scheme, width)
			p.js(`document.querySelectorAll("details").forEach((d) => { d.open = true; })`)
			p.js(`document.querySelectorAll("img").forEach((i) => { i.loading = "eager"; })`)
			p.js(`Promise.all([...document.images].map((i) => i.decode()))`)
			if empty := eval[[]string](p, `[...document.images].filter((i) => i.naturalWidth === 0).map((i) => i.src)`); len(empty) > 0 {
				t.Errorf("%d pixels: figures that do not load: %q", width, empty)
			}
			if over := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				t.Errorf("%d pixels, %s: the page is %d pixels wider", width, scheme, over)
			}
			if width == 768 || width == 2560 { // like those before them, and axe-core takes its time
				continue
			}
			p.axe(fmt.Sprintf("report of a grid at %d pixels", width), scheme)
		}
	}
	for name, paper := range map[string][2]float64{"A4": {8.27, 11.69}, "Letter": {8.5, 11}} {
		p.window(int64(96*paper[0]-121), 1000) // within margins of 16 mm
		call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		p.show(path)
		for _, what := range eval[[]string](p, cutOff) {
			t.Errorf("cut off on %s: %s", name, what)
		}
		printed, err := chromedp.Call(p.ctx, printing.PrintToPDF, printing.PrintToPDFParams{PaperWidth: paper[0], PaperHeight: paper[1], PreferCSSPageSize: new(true)})
		if err != nil {
			t.Fatal(err)
		}
		pages := regexp.MustCompile(`/Type\s*/Page\b`).FindAll(printed.Data, -1)
		t.Logf("%s: %d pages", name, len(pages))
		if len(pages) < 7 {
			t.Errorf("%s: %d pages of an overview and 6 groups", name, len(pages))
		}
	}
}
