// Command bare is a hello world with Fx and Echo, which the size test measures managed by.
package main

import (
	"context"
	"net"
	"net/http"

	"github.com/labstack/echo/v4"
	"go.uber.org/fx"
)

func main() {
	fx.New(
		fx.Provide(echo.New),
		fx.Invoke(serve),
	).Run()
}

func serve(lifecycle fx.Lifecycle, e *echo.Echo) {
	e.GET("/", func(c echo.Context) error { return c.String(http.StatusOK, "hello, world") })
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
