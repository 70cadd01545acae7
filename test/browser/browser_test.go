//go:build browser

package browser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// hostile is a study name that would run a script in a page that takes it for markup.
const hostile = `<img src=x onerror=alert(1)><script>alert(2)<` + "\u2215" + `script>`

const finished = `name: paper-regime
depths: [16, 32, 64, 128, 256]
seeds: 3
data: {kind: separated, width: 10, samples: 8, distance: 0.3}
network: {block: inner, activation: tanh, alpha: 0.5}
train:
  step: {rule: depth, value: 8}
  stop: {loss: 1e-10, iterations: 2000}
grid:
  network.alpha: [0.5, 0.75]
`

const diverging = `name: too-large-steps
depths: [8, 16]
seeds: 2
data: {kind: separated, width: 6, samples: 4, distance: 0.3}
network: {block: inner, activation: identity, alpha: 0}
train:
  step: {rule: constant, value: 50}
  stop: {loss: 1e-10, iterations: 200}
`

// growing takes about ten seconds on two cores.
const growing = `name: growing
depths: [64, 128]
seeds: 2
data: {kind: digits, samples: 128}
train:
  step: {rule: depth, value: 0.5}
  stop: {loss: 1e-30, iterations: 600}
`

var twoDepths = strings.Replace(strings.Replace(finished, "paper-regime", "two-depths", 1), "[16, 32, 64, 128, 256]", "[8, 16]", 1)

// folder trains what the tests look at.
func folder(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "runs")
	train(t, filepath.Join(dir, "paper-regime"), finished)
	train(t, filepath.Join(dir, "too-large-steps"), diverging)
	train(t, filepath.Join(dir, "two-depths"), twoDepths)
	train(t, filepath.Join(dir, "grid"), gridStudy)
	return dir
}

// TestHostileName shows a study whose name would be a script to who takes it for markup.
func TestHostileName(t *testing.T) {
	dir := t.TempDir()
	train(t, filepath.Join(dir, hostile), twoDepths)
	address, _ := start(t, "serve", dir, "--addr", "127.0.0.1:0", "--no-token")
	p := open(t, strings.TrimSuffix(address, "/"))
	for _, view := range []struct{ address, shown string }{
		{"/", `[...document.querySelectorAll("tbody th")].some((c) => c.innerText.includes("<script>"))`},
		{"/study/" + url.PathEscape(hostile) + "/runs", `document.querySelectorAll("tbody tr").length === 12`},
		{"/study/" + url.PathEscape(hostile) + "/loss", `!!document.querySelector(".plot canvas")`},
		{"/compare", `[...document.querySelectorAll("option")].some((o) => o.innerText.includes("<script>"))`},
	} {
		p.visit(view.address)
		p.until("the name is shown as text", view.shown)
		if n := eval[int](p, `document.querySelectorAll("main img, main script").length`); n != 0 {
			t.Errorf("%s: %d elements came from a name, want 0", view.address, n)
		}
	}
}

func TestPage(t *testing.T) {
	dir := folder(t)
	address, _ := start(t, "serve", dir, "--addr", "127.0.0.1:0", "--no-token")
	p := open(t, strings.TrimSuffix(address, "/"))
	p.theme("light")

	t.Run("filter and sort", func(t *testing.T) {
		p.t = t
		p.visit("/study/paper-regime/runs")
		p.until("all runs are listed", `document.querySelectorAll("tbody tr").length === 30`)
		p.do(chromedp.SendKeys(chromedp.CSS(`input[type=search]`), "L0064 alpha = 0.75"))
		p.until("the filter leaves three", `document.querySelectorAll("tbody tr").length === 3`)
		p.js(`[...document.querySelectorAll("thead button")].find((b) => b.innerText.startsWith("Loss")).click()`)
		p.until("sorted by loss", `document.querySelector("[aria-sort=ascending]")?.innerText.startsWith("Loss")`)
		p.do(chromedp.Reload(), shown)
		p.until("the address keeps filter and order", `document.querySelectorAll("tbody tr").length === 3 && document.querySelector("[aria-sort=ascending]").innerText.startsWith("Loss")`)
		if got := eval[string](p, `[...document.querySelectorAll("thead th")].map((c) => c.innerText.replace(/[↑↓\s]+/g, "")).join(" ")`); got != "Run alpha L Seed State Iteration LossJ Time Ends" {
			t.Errorf("columns %q, want alpha among them, which the grid varies", got)
		}
		p.visit("/study/paper-regime/runs?q=network.alpha%3D0.75+depth%3E%3D64&sort=network.alpha")
		p.until("a link filters by conditions", `document.querySelectorAll("tbody tr").length === 9 && [...document.querySelectorAll("tbody tr")].every((r) => r.cells[1].innerText === "0.75")`)
		p.visit("/study/paper-regime/runs?q=depth%3E%3D64+alpha%3D0.75&show=lines&x=log&smooth=7&from=10&to=100")
		p.until("the chosen runs are lines of one chart", `!!document.querySelector(".plot canvas") && document.querySelectorAll(".legend button").length === 3 && document.querySelector("main .tools [role=status]").innerText === "9 runs"`)
		p.until("of the part that the address names", `document.querySelectorAll("input[type=number]")[1].value === "100"`)
		p.axe("lines", "light")
		p.js(`document.querySelector("figure details").open = true`)
		p.until("with their values", `document.querySelectorAll("figure details tbody tr").length === 9`)
		p.js(`[...document.querySelectorAll(".segments input")].find((i) => i.value === "table").click()`)
		p.until("or rows of the table", `document.querySelectorAll("tbody tr").length === 9 && !document.querySelector(".plot")`)
		p.mu.Lock()
		p.expect = true // the browser notes the answer 400
		p.mu.Unlock()
		p.visit("/study/paper-regime/runs?q=dept%3E3")
		p.until("a wrong condition is told", `document.querySelector(".trouble")?.innerText.includes("dept: got an unknown name")`)
		p.mu.Lock()
		p.expect = false
		p.mu.Unlock()
	})
	for name, check := range map[string]func(*page){"accuracy": accuracies, "zoom and smooth": zoomAndSmooth, "marks and formulas": marks} {
		t.Run(name, func(t *testing.T) {
			p.t = t
			check(p)
		})
	}
	t.Run("slide", func(t *testing.T) {
		p.t = t
		p.visit("/study/paper-regime/weights")
		p.until("the slider is there", `!!document.querySelector("input[type=range]")`)
		p.do(chromedp.Focus(chromedp.CSS("input[type=range]")), chromedp.KeyEvent(kb.ArrowLeft))
		p.until("the deepest is in front", `document.querySelector("input[type=range]").getAttribute("aria-valuetext") === "depth 256 in front"`)
		p.do(chromedp.KeyEvent(kb.ArrowLeft))
		p.until("the next is in front", `document.querySelector("input[type=range]").getAttribute("aria-valuetext") === "depth 128 in front"`)
		p.js(`document.querySelector("input[value=entry]").click()`)
		p.until("an entry is shown", `document.querySelectorAll("input[type=number]").length === 2 && document.querySelector(".axis").innerText.includes("[1,1]")`)
	})
	t.Run("slide through iterations", func(t *testing.T) {
		p.t = t
		p.visit("/study/paper-regime/weights?at=along")
		p.until("the slider stands at the end", `Number(document.querySelector("input[type=range]")?.getAttribute("aria-valuetext").replace("iteration ", "")) > 10`)
		p.do(chromedp.Focus(chromedp.CSS("input[type=range]")), chromedp.KeyEvent(kb.Home))
		p.until("the initial weights are shown", `document.querySelector("input[type=range]").getAttribute("aria-valuetext") === "iteration 0"`)
	})
	t.Run("compare", func(t *testing.T) {
		p.t = t
		p.visit("/compare?s=paper-regime")
		for i, depth := range []string{"16", "256"} {
			p.until("there is a choice of depths", `!!document.getElementById("cdepth") && document.getElementById("cdepth").options.length > 2`)
			p.do(chromedp.SetValue(chromedp.CSS("#cdepth"), depth))
			p.js(`document.getElementById("cdepth").dispatchEvent(new Event("change"))`)
			p.do(chromedp.Click(chromedp.CSS("#cadd")))
			p.until("it is added", fmt.Sprintf(`document.querySelectorAll(".chips li").length === %d`, i+1))
		}
		p.until("two lines are compared", `document.querySelectorAll(".chips li").length === 2 && document.querySelectorAll(".legend button").length === 2`)
		p.do(chromedp.Reload(), shown)
		p.until("and after a reload", `document.querySelectorAll(".legend button").length === 2`)
	})
	t.Run("download", func(t *testing.T) {
		p.t = t
		runs, err := filepath.Glob(filepath.Join(dir, "paper-regime", "runs", "*-L0064-*"))
		if err != nil || len(runs) == 0 {
			t.Fatal(runs, err)
		}
		to := t.TempDir()
		allow := browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: to}
		if _, err := chromedp.CallBrowser(p.ctx, browser.SetDownloadBehavior, allow); err != nil {
			t.Fatal(err)
		}
		p.visit("/study/paper-regime/run/" + filepath.Base(runs[0]))
		p.js(`[...document.querySelectorAll("a[download]")].find((a) => a.innerText === "weights.safetensors").click()`)
		want, err := os.ReadFile(filepath.Join(runs[0], "weights.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
			got, err := os.ReadFile(filepath.Join(to, "weights.safetensors"))
			if err == nil && bytes.Equal(got, want) {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("download: got %d bytes, %v; want the %d of the file", len(got), err, len(want))
			}
		}
	})
	t.Run("keyboard", func(t *testing.T) {
		p.t = t
		p.visit("/study/paper-regime/runs")
		p.until("loaded", `document.querySelectorAll("tbody tr").length === 30`)
		p.do(chromedp.KeyEvent(kb.Tab))
		if got := eval[string](p, `document.activeElement.id`); got != "skip" {
			t.Errorf("the first stop of the tab key is %q, want the skip link", got)
		}
		p.do(chromedp.KeyEvent(kb.Enter))
		if got := eval[string](p, `document.activeElement.id`); got != "main" {
			t.Errorf("the skip link leads to %q, want main", got)
		}
	})
	t.Run("give streams back", func(t *testing.T) {
		p.t = t
		// The browser keeps pages that were left, and has six connections to a server.
		began := time.Now()
		for range 10 {
			p.visit("/study/paper-regime/runs")
			p.until("loaded", `document.querySelectorAll("tbody tr").length === 30`)
		}
		if took := time.Since(began); !(took < 30*time.Second) {
			t.Errorf("ten pages one after the other took %v: streams of pages that were left hold connections", took)
		}
	})
	t.Run("views", func(t *testing.T) {
		p.t = t
		views(p, dir)
	})
}

// TestGrowing watches a study while it is trained, and its folder's removal.
func TestGrowing(t *testing.T) {
	dir := t.TempDir()
	address, _ := start(t, "serve", dir, "--addr", "127.0.0.1:0", "--no-token")
	p := open(t, strings.TrimSuffix(address, "/"))
	p.theme("light")
	p.visit("/")
	p.until("the folder is empty", `document.querySelector("main").innerText.includes("no study in this folder")`)
	_, cmd := start(t, "run", write(t, growing), "--out", filepath.Join(dir, "growing"), "--no-report")
	p.until("the study appears by itself", `document.querySelector("tbody a")?.innerText === "growing"`)
	p.visit("/study/growing/loss")
	p.until("a curve is drawn", `!!document.querySelector(".plot canvas")`)
	last := func() float64 {
		p.js(`document.querySelector("figure details").open = false`)
		time.Sleep(50 * time.Millisecond)
		p.js(`document.querySelector("figure details").open = true`)
		time.Sleep(100 * time.Millisecond)
		return eval[float64](p, `Math.max(0, ...[...document.querySelectorAll("figure details tbody tr")].map((r) => Number(r.cells[5].innerText)).filter(Number.isFinite))`)
	}
	var seen []float64
	for end := time.Now().Add(40 * time.Second); len(seen) < 4; time.Sleep(200 * time.Millisecond) {
		if now := last(); now > 0 && (len(seen) == 0 || now > seen[len(seen)-1]) {
			seen = append(seen, now)
		}
		if time.Now().After(end) {
			t.Fatalf("the curve's last iteration was %v, want it to grow four times", seen)
		}
	}
	t.Logf("last iteration drawn: %v", seen)
	if *screens != "" {
		p.js(`document.querySelector("figure details").open = false`)
		p.shoot("live")
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	p.until("the end is shown", `document.querySelector("[role=progressbar]").getAttribute("aria-valuenow") === "4"`)

	// A run folder that goes away while it is shown.
	runs, _ := filepath.Glob(filepath.Join(dir, "growing", "runs", "*"))
	p.visit("/study/growing/run/" + filepath.Base(runs[0]))
	p.mu.Lock()
	p.expect = true // the browser notes each answer 404
	p.mu.Unlock()
	if err := os.RemoveAll(filepath.Join(dir, "growing")); err != nil {
		t.Fatal(err)
	}
	p.until("the removal is told", `/gone|not there|cannot be read|does not exist/i.test(document.querySelector("main").innerText)`)
}

// TestToken opens the page of a server that wants a token.
func TestToken(t *testing.T) {
	dir := t.TempDir()
	address, _ := start(t, "serve", dir, "--addr", "127.0.0.1:0", "--token", "a-token-for-the-test")
	with, err := url.Parse(address)
	if err != nil || with.Query().Get("token") == "" {
		t.Fatalf("got address %q, want one with a token", address)
	}
	p := open(t, "http://"+with.Host)
	p.expect = true // 401 is noted
	p.do(chromedp.Navigate("http://"+with.Host+"/"), chromedp.WaitVisible(chromedp.CSS("#token")))
	for _, scheme := range []string{"light", "dark"} {
		p.theme(scheme)
		p.axe("login", scheme)
		p.shoot("token-" + scheme)
	}
	p.do(chromedp.SendKeys(chromedp.CSS("#token"), "a-token-for-the-test\r"), shown)
	p.until("the page is shown", `document.querySelector("main h1")?.innerText === "Studies"`)
	if got := eval[string](p, `location.href + document.cookie`); strings.Contains(got, "token") || strings.Contains(got, "deeplimit-") {
		t.Errorf("address and cookies that a script sees: %q, want nothing of the token", got)
	}
}

// A finding of axe-core.
type finding struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// axe fails the test for each serious or critical fault of the page in a colour scheme.
// In the dark it looks at colours alone: the page is the same one as in the light.
func (p *page) axe(view, scheme string) {
	p.t.Helper()
	if !eval[bool](p, `"axe" in window`) {
		script, err := os.ReadFile(*axeFile)
		if err != nil {
			p.t.Fatalf("axe-core: %v; make test-browser installs it", err)
		}
		p.js(string(script))
	}
	options := `{resultTypes: ["violations"]}`
	if scheme == "dark" {
		options = `{resultTypes: ["violations"], runOnly: ["color-contrast", "link-in-text-block"]}`
	}
	view += ", " + scheme
	text := eval[string](p, `axe.run(document, `+options+`).then((r) => JSON.stringify(r.violations))`)
	var findings []finding
	if err := json.Unmarshal([]byte(text), &findings); err != nil {
		p.t.Fatal(err)
	}
	for _, f := range findings {
		for i, node := range f.Nodes {
			if i < 4 {
				p.t.Logf("axe: %s: %s: %s: %s\n%s", view, f.Impact, f.ID, node.HTML, node.Summary)
			}
		}
		if f.Impact == "serious" || f.Impact == "critical" {
			p.t.Errorf("axe: %s: %s fault %s: %s", view, f.Impact, f.ID, f.Help)
		}
	}
}
