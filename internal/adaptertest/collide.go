package adaptertest

import (
	"net/http"
	"strings"
	"testing"

	"go.uber.org/fx"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
)

func own(c Context) error { return c.NoContent(http.StatusTeapot) }

func wantError(t *testing.T, err error, contains ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, text := range contains {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error %q does not contain %q", err, text)
		}
	}
}

// routesThatCollide with a mount at /ops, and what an error calls them.
var routesThatCollide = map[string]func(Echo){
	"GET /ops":             func(e Echo) { e.Add("GET", "/ops", own) },
	"GET /ops/":            func(e Echo) { e.Add("GET", "/ops/", own) },
	"POST /ops/restart":    func(e Echo) { e.Add("POST", "/ops/restart", own) },
	"GET /ops/:id":         func(e Echo) { e.Add("GET", "/ops/:id", own) },
	"GET /ops/tasks/a/b/c": func(e Echo) { e.Add("GET", "/ops/tasks/a/b/c", own) },
	"/ops":                 func(e Echo) { e.Static("/ops", ".") },
	"RouteNotFound /ops":   func(e Echo) { e.Group("/ops", func(next Handler) Handler { return next }) }, // its middleware would guard nothing
}

func collisionsAtMount(t *testing.T, v Version) {
	m := fxtaskstest.New(t)
	for route, add := range routesThatCollide {
		e := v.NewEcho()
		add(e)
		before := e.Routes()
		_, err := v.New(e, m, Config{Prefix: "/ops", API: open})
		wantError(t, err, `"/ops"`, route)
		if e.Routes() != before {
			t.Errorf("%s: it is mounted in part", route)
		}
	}
	for _, mounts := range [][2]string{{"/ops", "/ops"}, {"/ops", "/ops/tasks"}, {"/ops/tasks", "/ops"}, {"/ops", "/ops/livez"}} {
		e := v.NewEcho()
		if _, err := v.New(e, m, Config{Prefix: mounts[0], API: open}); err != nil {
			t.Fatal(err)
		}
		_, err := v.New(e, m, Config{Prefix: mounts[1], API: open})
		wantError(t, err, `"`+mounts[0]+`"`, `"`+mounts[1]+`"`)
	}
}

func collisionsAtStart(t *testing.T, v Version) {
	for route, add := range routesThatCollide {
		e := v.NewEcho()
		app := fx.New(fx.NopLogger, background.Module, v.Module, v.Supply(e, Config{Prefix: "/ops", API: open}),
			fx.Invoke(func(Adapter) { add(e) }))
		if err := app.Err(); err != nil {
			t.Errorf("%s: %v", route, err)
			continue
		}
		wantError(t, app.Start(t.Context()), `"/ops"`, route)
		_ = app.Stop(t.Context())
	}
}

func noCollisions(t *testing.T, v Version) {
	e := v.NewEcho()
	for _, path := range []string{"/", "/op", "/opsx", "/opsx/*", "/other/ops", "/:tenant/tasks", "/*"} {
		e.Add("GET", path, own)
	}
	second, err := fxtasks.New(fxtasks.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.New(e, second, Config{Prefix: "/ops2", API: open}); err != nil {
		t.Fatal(err)
	}
	a := startOn(t, v, e, Config{Prefix: "/ops", API: open}, fx.Invoke(func(Adapter) { e.Add("GET", "/later", own) }))
	for path, status := range map[string]int{
		"/": 418, "/op": 418, "/opsx": 418, "/opsx/tasks": 418, "/a/tasks": 418, "/later": 418, "/a/b/c": 418,
		"/ops/tasks": 200, "/ops2/tasks": 200, "/ops/": 200, "/ops/nowhere": 404,
	} {
		a.do("GET", path).want(status)
	}
}

func noEcho(t *testing.T, v Version) {
	app := fx.New(fx.NopLogger, background.Module, v.Module, v.Supply(nil, Config{API: open}))
	wantError(t, app.Err(), "no *echo.Echo", v.Echo, v.OtherEcho, v.OtherAdapter)
}

func unbuildableEcho(t *testing.T, v Version) {
	app := fx.New(fx.NopLogger, background.Module, v.Module, v.Unbuildable, v.Supply(nil, Config{API: open}))
	wantError(t, app.Err(), "*echo.Echo cannot be built", "adaptertest.Missing")
}
