package echo_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	echov4 "github.com/labstack/echo/v4"
	middlewarev4 "github.com/labstack/echo/v4/middleware"
	echov5 "github.com/labstack/echo/v5"
	middlewarev5 "github.com/labstack/echo/v5/middleware"

	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/echov5adapter"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
)

const writeTimeout = time.Second

// serveV4 serves an Echo v4 with that middleware for all routes, until the test ends.
func serveV4(t *testing.T, middleware string) (url string, m *fxtasks.Manager, shutdown func(context.Context) error) {
	t.Helper()
	e := echov4.New()
	e.HideBanner, e.HidePort = true, true
	e.Use(map[string][]echov4.MiddlewareFunc{
		"gzip":              {middlewarev4.Gzip()},
		"gzip from 1 KiB":   {middlewarev4.GzipWithConfig(middlewarev4.GzipConfig{MinLength: 1024})},
		"recover and IDs":   {middlewarev4.Recover(), middlewarev4.RequestID()},
		"headers":           {middlewarev4.Secure(), middlewarev4.CORS()},
		"bodies":            {middlewarev4.BodyLimit("1M"), middlewarev4.Decompress()},
		"body dump":         {middlewarev4.BodyDump(func(echov4.Context, []byte, []byte) {})},
		"deadline of a ctx": {middlewarev4.ContextTimeout(time.Minute)},
		//lint:ignore SA1019 deprecated, and in use
		"timeout": {middlewarev4.TimeoutWithConfig(middlewarev4.TimeoutConfig{Timeout: time.Minute})},
	}[middleware]...)
	e.Server.WriteTimeout = writeTimeout
	m = fxtaskstest.New(t)
	if _, err := echoadapter.New(echoadapter.Params{Echo: e, Manager: m, Config: echoadapter.Config{API: open}}); err != nil {
		t.Fatal(err)
	}
	e.Listener = listen(t)
	ended := make(chan error, 1)
	go func() { ended <- e.Start("") }()
	t.Cleanup(func() {
		_ = e.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "http://" + e.Listener.Addr().String(), m, e.Shutdown
}

// serveV5 does the same with an Echo v5.
func serveV5(t *testing.T, middleware string) (url string, m *fxtasks.Manager, shutdown func(context.Context) error) {
	t.Helper()
	e := echov5.New()
	e.Logger = slog.New(slog.DiscardHandler)
	e.Use(map[string][]echov5.MiddlewareFunc{
		"gzip":              {middlewarev5.Gzip()},
		"gzip from 1 KiB":   {middlewarev5.GzipWithConfig(middlewarev5.GzipConfig{MinLength: 1024})},
		"recover and IDs":   {middlewarev5.Recover(), middlewarev5.RequestID()},
		"headers":           {middlewarev5.Secure(), middlewarev5.CORS("https://example.com")},
		"bodies":            {middlewarev5.BodyLimit(1 << 20), middlewarev5.Decompress()},
		"body dump":         {middlewarev5.BodyDump(func(*echov5.Context, []byte, []byte, error) {})},
		"deadline of a ctx": {middlewarev5.ContextTimeout(time.Minute)},
	}[middleware]...)
	m = fxtaskstest.New(t)
	a, err := echov5adapter.New(echov5adapter.Params{Echo: e, Manager: m, Config: echov5adapter.Config{API: open}})
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t)
	ctx, stop := context.WithCancel(context.Background())
	late := make(chan error, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- echov5.StartConfig{
			Listener:        l,
			HideBanner:      true,
			OnShutdownError: func(err error) { late <- err },
			BeforeServeFunc: func(s *http.Server) error {
				s.WriteTimeout = writeTimeout
				return a.BeforeServe(s)
			},
		}.Start(ctx, e)
	}()
	shutdown = func(context.Context) error { // within StartConfig's GracefulTimeout
		stop()
		err := <-ended
		ended <- nil // for the end of the test
		select {
		case err = <-late:
		default:
		}
		return err
	}
	t.Cleanup(func() {
		if err := shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String(), m, shutdown
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
