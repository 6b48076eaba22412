package echoadapter_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

func TestTheModuleServesTheAPI(t *testing.T) {
	a := start(t, echoadapter.Config{API: open})
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
	const problem = "application/problem+json"
	a.do("GET", "/background/nowhere").want(http.StatusNotFound, `"status":404`).wantHeader("Content-Type", problem)
	for _, method := range []string{"POST", "PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND"} {
		a.do(method, "/background/livez").want(http.StatusMethodNotAllowed, `"status":405`).wantHeader("Content-Type", problem)
		a.do(method, "/background/tasks").want(http.StatusMethodNotAllowed, `"status":405`).wantHeader("Content-Type", problem)
	}
	a.do("GET", "/backgrounds").want(http.StatusNotFound, `{"message":"Not Found"}`) // the application's own
}

func TestPrefixes(t *testing.T) {
	for prefix, want := range map[string]string{"": "/background", "ops": "/ops", "/ops": "/ops", "ops/": "/ops", "/ops/": "/ops",
		"//ops//": "/ops", "/a/b/tasks": "/a/b/tasks", "ümlaut": "/%C3%BCmlaut", "/.well_known-1~/x": "/.well_known-1~/x"} {
		t.Run(prefix, func(t *testing.T) {
			a := start(t, echoadapter.Config{Prefix: prefix, API: open})
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

func TestNewFailsOnABadConfig(t *testing.T) {
	m := fxtaskstest.New(t)
	for name, p := range map[string]echoadapter.Params{
		"no authorizer":   {Echo: newEcho(), Manager: m},
		"no echo":         {Manager: m, Config: echoadapter.Config{API: open}},
		"no manager":      {Echo: newEcho(), Config: echoadapter.Config{API: open}},
		"the root":        {Echo: newEcho(), Manager: m, Config: echoadapter.Config{API: open, Prefix: "/"}},
		"slashes":         {Echo: newEcho(), Manager: m, Config: echoadapter.Config{API: open, Prefix: "///"}},
		"a parameter":     {Echo: newEcho(), Manager: m, Config: echoadapter.Config{API: open, Prefix: "/ops/:id"}},
		"a wildcard":      {Echo: newEcho(), Manager: m, Config: echoadapter.Config{API: open, Prefix: "/ops/*"}},
		"a query":         {Echo: newEcho(), Manager: m, Config: echoadapter.Config{API: open, Prefix: "/ops?x"}},
		"a fragment":      {Echo: newEcho(), Manager: m, Config: echoadapter.Config{API: open, Prefix: "/ops#x"}},
		"escapes":         {Echo: newEcho(), Manager: m, Config: echoadapter.Config{API: open, Prefix: "/a%20b"}},
		"a way up":        {Echo: newEcho(), Manager: m, Config: echoadapter.Config{API: open, Prefix: "/../ops"}},
		"a space":         {Echo: newEcho(), Manager: m, Config: echoadapter.Config{API: open, Prefix: "/a b"}},
		"negative limits": {Echo: newEcho(), Manager: m, Config: echoadapter.Config{API: httpapi.Config{AllowUnauthenticated: true, MaxStreams: -1}}},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := echoadapter.New(p)
			if err == nil || a != nil {
				t.Errorf("%+v: no error", p.Config)
			}
			if p.Echo != nil && len(p.Echo.Routes()) > 0 {
				t.Errorf("%+v: it is mounted in part", p.Config)
			}
			if p.Config.Prefix != "" && (err == nil || !strings.Contains(err.Error(), p.Config.Prefix)) {
				t.Errorf("the error %v does not name the prefix", err)
			}
		})
	}
}

func TestAnApplicationWithoutAnAuthorizerDoesNotStart(t *testing.T) {
	app := fx.New(fx.NopLogger, echoadapter.Module, fx.Provide(newEcho), fx.Supply(fxtaskstest.New(t), echoadapter.Config{}))
	if err := app.Err(); err == nil || !strings.Contains(err.Error(), "Authorize") {
		t.Errorf("the error is %v", err)
	}
}

func TestMiddleware(t *testing.T) {
	var mu sync.Mutex
	var ran []string
	note := func(name string) echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				mu.Lock()
				ran = append(ran, name)
				mu.Unlock()
				if c.Request().Header.Get("Refuse") == name {
					return echo.NewHTTPError(http.StatusTeapot, name)
				}
				return next(c)
			}
		}
	}
	a := start(t, echoadapter.Config{API: open, Middleware: []echo.MiddlewareFunc{note("outer"), note("inner")}})
	a.echo.GET("/own", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	for path, want := range map[string][]string{
		"/background/livez": nil, "/background/readyz": nil, "/own": nil, "/backgrounds": nil,
		"/background": {"outer", "inner"}, "/background/": {"outer", "inner"}, "/background/tasks": {"outer", "inner"},
		"/background/tasks/a%2Fb": {"outer", "inner"}, "/background/stats": {"outer", "inner"}, "/background/openapi.json": {"outer", "inner"},
		"/background/assets/x": {"outer", "inner"}, "/background/nowhere": {"outer", "inner"}, "/background/livez/": {"outer", "inner"},
		"/background/%6Civez": {"outer", "inner"}, "/background/livez%2F..%2Ftasks": {"outer", "inner"},
	} {
		for _, method := range []string{"GET", "HEAD", "DELETE", "POST"} {
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

func TestTheLoggerDefaultsToTheGraphs(t *testing.T) {
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

	cancelled(start(t, echoadapter.Config{API: open}, supplied))
	if lines := about(graphLogs); len(lines) != 1 || lines[0].LoggerName != "background" || lines[0].ContextMap()["task_id"] != "7" {
		t.Errorf("the graph's logger has %+v", lines)
	}
	graphLogs.TakeAll()
	cancelled(start(t, echoadapter.Config{API: httpapi.Config{AllowUnauthenticated: true, Logger: zap.New(own)}}, supplied))
	if len(about(ownLogs)) != 1 || len(about(graphLogs)) != 0 {
		t.Errorf("the Config's own logger has %+v, the graph's %+v", ownLogs.All(), graphLogs.All())
	}
	cancelled(start(t, echoadapter.Config{API: open})) // and none is needed
}
