package echov5adapter_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/labstack/echo/v5"
	"go.uber.org/fx"

	"github.com/fxtasks/background/echov5adapter"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
	"github.com/fxtasks/background/internal/adaptertest"
)

func TestAdapter(t *testing.T) { adaptertest.Run(t, version) }

var open = httpapi.Config{AllowUnauthenticated: true}

// version is this adapter, for the tests of all.
var version = adaptertest.Version{
	Echo:         "github.com/labstack/echo/v5",
	OtherEcho:    "github.com/labstack/echo/v4",
	OtherAdapter: "github.com/fxtasks/background/echoadapter",

	NewEcho: func() adaptertest.Echo { return router{newEcho()} },
	Module:  fx.Options(echov5adapter.Module, fx.Provide(func(a *echov5adapter.Adapter) adaptertest.Adapter { return adapter{a} })),
	Supply: func(e adaptertest.Echo, cfg adaptertest.Config) fx.Option {
		if e == nil {
			return fx.Supply(config(cfg))
		}
		return fx.Supply(e.(router).Echo, config(cfg))
	},
	New: func(e adaptertest.Echo, m *fxtasks.Manager, cfg adaptertest.Config) (adaptertest.Adapter, error) {
		p := echov5adapter.Params{Manager: m, Config: config(cfg)}
		if e != nil {
			p.Echo = e.(router).Echo
		}
		a, err := echov5adapter.New(p)
		return adapter{a}, err
	},
	Unbuildable: fx.Provide(func(adaptertest.Missing) *echo.Echo { return nil }),
	Serve:       serve,
	HTTPError: func(err error) error {
		if he := echov5adapter.HTTPError(err); he != nil {
			return he
		}
		return nil
	},
	Status: func(err error) (int, string, bool) {
		he, ok := err.(*echo.HTTPError)
		if !ok {
			return 0, "", false
		}
		return he.Code, he.Message, true
	},
	OwnError: func(code int, message string) error { return echo.NewHTTPError(code, message) },
	Handle: func(a adaptertest.Adapter, s fxtasks.Submitter, name string, fn func(context.Context, adaptertest.Report) error, opts ...fxtasks.TaskOption) adaptertest.Handler {
		return neutral(echov5adapter.Handle(a.(adapter).Adapter, s, name, fn, opts...))
	},
	HandlePointer: func(a adaptertest.Adapter, s fxtasks.Submitter, name string, fn func(context.Context, *adaptertest.Report) error, opts ...fxtasks.TaskOption) adaptertest.Handler {
		return neutral(echov5adapter.Handle(a.(adapter).Adapter, s, name, fn, opts...))
	},
}

func newEcho() *echo.Echo {
	e := echo.New()
	e.Logger = slog.New(slog.DiscardHandler)
	return e
}

func serve(t testing.TB, e adaptertest.Echo, a adaptertest.Adapter, l net.Listener, config *tls.Config) (stop func(context.Context) error) {
	var server *http.Server
	begun := make(chan struct{})
	start := echo.StartConfig{
		Listener:   l,
		HideBanner: true,
		BeforeServeFunc: func(s *http.Server) error {
			server = s
			close(begun)
			s.TLSConfig = config
			return a.(adapter).BeforeServe(s)
		},
		GracefulTimeout: -1, // stop shuts it down, as StartConfig would when its ctx ends, but gives the error
	}
	ended := make(chan error, 1)
	go func() { ended <- start.Start(context.Background(), e.(router).Echo) }()
	<-begun
	return func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		if served := <-ended; served != nil {
			t.Error(served)
		}
		ended <- nil // for a second stop
		return err
	}
}

func own(h adaptertest.Handler) echo.HandlerFunc {
	return func(c *echo.Context) error { return h(c) }
}

func neutral(h echo.HandlerFunc) adaptertest.Handler {
	return func(c adaptertest.Context) error { return h(c.(*echo.Context)) }
}

func config(cfg adaptertest.Config) echov5adapter.Config {
	result := echov5adapter.Config{Prefix: cfg.Prefix, API: cfg.API}
	for _, m := range cfg.Middleware {
		result.Middleware = append(result.Middleware, middleware(m))
	}
	if cfg.Caller != nil {
		result.Caller = func(c *echo.Context) string { return cfg.Caller(c) }
	}
	if cfg.Location != nil {
		result.Location = func(c *echo.Context, id string) string { return cfg.Location(c, id) }
	}
	return result
}

func middleware(m adaptertest.Middleware) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc { return own(m(neutral(next))) }
}

// router is an *echo.Echo as the tests of all adapters know it.
type router struct{ *echo.Echo }

func (r router) Add(method, path string, h adaptertest.Handler) { r.Echo.Add(method, path, own(h)) }

func (r router) Group(prefix string, m adaptertest.Middleware) { r.Echo.Group(prefix, middleware(m)) }

func (r router) Static(path, folder string) { r.Echo.Static(path, folder) }

func (r router) UseStandard(m func(http.Handler) http.Handler) { r.Use(echo.WrapMiddleware(m)) }

func (r router) OnError(handle func(c adaptertest.Context, err error)) {
	r.HTTPErrorHandler = func(c *echo.Context, err error) { handle(c, err) }
}

func (r router) Validate(validate func(any) error) { r.Validator = validator(validate) }

func (r router) Routes() int { return len(r.Router().Routes()) }

type validator func(any) error

func (v validator) Validate(in any) error { return v(in) }

type adapter struct{ *echov5adapter.Adapter }

func (a adapter) Submit(c adaptertest.Context, s fxtasks.Submitter, name string, fn fxtasks.Func, opts ...fxtasks.TaskOption) error {
	return a.Adapter.Submit(c.(*echo.Context), s, name, fn, opts...)
}

func (a adapter) Accepted(c adaptertest.Context, t *fxtasks.Task) error {
	return a.Adapter.Accepted(c.(*echo.Context), t)
}

func (a adapter) AcceptedJob(c adaptertest.Context, id string) error {
	return a.Adapter.AcceptedJob(c.(*echo.Context), id)
}
