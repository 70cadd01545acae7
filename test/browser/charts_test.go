//go:build browser

package browser

import (
	"fmt"
	"strconv"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// accuracies sorts and filters the runs of a classification by their accuracy, which a regression has not.
func accuracies(p *page) {
	p.visit("/study/grid/runs")
	p.until("accuracies are columns", `[...document.querySelectorAll("thead th")].some((c) => c.innerText.startsWith("Test accuracy"))`)
	column := eval[int](p, `[...document.querySelectorAll("thead th")].findIndex((c) => c.innerText.startsWith("Test accuracy"))`)
	p.js(fmt.Sprintf(`document.querySelectorAll("thead th")[%d].querySelector("button").click()`, column))
	p.until("the best is first", `document.querySelector("[aria-sort=descending]")?.innerText.startsWith("Test accuracy") ?? false`)
	values := eval[[]string](p, fmt.Sprintf(`[...document.querySelectorAll("tbody tr")].map((r) => r.cells[%d].innerText)`, column))
	for i, text := range values {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || v < 0 || v > 1 || i > 0 && text > values[i-1] {
			p.t.Fatalf("test accuracies %q, want shares in descending order", values)
		}
	}
	p.visit("/study/grid/runs?q=test_accuracy%3E" + values[10])
	p.until("a condition on it filters", fmt.Sprintf(`document.querySelectorAll("tbody tr").length < 11 && [...document.querySelectorAll("tbody tr")].every((r) => Number(r.cells[%d].innerText) > %s)`, column, values[10]))
	p.visit("/study/paper-regime/runs")
	p.until("a regression has none", `document.querySelectorAll("tbody tr").length === 30 && !document.querySelector("thead").innerText.includes("ccuracy")`)
}

// zoomAndSmooth takes a part of the iterations by mouse, by keys and by numbers, and lets it go; the address keeps it, and the smoothing.
func zoomAndSmooth(p *page) {
	part := func() string {
		return eval[string](p, `(() => { const q = new URLSearchParams(location.hash.split("?")[1]); return q.get("from") + " " + q.get("to"); })()`)
	}
	p.visit("/study/paper-regime/loss?smooth=7")
	p.until("drawn", `!!document.querySelector(".plot canvas")`)
	p.until("the address smooths", `document.querySelector("figcaption").innerText.includes("means over 15 neighbouring points")`)
	box := eval[[]float64](p, `(() => { const b = document.querySelector(".u-over").getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()`)
	at := func(share float64) (x, y float64) { return box[0] + share*box[2], box[1] + box[3]/2 }
	mouse := func(kind input.DispatchMouseEventType, share float64, clicks int64) {
		x, y := at(share)
		call(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: x, Y: y, Button: "left", ClickCount: clicks})
	}
	drag := func() {
		mouse("mousePressed", 0.25, 1)
		mouse("mouseMoved", 0.4, 0)
		mouse("mouseMoved", 0.5, 0)
		mouse("mouseReleased", 0.5, 1)
		p.until("a part is shown", `/from=\d+&to=\d+/.test(location.hash) && document.querySelectorAll("input[type=number]")[1].value !== ""`)
	}
	drag()
	p.do(chromedp.KeyEvent(kb.Escape))
	p.until("Escape shows all", `!location.hash.includes("from=") && document.querySelectorAll("input[type=number]")[1].value === ""`)
	drag()
	mouse("mousePressed", 0.3, 1)
	mouse("mouseReleased", 0.3, 1)
	mouse("mousePressed", 0.3, 2)
	mouse("mouseReleased", 0.3, 2)
	p.until("a double click shows all", `!location.hash.includes("from=")`)
	p.do(chromedp.Focus(chromedp.CSS(".plot")), chromedp.KeyEvent("+"))
	p.until("the key + enlarges", `/from=\d+&to=\d+/.test(location.hash)`)
	before := part()
	p.do(chromedp.KeyEvent(kb.ArrowRight))
	if now := part(); now == before {
		p.t.Errorf("the right arrow leaves the part %q", now)
	}
	p.do(chromedp.KeyEvent("-"), chromedp.KeyEvent("-"))
	p.until("the key - shows all", `!location.hash.includes("from=")`)
	p.do(chromedp.SetValue(chromedp.CSS("input[type=number]"), "5"))
	p.js(`(() => { const to = document.querySelectorAll("input[type=number]")[1]; to.value = "20"; to.dispatchEvent(new Event("change")); })()`)
	p.until("numbers choose a part", `location.hash.includes("from=5&to=20")`)
	p.js(`(() => { const s = [...document.querySelectorAll("select")].find((s) => s.parentElement.innerText.startsWith("Smoothing")); s.value = "0"; s.dispatchEvent(new Event("change")); })()`)
	p.until("smoothing ends", `!location.hash.includes("smooth=") && !document.querySelector("figcaption").innerText.includes("neighbouring")`)
	p.do(chromedp.Reload(), shown)
	p.until("the address keeps the part", `document.querySelectorAll("input[type=number]")[0]?.value === "5" && document.querySelectorAll("input[type=number]")[1].value === "20"`)
}
