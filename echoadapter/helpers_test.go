package echoadapter_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

var open = httpapi.Config{AllowUnauthenticated: true}

// app is an application with the module in it, that serves on a port of its own.
type app struct {
	t       testing.TB
	echo    *echo.Echo
	tasks   *fxtasks.Manager
	adapter *echoadapter.Adapter
	url     string
	http    *http.Client
}

func newEcho() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	return e
}

// start starts an application of that Config and options. The routes that it needs besides are
// added by the test.
func start(t *testing.T, cfg echoadapter.Config, opts ...fx.Option) *app {
	t.Helper()
	a := &app{t: t, http: &http.Client{Transport: new(http.Transport)}}
	a.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	fxApp := fxtest.New(t,
		fx.NopLogger,
		background.Module,
		echoadapter.Module,
		fx.Provide(newEcho),
		fx.Supply(cfg),
		fx.Populate(&a.echo, &a.tasks, &a.adapter),
		fx.Options(opts...),
	)
	fxApp.RequireStart()
	t.Cleanup(fxApp.RequireStop)
	a.serve()
	return a
}

// serve makes the Echo serve, as e.Start does, until the test ends.
func (a *app) serve() {
	a.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		a.t.Fatal(err)
	}
	a.echo.Listener = l
	a.url = "http://" + l.Addr().String()
	a.run(func() error { return a.echo.Start("") })
}

func (a *app) run(start func() error) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := start(); !errors.Is(err, http.ErrServerClosed) {
			a.t.Error(err)
		}
	}()
	a.t.Cleanup(func() {
		a.http.CloseIdleConnections()
		_ = a.echo.Close()
		<-ended
	})
}

type answer struct {
	t       testing.TB
	request string
	status  int
	header  http.Header
	body    string
}

// do asks. Headers are given as "Name: value".
func (a *app) do(method, path string, headers ...string) answer {
	a.t.Helper()
	r := a.open(method, path, headers...)
	defer func() { _ = r.Body.Close() }()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return answer{a.t, method + " " + path, r.StatusCode, r.Header, string(data)}
}

func (a *app) open(method, path string, headers ...string) *http.Response {
	a.t.Helper()
	req, err := http.NewRequest(method, a.url+path, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Add(name, value)
	}
	r, err := a.http.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	return r
}

func (a answer) want(status int, contains ...string) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Errorf("%s: %d %s, want %d", a.request, a.status, a.body, status)
	}
	for _, text := range contains {
		if !strings.Contains(a.body, text) {
			a.t.Errorf("%s: %s does not contain %s", a.request, a.body, text)
		}
	}
	return a
}

func (a answer) wantHeader(name, value string) answer {
	a.t.Helper()
	if got := strings.Join(a.header.Values(name), ", "); got != value {
		a.t.Errorf("%s: %s is %q, want %q", a.request, name, got, value)
	}
	return a
}

// stream opens an event stream and reads until its first event is there.
func (a *app) stream(headers ...string) (*http.Response, *bufio.Scanner) {
	a.t.Helper()
	r := a.open("GET", "/background/events", headers...)
	a.t.Cleanup(func() { _ = r.Body.Close() })
	lines := bufio.NewScanner(r.Body)
	readUntil(a.t, lines, "event: stats")
	return r, lines
}

// readUntil reads until a line contains text.
func readUntil(t testing.TB, lines *bufio.Scanner, text string) {
	t.Helper()
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return
		}
	}
	t.Fatalf("the stream ended before %q: %v", text, lines.Err())
}

func nothing(context.Context) error { return nil }

func untilCancelled(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}
