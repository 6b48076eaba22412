package echov5adapter_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/labstack/echo/v5"

	"github.com/fxtasks/background/echov5adapter"
	"github.com/fxtasks/background/fxtasks"
)

// work is what a request starts: nothing, so that all that is measured is how it is started.
func work(context.Context) error { return nil }

// benchApp serves POST /work and the API on a loopback address, until the benchmark ends.
func benchApp(b *testing.B, handler func(a *echov5adapter.Adapter, m *fxtasks.Manager) echo.HandlerFunc) (url string) {
	b.Helper()
	m, err := fxtasks.New(fxtasks.Config{})
	if err != nil {
		b.Fatal(err)
	}
	e := newEcho()
	a, err := echov5adapter.New(echov5adapter.Params{Echo: e, Manager: m, Config: echov5adapter.Config{API: open}})
	if err != nil {
		b.Fatal(err)
	}
	e.POST("/work", handler(a, m))
	server := httptest.NewServer(e)
	b.Cleanup(func() {
		server.Close()
		if _, err := m.Shutdown(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return server.URL
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
	accepted := func(c *echo.Context) error {
		return c.JSON(http.StatusAccepted, answer{uuid.NewString(), "running"})
	}
	for _, c := range []struct {
		name    string
		handler func(a *echov5adapter.Adapter, m *fxtasks.Manager) echo.HandlerFunc
	}{
		{"go", func(*echov5adapter.Adapter, *fxtasks.Manager) echo.HandlerFunc {
			return func(c *echo.Context) error {
				ctx := context.WithoutCancel(c.Request().Context())
				go func() { _ = work(ctx) }()
				return accepted(c)
			}
		}},
		{"Submit", func(a *echov5adapter.Adapter, m *fxtasks.Manager) echo.HandlerFunc {
			return func(c *echo.Context) error { return a.Submit(c, m, "work", work) }
		}},
		{"bind and go", func(*echov5adapter.Adapter, *fxtasks.Manager) echo.HandlerFunc {
			return func(c *echo.Context) error {
				var in order
				if err := c.Bind(&in); err != nil {
					return err
				}
				ctx := context.WithoutCancel(c.Request().Context())
				go func() { _ = workOn(ctx, in) }()
				return accepted(c)
			}
		}},
		{"Handle", func(a *echov5adapter.Adapter, m *fxtasks.Manager) echo.HandlerFunc {
			return echov5adapter.Handle(a, m, "work", workOn)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			url := benchApp(b, c.handler)
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
