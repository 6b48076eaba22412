package echov5adapter_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/labstack/echo/v5"

	"github.com/fxtasks/background/echov5adapter"
	"github.com/fxtasks/background/fxtasks"
)

func newAdapter(t *testing.T, e *echo.Echo, cfg fxtasks.Config) (*echov5adapter.Adapter, *fxtasks.Manager) {
	t.Helper()
	m, err := fxtasks.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = m.Shutdown(context.Background()) })
	a, err := echov5adapter.New(echov5adapter.Params{Echo: e, Manager: m, Config: echov5adapter.Config{API: open}})
	if err != nil {
		t.Fatal(err)
	}
	return a, m
}

func TestStartConfigStopsWithOpenStreams(t *testing.T) {
	e := newEcho()
	a, _ := newAdapter(t, e, fxtasks.Config{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var late error
	ended := make(chan error, 1)
	go func() {
		ended <- echo.StartConfig{
			Listener: l, HideBanner: true, BeforeServeFunc: a.BeforeServe,
			OnShutdownError: func(err error) { late = err },
			GracefulTimeout: 10 * time.Second, // streams that are not ended use it up
		}.Start(ctx, e)
	}()
	client := &http.Client{Transport: new(http.Transport)}
	defer client.CloseIdleConnections()
	r, err := client.Get("http://" + l.Addr().String() + "/background/events")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	lines := bufio.NewScanner(r.Body)
	for lines.Scan() && lines.Text() != "event: stats" {
		_ = lines.Text()
	}
	stop()
	if err := <-ended; err != nil || late != nil {
		t.Errorf("Start gives %v, its shutdown %v", err, late)
	}
}

func TestProblemDetailsOfEcho(t *testing.T) {
	e := newEcho()
	e.HTTPErrorHandler = echo.ProblemDetailsHTTPErrorHandler(false)
	a, m := newAdapter(t, e, fxtasks.Config{MaxRunning: 1, MaxPending: -1})
	e.POST("/reports", func(c *echo.Context) error {
		return a.Submit(c, m, "build-report", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	})
	server := httptest.NewServer(e)
	defer server.Close()
	for _, want := range []int{http.StatusAccepted, http.StatusTooManyRequests} {
		r, err := server.Client().Post(server.URL+"/reports", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if r.StatusCode != want {
			t.Fatalf("%s %s, want %d", r.Status, body, want)
		}
		if want == http.StatusAccepted {
			continue
		}
		var problem struct {
			Type, Title, Detail string
			Status              int
		}
		if err := json.Unmarshal(body, &problem); err != nil || problem.Status != want || problem.Detail != "too many tasks are waiting" ||
			r.Header.Get("Retry-After") != "1" || r.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %v, %+v", body, r.Header, problem)
		}
	}
}

func TestErrorsOfEchoKeepTheirStatus(t *testing.T) {
	got := echov5adapter.HTTPError(echo.ErrForbidden)
	if got.Code != http.StatusForbidden || got.Message != "Forbidden" || !errors.Is(got, echo.ErrForbidden) {
		t.Errorf("%+v", got)
	}
}
