package echoadapter

import (
	"fmt"
	"net/http"
	"path"
	"strings"

	"github.com/labstack/echo/v4"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

// Module provides an *Adapter and mounts it on the graph's *echo.Echo. It needs an
// *fxtasks.Manager, for example background.Module's, and a Config.
var Module fx.Option = fx.Module("background-echo",
	fx.Provide(New),
	fx.Invoke(func(*Adapter) {}),
)

// Config says where the API is mounted, and what it is.
type Config struct {
	// Prefix is the path to mount at; "ops" and "/ops/" mean "/ops". Defaults to "/background".
	Prefix string

	// Middleware runs on all that is mounted but livez and readyz; the first is outermost.
	Middleware []echo.MiddlewareFunc

	// Caller tells who asks: the Idempotency-Keys of different callers never meet. nil: all
	// requests are of one caller.
	Caller func(c echo.Context) string

	// API configures the API itself. Its Logger defaults to the graph's.
	API httpapi.Config
}

const defaultPrefix = "/background"

// path gives the prefix with a slash before it and none behind it.
func (c Config) path() (string, error) {
	if c.Prefix == "" {
		return defaultPrefix, nil
	}
	trimmed := strings.Trim(c.Prefix, "/")
	if trimmed == "" || strings.ContainsAny(trimmed, ":*?#% ") || path.Clean("/"+trimmed) != "/"+trimmed {
		return "", fmt.Errorf("echoadapter: Config.Prefix is %q: must be a path such as %q", c.Prefix, defaultPrefix)
	}
	return "/" + trimmed, nil
}

// Params is what New takes from the graph.
type Params struct {
	fx.In

	Echo    *echo.Echo
	Manager *fxtasks.Manager
	Config  Config
	Logger  *zap.Logger `optional:"true"`
}

// New mounts the API of p.Manager on p.Echo, and makes e.Server and e.TLSServer end its event
// streams when they shut down. It fails on a Config that does not say who may do what.
func New(p Params) (*Adapter, error) {
	if p.Echo == nil {
		return nil, fmt.Errorf("echoadapter: Params.Echo is nil")
	}
	prefix, err := p.Config.path()
	if err != nil {
		return nil, err
	}
	cfg := p.Config.API
	if cfg.Logger == nil && p.Logger != nil {
		cfg.Logger = p.Logger.Named("background")
	}
	api, err := httpapi.New(p.Manager, cfg)
	if err != nil {
		return nil, err
	}
	a := &Adapter{api: api, prefix: prefix, caller: p.Config.Caller}
	a.mount(p.Echo, p.Config.Middleware)
	for _, server := range []*http.Server{p.Echo.Server, p.Echo.TLSServer} {
		server.RegisterOnShutdown(api.CloseStreams)
	}
	return a, nil
}

// mount adds the routes one by one: a Group with middleware would also register catch-alls.
func (a *Adapter) mount(e *echo.Echo, middleware []echo.MiddlewareFunc) {
	handler := echo.WrapHandler(http.StripPrefix(a.prefix, a.api))
	e.Any(a.prefix+"/livez", handler)
	e.Any(a.prefix+"/readyz", handler)
	e.Any(a.prefix, handler, middleware...)
	e.Any(a.prefix+"/*", handler, middleware...)
}
