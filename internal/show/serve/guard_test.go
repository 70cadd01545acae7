package serve

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deeplimit/deeplimit/field"
)

func TestHost(t *testing.T) {
	s := running(t, t.TempDir(), Options{Hosts: []string{"Lab.example"}})
	port := strings.TrimPrefix(s.base(), "http://127.0.0.1")
	for host, want := range map[string]int{
		"127.0.0.1" + port: 200, "localhost" + port: 200, "LOCALHOST:9": 200, "localhost.": 200, "[::1]:1": 200, "127.0.0.9": 200, "lab.example:80": 200,
		"evil.example": 403, "evil.example" + port: 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403, "192.168.1.5" + port: 403, "0.0.0.0": 403, "[fe80::1]:80": 403,
	} {
		if status, _, body := ask(t, "GET", s.base()+"/api/studies", map[string]string{"Host": host}); status != want {
			t.Errorf("Host %s: %d %s, want %d", host, status, body, want)
		}
	}
}

func TestOrigin(t *testing.T) {
	s := running(t, t.TempDir(), Options{})
	host := strings.TrimPrefix(s.base(), "http://")
	for _, test := range []struct {
		path   string
		header map[string]string
		want   int
	}{
		{"/api/studies", map[string]string{"Origin": "http://" + host}, 200},
		{"/api/studies", map[string]string{"Origin": "http://evil.example"}, 403},
		{"/api/studies", map[string]string{"Origin": "null"}, 403},
		{"/api/studies", map[string]string{"Origin": "http://" + host + ".evil.example"}, 403},
		{"/api/studies", map[string]string{"Origin": "http://localhost:1"}, 403},
		{"/api/studies", map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		{"/api/studies", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"/api/studies", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"/api/events", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"/api/studies", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 403},
		{"/", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200},
		{"/", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403},
	} {
		if status, _, body := ask(t, "GET", s.base()+test.path, test.header); status != test.want {
			t.Errorf("%s with %v: %d %.80s, want %d", test.path, test.header, status, body, test.want)
		}
	}
}

func TestReadOnly(t *testing.T) {
	s := running(t, t.TempDir(), Options{})
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} {
		if status, header, _ := ask(t, method, s.base()+"/api/studies", nil); status != http.StatusMethodNotAllowed || header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q, want 405 with GET, HEAD", method, status, header.Get("Allow"))
		}
	}
	for _, path := range []string{"/", "/api/studies", "/api/events"} {
		if status, _, body := ask(t, "HEAD", s.base()+path, nil); status != 200 || body != "" {
			t.Errorf("HEAD %s: %d %q, want 200 without a body", path, status, body)
		}
	}
}

func TestHeaders(t *testing.T) {
	s := running(t, t.TempDir(), Options{})
	for _, path := range []string{"/", "/assets/js/app.js", "/assets/uplot/uPlot.esm.js", "/api/studies", "/api/studies/none", "/no/such/page"} {
		_, header, _ := ask(t, "GET", s.base()+path, nil)
		policy := header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: policy %q, want %q in it", path, policy, part)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q, want nothing unsafe", path, policy)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"} {
			if got := header.Get(name); got != want {
				t.Errorf("%s: %s %q, want %q", path, name, got, want)
			}
		}
	}
	if _, header, _ := ask(t, "GET", s.base()+"/assets/js/app.js", nil); header.Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Errorf("a script has type %q", header.Get("Content-Type"))
	}
}

// TestNoInline holds every page to the policy: nothing in the markup that it forbids, and
// no way from text to markup in the scripts.
func TestNoInline(t *testing.T) {
	for _, name := range []string{"web/index.html", "web/login.html"} {
		data, err := web.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"<style", " style=", " onclick", " onload", "javascript:", "<script>", "http://", "https://"} {
			if strings.Contains(string(data), bad) {
				t.Errorf("%s holds %q", name, bad)
			}
		}
	}
	entries, err := web.ReadDir("web/js")
	if err != nil || len(entries) == 0 {
		t.Fatal(err)
	}
	for _, entry := range entries {
		data, err := web.ReadFile("web/js/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser", "srcdoc"} {
			if strings.Contains(string(data), bad) {
				t.Errorf("web/js/%s holds %q", entry.Name(), bad)
			}
		}
	}
}

func TestToken(t *testing.T) {
	const token = "sixteen-letters-!&"
	s := running(t, t.TempDir(), Options{Token: token})
	if status, _, body := ask(t, "GET", s.base()+"/api/studies", nil); status != http.StatusUnauthorized {
		t.Errorf("no token: %d %s, want 401", status, body)
	}
	for _, path := range []string{"/assets/js/app.js", "/api/events", "/api/studies/x/files/y"} {
		if status, _, _ := ask(t, "GET", s.base()+path, nil); status != http.StatusUnauthorized {
			t.Errorf("%s without the token: %d, want 401", path, status)
		}
	}
	if status, header, body := ask(t, "GET", s.base()+"/", nil); status != http.StatusUnauthorized || !strings.Contains(body, "<form") || header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("page without a token: %d %s, want 401 with the form", status, body)
	}
	for _, wrong := range []string{"", "x", token[:len(token)-1], token + "x", strings.ToUpper(token)} {
		if status, _, _ := ask(t, "GET", s.base()+"/api/studies?"+url.Values{"token": {wrong}}.Encode(), nil); status != http.StatusUnauthorized {
			t.Errorf("token %q: %d, want 401", wrong, status)
		}
		if status, _, _ := ask(t, "GET", s.base()+"/api/studies", map[string]string{"Authorization": "Bearer " + wrong}); status != http.StatusUnauthorized {
			t.Errorf("header with token %q: %d, want 401", wrong, status)
		}
	}
	if status, _, _ := ask(t, "GET", s.base()+"/api/studies", map[string]string{"Authorization": "Bearer " + token}); status != 200 {
		t.Errorf("header with the token: %d, want 200", status)
	}
	status, header, _ := ask(t, "GET", s.URL(), nil)
	if status != http.StatusSeeOther || header.Get("Location") != "/" {
		t.Fatalf("address with the token: %d to %q, want 303 to /", status, header.Get("Location"))
	}
	cookie := header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q, want %s", cookie, want)
		}
	}
	if strings.Contains(cookie, "sixteen") {
		t.Errorf("cookie %q holds the token", cookie)
	}
	value, _, _ := strings.Cut(cookie, ";")
	if status, _, _ := ask(t, "GET", s.base()+"/api/studies", map[string]string{"Cookie": value}); status != 200 {
		t.Errorf("with the cookie: %d, want 200", status)
	}
	if status, _, _ := ask(t, "GET", s.base()+"/api/studies", map[string]string{"Cookie": value + "0"}); status != http.StatusUnauthorized {
		t.Errorf("with a wrong cookie: %d, want 401", status)
	}
	// The redirect stays here whatever the path.
	for _, path := range []string{"//evil.example/", "/\\evil.example", "/%2f%2fevil.example"} {
		_, header, _ := ask(t, "GET", s.base()+path+"?"+url.Values{"token": {token}}.Encode(), nil)
		if to := header.Get("Location"); strings.HasPrefix(to, "//") || strings.HasPrefix(to, "/\\") || strings.Contains(to, "://") {
			t.Errorf("%s leads to %q, want a path of this server", path, to)
		}
	}
}

// TestTokenByDefault wants one on a loopback address, too: every user of the machine
// reaches it.
func TestTokenByDefault(t *testing.T) {
	s, err := New(t.TempDir(), Options{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	address, err := url.Parse(s.URL())
	if err != nil || len(address.Query().Get("token")) < minToken {
		t.Errorf("address %q, want one with a random token", s.URL())
	}
}

// TestOtherAddress wants a token on every address that others reach.
func TestOtherAddress(t *testing.T) {
	s := running(t, t.TempDir(), Options{Addr: "0.0.0.0:0"})
	address, err := url.Parse(s.URL())
	if err != nil || len(address.Query().Get("token")) < minToken {
		t.Fatalf("address %q, want one with a random token", s.URL())
	}
	port := s.base()[strings.LastIndex(s.base(), ":"):]
	if status, _, _ := ask(t, "GET", "http://127.0.0.1"+port+"/api/studies", nil); status != http.StatusUnauthorized {
		t.Errorf("without a token: %d, want 401", status)
	}
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{"10.1.2.3": 200, name: 200, "evil.example": 403} {
		if status, _, body := ask(t, "GET", "http://127.0.0.1"+port+"/api/studies", map[string]string{"Host": host, "Authorization": "Bearer " + address.Query().Get("token")}); status != want {
			t.Errorf("Host %s: %d %s, want %d", host, status, body, want)
		}
	}
}

func TestBadOptions(t *testing.T) {
	for _, test := range []struct {
		options Options
		want    string
	}{
		{Options{Addr: "here"}, `addr: got "here", want HOST:PORT, such as 127.0.0.1:8420`},
		{Options{Addr: "127.0.0.1:0", Token: "short"}, `token: got "5 characters", want at least 16`},
		{Options{Addr: "127.0.0.1:0", Token: "long-enough-for-one", Open: true}, `no-token: got true, want it left out beside a token`},
		{Options{Addr: "0.0.0.0:0", Open: true}, `no-token: got true, want it left out with an address of this machine that others reach`},
	} {
		_, err := New(t.TempDir(), test.options)
		if wrong := (*field.Error)(nil); !errors.As(err, &wrong) || err.Error() != test.want {
			t.Errorf("New: %v, want %s", err, test.want)
		}
	}
	if _, err := New(filepath.Join(t.TempDir(), "none"), Options{Addr: "127.0.0.1:0"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	s := running(t, t.TempDir(), Options{})
	if _, err := New(t.TempDir(), Options{Addr: s.listener.Addr().String()}); err == nil || !strings.Contains(err.Error(), "choose another --addr") {
		t.Errorf("an address in use: %v", err)
	}
}

// TestHeldOpen serves others while a hundred clients hold connections open: a third has
// sent half a request, a third nothing, a third reads no byte of a stream.
func TestHeldOpen(t *testing.T) {
	dir := t.TempDir()
	plant(t, filepath.Join(dir, "one"), "one")
	s := running(t, dir, Options{})
	host := s.listener.Addr().String()
	for i := range 100 {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		text := []string{"GET /api/studies HTTP/1.1\r\nHost: " + host + "\r\nX: ", "", "GET /api/studies/one/events HTTP/1.1\r\nHost: " + host + "\r\n\r\n"}[i%3]
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the streams are open", func() bool { return s.clients.count(streaming) == 33 })
	start := time.Now()
	for range 20 {
		get[map[string]any](t, s.base()+"/api/studies/one/runs")
	}
	if took := time.Since(start); !(took < 5*time.Second) {
		t.Errorf("20 answers beside 100 held connections took %s", took)
	}
}
