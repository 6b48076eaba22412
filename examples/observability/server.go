package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/fxtasks/background/echoadapter"
)

// NewEcho makes an Echo that prints nothing by itself.
func NewEcho() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Server.ReadHeaderTimeout = 5 * time.Second
	return e
}

// Server serves the shop from start to stop.
type Server struct {
	URL string // from its start on
}

// Telemetry is what the server needs of it.
type Telemetry struct {
	fx.In

	Traces   trace.TracerProvider
	Meters   metric.MeterProvider
	Registry *prometheus.Registry
}

// wrap traces and measures requests, around the whole server. Those of operators and of Prometheus would only
// be noise.
func (t Telemetry) wrap(h http.Handler) http.Handler {
	return otelhttp.NewHandler(h, "shop",
		otelhttp.WithTracerProvider(t.Traces), otelhttp.WithMeterProvider(t.Meters), otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method + " " + r.URL.Path }),
		otelhttp.WithFilter(func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/orders") }))
}

// serverStopTimeout is how long responses that are on their way may take on stop.
const serverStopTimeout = 3 * time.Second

// NewServer takes all that requests use, so that its hook is appended after theirs and runs before theirs on
// stop: no request comes in any more when the tasks are drained.
func NewServer(lc fx.Lifecycle, app fx.Shutdowner, log *zap.Logger, flags Flags, t Telemetry, e *echo.Echo, a *echoadapter.Adapter, shop *Shop) *Server {
	e.POST("/orders", echoadapter.Handle(a, shop.payments, "charge-card", shop.Charge, withPatience...))
	e.GET("/metrics", echo.WrapHandler(promhttp.HandlerFor(t.Registry, promhttp.HandlerOpts{})))
	e.Server.Handler = t.wrap(e)

	s := new(Server)
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			ln, err := new(net.ListenConfig).Listen(ctx, "tcp", flags.Addr)
			if err != nil { // here, and not when it serves: a taken port keeps the application from starting
				return err
			}
			s.URL = "http://" + ln.Addr().String()
			log.Info("serving", zap.String("orders", s.URL+"/orders"), zap.String("metrics", s.URL+"/metrics"), zap.String("dashboard", s.URL+"/background/"))
			go func() {
				if err := e.Server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
					log.Error("server failed", zap.Error(err))
					_ = app.Shutdown(fx.ExitCode(1))
				}
			}()
			return nil
		},
		OnStop: func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, serverStopTimeout)
			defer cancel()
			if err := e.Server.Shutdown(ctx); err != nil {
				log.Warn("requests are cut off", zap.Error(err))
				return e.Server.Close()
			}
			log.Info("server stopped")
			return nil
		},
	})
	return s
}
