//go:build browser

package browser

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/chromedp/chromedp"
)

// TestOpenedFile loads the file that --open hands to the desktop: it leads to the page,
// which asks for no token.
func TestOpenedFile(t *testing.T) {
	bin := t.TempDir()
	note := filepath.Join(bin, "note")
	script := "#!/bin/sh\necho \"$1\" > " + note + ".tmp\nmv " + note + ".tmp " + note + "\n"
	for _, name := range []string{"xdg-open", "open"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	address, _ := start(t, "serve", t.TempDir(), "--addr", "127.0.0.1:0", "--open")
	var file []byte
	for deadline := time.Now().Add(time.Minute); len(file) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing was opened")
		}
		file, _ = os.ReadFile(note)
	}
	with, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, "http://"+with.Host)
	p.file = "file://" + strings.TrimSpace(string(file))
	p.do(chromedp.Navigate(p.file))
	p.until("the page is shown", `document.querySelector("main h1")?.innerText === "Studies"`)
	if got := eval[string](p, `location.href + document.cookie + document.referrer`); strings.Contains(got, "token") || strings.Contains(got, "open.html") {
		t.Errorf("address, cookies and referrer that a script sees: %q, want nothing of the token or the file", got)
	}
}

// TestHiddenName shows a data set and a study folder whose names hold what steers a
// terminal, turns the direction of text or is not seen: escaped, wherever they stand.
func TestHiddenName(t *testing.T) {
	const name = "evil\u202egnp\u200b"
	dir := t.TempDir()
	train(t, filepath.Join(dir, name), strings.Replace(twoDepths, "data: {", `data: {name: "red\e[31m\u202e\u200b", `, 1))
	address, _ := start(t, "serve", dir, "--addr", "127.0.0.1:0", "--no-token")
	p := open(t, strings.TrimSuffix(address, "/"))
	for _, view := range []struct{ address, shown string }{
		{"/", `document.querySelector("main").innerText.includes("evil\\u202egnp\\u200b")`},
		{"/study/" + url.PathEscape(name) + "/runs", `document.querySelector("main").innerText.includes("evil\\u202egnp\\u200b") && document.querySelectorAll("tbody tr").length > 0`},
		{"/study/" + url.PathEscape(name) + "/loss", `!!document.querySelector(".plot canvas")`},
		{"/study/" + url.PathEscape(name) + "/scaling", `document.querySelectorAll("table").length > 0`},
		{"/compare", `document.querySelectorAll("option").length > 0`},
	} {
		p.visit(view.address)
		p.until("the name is shown escaped", view.shown)
		for _, text := range []string{
			eval[string](p, `document.body.innerText`), eval[string](p, `document.title`),
			eval[string](p, `[...document.querySelectorAll("[title],[aria-label]")].map((e) => (e.title || "") + (e.getAttribute("aria-label") || "")).join(" ")`),
		} {
			if i := strings.IndexFunc(text, func(r rune) bool {
				return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r))
			}); i >= 0 {
				t.Errorf("%s: hidden character in %.60q", view.address, text[max(0, i-20):])
			}
		}
	}
}
