package httpapi

import (
	"net/http"
	"net/url"
	"strings"
)

// routes is the one list of what is served. Of two that fit a path, the first is taken.
var routes = []route{
	{path: "/", get: (*API).servePage},
	{path: "/assets/*", get: (*API).serveAsset},
	{path: "/tasks", get: (*API).serveList},
	{path: "/tasks/*", get: (*API).serveTask, delete: (*API).serveCancel},
	{path: "/stats", get: (*API).serveStats},
	{path: "/history", get: (*API).serveHistory},
	{path: "/schedules", get: (*API).serveSchedules},
	{path: "/schedules/*/run", post: (*API).serveRun},
	{path: "/failures", get: (*API).serveFailures},
	{path: "/events", get: (*API).serveEvents},
	{path: "/livez", get: (*API).serveLive, anyHost: true}, // Kubernetes sends the pod's address
	{path: "/readyz", get: (*API).serveReady, anyHost: true},
	{path: "/openapi.json", get: (*API).serveOpenAPI},
	{path: "/jobs", get: (*API).serveJobs, ofJobs: true},
	{path: "/jobs/*/retry", post: (*API).serveRetry, ofJobs: true},
	{path: "/jobs/*", get: (*API).serveJob, delete: (*API).serveCancelJob, ofJobs: true},
}

// route is a path and what serves it, by method. "*" in the path stands for one segment or more: a
// proxy that decodes what it passes on makes two of an id such as "a/b". The standard library's mux
// would redirect and answer in its own words, not knowing of the mount or of problem+json.
type route struct {
	path              string
	get, delete, post handler
	anyHost           bool
	ofJobs            bool // only served with Config.Jobs
}

// handler serves a method of a route. It gets what "*" stands for.
type handler func(a *API, w http.ResponseWriter, r *http.Request, segment string)

// find gives the route of the path, and what "*" stands for; nil: there is none.
func (a *API) find(path string) (*route, string) {
	for i := range routes {
		route := &routes[i]
		if route.ofJobs && a.cfg.Jobs == nil {
			continue
		}
		before, after, wild := strings.Cut(route.path, "*")
		if !wild {
			if route.path == path {
				return route, ""
			}
			continue
		}
		escaped, below := strings.CutPrefix(path, before)
		escaped, within := strings.CutSuffix(escaped, after)
		if !below || !within || escaped == "" {
			continue
		}
		if segment, err := url.PathUnescape(escaped); err == nil {
			return route, segment
		}
	}
	return nil, ""
}

// handler gives what serves the method; nil: nothing does.
func (r *route) handler(method string) handler {
	switch method {
	case http.MethodGet, http.MethodHead: // the server drops the body of an answer to HEAD
		return r.get
	case http.MethodDelete:
		return r.delete
	case http.MethodPost:
		return r.post
	}
	return nil
}

// allowed lists the methods for the header Allow.
func (r *route) allowed() string {
	var methods []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodPost} {
		if r.handler(method) != nil {
			methods = append(methods, method)
		}
	}
	return strings.Join(methods, ", ")
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
