// Package echo_test lets event streams pass the middleware of Echo that applications use for all
// their routes. It is here and not beside echoadapter because that middleware has dependencies
// which the library's users need not have.
package echo_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"go.uber.org/goleak"

	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStreamsPassGlobalMiddleware(t *testing.T) {
	for name, test := range map[string]struct {
		global     []echo.MiddlewareFunc
		compressed bool
	}{
		"none":              {},
		"gzip":              {[]echo.MiddlewareFunc{middleware.Gzip()}, true},
		"gzip from 1 KiB":   {[]echo.MiddlewareFunc{middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 1024})}, true},
		"recover and IDs":   {[]echo.MiddlewareFunc{middleware.Recover(), middleware.RequestID()}, false},
		"headers":           {[]echo.MiddlewareFunc{middleware.Secure(), middleware.CORS()}, false},
		"bodies":            {[]echo.MiddlewareFunc{middleware.BodyLimit("1M"), middleware.Decompress()}, false},
		"body dump":         {[]echo.MiddlewareFunc{middleware.BodyDump(func(echo.Context, []byte, []byte) {})}, false},
		"deadline of a ctx": {[]echo.MiddlewareFunc{middleware.ContextTimeout(time.Minute)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := echo.New()
			e.HideBanner, e.HidePort = true, true
			e.Use(test.global...)
			e.Server.WriteTimeout = time.Second
			m := fxtaskstest.New(t)
			if _, err := echoadapter.New(echoadapter.Params{Echo: e, Manager: m, Config: echoadapter.Config{
				API: httpapi.Config{AllowUnauthenticated: true}}}); err != nil {
				t.Fatal(err)
			}
			r := get(t, "http://"+serve(t, e)+"/background/events") // asks for gzip, as Go's client does
			if r.Uncompressed != test.compressed {
				t.Errorf("compressed: %t", r.Uncompressed)
			}
			lines := bufio.NewScanner(r.Body)
			for _, id := range []string{"first", "second"} { // each arrives before the next is made
				if _, err := m.Submit(t.Context(), "work", nothing, fxtasks.WithID(id)); err != nil {
					t.Fatal(err)
				}
				readUntil(t, lines, `"id":"`+id+`"`)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := e.Shutdown(ctx); err != nil {
				t.Errorf("Shutdown waited for the stream: %v", err)
			}
		})
	}
}

func nothing(context.Context) error { return nil }

// serve starts e on a port of its own, until the test ends, and gives the address.
func serve(t *testing.T, e *echo.Echo) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e.Listener = l
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := e.Start(""); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		_ = e.Close()
		<-ended
	})
	return l.Addr().String()
}

func get(t *testing.T, url string) *http.Response {
	t.Helper()
	client := &http.Client{Transport: new(http.Transport)}
	t.Cleanup(client.CloseIdleConnections)
	r, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Body.Close() })
	if r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, r.Status)
	}
	return r
}

func readUntil(t *testing.T, lines *bufio.Scanner, text string) {
	t.Helper()
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return
		}
	}
	t.Fatalf("the stream ended before %s: %v", text, lines.Err())
}
