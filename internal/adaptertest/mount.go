package adaptertest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

const problem = "application/problem+json"

func servesTheAPI(t *testing.T, v Version) {
	a := start(t, v, Config{API: open})
	task, err := a.tasks.Submit(t.Context(), "work", untilCancelled, fxtasks.WithID("a/b c%"))
	if err != nil {
		t.Fatal(err)
	}
	a.do("GET", "/background").want(http.StatusPermanentRedirect).wantHeader("Location", "background/")
	a.do("GET", "/background/").want(http.StatusOK, "<!doctype html>")
	a.do("GET", "/background/tasks").want(http.StatusOK, `"total_size":1`, `"self":"/background/tasks/a%2Fb%20c%25"`)
	a.do("GET", "/background/tasks/a%2Fb%20c%25").want(http.StatusOK, `"id":"a/b c%"`)
	a.do("HEAD", "/background/stats").want(http.StatusOK)
	a.do("GET", "/background/livez").want(http.StatusOK, `{"status":"ok"}`)
	a.do("GET", "/background/readyz").want(http.StatusOK, `{"status":"ok"}`)
	a.do("GET", "/background/openapi.json").want(http.StatusOK, `"3.1.`)
	a.do("DELETE", "/background/tasks/a%2Fb%20c%25", "Sec-Fetch-Site: cross-site").want(http.StatusForbidden)
	a.do("DELETE", "/background/tasks/a%2Fb%20c%25")
	if err := task.Wait(t.Context()); !errors.Is(err, fxtasks.ErrCancelled) {
		t.Errorf("the task ended with %v", err)
	}
	a.do("GET", "/background/nowhere").want(http.StatusNotFound, `"status":404`).wantHeader("Content-Type", problem)
	a.do("GET", "/backgrounds").want(http.StatusNotFound, `{"message":"Not Found"}`) // the application's own
}

func unknownMethods(t *testing.T, v Version) {
	a := start(t, v, Config{API: open})
	// An application's own route for everything shall not get them either.
	a.echo.Add("GET", "/*", func(c Context) error { return c.NoContent(http.StatusTeapot) })
	for _, method := range []string{"POST", "PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "QUERY", "LOCK", "MKCOL", "X"} {
		for path, allow := range map[string]string{"livez": "GET, HEAD", "readyz": "GET, HEAD", "": "GET, HEAD", "tasks": "GET, HEAD", "tasks/7": "DELETE, GET, HEAD"} {
			a.do(method, "/background/"+path).want(http.StatusMethodNotAllowed, `"status":405`).
				wantHeader("Content-Type", problem).wantHeader("Allow", allow)
		}
		a.do(method, "/background").want(http.StatusPermanentRedirect)
	}
}

func prefixes(t *testing.T, v Version) {
	for prefix, want := range map[string]string{"": "/background", "ops": "/ops", "/ops": "/ops", "ops/": "/ops", "/ops/": "/ops",
		"//ops//": "/ops", "/a/b/tasks": "/a/b/tasks", "ümlaut": "/%C3%BCmlaut", "/.well_known-1~/x": "/.well_known-1~/x"} {
		t.Run(prefix, func(t *testing.T) {
			a := start(t, v, Config{Prefix: prefix, API: open})
			a.do("GET", want+"/tasks").want(http.StatusOK)
			a.do("GET", want+"/readyz").want(http.StatusOK)
			a.do("GET", want+"/").want(http.StatusOK)
			a.do("GET", want).want(http.StatusPermanentRedirect)
			task, err := a.tasks.Submit(t.Context(), "work", nothing)
			if err != nil {
				t.Fatal(err)
			}
			a.do("GET", want+"/tasks/"+task.ID()).want(http.StatusOK, `"self":"`+want+"/tasks/"+task.ID()+`"`)
		})
	}
}

func badConfigs(t *testing.T, v Version) {
	for name, cfg := range map[string]Config{
		"no authorizer":   {},
		"only slashes":    {API: open, Prefix: "///"},
		"a parameter":     {API: open, Prefix: "/ops/:id"},
		"a wildcard":      {API: open, Prefix: "/ops/*"},
		"a query":         {API: open, Prefix: "/ops?x"},
		"a fragment":      {API: open, Prefix: "/ops#x"},
		"escapes":         {API: open, Prefix: "/a%20b"},
		"a way up":        {API: open, Prefix: "/../ops"},
		"a space":         {API: open, Prefix: "/a b"},
		"negative limits": {API: httpapi.Config{AllowUnauthenticated: true, MaxStreams: -1}},
	} {
		t.Run(name, func(t *testing.T) {
			e := v.NewEcho()
			_, err := v.New(e, fxtaskstest.New(t), cfg)
			if err == nil || !strings.Contains(err.Error(), cfg.Prefix) {
				t.Errorf("the error is %v", err)
			}
			if e.Routes() > 0 {
				t.Error("it is mounted in part")
			}
		})
	}
	if _, err := v.New(v.NewEcho(), nil, Config{API: open}); err == nil {
		t.Error("no manager is no error")
	}
	if _, err := v.New(nil, fxtaskstest.New(t), Config{API: open}); err == nil || !strings.Contains(err.Error(), v.Echo) {
		t.Errorf("without an Echo: %v", err)
	}
}

func noAuthorizer(t *testing.T, v Version) {
	app := fx.New(fx.NopLogger, v.Module, v.Supply(v.NewEcho(), Config{}), fx.Supply(fxtaskstest.New(t)))
	if err := app.Err(); err == nil || !strings.Contains(err.Error(), "Authorize") {
		t.Errorf("the error is %v", err)
	}
}

func middleware(t *testing.T, v Version) {
	var mu sync.Mutex
	var ran []string
	note := func(name string) Middleware {
		return func(next Handler) Handler {
			return func(c Context) error {
				mu.Lock()
				ran = append(ran, name)
				mu.Unlock()
				if c.Request().Header.Get("Refuse") == name {
					return v.OwnError(http.StatusTeapot, name)
				}
				return next(c)
			}
		}
	}
	a := start(t, v, Config{API: open, Middleware: []Middleware{note("outer"), note("inner")}})
	a.echo.Add("GET", "/own", func(c Context) error { return c.NoContent(http.StatusOK) })
	for path, want := range map[string][]string{
		"/background/livez": nil, "/background/readyz": nil, "/own": nil, "/backgrounds": nil,
		"/background": {"outer", "inner"}, "/background/": {"outer", "inner"}, "/background/tasks": {"outer", "inner"},
		"/background/tasks/a%2Fb": {"outer", "inner"}, "/background/stats": {"outer", "inner"}, "/background/openapi.json": {"outer", "inner"},
		"/background/assets/x": {"outer", "inner"}, "/background/nowhere": {"outer", "inner"}, "/background/livez/": {"outer", "inner"},
		"/background/%6Civez": {"outer", "inner"}, "/background/livez%2F..%2Ftasks": {"outer", "inner"},
	} {
		for _, method := range []string{"GET", "HEAD", "DELETE", "POST", "QUERY"} {
			if method == "QUERY" && want == nil { // Echo v4 finds the catch-all for it, not livez: a 405 in any case
				continue
			}
			a.do(method, path)
			mu.Lock()
			if !slices.Equal(ran, want) {
				t.Errorf("%s %s: %v ran, want %v", method, path, ran, want)
			}
			ran = nil
			mu.Unlock()
		}
	}
	a.do("GET", "/background/tasks", "Refuse: outer").want(http.StatusTeapot, "outer")
	a.do("GET", "/background/events", "Refuse: inner").want(http.StatusTeapot, "inner")
	a.do("GET", "/background/livez", "Refuse: outer").want(http.StatusOK)
}

func logger(t *testing.T, v Version) {
	cancelled := func(a *app) {
		if _, err := a.tasks.Submit(context.Background(), "work", untilCancelled, fxtasks.WithID("7")); err != nil {
			t.Fatal(err)
		}
		a.do("DELETE", "/background/tasks/7")
	}
	about := func(logs *observer.ObservedLogs) []observer.LoggedEntry {
		return logs.FilterFieldKey("remote_addr").All()
	}
	graph, graphLogs := observer.New(zapcore.InfoLevel)
	own, ownLogs := observer.New(zapcore.InfoLevel)
	supplied := fx.Supply(zap.New(graph))

	cancelled(start(t, v, Config{API: open}, supplied))
	if lines := about(graphLogs); len(lines) != 1 || lines[0].LoggerName != "background" || lines[0].ContextMap()["task_id"] != "7" {
		t.Errorf("the graph's logger has %+v", lines)
	}
	graphLogs.TakeAll()
	cancelled(start(t, v, Config{API: httpapi.Config{AllowUnauthenticated: true, Logger: zap.New(own)}}, supplied))
	if len(about(ownLogs)) != 1 || len(about(graphLogs)) != 0 {
		t.Errorf("the Config's own logger has %+v, the graph's %+v", ownLogs.All(), graphLogs.All())
	}
	cancelled(start(t, v, Config{API: open})) // and none is needed
}
