package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/fxtasks"
)

// stopOrder is when the server stops: before the tasks are drained, or, when set, after.
type stopOrder bool

const serverLast stopOrder = true

// newEcho makes an Echo. A server's hook that is appended in this constructor stands before those
// of all that is built from it, and so stops last: requests come in while the tasks are drained.
func newEcho(lc fx.Lifecycle, order stopOrder, app fx.Shutdowner, log *zap.Logger) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	if order == serverLast {
		lc.Append(serverHook(e, app, log))
	}
	return e
}

// startServer is the other place for the hook, the one that the README recommends.
func startServer(lc fx.Lifecycle, order stopOrder, app fx.Shutdowner, log *zap.Logger, e *echo.Echo) {
	if order != serverLast {
		lc.Append(serverHook(e, app, log))
	}
}

func serverHook(e *echo.Echo, app fx.Shutdowner, log *zap.Logger) fx.Hook {
	return fx.Hook{
		OnStart: func(ctx context.Context) error {
			ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			e.Listener = ln
			log.Info("serving", zap.String("url", "http://"+ln.Addr().String()))
			go func() {
				if err := e.Start(""); !errors.Is(err, http.ErrServerClosed) {
					log.Error("server failed", zap.Error(err))
					_ = app.Shutdown(fx.ExitCode(2))
				}
			}()
			return nil
		},
		OnStop: func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			if err := e.Shutdown(ctx); err != nil {
				return e.Close()
			}
			log.Info("server stopped")
			return nil
		},
	}
}

// register adds the one route: POST /work?do=…&id=… starts a task. The client chooses its ID, so
// that it knows also those of requests that are refused.
func register(e *echo.Echo, adapter *echoadapter.Adapter, tasks *fxtasks.Manager, s *store) {
	all := newKinds(s)
	e.POST("/work", func(c echo.Context) error {
		name := c.QueryParam("do")
		k, ok := all[name]
		if !ok {
			return echo.ErrNotFound
		}
		return adapter.Submit(c, tasks, name, k.fn, append(k.opts, fxtasks.WithID(c.QueryParam("id")))...)
	})
}
