//go:build browser

package browser

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
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

// views opens every view in light and dark, asks axe-core and takes the pictures.
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
	for _, view := range []struct{ name, address, ready string }{
		{"studies", "/", `document.querySelectorAll("tbody tr").length === 3`},
		{"runs", "/study/paper-regime/runs", `document.querySelectorAll("tbody tr").length === 30`},
		{"loss", "/study/paper-regime/loss", drawn},
		{"mean", "/study/paper-regime/loss?lines=mean", drawn},
		{"weights", "/study/paper-regime/weights?entry=1%2C2", drawn},
		{"displacement", "/study/paper-regime/weights?of=displacement&entry=1%2C2", drawn},
		{"training", "/study/paper-regime/weights?of=displacement&at=along", drawn + ` && document.querySelector("output").innerText.startsWith("t = ")`},
		{"scaling", "/study/paper-regime/scaling", `document.querySelectorAll(".plot canvas").length === 2`},
		{"certificates", "/study/paper-regime/certificates", `document.querySelectorAll("tbody tr").length === 15`},
		{"file", "/study/paper-regime/file", `!!document.querySelector("pre")`},
		{"run", "/study/paper-regime/run/" + run, drawn + ` && document.querySelector("main").innerText.includes("Hypotheses")`},
		{"diverged", "/study/too-large-steps/run/" + bad, drawn},
		{"compare", compared, drawn},
		{"missing", "/study/paper-regime/run/nothing", `document.querySelector("h1").innerText === "Not there"`},
	} {
		p.mu.Lock()
		p.expect = view.name == "missing" // the browser notes the answer 404
		p.mu.Unlock()
		p.visit(view.address)
		p.until(view.name+" is shown", view.ready)
		if text := eval[string](p, `document.querySelector("main").innerText.match(/^(false|true|null|undefined|NaN|\[object.*)$/m)?.[0] ?? ""`); text != "" {
			t.Errorf("%s: shows %q, which is no text for a reader", view.name, text)
		}
		for _, scheme := range []string{"light", "dark"} { // the page follows the reader's wish at once
			p.theme(scheme)
			time.Sleep(300 * time.Millisecond)
			p.axe(view.name, scheme)
			p.shoot(view.name + "-" + scheme)
		}
		p.window(360, 800)
		p.until(view.name+" fits a telephone", `document.documentElement.scrollWidth <= 360`)
		p.window(1280, 900)
	}
}
