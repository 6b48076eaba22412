package httpapi

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fxtasks/background/fxtasks"
)

// API serves a manager. It is made by New and safe for any number of requests at once.
type API struct {
	// Written by New, only read after.
	m          *fxtasks.Manager
	cfg        Config
	boot       string // tells this process's event ids from those of another
	protection *http.CrossOriginProtection
	routes     []route
	page       []byte

	streams streams
}

// New makes the handler for m. Its routes are relative to its mount: give it paths that begin where
// it is mounted, as http.StripPrefix does. It fails when cfg does not say who may do what.
func New(m *fxtasks.Manager, cfg Config) (*API, error) {
	if m == nil {
		return nil, errors.New("httpapi: manager is nil")
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	a := &API{
		m:          m,
		cfg:        cfg.withDefaults(),
		boot:       strings.ToLower(rand.Text()[:8]),
		protection: http.NewCrossOriginProtection(),
	}
	a.page = renderPage(a.cfg)
	a.streams = streams{max: a.cfg.MaxStreams, closing: make(chan struct{}), open: make(map[*stream]struct{})}
	a.routes = []route{
		{"/", methods{"GET": a.servePage}},
		{"/assets/*", methods{"GET": a.serveAsset}},
		{"/tasks", methods{"GET": a.serveList}},
		{"/tasks/*", methods{"GET": a.serveTask, "DELETE": a.serveCancel}},
		{"/stats", methods{"GET": a.serveStats}},
		{"/events", methods{"GET": a.serveEvents}},
		{"/livez", methods{"GET": a.serveLive}},
		{"/readyz", methods{"GET": a.serveReady}},
		{"/openapi.json", methods{"GET": a.serveOpenAPI}},
	}
	return a, nil
}

// route is a path, whose last segment may be "*", and what serves it. The standard library's mux
// would redirect and answer in its own words, not knowing of the mount or of problem+json.
type route struct {
	path    string
	methods methods
}

// methods maps a method to its handler, which gets the segment that "*" stands for.
type methods map[string]func(w http.ResponseWriter, r *http.Request, segment string)

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")

	if r.URL.Path == "" { // the mount without its slash: relative, since a proxy may have moved it
		location := lastSegment(requestPath(r)) + "/"
		if r.URL.RawQuery != "" {
			location += "?" + r.URL.RawQuery
		}
		h.Set("Location", location)
		w.WriteHeader(http.StatusPermanentRedirect)
		return
	}
	methods, segment, ok := a.find(r.URL.EscapedPath())
	if !ok {
		newProblem(http.StatusNotFound, "no such resource").write(w)
		return
	}
	method := r.Method
	if method == http.MethodHead { // the server drops the body
		method = http.MethodGet
	}
	handle, ok := methods[method]
	if !ok {
		h.Set("Allow", methods.allowed())
		newProblem(http.StatusMethodNotAllowed, "this resource takes "+methods.allowed()).write(w)
		return
	}
	if a.protection.Check(r) != nil {
		newProblem(http.StatusForbidden, "cross-origin request").write(w)
		return
	}
	handle(w, r, segment)
}

// find gives what serves the path, and the segment that "*" stands for.
func (a *API) find(path string) (methods, string, bool) {
	for _, route := range a.routes {
		if route.path == path {
			return route.methods, "", true
		}
		folder, wild := strings.CutSuffix(route.path, "*")
		escaped, below := strings.CutPrefix(path, folder)
		if !wild || !below || escaped == "" || strings.Contains(escaped, "/") {
			continue
		}
		if segment, err := url.PathUnescape(escaped); err == nil {
			return route.methods, segment, true
		}
	}
	return nil, "", false
}

func (m methods) allowed() string {
	var all []string
	for method := range m {
		all = append(all, method)
		if method == http.MethodGet {
			all = append(all, http.MethodHead)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// mount gives the path that the API is mounted at, without a slash at its end: what the request
// asked for less what is left of it here.
func mount(r *http.Request) string {
	return strings.TrimSuffix(requestPath(r), r.URL.EscapedPath())
}

// requestPath gives the path that the client asked for, whatever has been stripped off since.
func requestPath(r *http.Request) string {
	u, err := url.ParseRequestURI(r.RequestURI)
	if err != nil { // a request that no server has parsed, as in a test
		return r.URL.EscapedPath()
	}
	return u.EscapedPath()
}

func lastSegment(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// allows asks the authorizer.
func (a *API) allows(r *http.Request, action Action, task *fxtasks.Info) bool {
	return a.cfg.Authorize(r, action, task) == nil
}

// mayWatch refuses, with an answer, callers who may not view tasks at all.
func (a *API) mayWatch(w http.ResponseWriter, r *http.Request) bool {
	ok := a.allows(r, ActionView, nil)
	if !ok {
		newProblem(http.StatusForbidden, "not allowed").write(w)
	}
	return ok
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
