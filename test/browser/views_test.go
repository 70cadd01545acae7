//go:build browser

package browser

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// maxPicture bounds a picture in the repository.
const maxPicture = 200_000

// shoot writes a picture of what the window shows, if asked for.
func (p *page) shoot(name string) {
	p.t.Helper()
	if *screens == "" {
		return
	}
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if len(picture) > maxPicture {
		p.t.Errorf("picture of %s: %d bytes, want at most %d", name, len(picture), maxPicture)
	}
	if err := os.WriteFile(filepath.Join(*screens, name+".png"), picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// views opens every view in light and dark on a phone, a screen and a wide one: nothing is cut, axe-core finds no fault; and takes the pictures.
func views(p *page, dir string) {
	t := p.t
	one := func(pattern string) string {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		return filepath.Base(found[0])
	}
	run, bad := one("paper-regime/runs/*-L0256-*"), one("too-large-steps/runs/*")
	p.visit("/")
	var groups [2]string
	for i := range groups {
		groups[i] = eval[string](p, fmt.Sprintf(`fetch("/api/studies/paper-regime").then((r) => r.json()).then((x) => x.groups[%d].group)`, i))
	}
	compared := "/compare?c=" + url.QueryEscape("paper-regime~"+groups[0]+"~256") + "&c=" + url.QueryEscape("paper-regime~"+groups[1]+"~256") + "&c=" + url.QueryEscape("paper-regime~"+groups[0]+"~16")
	const drawn = `!!document.querySelector(".plot canvas")`
	const lines = "?q=alpha%3D0.75&show=lines&smooth=2&x=log"
	for _, view := range []struct{ name, address, ready string }{
		{"studies", "/", `document.querySelectorAll("tbody tr").length === 4`},
		{"runs", "/study/paper-regime/runs", `document.querySelectorAll("tbody tr").length === 30`},
		{"accuracy", "/study/grid/runs?sort=test_accuracy&order=desc", `document.querySelectorAll("tbody tr").length === 36`},
		{"lines", "/study/paper-regime/runs" + lines, drawn},
		{"lines-accuracy", "/study/grid/runs?show=lines&colour=network.alpha", `document.querySelectorAll(".plot canvas").length === 2`},
		{"loss", "/study/paper-regime/loss", drawn},
		{"smooth", "/study/paper-regime/loss?smooth=7&from=1&to=40", drawn},
		{"mean", "/study/paper-regime/loss?lines=mean", drawn},
		{"weights", "/study/paper-regime/weights?entry=1%2C2", drawn},
		{"displacement", "/study/paper-regime/weights?of=displacement&entry=1%2C2", drawn},
		{"training", "/study/paper-regime/weights?of=displacement&at=along", drawn + ` && document.querySelector("output").innerText.startsWith("t = ")`},
		{"scaling", "/study/paper-regime/scaling", `document.querySelectorAll(".plot canvas").length >= 3`},
		{"scaling-accuracy", "/study/grid/scaling", `document.querySelectorAll(".plot canvas").length >= 4`},
		{"certificates", "/study/paper-regime/certificates", `document.querySelectorAll("tbody tr").length === 15`},
		{"file", "/study/paper-regime/file", `!!document.querySelector("pre")`},
		{"run", "/study/paper-regime/run/" + run, drawn + ` && document.querySelector("main").innerText.includes("Hypotheses")`},
		{"diverged", "/study/too-large-steps/run/" + bad, drawn},
		{"compare", compared, drawn},
		{"missing", "/study/paper-regime/run/nothing", `document.querySelector("h1").innerText === "Not there"`},
	} {
		if ok, err := path.Match(*viewed, view.name); !ok || err != nil {
			continue
		}
		p.mu.Lock()
		p.expect = view.name == "missing" // the browser notes the answer 404
		p.mu.Unlock()
		p.visit(view.address)
		p.until(view.name+" is shown", view.ready)
		if text := eval[string](p, `document.querySelector("main").innerText.match(/^(false|true|null|undefined|NaN|\[object.*)$|.*\\u[0-9a-f]{4}.*/m)?.[0] ?? ""`); text != "" {
			t.Errorf("%s: shows %q, which is no text for a reader", view.name, text)
		}
		for _, scheme := range []string{"light", "dark"} { // the page follows the reader's wish at once
			p.theme(scheme)
			for _, width := range []int64{390, 1400, 2560, 1280} {
				height := int64(900)
				if view.name == "scaling" {
					height = 1180 // down to its first charts
				}
				p.window(width, height)
				what := fmt.Sprintf("%s at %d pixels, %s", view.name, width, scheme)
				time.Sleep(300 * time.Millisecond) // charts are drawn anew
				for _, wide := range eval[[]string](p, tooWide) {
					t.Errorf("%s: wider than the page: %s", what, wide)
				}
				for _, text := range eval[[]string](p, cutText) {
					t.Errorf("%s: cut: %s", what, text)
				}
				if width != 2560 { // laid out as at 1400
					p.axe(view.name+fmt.Sprintf(" at %d pixels", width), scheme)
				}
				if width != 1280 {
					p.look(view.name, scheme, width)
				} else if !strings.HasSuffix(view.name, "-accuracy") && view.name != "smooth" { // like others in the pictures of docs
					p.shoot(view.name + "-" + scheme)
				}
			}
		}
	}
}

// tooWide lists what makes the page scroll sideways.
const tooWide = `document.documentElement.scrollWidth <= innerWidth ? [] : ["by " + (document.documentElement.scrollWidth - innerWidth), ...[...document.querySelectorAll("body *")].filter((e) => !e.closest(".scroll *, pre *, .unseen") && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.tagName + "." + e.className + ": " + e.textContent.trim().slice(0, 60))]`

// cutText lists texts that do not fit their elements, where neither scrolling nor a title shows the rest, and labels of charts that reach
// out of their drawing.
const cutText = `[...document.querySelectorAll("body *")].filter((e) => {
	if (e.closest(".unseen, .skip, [title]") || !e.clientWidth || !e.textContent.trim() || e instanceof SVGElement && e.tagName !== "svg") return false;
	return getComputedStyle(e).overflowX === "hidden" && e.scrollWidth > e.clientWidth + 1;
}).map((e) => e.tagName + ": " + e.textContent.trim().slice(0, 60)).concat([...document.querySelectorAll("svg text")].filter((e) => {
	const mine = e.getBoundingClientRect(), all = e.ownerSVGElement.getBoundingClientRect();
	return mine.width > 0 && (mine.left < all.left - 1 || mine.right > all.right + 1);
}).map((e) => "label " + e.textContent))`

// look writes a picture of a whole view at a width, if asked for.
func (p *page) look(name, scheme string, width int64) {
	p.t.Helper()
	if *looks == "" {
		return
	}
	height := min(4000, eval[int64](p, `document.documentElement.scrollHeight`))
	p.window(width, height)
	time.Sleep(200 * time.Millisecond)
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*looks, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
}
