package echov5adapter

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v5"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
	"github.com/fxtasks/background/internal/echomount"
)

// Module provides an *Adapter and mounts it on the graph's *echo.Echo. It needs an
// *fxtasks.Manager, for example background.Module's, and a Config.
var Module fx.Option = fx.Module("background-echo",
	fx.Provide(New),
	fx.Invoke(func(*Adapter) {}),
)

// Config says where the API is mounted, and what it is.
type Config struct {
	// Prefix is the path to mount at; "ops" and "/ops/" mean "/ops". Nothing else of the application
	// may be at or below it. Defaults to "/background".
	Prefix string

	// Middleware runs on all that is mounted but livez and readyz; the first is outermost.
	Middleware []echo.MiddlewareFunc

	// Caller tells who asks, as API.Caller does, which must be nil then. nil: API.Caller is asked.
	Caller func(c *echo.Context) string

	// Location returns the address at which whoever has started a task finds it: the Location of the
	// answers of Submit, Accepted and Handle. nil, and an empty address: the task's under Prefix.
	Location func(c *echo.Context, id string) string

	// API configures the API itself. Its Logger and Jobs default to the graph's.
	API httpapi.Config
}

// Params is what New takes from the graph.
type Params struct {
	fx.In

	Echo    *echo.Echo `optional:"true"` // required, but Fx's own error would not say which major version
	Manager *fxtasks.Manager
	Config  Config
	Logger  *zap.Logger  `optional:"true"`
	Jobs    httpapi.Jobs `optional:"true"` // shown and served as well, unless Config.API has its own

	Lifecycle fx.Lifecycle `optional:"true"` // to look for colliding routes when the application starts
	Graph     fx.DotGraph  `optional:"true"` // to explain what is missing
}

// versions is for the errors of those who have the other one.
var versions = echomount.Adapter{
	Echo:         "github.com/labstack/echo/v5",
	OtherEcho:    "github.com/labstack/echo/v4",
	OtherAdapter: "github.com/fxtasks/background/echoadapter",
}

// New mounts the API of p.Manager on p.Echo. It fails on a Config that does not say who may do
// what, and where its paths would meet another mount's or the application's own routes; for routes
// that are added later, the start of p.Lifecycle fails. Give the server BeforeServe, so that event
// streams do not hold up its shutdown.
func New(p Params) (*Adapter, error) {
	a, err := newAdapter(p)
	if err != nil {
		return nil, fmt.Errorf("echov5adapter: %w", err)
	}
	return a, nil
}

func newAdapter(p Params) (*Adapter, error) {
	if p.Echo == nil {
		return nil, versions.MissingEcho(string(p.Graph))
	}
	prefix, err := echomount.Prefix(p.Config.Prefix)
	if err != nil {
		return nil, err
	}
	cfg, err := echomount.APIConfig(p.Config.API, p.Logger, p.Jobs, string(p.Graph))
	if err != nil {
		return nil, err
	}
	caller := p.Config.Caller
	switch ofRequest := cfg.Caller; {
	case caller != nil && ofRequest != nil:
		return nil, errors.New("Config.Caller is set, and so is Config.API.Caller: which is meant?")
	case caller != nil:
		cfg.Caller = echomount.Caller
	case ofRequest != nil:
		caller = func(c *echo.Context) string { return ofRequest(c.Request()) }
	}
	api, err := httpapi.New(p.Manager, cfg)
	if err != nil {
		return nil, err
	}
	if err := echomount.Collision(prefix, routes(p.Echo)); err != nil {
		return nil, err
	}
	a := &Adapter{api: api, prefix: prefix, caller: caller, location: p.Config.Location}
	if err := a.mount(p.Echo, p.Config.Middleware); err != nil {
		return nil, err
	}
	if p.Lifecycle != nil {
		p.Lifecycle.Append(fx.Hook{OnStart: func(context.Context) error {
			if err := echomount.Collision(prefix, echomount.Others(prefix, routes(p.Echo))); err != nil {
				return fmt.Errorf("echov5adapter: %w", err)
			}
			return nil
		}})
	}
	return a, nil
}

// mount adds the routes one by one: a Group with middleware would also register catch-alls.
func (a *Adapter) mount(e *echo.Echo, middleware []echo.MiddlewareFunc) error {
	handler := http.StripPrefix(a.prefix, a.api)
	serve := func(c *echo.Context) error {
		r := c.Request()
		if a.caller != nil {
			r = echomount.WithCaller(r, func() string { return a.caller(c) })
		}
		handler.ServeHTTP(c.Response(), r)
		return nil
	}
	for path, middleware := range map[string][]echo.MiddlewareFunc{
		"/livez": nil, "/readyz": nil, "": middleware, "/*": middleware,
	} {
		if _, err := e.AddRoute(echo.Route{
			Method:      echo.RouteAny, // those too that Echo does not know
			Path:        a.prefix + path,
			Name:        echomount.RouteName(a.prefix),
			Handler:     serve,
			Middlewares: middleware,
		}); err != nil {
			return err
		}
	}
	return nil
}

func routes(e *echo.Echo) []echomount.Route {
	var all []echomount.Route
	for _, r := range e.Router().Routes() {
		all = append(all, echomount.Route{Method: r.Method, Path: r.Path, Name: r.Name})
	}
	return all
}
