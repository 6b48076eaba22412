package echoadapter_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/fxtasks"
)

// work is what a request starts: nothing, so that all that is measured is how it is started.
func work(context.Context) error { return nil }

// benchApp serves POST /work and the API on a loopback address, until the benchmark ends.
func benchApp(b *testing.B, handler func(a *echoadapter.Adapter, m *fxtasks.Manager) echo.HandlerFunc) (e *echo.Echo, url string) {
	b.Helper()
	m, err := fxtasks.New(fxtasks.Config{})
	if err != nil {
		b.Fatal(err)
	}
	e = newEcho()
	a, err := echoadapter.New(echoadapter.Params{Echo: e, Manager: m, Config: echoadapter.Config{API: open}})
	if err != nil {
		b.Fatal(err)
	}
	e.POST("/work", handler(a, m))
	if e.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	go func() { _ = e.Start("") }()
	b.Cleanup(func() {
		_ = e.Close()
		if _, err := m.Shutdown(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return e, "http://" + e.Listener.Addr().String()
}

// order is what Handle binds.
type order struct {
	Item  string `json:"item"`
	Count int    `json:"count"`
}

func workOn(context.Context, order) error { return nil }

// answer is what a handler without a manager can say.
type answer struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

// BenchmarkRequest compares handlers that hand their work to a manager with those that have a bare go
// statement, and answer 202 as well: "Submit" with "go", "Handle" with "bind and go". Compare those of
// one run.
func BenchmarkRequest(b *testing.B) {
	accepted := func(c echo.Context) error {
		return c.JSON(http.StatusAccepted, answer{uuid.NewString(), "running"})
	}
	for _, c := range []struct {
		name    string
		handler func(a *echoadapter.Adapter, m *fxtasks.Manager) echo.HandlerFunc
	}{
		{"go", func(*echoadapter.Adapter, *fxtasks.Manager) echo.HandlerFunc {
			return func(c echo.Context) error {
				ctx := context.WithoutCancel(c.Request().Context())
				go func() { _ = work(ctx) }()
				return accepted(c)
			}
		}},
		{"Submit", func(a *echoadapter.Adapter, m *fxtasks.Manager) echo.HandlerFunc {
			return func(c echo.Context) error { return a.Submit(c, m, "work", work) }
		}},
		{"bind and go", func(*echoadapter.Adapter, *fxtasks.Manager) echo.HandlerFunc {
			return func(c echo.Context) error {
				var in order
				if err := c.Bind(&in); err != nil {
					return err
				}
				ctx := context.WithoutCancel(c.Request().Context())
				go func() { _ = workOn(ctx, in) }()
				return accepted(c)
			}
		}},
		{"Handle", func(a *echoadapter.Adapter, m *fxtasks.Manager) echo.HandlerFunc {
			return echoadapter.Handle(a, m, "work", workOn)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			_, url := benchApp(b, c.handler)
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
			defer client.CloseIdleConnections()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					response, err := client.Post(url+"/work", echo.MIMEApplicationJSON, strings.NewReader(`{"item":"tea","count":2}`))
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, response.Body)
					response.Body.Close()
					if response.StatusCode != http.StatusAccepted {
						b.Errorf("POST: %s", response.Status)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}

// BenchmarkShutdown stops a server with 100 open event streams, and with none.
func BenchmarkShutdown(b *testing.B) {
	for _, c := range []struct {
		name    string
		streams int
	}{{"none", 0}, {"100 streams", 100}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				e, url := benchApp(b, func(*echoadapter.Adapter, *fxtasks.Manager) echo.HandlerFunc { return echo.NotFoundHandler })
				client := &http.Client{Transport: new(http.Transport)}
				var streams []io.Closer
				for range c.streams {
					response, err := client.Get(url + "/background/events")
					if err != nil {
						b.Fatal(err)
					}
					streams = append(streams, response.Body)
				}
				b.StartTimer()
				if err := e.Shutdown(context.Background()); err != nil {
					b.Error(err)
				}
				b.StopTimer()
				for _, s := range streams {
					_ = s.Close()
				}
				client.CloseIdleConnections()
				b.StartTimer()
			}
		})
	}
}
