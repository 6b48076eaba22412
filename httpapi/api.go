package httpapi

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/fxtasks/background/fxtasks"
)

// API serves a manager. It is made by New and safe for any number of requests at once.
type API struct {
	// Written by New, only read after.
	m          *fxtasks.Manager
	cfg        Config
	boot       string // tells this manager's event ids from those of another
	protection *http.CrossOriginProtection
	hosts      hosts
	page       func() string

	streams streams
}

// instance tells this process from its other replicas, and from itself before a restart.
var instance = newWord()

func newWord() string { return strings.ToLower(rand.Text()[:8]) }

// New makes the handler for m. Its routes are relative to its mount: give it paths that begin where
// it is mounted, as http.StripPrefix does. It fails when cfg does not say who may do what.
func New(m *fxtasks.Manager, cfg Config) (*API, error) {
	if m == nil {
		return nil, errors.New("httpapi: manager is nil")
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	a := &API{m: m, cfg: cfg.withDefaults(), boot: newWord(), protection: http.NewCrossOriginProtection()}
	for _, origin := range cfg.TrustedOrigins {
		if err := a.protection.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("httpapi: Config.TrustedOrigins has %q: %w", origin, err)
		}
	}
	var err error
	if a.hosts, err = newHosts(cfg.AllowedHosts); err != nil {
		return nil, err
	}
	a.page = sync.OnceValue(func() string { return renderPage(a.cfg) })
	a.streams = streams{max: a.cfg.MaxStreams, closing: make(chan struct{}), open: make(map[*stream]struct{})}
	return a, nil
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	setCommonHeaders(h)
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")

	route, segment := a.find(r.URL.EscapedPath())
	if (route == nil || !route.anyHost) && !a.hosts.allow(r.Host) {
		newProblem(http.StatusMisdirectedRequest, fmt.Sprintf("the host %q is none that is served here", r.Host)).write(w)
		return
	}
	if r.URL.Path == "" { // the mount without its slash: relative, since a proxy may have moved it
		location := lastSegment(requestPath(r)) + "/"
		if r.URL.RawQuery != "" {
			location += "?" + r.URL.RawQuery
		}
		h.Set("Location", location)
		w.WriteHeader(http.StatusPermanentRedirect)
		return
	}
	if route == nil {
		newProblem(http.StatusNotFound, "no such resource").write(w)
		return
	}
	handle := route.handler(r.Method)
	if handle == nil {
		h.Set("Allow", route.allowed())
		newProblem(http.StatusMethodNotAllowed, "this resource takes "+route.allowed()).write(w)
		return
	}
	if a.protection.Check(r) != nil {
		newProblem(http.StatusForbidden, crossOrigin(r)).write(w)
		return
	}
	handle(a, w, r, segment)
}

// crossOrigin tells whoever set up a proxy what is missing, since a browser's user could do nothing
// about it.
func crossOrigin(r *http.Request) string {
	if origin := r.Header.Get("Origin"); origin != "" {
		return fmt.Sprintf("cross-origin request: it comes from %q and asks for the host %q; if a proxy has changed the host, "+
			"TrustedOrigins must name that origin", origin, r.Host)
	}
	return "cross-origin request"
}

// setCommonHeaders sets what is the same in the API's own answers and in those to handlers that
// have started work.
func setCommonHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Background-Instance", instance)
}

func writeJSON(w http.ResponseWriter, contentType string, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil { // no type here can fail; if one does after all, say nothing of it
		status, data = http.StatusInternalServerError, []byte(`{}`)
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // the client has gone: nobody is left to tell
}
