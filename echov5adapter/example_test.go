package echov5adapter_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v5"
	"go.uber.org/fx"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/echov5adapter"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

// Report is what POST /reports is bound to.
type Report struct {
	Year int `json:"year"`
}

func build(_ context.Context, in Report) error {
	fmt.Println("builds", in.Year)
	return nil
}

func routes(e *echo.Echo, a *echov5adapter.Adapter, tasks *fxtasks.Manager) {
	e.POST("/reports", echov5adapter.Handle(a, tasks, "build-report", build, fxtasks.WithTimeout(time.Minute)))
}

// serveApp takes the handlers' adapter, so that Fx stops the server first, then drains the tasks.
func serveApp(lc fx.Lifecycle, e *echo.Echo, a *echov5adapter.Adapter, l net.Listener) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	lc.Append(fx.StartStopHook(
		func() {
			start := echo.StartConfig{Listener: l, HideBanner: true, BeforeServeFunc: a.BeforeServe}
			go func() { ended <- start.Start(ctx, e) }()
		},
		func() error { stop(); return <-ended },
	))
}

func Example() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	app := fx.New(
		fx.NopLogger,
		background.Module,
		echov5adapter.Module, // API and dashboard under /background
		fx.Supply(echov5adapter.Config{API: httpapi.Config{AllowUnauthenticated: true}}),
		fx.Provide(func() *echo.Echo {
			e := echo.New()
			e.Logger = slog.New(slog.DiscardHandler)
			return e
		}, func() net.Listener { return l }),
		fx.Invoke(routes, serveApp),
	)
	if err := app.Start(context.Background()); err != nil {
		panic(err)
	}
	ask, _ := http.NewRequest("POST", "http://"+l.Addr().String()+"/reports", strings.NewReader(`{"year":2026}`))
	ask.Header.Set("Content-Type", "application/json")
	ask.Header.Set("Prefer", "wait=10")
	ask.Close = true
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	fmt.Println(answer.Status, answer.Header.Get("Preference-Applied"))
	if err := app.Stop(context.Background()); err != nil {
		panic(err)
	}
	// Output:
	// builds 2026
	// 200 OK wait=10
}
