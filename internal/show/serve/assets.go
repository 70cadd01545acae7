package serve

import (
	"bytes"
	"embed"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed web
var web embed.FS

// types are the media types of the page's files, which browsers must not guess (nosniff).
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	"":      "text/plain; charset=utf-8",
	".md":   "text/plain; charset=utf-8",
}

func serveIndex(w http.ResponseWriter, r *http.Request) { serveEmbedded(w, r, "index.html") }

func serveAsset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !fs.ValidPath(name) || strings.HasSuffix(name, ".html") {
		refuse(w, http.StatusNotFound, "no such file")
		return
	}
	serveEmbedded(w, r, name)
}

// serveEmbedded sends a file of the page. The browser caches it and revalidates it each time, so
// that a new program never runs with an old page.
func serveEmbedded(w http.ResponseWriter, r *http.Request, name string) {
	data, err := web.ReadFile("web/" + name)
	kind, known := types[path.Ext(name)]
	if err != nil || !known {
		refuse(w, http.StatusNotFound, "no such file")
		return
	}
	digest := fnv.New64a()
	digest.Write(data)
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, digest.Sum64()))
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Type", kind)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// serveLogin sends the form that asks for the token.
func serveLogin(w http.ResponseWriter, wrong bool) {
	data, err := web.ReadFile("web/login.html")
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	message := "It is in the address that <code>deeplimit serve</code> printed."
	if wrong {
		message = "That is not the token. " + message
	}
	w.Header().Set("Content-Type", types[".html"])
	w.WriteHeader(http.StatusUnauthorized)
	w.Write(bytes.Replace(data, []byte("{{message}}"), []byte(message), 1))
}
