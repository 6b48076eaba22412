package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/fx"
	"go.uber.org/zap"
)

// NewEcho makes an Echo that prints nothing by itself and does not wait for slow clients for ever.
func NewEcho() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Server.ReadHeaderTimeout = 5 * time.Second
	e.Server.ReadTimeout = 10 * time.Second
	e.Server.WriteTimeout = 30 * time.Second
	e.Server.IdleTimeout = time.Minute
	return e
}

// serverStopTimeout is how long responses that are on their way may take on stop. All stop hooks
// share one timeout, and this one runs first: what it takes is not there for the tasks.
const serverStopTimeout = 3 * time.Second

// StartServer serves the handlers from start to stop.
//
// It is invoked, and takes all that requests use, so that its hook is appended after theirs. Fx
// stops in reverse order: no request comes in any more when the jobs are drained.
func StartServer(lc fx.Lifecycle, app fx.Shutdowner, log *zap.Logger, flags Flags, e *echo.Echo, h *Handlers) {
	h.Register(e)
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			ln, err := new(net.ListenConfig).Listen(ctx, "tcp", flags.Addr)
			if err != nil { // here, and not when it serves: a taken port keeps the application from starting
				return err
			}
			e.Listener = ln
			base := "http://" + ln.Addr().String()
			log.Info("serving", zap.String("reports", base+"/reports"), zap.String("page", base+"/background/"), zap.String("db", shown(flags.DB)))
			go func() {
				if err := e.Start(""); !errors.Is(err, http.ErrServerClosed) {
					log.Error("server failed", zap.Error(err))
					_ = app.Shutdown(fx.ExitCode(1))
				}
			}()
			return nil
		},
		OnStop: func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, serverStopTimeout)
			defer cancel()
			if err := e.Shutdown(ctx); err != nil {
				log.Warn("requests are cut off", zap.Error(err))
				return e.Close()
			}
			log.Info("server stopped")
			return nil
		},
	})
}

// shown leaves out a password.
func shown(source string) string {
	u, err := url.Parse(source)
	if err != nil {
		return "a database"
	}
	return u.Redacted()
}
