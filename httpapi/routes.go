package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// allRoutes is the one list of what is served. Of two routes that fit a path, the first is taken.
func (a *API) allRoutes() []route {
	routes := []route{
		{path: "/", methods: methods{"GET": a.servePage}},
		{path: "/assets/*", methods: methods{"GET": a.serveAsset}},
		{path: "/tasks", methods: methods{"GET": a.serveList}},
		{path: "/tasks/*", methods: methods{"GET": a.serveTask, "DELETE": a.serveCancel}},
		{path: "/stats", methods: methods{"GET": a.serveStats}},
		{path: "/history", methods: methods{"GET": a.serveHistory}},
		{path: "/schedules", methods: methods{"GET": a.serveSchedules}},
		{path: "/schedules/*/run", methods: methods{"POST": a.serveRun}},
		{path: "/failures", methods: methods{"GET": a.serveFailures}},
		{path: "/events", methods: methods{"GET": a.serveEvents}},
		{path: "/livez", methods: methods{"GET": a.serveLive}, anyHost: true}, // Kubernetes sends the pod's address
		{path: "/readyz", methods: methods{"GET": a.serveReady}, anyHost: true},
		{path: "/openapi.json", methods: methods{"GET": a.serveOpenAPI}},
	}
	if a.cfg.Jobs != nil {
		routes = append(routes,
			route{path: "/jobs", methods: methods{"GET": a.serveJobs}},
			route{path: "/jobs/*/retry", methods: methods{"POST": a.serveRetry}},
			route{path: "/jobs/*", methods: methods{"GET": a.serveJob, "DELETE": a.serveCancelJob}},
		)
	}
	return routes
}

// route is a path and what serves it. "*" in the path stands for one segment or more: a proxy that
// decodes what it passes on makes two of an id such as "a/b". The standard library's mux would
// redirect and answer in its own words, not knowing of the mount or of problem+json.
type route struct {
	path    string
	methods methods
	anyHost bool
}

// methods maps a method to its handler, which gets what "*" stands for.
type methods map[string]func(w http.ResponseWriter, r *http.Request, segment string)

// find gives the route of the path, and what "*" stands for. No route has no methods.
func (a *API) find(path string) (route, string) {
	for _, route := range a.routes {
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
	return route{}, ""
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
