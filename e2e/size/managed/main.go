// Command managed is bare with background tasks, their API and the page.
package main

import (
	"context"
	"net"

	"github.com/labstack/echo/v4"
	"go.uber.org/fx"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

func main() {
	fx.New(
		fx.Provide(echo.New),
		background.Module,
		echoadapter.Module,
		fx.Supply(echoadapter.Config{API: httpapi.Config{AllowUnauthenticated: true}}),
		fx.Invoke(serve),
	).Run()
}

func serve(lifecycle fx.Lifecycle, e *echo.Echo, tasks *fxtasks.Manager, adapter *echoadapter.Adapter) {
	e.GET("/", func(c echo.Context) error {
		return adapter.Submit(c, tasks, "hello", func(context.Context) error { return nil })
	})
	lifecycle.Append(fx.Hook{
		OnStart: func(context.Context) error {
			listener, err := net.Listen("tcp", "127.0.0.1:8080")
			if err != nil {
				return err
			}
			e.Listener = listener
			go e.Start("")
			return nil
		},
		OnStop: e.Shutdown,
	})
}
