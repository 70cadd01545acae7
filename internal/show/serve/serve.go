// Package serve shows a folder of studies on a live page: how the runs stand, their
// loss while it falls, weight paths, exponents, p-variations, certificates.
//
// It only reads run folders and writes nothing. It is made for a machine that is busy training:
// it reads on request, watching takes at most a tenth of the time of one core, and requests are
// bounded. Names and contents of the folder count as hostile (guard.go, folder.go, files.go).
package serve

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/deeplimit/deeplimit/field"
)

// Options say where and for whom a folder is shown.
type Options struct {
	// Addr is the address to listen on, host:port; port 0 takes a free one.
	Addr string
	// Token must be shown by every client. Empty: a random one, unless Open.
	Token string
	// Open admits every client without a token. The address must be a loopback one, which every
	// user of this machine reaches.
	Open bool
	// Hosts are further names that requests may have in Host, without port.
	Hosts []string
	// Log receives failures inside the server; nil for none.
	Log *slog.Logger
}

// minToken is the least length of a token that a user chooses.
const minToken = 16

// A Server shows one folder.
type Server struct {
	folder   *folder
	listener net.Listener
	http     *http.Server
	hub      *hub
	clients  *clients
	queue    *queue
	token    string
}

// New opens the folder of studies dir, or the one study dir, and listens. The caller must call
// Serve or Close. Invalid options are a *field.Error.
func New(dir string, options Options) (*Server, error) {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	host, _, err := net.SplitHostPort(options.Addr)
	if err != nil {
		return nil, &field.Error{Path: "addr", Got: options.Addr, Want: "HOST:PORT, such as 127.0.0.1:8420"}
	}
	if options.Token != "" && len(options.Token) < minToken {
		return nil, &field.Error{Path: "token", Got: fmt.Sprintf("%d characters", len(options.Token)), Want: fmt.Sprintf("at least %d", minToken)}
	}
	if options.Open && options.Token != "" {
		return nil, &field.Error{Path: "no-token", Got: true, Want: "it left out beside a token"}
	}
	folder, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", options.Addr)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("serve: %w; choose another --addr", err), folder.close())
	}
	bound := listener.Addr().(*net.TCPAddr)
	token := options.Token
	if options.Open && !bound.IP.IsLoopback() {
		err := &field.Error{Path: "no-token", Got: true, Want: "it left out with an address of this machine that others reach"}
		return nil, errors.Join(err, listener.Close(), folder.close())
	}
	if token == "" && !options.Open {
		token = rand.Text()
	}
	s := &Server{folder: folder, listener: listener, token: token, hub: newHub(folder), clients: newClients(), queue: newQueue()}
	guard := newGuard(token, bound.Port, append(hostNames(host, bound.IP), options.Hosts...), !bound.IP.IsLoopback())
	s.http = &http.Server{
		Handler:           track(guard.wrap(s.routes())),
		ConnContext:       withConnection,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(options.Log.Handler(), slog.LevelWarn),
	}
	return s, nil
}

// hostNames returns the names that clients use for a server on this address.
func hostNames(host string, bound net.IP) []string {
	names := []string{"localhost"}
	if _, err := netip.ParseAddr(host); err != nil && host != "" {
		names = append(names, host)
	}
	if !bound.IsLoopback() {
		if name, err := os.Hostname(); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// URL returns the address of the page, with the token if one is required. For a server on all
// addresses of the machine it has the name of the machine.
func (s *Server) URL() string {
	bound := s.listener.Addr().(*net.TCPAddr)
	host := bound.IP.String()
	if bound.IP.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	page := url.URL{Scheme: "http", Host: net.JoinHostPort(host, fmt.Sprint(bound.Port)), Path: "/"}
	if s.token != "" {
		page.RawQuery = url.Values{"token": {s.token}}.Encode()
	}
	return page.String()
}

// Serve answers requests until the context ends, then gives open requests a moment to finish
// and closes the folder. It returns nil if the context ended it.
func (s *Server) Serve(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	s.hub.start(background)
	s.http.BaseContext = func(net.Listener) context.Context { return background }
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(&limited{s.listener, s.clients}) }()
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("serve: %w", err), s.folder.close())
	case <-ctx.Done():
	}
	stop() // ends the event streams, which would keep Shutdown waiting
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 300*time.Millisecond)
	defer cancel()
	if err := s.http.Shutdown(grace); err != nil {
		s.http.Close()
	}
	return s.folder.close()
}

// Close closes a server on which Serve was not called.
func (s *Server) Close() error { return errors.Join(s.listener.Close(), s.folder.close()) }

// routes maps addresses to answers. Every name in them is one path segment, checked
// by the folder before it meets the file system.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", serveIndex)
	mux.HandleFunc("GET /assets/{name...}", serveAsset)
	mux.HandleFunc("GET /api/studies", s.answer(s.studies))
	mux.HandleFunc("GET /api/events", s.events)
	const study = "GET /api/studies/{study}"
	mux.HandleFunc(study, s.answer(s.study))
	mux.HandleFunc(study+"/events", s.events)
	mux.HandleFunc(study+"/runs", s.answer(s.runs))
	mux.HandleFunc(study+"/losses", s.answer(s.losses))
	mux.HandleFunc(study+"/chosen", s.answer(s.chosen))
	mux.HandleFunc(study+"/bands", s.answer(s.bands))
	mux.HandleFunc(study+"/paths", s.answer(s.paths))
	mux.HandleFunc(study+"/norms", s.answer(s.norms))
	mux.HandleFunc(study+"/analysis", s.answer(s.analysis))
	mux.HandleFunc(study+"/certificates", s.answer(s.certificates))
	mux.HandleFunc(study+"/files/{file...}", s.download)
	mux.HandleFunc(study+"/report/{file...}", s.report)
	mux.HandleFunc(study+"/runs/{run}", s.answer(s.run))
	mux.HandleFunc(study+"/runs/{run}/trace", s.answer(s.trace))
	mux.HandleFunc(study+"/runs/{run}/certificate", s.answer(s.certificate))
	mux.HandleFunc(study+"/runs/{run}/files/{file...}", s.download)
	return mux
}

// isName reports whether name can be that of a study or run folder: one element of a
// path, not hidden.
func isName(name string) bool {
	return name != "" && len(name) <= 255 && name[0] != '.' && !strings.ContainsAny(name, "/\\\x00")
}
