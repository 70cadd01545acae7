package serve

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// A guard checks every request and admits those that
//
//   - only read: GET or HEAD, without a body;
//   - name this server in Host: the page of a site whose name resolves to this machine (DNS
//     rebinding) sends its own name;
//   - come from this page or from no page: another site's page is refused even where the browser
//     would hide the answer from it;
//   - show the token, when there is one.
type guard struct {
	names  []string // lower case, that Host may hold
	public bool     // any IP address may be in Host, not only loopback
	token  string
	cookie string // its name; cookies are shared by all ports of a host
}

func newGuard(token string, port int, names []string, public bool) *guard {
	g := &guard{token: token, cookie: fmt.Sprintf("deeplimit-%d", port), public: public}
	for _, name := range names {
		g.names = append(g.names, strings.ToLower(strings.TrimSuffix(name, ".")))
	}
	return g
}

// contentPolicy lets the page load only its own scripts, styles and answers, and forbids to turn
// text into markup or script.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		header.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, 0)
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			header.Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, "this server only shows; it takes GET and HEAD")
		case !g.knownHost(r.Host):
			refuse(w, http.StatusForbidden, fmt.Sprintf("got a request for host %q, which is not a name of this server; allow it with --host", r.Host))
		case !sameOrigin(r):
			refuse(w, http.StatusForbidden, "got a request from the page of another site")
		case !g.admit(w, r):
		default:
			defer connectionOf(r).admitted()
			next.ServeHTTP(w, r)
		}
	})
}

// knownHost reports whether the Host header names this server. The port is not
// compared: a tunnel has its own, and rebinding cannot choose the name.
func (g *guard) knownHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return g.public || ip.Unmap().IsLoopback()
	}
	return slices.Contains(g.names, strings.ToLower(strings.TrimSuffix(host, ".")))
}

// sameOrigin reports whether a request comes from this server's own page, from the
// address bar, a link or a program.
func sameOrigin(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		if from, err := url.Parse(origin); err != nil || from.Scheme != "http" && from.Scheme != "https" || !strings.EqualFold(from.Host, r.Host) {
			return false
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	// A link on another page may lead to the page itself, in a window of its own.
	return r.URL.Path == "/" && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// admit reports whether a request shows the token; otherwise it answers it. A token in the address
// is stored in a cookie, and the browser is redirected to the address without it, so that the
// token stays in no history. Browsers send the cookie with links from elsewhere, such as the file
// of --open; sameOrigin decides what such a link may lead to.
func (g *guard) admit(w http.ResponseWriter, r *http.Request) bool {
	// The form that asks for the token needs the page's style, which is public.
	if g.token == "" || r.URL.Path == "/assets/style.css" {
		return true
	}
	if shown, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && same(shown, g.token) {
		return true
	}
	if cookie, err := r.Cookie(g.cookie); err == nil && same(cookie.Value, g.pass()) {
		return true
	}
	query := r.URL.Query()
	if same(query.Get("token"), g.token) {
		http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.pass(), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
		query.Del("token")
		// Keep the target on this server: "//host" would be another one.
		target := url.URL{Path: "/" + strings.TrimLeft(r.URL.Path, "/\\"), RawQuery: query.Encode()}
		w.Header().Set("Location", target.String())
		w.WriteHeader(http.StatusSeeOther)
		return false
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="deeplimit"`)
	if r.URL.Path == "/" {
		serveLogin(w, query.Has("token"))
		return false
	}
	refuse(w, http.StatusUnauthorized, "want the token that deeplimit serve printed, as ?token=… or Authorization: Bearer …")
	return false
}

// pass returns the value of the cookie, which proves knowledge of the token without holding it.
func (g *guard) pass() string {
	mac := hmac.New(sha256.New, []byte(g.token))
	mac.Write([]byte(g.cookie))
	return hex.EncodeToString(mac.Sum(nil))
}

// same compares in constant time, whatever the texts and their lengths.
func same(got, want string) bool {
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
